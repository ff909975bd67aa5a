/**
 * Following a model from any process. The embedded database belongs to one process at a time, so a follower holds it
 * only for as long as it reads: while another process owns the directory, the follower listens to that owner; when
 * nobody does, it opens the directory for a moment after each owner that could have written.
 */
import { parseJson } from '../json/exact-json.ts';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Position } from '../changelog/change.ts';
import { SegError, segError } from '../diagnostics/seg-error.ts';
import { readOwner, READER_COMMAND } from '../engines/pglite/lock.ts';
import type { LockOwner } from '../engines/pglite/lock.ts';
import { directoryExists, lastWriter, openDirectoryDatabase } from '../engines/pglite/open.ts';
import type { Project } from '../project/load.ts';
import { stateSchemaOf } from '../deploy/spec.ts';
import { checkStateVersion } from '../state/schema.ts';
import { FeedHub } from './hub.ts';
import type { FeedItem, FeedRequest } from './hub.ts';
import type { RelayMessage, RelayRequest } from './relay.ts';

export type FollowOptions = Omit<FeedRequest, 'model'>;

const waitMs = 150;

/**
 * Follows a model of a data directory until `signal` (or, with `once`, to the present).
 * @throws SegError SEG707 when there is no database yet, else as readChanges, readSnapshot and openDirectoryDatabase do
 */
export async function* followDirectory(
  directory: string,
  project: Project,
  model: string,
  options: FollowOptions = {},
): AsyncGenerator<FeedItem> {
  let position = options.from;
  let skipSnapshot = options.skipSnapshot === true;
  /** Whose writes were all read; null before the first look. */
  let seen: string | undefined | null = null;
  if (!directoryExists(directory) && (await readOwner(directory)) === undefined) {
    throw segError('SEG707', `there is no database in "${directory}" yet, so nothing can be followed`, {
      hint: 'Run "seg build" first.',
      exitCode: 1,
    });
  }
  while (options.signal?.aborted !== true) {
    const owner = await readOwner(directory);
    if (owner?.address !== undefined) {
      const { until, once, where, columns } = options;
      const request = { token: owner.address.token, model, from: position, until, once, where, columns };
      for await (const message of listen(owner.address, request, options.signal)) {
        if ('done' in message) return;
        if (!('snapshot' in message && skipSnapshot)) yield message;
        // A snapshot that was cut off begins anew.
        if ('snapshot' in message && message.snapshot.more === true) continue;
        position = 'snapshot' in message ? message.snapshot.position : message.batch.position;
        skipSnapshot = false;
      }
      // What the owner did not get told before its end is read below: it is not the writer that was seen last.
    } else if (owner === undefined && (seen === null || (await lastWriter(directory)) !== seen)) {
      const read = await readBriefly(directory, project, { ...options, model, from: position, skipSnapshot });
      if (read !== undefined) {
        yield* read.items;
        position = read.position;
        skipSnapshot = false;
        seen = read.writer;
        if (options.once === true || (options.until !== undefined && position >= options.until)) return;
      }
    }
    await sleep(waitMs, undefined, { signal: options.signal }).catch(() => {});
  }
}

interface BriefRead {
  readonly items: FeedItem[];
  readonly position: Position;
  /** The last writer, asked for while nobody else could become it. */
  readonly writer: string | undefined;
}

/** undefined when another process took the directory first. */
async function readBriefly(
  directory: string,
  project: Project,
  request: FeedRequest,
): Promise<BriefRead | undefined> {
  let db;
  try {
    db = await openDirectoryDatabase(directory, { command: READER_COMMAND });
  } catch (error) {
    if (error instanceof SegError && error.diagnostics[0]?.code === 'SEG801') return undefined;
    throw error;
  }
  try {
    await checkStateVersion(db, stateSchemaOf(project));
    const items: FeedItem[] = [];
    const feed = new FeedHub(db, () => project).follow({ ...request, once: true });
    for (;;) {
      const next = await feed.next();
      if (next.done === true) return { items, position: next.value, writer: await lastWriter(directory) };
      items.push(next.value);
    }
  } finally {
    await db.close();
  }
}

/**
 * What the owner of a directory sends, until it says that it ends, or is gone: an owner that ends in the middle is no
 * error, the next one, or the directory itself, has the rest.
 */
async function* listen(
  address: NonNullable<LockOwner['address']>,
  request: RelayRequest,
  signal: AbortSignal | undefined,
): AsyncGenerator<FeedItem | { readonly done: true }> {
  const socket = connect({ host: '127.0.0.1', port: address.port });
  const stop = (): void => void socket.destroy();
  signal?.addEventListener('abort', stop);
  socket.on('error', stop);
  socket.write(`${JSON.stringify(request)}\n`);
  try {
    for await (const line of relayLines(socket)) {
      const message = parseMessage(line);
      if (message === undefined || 'end' in message) return;
      if ('error' in message) throw new SegError(message.error, { exitCode: 1 });
      yield message;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    socket.destroy();
  }
}

/**
 * Complete lines until the connection ends, in whatever way. (Not node:readline: it rejects on a reset connection, and
 * never ends when the socket is destroyed from this side.)
 */
export async function* relayLines(socket: Socket): AsyncGenerator<string> {
  socket.setEncoding('utf8');
  let rest = '';
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<string>;
  for (;;) {
    // Refused, reset, closed by us: all of them mean that the owner has no more to say.
    const next = await chunks.next().catch(() => ({ done: true as const, value: undefined }));
    if (next.done === true) return;
    const parts = (rest + next.value).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
}

/** A line cut off by the end of its sender is not a message. */
function parseMessage(line: string): RelayMessage | undefined {
  try {
    return parseJson(line) as unknown as RelayMessage;
  } catch {
    return undefined;
  }
}
