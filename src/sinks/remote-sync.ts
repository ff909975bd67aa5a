/** `seg sync` through the process that holds the database: what is asked of it, and what it tells. Lines of JSON, as feeds/relay.ts has them. */
import { connect } from 'node:net';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { SegError, segError } from '../diagnostics/seg-error.ts';
import type { LockOwner } from '../engines/pglite/lock.ts';
import { relayLines } from '../feeds/follow.ts';
import type { SinkEvent, SinkSummary } from './events.ts';

export interface SyncRequest {
  /** unique_ids */
  readonly sinks: readonly string[];
  readonly follow: boolean;
  readonly fullResync: boolean;
  readonly confirm: boolean;
  readonly onlyRejected: boolean;
}

export type SyncMessage =
  | { readonly event: SinkEvent }
  | { readonly out: string }
  | { readonly summaries: readonly SinkSummary[] }
  | { readonly error: readonly Diagnostic[] };

/**
 * Runs sinks in the process that holds the database.
 * @throws SegError as the server says, SEG733 when it ends before the sinks do
 */
export async function syncThroughOwner(
  address: NonNullable<LockOwner['address']>,
  request: SyncRequest,
  options: {
    readonly signal: AbortSignal;
    readonly onEvent: (event: SinkEvent) => void;
    readonly writeOut: (text: string) => Promise<void>;
  },
): Promise<readonly SinkSummary[]> {
  const socket = connect({ host: '127.0.0.1', port: address.port });
  socket.on('error', () => socket.destroy());
  socket.write(`${JSON.stringify({ token: address.token, sync: request })}\n`);
  // It finishes what is on its way, and then says how it ended.
  const stop = (): void => void socket.write('{"stop":true}\n');
  options.signal.addEventListener('abort', stop);
  // Ctrl-C may have come before.
  if (options.signal.aborted) stop();
  try {
    for await (const line of relayLines(socket)) {
      const message = JSON.parse(line) as SyncMessage;
      if ('event' in message) options.onEvent(message.event);
      else if ('out' in message) await options.writeOut(message.out);
      else if ('error' in message) throw new SegError(message.error, { exitCode: 1 });
      else return message.summaries;
    }
  } finally {
    options.signal.removeEventListener('abort', stop);
    socket.destroy();
  }
  throw segError('SEG733', 'the server has ended before the sinks did', {
    hint: 'Run the command again: what was on its way is sent again, under the same ids.',
    exitCode: 1,
  });
}

/** What a client may ask; undefined for anything else. */
export function parseSyncRequest(value: unknown): SyncRequest | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { sinks, follow, fullResync, confirm, onlyRejected } = value as Record<string, unknown>;
  if (!Array.isArray(sinks) || !sinks.every((sink) => typeof sink === 'string')) return undefined;
  return {
    sinks,
    follow: follow === true,
    fullResync: fullResync === true,
    confirm: confirm === true,
    onlyRejected: onlyRejected === true,
  };
}
