/** Positions of the Postgres family: the epoch, as text that sorts like the number and says what it is. */
import type { Position } from '../changelog/change.ts';
import { segError } from '../diagnostics/seg-error.ts';

export function positionOf(epoch: bigint | number | string): Position {
  return `e${BigInt(epoch).toString(16).padStart(12, '0')}`;
}

/** @throws SegError SEG703 for text that is no position */
export function epochOf(position: Position): bigint {
  if (!/^e[0-9a-f]{12,16}$/.test(position)) {
    throw segError('SEG703', `"${position}" is not a position of a change feed`, {
      hint: 'Use a "position" that an earlier "seg subscribe" printed, or leave --from out to begin with a snapshot.',
    });
  }
  return BigInt(`0x${position.slice(1)}`);
}
