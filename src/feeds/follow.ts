/**
 * Following a model from any process. The embedded database belongs to one process at a time, so a follower holds it
 * only for as long as it reads: while another process owns the directory, the follower listens to that owner; when
 * nobody does, it opens the directory for a moment whenever it has changed.
 */
import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeBatch, Position } from '../changelog/change.ts';
import { keepChangelog } from '../deploy/keep-changes.ts';
import { stateSchemaOf } from '../deploy/spec.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import { readOwner } from '../engines/pglite/lock.ts';
import type { LockOwner } from '../engines/pglite/lock.ts';
import { openDirectoryDatabase } from '../engines/pglite/open.ts';
import type { Project } from '../project/load.ts';
import { currentPosition, readChanges, readSnapshot } from './feed.ts';
import type { Snapshot } from './feed.ts';
import type { RelayMessage } from './relay.ts';

export type FeedItem = { readonly snapshot: Snapshot } | { readonly batch: ChangeBatch };

export interface FollowOptions {
  /** Where to go on; absent: begin with a snapshot, or with `skipSnapshot` from now. */
  readonly from?: Position;
  readonly skipSnapshot?: boolean;
  /** End when everything committed so far was given (no following). */
  readonly once?: boolean;
  readonly signal?: AbortSignal;
}

const waitMs = 150;

/** Snapshot and batches of a model in an open database, once: what is committed now. */
export async function* readFeed(
  db: Connection,
  project: Project,
  model: string,
  options: Pick<FollowOptions, 'from' | 'skipSnapshot'>,
): AsyncGenerator<FeedItem, Position> {
  const stateSchema = stateSchemaOf(project);
  await keepChangelog(db, project, model);
  let position = options.from;
  if (position === undefined) {
    const snapshot = await readSnapshot(db, model, stateSchema);
    if (options.skipSnapshot !== true) yield { snapshot };
    return snapshot.position;
  }
  for (const batch of await readChanges(db, model, position, { stateSchema })) {
    yield { batch };
    position = batch.position;
  }
  return position;
}

/**
 * Follows a model of a data directory until `signal` (or, with `once`, to the present).
 * @throws SegError as readChanges, readSnapshot and openDirectoryDatabase do
 */
export async function* followDirectory(
  directory: string,
  project: Project,
  model: string,
  options: FollowOptions = {},
): AsyncGenerator<FeedItem> {
  let position = options.from;
  let skipSnapshot = options.skipSnapshot === true;
  let seen: number | undefined;
  while (options.signal?.aborted !== true) {
    const owner = await readOwner(directory);
    if (owner?.address !== undefined) {
      for await (const item of listen(owner.address, model, position, options)) {
        if (!('snapshot' in item && skipSnapshot)) yield item;
        position = 'snapshot' in item ? item.snapshot.position : item.batch.position;
        skipSnapshot = false;
      }
      seen = undefined;
    } else if (owner === undefined) {
      const changed = await changedAt(directory);
      if (changed === undefined || changed !== seen) {
        const read = await readBriefly(directory, project, model, { from: position, skipSnapshot });
        if (read !== undefined) {
          yield* read.items;
          position = read.position;
          skipSnapshot = false;
          seen = await changedAt(directory);
          if (options.once === true) return;
        }
      }
    }
    await sleep(waitMs, undefined, { signal: options.signal }).catch(() => {});
  }
}

/** undefined when another process took the directory first. */
async function readBriefly(
  directory: string,
  project: Project,
  model: string,
  options: Pick<FollowOptions, 'from' | 'skipSnapshot'>,
): Promise<{ items: FeedItem[]; position: Position } | undefined> {
  let db;
  try {
    db = await openDirectoryDatabase(directory, { command: 'seg subscribe' });
  } catch (error) {
    if (error instanceof SegError && error.diagnostics[0]?.code === 'SEG801') return undefined;
    throw error;
  }
  try {
    const items: FeedItem[] = [];
    const feed = readFeed(db, project, model, options);
    for (;;) {
      const next = await feed.next();
      if (next.done === true) return { items, position: next.value ?? (await currentPosition(db)) };
      items.push(next.value);
    }
  } finally {
    await db.close();
  }
}

async function* listen(
  address: NonNullable<LockOwner['address']>,
  model: string,
  from: Position | undefined,
  options: FollowOptions,
): AsyncGenerator<FeedItem> {
  const socket = connect({ host: '127.0.0.1', port: address.port });
  const stop = (): void => void socket.destroy();
  options.signal?.addEventListener('abort', stop);
  // An owner that ends in the middle is no error: the next one, or the directory itself, has the rest.
  socket.on('error', stop);
  socket.write(`${JSON.stringify({ token: address.token, model, from: from ?? null })}\n`);
  try {
    for await (const line of createInterface({ input: socket })) {
      const message = parseMessage(line);
      if (message === undefined || 'end' in message) return;
      if ('error' in message) throw new SegError(message.error, { exitCode: 1 });
      yield message;
    }
  } finally {
    options.signal?.removeEventListener('abort', stop);
    socket.destroy();
  }
}

/** A line cut off by the end of its sender is not a message. */
function parseMessage(line: string): RelayMessage | undefined {
  try {
    return JSON.parse(line) as RelayMessage;
  } catch {
    return undefined;
  }
}

/** When the last owner of the directory closed it: PostgreSQL writes its control file then. */
async function changedAt(directory: string): Promise<number | undefined> {
  return stat(join(directory, 'global', 'pg_control')).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}
