/**
 * Change feeds of Materialize: SUBSCRIBE through a cursor, with progress.
 *
 * A progress row at T says that every change before T has been sent, so what is buffered up to there is complete: it is given
 * out, one batch a timestamp, and T is the position. With SNAPSHOT = false the changes after AS OF are sent, so a
 * reader goes on AS OF T − 1. The history behind that is kept for as long as the view's RETAIN HISTORY says.
 */
import { identityOf } from '../json/exact-json.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeBatch, JsonRow } from '../changelog/change.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { FeedItem, FeedRequest } from '../feeds/hub.ts';
import { pairChanges } from '../feeds/pair-changes.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import type { FeedSession } from './feed-session.ts';
import type { FollowedRelation } from './followed.ts';
import { jsonRow } from './json-row.ts';
import { millisecondsOf, timedPosition } from './timed-position.ts';

const CURSOR = quoteIdentifier('seg_feed');
const FETCH = `FETCH 1000 FROM ${CURSOR} WITH (timeout = '1s')`;
/** What SUBSCRIBE puts before the relation's columns. */
const ADDED = ['mz_timestamp', 'mz_progressed', 'mz_diff'];

interface Change {
  readonly row: JsonRow;
  readonly weight: number;
}

/**
 * @param connect makes a session of its own
 * @throws SegError SEG706 when the changes after the position are not kept any more
 */
export async function* followMaterialize(
  followed: FollowedRelation,
  connect: () => Promise<FeedSession>,
  options: Omit<FeedRequest, 'model'> = {},
): AsyncGenerator<FeedItem> {
  const { signal, once } = options;
  const aborted = (): boolean => signal?.aborted === true;
  const until = options.until === undefined ? null : millisecondsOf('m', options.until);
  let last = options.from === undefined ? undefined : millisecondsOf('m', options.from);
  let quiet = options.skipSnapshot === true;
  while (!aborted()) {
    let session: FeedSession | undefined;
    try {
      session = await connect();
      await session.query('BEGIN');
      const start =
        last === undefined ? 'WITH (PROGRESS)' : `WITH (PROGRESS, SNAPSHOT = false) AS OF ${last - 1n}`;
      await session.query(
        `DECLARE ${CURSOR} CURSOR FOR SUBSCRIBE (SELECT * FROM ${quoteRelation(followed.relation)}) ${start}`,
      );
      let snapshotAt: bigint | undefined;
      const pending = new Map<bigint, Change[]>();
      for (;;) {
        if (aborted()) return;
        let progress: bigint | undefined;
        const { rows, fields } = await session.query(FETCH);
        const own = fields.filter(({ name }) => !ADDED.includes(name));
        for (const row of rows) {
          const at = BigInt(row['mz_timestamp'] as string | number | bigint);
          if (row['mz_progressed'] === true) {
            // The first progress row holds the time of the snapshot.
            if (last === undefined) snapshotAt ??= at;
            progress = at;
            continue;
          }
          const of = pending.get(at) ?? [];
          pending.set(at, of);
          of.push({ row: jsonRow(row, own), weight: Number(row['mz_diff']) });
        }
        const upTo = progress ?? 0n;
        // Progress at the snapshot's own time says nothing yet: the snapshot's rows bear that time.
        if (progress !== undefined && !(snapshotAt !== undefined && progress <= snapshotAt)) {
          if (snapshotAt !== undefined) {
            const of = pending.get(snapshotAt) ?? [];
            pending.delete(snapshotAt);
            if (!quiet) {
              const copies = of.flatMap(({ row, weight }) => Array.from({ length: weight }, () => row));
              yield { snapshot: { position: timedPosition('m', snapshotAt + 1n), rows: copies } };
            }
            last = snapshotAt + 1n;
            snapshotAt = undefined;
            quiet = false;
          }
          for (const at of [...pending.keys()].filter((time) => time < upTo).sort(byTime)) {
            const batch = batchOf(at, consolidated(pending.get(at) ?? []), followed.key);
            pending.delete(at);
            last = at + 1n;
            if (batch.changes.length > 0) yield { batch };
            if (until !== null && last >= until) return;
          }
          last = progress;
          if (once === true || (until !== null && last >= until)) return;
        }
      }
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      await again(error, followed.label, last, signal);
    } finally {
      session?.release();
    }
  }
}

function byTime(a: bigint, b: bigint): number {
  return a < b ? -1 : 1;
}

function consolidated(changes: readonly Change[]): Change[] {
  const sums = new Map<string, Change>();
  for (const { row, weight } of changes) {
    const id = identityOf(row);
    sums.set(id, { row, weight: weight + (sums.get(id)?.weight ?? 0) });
  }
  return [...sums.values()].filter(({ weight }) => weight !== 0);
}

function batchOf(at: bigint, changes: readonly Change[], key: readonly string[]): ChangeBatch {
  // Everything before at + 1 has been sent with this batch.
  return {
    position: timedPosition('m', at + 1n),
    at: new Date(Number(at)).toISOString(),
    changes: pairChanges(changes, key),
  };
}

async function again(
  error: DatabaseError,
  label: string,
  last: bigint | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  // The second: the relation was dropped under the feed, when its model was made anew.
  if (
    /could not find a valid timestamp|not valid for all inputs/i.test(error.message) ||
    /underlying (relation|collection|object)\b.*dropped|unknown catalog item/i.test(error.message)
  ) {
    const position = last === undefined ? 'the beginning' : timedPosition('m', last);
    throw segError('SEG706', `the changes of ${label} after ${position} are not kept any more`, {
      hint: 'Begin with a snapshot (without --from). The view keeps its history for as long as its RETAIN HISTORY says.',
      exitCode: 1,
      cause: error,
    });
  }
  // 53200: this reader fell behind; the position says where to go on.
  if (!/^(08|57P0|53200|40001)/.test(error.sqlstate)) throw error;
  await sleep(1000, undefined, { signal }).catch(() => {});
}
