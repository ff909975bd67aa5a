/**
 * Following a model on a server, where readers and writers have sessions of their own: the changes after a position are
 * read whenever a step announces itself (NOTIFY), and once a second in case the announcement was lost with a session.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { stateSchemaOf } from '../deploy/spec.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { PostgresDatabase } from '../engines/postgres/connection.ts';
import type { Project } from '../project/load.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { FeedHub } from './hub.ts';
import type { FeedItem, FeedRequest } from './hub.ts';

const pollMs = 1000;

/**
 * Follows a model of an open server until `signal` (or `until`, or with `once` to the present). A lost session is made
 * again: the position says where to go on.
 * @throws SegError as `FeedHub.follow` does
 */
export async function* followServer(
  db: PostgresDatabase,
  project: Project,
  model: string,
  options: Omit<FeedRequest, 'model'> = {},
): AsyncGenerator<FeedItem> {
  const hub = new FeedHub(db, () => project, options.once === true ? {} : { pollMs });
  const stop =
    options.once === true
      ? undefined
      : await db.listen(quoteIdentifier(stateSchemaOf(project)), () => hub.poke());
  let position = options.from;
  try {
    for (;;) {
      try {
        for await (const item of hub.follow({ ...options, model, from: position })) {
          yield item;
          position = 'snapshot' in item ? item.snapshot.position : item.batch.position;
        }
        return;
      } catch (error) {
        // Before the first look a server that cannot be reached is an error; later it is one to wait for.
        if (position === undefined || !isLost(error) || options.once === true) throw error;
        await sleep(pollMs, undefined, { signal: options.signal }).catch(() => {});
      }
    }
  } finally {
    hub.close();
    await stop?.();
  }
}

/** Connection failures, and a server that is shutting down or starting. */
function isLost(error: unknown): boolean {
  return error instanceof DatabaseError && /^(08|57P0)/.test(error.sqlstate);
}
