/** What a statement costs, counted and not timed. */
import type { Connection } from '../src/engines/connection.ts';

export interface RowsRead {
  readonly relation: string;
  readonly rows: number;
}

/**
 * Runs a statement in a transaction and answers how many rows it, and the programs it set off, have read of each table, by
 * scan or by index; the most first. Counts of earlier transactions stand among the server's for as long as they have
 * not been flushed, which takes up to a second, so the difference is taken.
 */
export async function rowsRead(db: Connection, statement: string): Promise<RowsRead[]> {
  return db.transaction(async (tx) => {
    const before = new Map((await counts(tx)).map(({ relation, rows }) => [relation, rows]));
    await tx.exec(statement);
    return (await counts(tx))
      .map(({ relation, rows }) => ({ relation, rows: rows - (before.get(relation) ?? 0) }))
      .filter(({ rows }) => rows > 0)
      .sort((a, b) => b.rows - a.rows);
  });
}

async function counts(tx: Connection): Promise<RowsRead[]> {
  const { rows } = await tx.query<RowsRead>(
    `SELECT relid::regclass::text AS relation, (seq_tup_read + coalesce(idx_tup_fetch, 0))::integer AS rows
     FROM pg_stat_xact_user_tables`,
  );
  return rows;
}
