/**
 * A snapshot in parts, for models that are larger than one answer should be. The embedded database has one session, so its cursor
 * outlives the transaction it was made in: all parts are of the one state, and between two of them others have their turns.
 */
import { randomUUID } from 'node:crypto';
import type { JsonRow } from '../changelog/change.ts';
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { currentPosition, parseRow, readSnapshot, snapshotQuery } from './feed.ts';
import type { ReadOptions, Snapshot } from './feed.ts';
import { inOrder } from './feed-view.ts';

/** Rows that are read at once. */
const WHOLE = 5000;
const PART = 1000;

/**
 * The parts, in order; all but the last say that there is `more`. A cursor takes the model once as a whole into a temporary file of
 * the database: for that long everybody else waits.
 * @param connection of a database with one session
 * @throws SegError as `readSnapshot` does
 */
export async function* readSnapshotParts(
  connection: Connection,
  uniqueId: string,
  options: ReadOptions,
): AsyncGenerator<Snapshot> {
  const whole = await readSnapshot(connection, uniqueId, { ...options, most: WHOLE + 1 });
  if (whole.rows.length <= WHOLE) {
    yield whole;
    return;
  }
  const { stateSchema = '_seg' } = options;
  const { sql, columns } = await snapshotQuery(connection, uniqueId, options);
  const cursor = quoteIdentifier(`seg_snapshot_${randomUUID()}`);
  const position = await connection.transaction(async (tx) => {
    // What does not fit goes to a file; the engine never gives memory back.
    await tx.exec(`SET LOCAL work_mem = '8MB'; DECLARE ${cursor} NO SCROLL CURSOR WITH HOLD FOR ${sql}`);
    return currentPosition(tx, stateSchema);
  });
  try {
    const next = async (): Promise<JsonRow[]> => {
      const { rows } = await connection.query<{ row: string }>(`FETCH ${PART} FROM ${cursor}`);
      return rows.map(({ row }) => inOrder(parseRow(row), columns));
    };
    let rows = await next();
    for (;;) {
      const following = rows.length < PART ? [] : await next();
      const more = following.length > 0;
      yield more ? { position, rows, more } : { position, rows };
      if (!more) return;
      rows = following;
    }
  } finally {
    // A client's CLOSE ALL may have been faster.
    await connection.exec(`CLOSE ${cursor}`).catch(() => {});
  }
}
