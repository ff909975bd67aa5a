/**
 * Change feeds of RisingWave: a subscription keeps the changes of a view, a cursor reads them.
 *
 * A change bears the millisecond of its checkpoint (rw_timestamp), and all changes of one checkpoint are one batch. A batch is
 * complete when a later one has begun, or when a FETCH comes back empty; only then it is given out, and its millisecond
 * T is the position: `SINCE` is inclusive, so a reader goes on with T + 1. Rows of a snapshot bear no time: the position of
 * a snapshot alone is zero, from which a reader begins with a snapshot again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeBatch, JsonRow } from '../changelog/change.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { FeedItem, FeedRequest } from '../feeds/hub.ts';
import { pairChanges } from '../feeds/pair-changes.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { engineMessage } from './engine-error.ts';
import type { FeedSession } from './feed-session.ts';
import { jsonRow } from './json-row.ts';
import { millisecondsOf, timedPosition } from './timed-position.ts';

export interface FollowedRelation {
  /** `model "x"`, for messages. */
  readonly label: string;
  readonly relation: RelationName;
  readonly key: readonly string[];
}

const CURSOR = quoteIdentifier('seg_feed');
const FETCH = `FETCH 1000 FROM ${CURSOR} WITH (timeout = '1s')`;
const SNAPSHOT_ONLY = 0n;

interface Row {
  readonly row: JsonRow;
  readonly weight: number;
  /** null for a row of the snapshot. */
  readonly at: bigint | null;
}

/**
 * @param subscription stands on the relation, and keeps its changes
 * @param connect makes a session of its own
 * @throws SegError SEG706 when the changes after the position are not kept any more
 */
export async function* followRisingwave(
  followed: FollowedRelation,
  subscription: RelationName,
  connect: () => Promise<FeedSession>,
  options: Omit<FeedRequest, 'model'> = {},
): AsyncGenerator<FeedItem> {
  const { signal, once } = options;
  const aborted = (): boolean => signal?.aborted === true;
  const until = options.until === undefined ? null : millisecondsOf('r', options.until);
  let last = options.from === undefined ? SNAPSHOT_ONLY : millisecondsOf('r', options.from);
  let quiet = options.skipSnapshot === true && options.from === undefined;
  while (!aborted()) {
    const session = await connect();
    try {
      const start = last !== SNAPSHOT_ONLY ? ` SINCE ${last + 1n}` : ' FULL';
      await session.query(`DECLARE ${CURSOR} SUBSCRIPTION CURSOR FOR ${quoteRelation(subscription)}${start}`);
      let snapshot: JsonRow[] | null = last === SNAPSHOT_ONLY ? [] : null;
      let pending: Row[] = [];
      for (;;) {
        if (aborted()) return;
        const rows = await fetch(session);
        for (const row of rows) {
          if (row.at === null) {
            snapshot?.push(row.row);
            continue;
          }
          if (snapshot !== null) {
            if (!quiet) yield { snapshot: { position: timedPosition('r', SNAPSHOT_ONLY), rows: snapshot } };
            snapshot = null;
            quiet = false;
          }
          const began = pending[0]?.at;
          if (began !== undefined && began !== row.at) {
            yield { batch: batchOf(pending, followed.key) };
            last = began!;
            pending = [];
            if (until !== null && last >= until) return;
          }
          pending.push(row);
        }
        if (rows.length > 0) continue;
        if (snapshot !== null) {
          if (!quiet) yield { snapshot: { position: timedPosition('r', SNAPSHOT_ONLY), rows: snapshot } };
          snapshot = null;
          quiet = false;
        }
        if (pending.length > 0) {
          yield { batch: batchOf(pending, followed.key) };
          last = pending[0]!.at!;
          pending = [];
        }
        if (once === true || (until !== null && last >= until)) return;
      }
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      await again(error, followed.label, last, signal);
    } finally {
      session.release();
    }
  }
}

async function fetch(session: FeedSession): Promise<Row[]> {
  const { rows, fields } = await session.query(FETCH);
  // The last two columns are RisingWave's: what happened, and when.
  const own = fields.slice(0, -2);
  const [op, at] = fields.slice(-2).map(({ name }) => name) as [string, string];
  return rows.map((row) => ({
    row: jsonRow(row, own),
    weight: String(row[op]).endsWith('Delete') ? -1 : 1,
    at: row[at] === null || row[at] === undefined ? null : BigInt(row[at] as string | number | bigint),
  }));
}

function batchOf(rows: readonly Row[], key: readonly string[]): ChangeBatch {
  const at = rows[0]!.at!;
  return {
    position: timedPosition('r', at),
    at: new Date(Number(at)).toISOString(),
    changes: pairChanges(rows, key),
  };
}

/** Whether to declare the cursor anew. A cursor dies with its session, and when nothing changed for the retention. */
async function again(
  error: DatabaseError,
  label: string,
  last: bigint,
  signal: AbortSignal | undefined,
): Promise<void> {
  const message = engineMessage(error);
  if (/too small|data may have been recycled/i.test(message)) {
    throw segError(
      'SEG706',
      `the changes of ${label} after ${timedPosition('r', last)} are not kept any more`,
      {
        hint: 'Begin with a snapshot (without --from). "changes: {retention: ...}" on the model says how long changes are kept.',
        exitCode: 1,
        cause: error,
      },
    );
  }
  if (/maximum lifetime/i.test(message)) return;
  if (!/^(08|57P0)/.test(error.sqlstate)) throw error;
  await sleep(1000, undefined, { signal }).catch(() => {});
}
