/**
 * Following a model on a server, where readers and writers have sessions of their own: the changes after a position are
 * read whenever a step announces itself (NOTIFY), and once a second in case the announcement was lost with a session.
 */
import { stateSchemaOf } from '../deploy/spec.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { PostgresDatabase } from '../engines/postgres/connection.ts';
import type { Project } from '../project/load.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { readFeed } from './follow.ts';
import type { FeedItem, FollowOptions } from './follow.ts';

const pollMs = 1000;

/**
 * Follows a model of an open server until `signal` (or, with `once`, to the present). A lost session is made again: the
 * position says where to go on.
 * @throws SegError as readChanges and readSnapshot do
 */
export async function* followServer(
  db: PostgresDatabase,
  project: Project,
  model: string,
  options: FollowOptions = {},
): AsyncGenerator<FeedItem> {
  const { signal, once } = options;
  let position = options.from;
  let skipSnapshot = options.skipSnapshot === true;
  const bell = new Bell();
  const stop =
    once === true ? undefined : await db.listen(quoteIdentifier(stateSchemaOf(project)), bell.ring);
  signal?.addEventListener('abort', bell.ring, { once: true });
  try {
    while (signal?.aborted !== true) {
      const heard = bell.next(pollMs);
      try {
        const items = readFeed(db, project, model, { from: position, skipSnapshot });
        for (;;) {
          const { done, value } = await items.next();
          if (done === true) {
            position = value;
            break;
          }
          yield value;
          if ('batch' in value) position = value.batch.position;
        }
        skipSnapshot = false;
      } catch (error) {
        // Before the first look a server that cannot be reached is an error; later it is one to wait for.
        if (position === undefined || !isLost(error)) throw error;
      }
      if (once === true) return;
      await heard;
    }
  } finally {
    signal?.removeEventListener('abort', bell.ring);
    await stop?.();
  }
}

/** Connection failures, and a server that is shutting down or starting. */
function isLost(error: unknown): boolean {
  return error instanceof DatabaseError && /^(08|57P0)/.test(error.sqlstate);
}

/** Wakes whoever waits; a ring while nobody does is kept for the next. */
class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  readonly ring = (): void => {
    this.#rung = true;
    this.#wake?.();
  };

  /** Resolves at the next ring from now on, or after `ms`. */
  next(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        this.#rung = false;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
      if (this.#rung) done();
    });
  }
}
