/** Positions of the streaming engines: the engine's own clock in milliseconds, as text that says which engine's it is. */
import type { Position } from '../changelog/change.ts';
import { segError } from '../diagnostics/seg-error.ts';

export function timedPosition(prefix: 'r' | 'm', milliseconds: bigint): Position {
  return `${prefix}${milliseconds.toString(16).padStart(12, '0')}`;
}

/** @throws SegError SEG703 for text that is no position of this engine */
export function millisecondsOf(prefix: 'r' | 'm', position: Position): bigint {
  const match = /^([rm])([0-9a-f]{12,16})$/.exec(position);
  if (match?.[1] === prefix) return BigInt(`0x${match[2]}`);
  throw segError('SEG703', `"${position}" is not a position of this engine's feed`, {
    hint: 'Use a "position" that an earlier "seg subscribe" printed for the same target, or leave --from out to begin with a snapshot.',
  });
}
