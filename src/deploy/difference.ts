import type { Connection } from '../engines/connection.ts';
import { differenceSql } from '../ivm/strategies/recompute.ts';
import type { StoredView } from '../ivm/strategies/recompute.ts';

/** How many rows a view lacks and has too many, against its recomputation; copies of a row count each. */
export async function countDifference(
  connection: Connection,
  view: StoredView,
): Promise<{ inserted: number; deleted: number }> {
  const { rows } = await connection.query<{ inserted: number; deleted: number }>(
    `SELECT coalesce(sum("_seg_w") FILTER (WHERE "_seg_w" > 0), 0)::bigint AS inserted,
            coalesce(-sum("_seg_w") FILTER (WHERE "_seg_w" < 0), 0)::bigint AS deleted
     FROM (${differenceSql(view)}) AS "_seg_difference"`,
  );
  return rows[0] ?? { inserted: 0, deleted: 0 };
}
