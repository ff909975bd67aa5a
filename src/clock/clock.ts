/**
 * The project's time: a one-row table that models read as {{ now() }}. Moving it is a write like any other, so the
 * program of the clock brings every model that depends on time up to date in the same transaction.
 */
import type { Connection } from '../engines/connection.ts';
import { DatabaseError } from '../engines/connection.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { quoteIdentifier } from '../sql/quote.ts';

/** The clock as ISO 8601 in UTC with microseconds where there are any; null when nothing was ever deployed. */
export async function readClock(connection: Connection, stateSchema = '_seg'): Promise<string | null> {
  const table = `${quoteIdentifier(stateSchema)}.clock`;
  const { rows: there } = await connection.query<{ there: boolean }>(
    'SELECT to_regclass($1) IS NOT NULL AS there',
    [table],
  );
  if (there[0]?.there !== true) return null;
  const { rows } = await connection.query<{ now: string }>(
    `SELECT trim(both '"' from to_json("now" AT TIME ZONE 'UTC')::text) || 'Z' AS now FROM ${table}`,
  );
  return rows[0]?.now ?? null;
}

export interface ClockMove {
  /** Whether it may go more than an hour ahead of the machine's time, from where nothing brings it back. */
  readonly farAhead?: 'allowed' | 'refused';
}

/**
 * Moves the clock to an instant; the same instant again is allowed and does nothing.
 * @param instant anything PostgreSQL reads as a timestamptz (without zone: UTC)
 * @throws SegError SEG701 for text that is no instant, SEG702 for one before the clock, SEG709 for one that is far ahead
 */
export async function setClock(
  connection: Connection,
  instant: string,
  stateSchema = '_seg',
  { farAhead = 'allowed' }: ClockMove = {},
): Promise<void> {
  const table = `${quoteIdentifier(stateSchema)}.clock`;
  await connection.transaction(async (tx) => {
    const { rows } = await parsed(() =>
      tx.query<{ order: number; current: string; far: boolean; wanted: string }>(
        `SELECT CASE WHEN $1::timestamptz < "now" THEN -1 WHEN $1::timestamptz = "now" THEN 0 ELSE 1 END AS "order",
                "now"::text AS current, $1::timestamptz::text AS wanted,
                $1::timestamptz > $2::timestamptz + interval '1 hour' AS far FROM ${table}`,
        [instant, new Date().toISOString()],
      ),
    );
    const { order, current, far, wanted } = rows[0]!;
    if (order < 0) {
      throw segError('SEG702', `the clock stands at ${current} and cannot go back to ${instant}`, {
        hint: 'Time only moves forward. Start a new data directory to replay from an earlier instant.',
        exitCode: 1,
      });
    }
    if (order > 0 && far && farAhead === 'refused') {
      throw segError('SEG709', `${wanted} is more than an hour ahead of the present`, {
        hint: 'The clock never goes back: until that time comes it will not move. "seg clock INSTANT --confirm" sets it all the same.',
        exitCode: 1,
      });
    }
    if (order > 0) await tx.query(`UPDATE ${table} SET "now" = $1::timestamptz`, [instant]);
  });
}

/** Moves the clock forward by an interval (`30 minutes`). @throws SegError as setClock, SEG702 for a negative one */
export async function advanceClock(
  connection: Connection,
  interval: string,
  stateSchema = '_seg',
  move: ClockMove = {},
): Promise<void> {
  const { rows } = await parsed(() =>
    connection.query<{ instant: string }>(
      `SELECT ("now" + $1::interval)::text AS instant FROM ${quoteIdentifier(stateSchema)}.clock`,
      [interval],
    ),
  );
  await setClock(connection, rows[0]!.instant, stateSchema, move);
}

async function parsed<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    if (error instanceof DatabaseError && (error.sqlstate.startsWith('22') || error.sqlstate === '42704')) {
      throw segError('SEG701', error.message, {
        hint: 'Write an instant such as 2023-11-30T00:00:00Z, or an interval such as 30 minutes.',
        cause: error,
      });
    }
    throw error;
  }
}
