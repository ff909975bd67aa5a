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
import type { SegError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { FeedItem, FeedRequest } from '../feeds/hub.ts';
import { pairChanges } from '../feeds/pair-changes.ts';
import { quoteIdentifier, quoteRelation, quoteText } from '../sql/quote.ts';
import { engineMessage, isConnectionLost, isRecovering } from './engine-error.ts';
import { risingwave } from './risingwave.ts';
import type { FeedSession } from './feed-session.ts';
import type { FollowedRelation, Subscription } from './followed.ts';
import { jsonRow } from './json-row.ts';
import { millisecondsOf, timedPosition } from './timed-position.ts';

const CURSOR = quoteIdentifier('seg_feed');
const FETCH = `FETCH 1000 FROM ${CURSOR} WITH (timeout = '1s')`;
const SNAPSHOT_ONLY = 0n;
/** How often the clock is asked while nothing changes. */
const QUIET_MS = 60_000;

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
  subscription: Subscription,
  connect: () => Promise<FeedSession>,
  options: Omit<FeedRequest, 'model'> = {},
): AsyncGenerator<FeedItem> {
  const { signal, once } = options;
  const aborted = (): boolean => signal?.aborted === true;
  const until = options.until === undefined ? null : millisecondsOf('r', options.until);
  let last = options.from === undefined ? SNAPSHOT_ONLY : millisecondsOf('r', options.from);
  if (last !== SNAPSHOT_ONLY && last < BigInt(subscription.since)) throw gone(followed.label, last);
  let quiet = options.skipSnapshot === true && options.from === undefined;
  // Nothing has changed up to here since `last`; a cursor that has to be declared anew in a quiet time begins after it,
  // because the moment of the last change may be older than the retention.
  let seen = 0n;
  while (!aborted()) {
    let session: FeedSession | undefined;
    try {
      session = await connect();
      // Releases differ in whether a cursor with a snapshot looks its relation up by its full name.
      await session.query(`SET search_path = ${quoteText(followed.relation.schema)}`);
      const { rows: columns } = await session.query(risingwave.columnsOf(followed.relation));
      const names = columns.map(({ name }) => String(name));
      const after = seen > last ? seen : last;
      const start = last !== SNAPSHOT_ONLY ? ` SINCE ${after + 1n}` : ' FULL';
      await session.query(
        `DECLARE ${CURSOR} SUBSCRIPTION CURSOR FOR ${quoteRelation(subscription.relation)}${start}`,
      );
      let snapshot: JsonRow[] | null = last === SNAPSHOT_ONLY ? [] : null;
      let pending: Row[] = [];
      let asked = Date.now();
      for (;;) {
        if (aborted()) return;
        const clock = Date.now() - asked < QUIET_MS ? undefined : await clockOf(session);
        if (clock !== undefined) asked = Date.now();
        const rows = await fetch(session, names);
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
        // The changes up to the clock were there to be fetched after it was read.
        if (clock !== undefined) seen = clock;
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
      session?.release();
    }
  }
}

async function clockOf(session: FeedSession): Promise<bigint> {
  const { rows } = await session.query(risingwave.clock!);
  return BigInt(rows[0]!['ms'] as string | number | bigint);
}

/** @param names the relation's columns, since a cursor may say `relation.column` of a change and `column` of a snapshot */
async function fetch(session: FeedSession, names: readonly string[]): Promise<Row[]> {
  const { rows, fields } = await session.query(FETCH);
  // The last two columns are RisingWave's: what happened, and when.
  const own = fields.slice(0, -2).map((field, i) => ({
    ...field,
    as: names.length === fields.length - 2 ? names[i]! : field.name,
  }));
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
  // The subscription is dropped with the relation, when that is rebuilt.
  if (
    /too small|data may have been recycled|has been dropped|dependent table deleted|not found/i.test(message)
  )
    throw gone(label, last, error);
  if (/maximum lifetime/i.test(message)) return;
  // The clock that stamped the last change is ahead of the one that judges where a cursor may begin.
  if (/too large/i.test(message)) {
    await sleep(1000, undefined, { signal }).catch(() => {});
    return;
  }
  if (!isConnectionLost(error) && !isRecovering(error)) throw error;
  await sleep(1000, undefined, { signal }).catch(() => {});
}

function gone(label: string, last: bigint, cause?: unknown): SegError {
  return segError(
    'SEG706',
    `the changes of ${label} after ${timedPosition('r', last)} are not kept any more`,
    {
      hint: 'Begin with a snapshot (without --from). A subscription keeps changes for a day, and begins anew when its model is rebuilt.',
      exitCode: 1,
      cause,
    },
  );
}
