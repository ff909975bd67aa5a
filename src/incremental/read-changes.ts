/** The change feed of a view that was created with `changes: true`. */
import type { JsonRow } from '../changelog/change.ts';
import type { Connection } from '../engines/connection.ts';
import { inOrder } from '../feeds/feed-view.ts';
import { parseJson } from '../json/exact-json.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { outOfDatabase } from '../sql/row-json.ts';
import { connectionOf } from './client.ts';
import type { QueryClient } from './client.ts';

export interface ViewChange {
  /** Number of the step; all changes of one step belong together. As text, since it may pass 2^53. */
  readonly epoch: string;
  /** How many copies of the row came (positive) or went (negative); never zero. */
  readonly weight: number;
  /** Columns in the view's order; numbers that a `number` would print with other digits as JsonNumber. */
  readonly row: JsonRow;
}

/**
 * Consolidated changes in the order of their steps: within a step each distinct row appears once.
 * @param after the last epoch that was read; default: from the view's creation on
 */
export async function readChanges(
  client: QueryClient | Connection,
  name: string,
  options: { readonly after?: string; readonly schema?: string; readonly stateSchema?: string } = {},
): Promise<ViewChange[]> {
  const { after = '0', schema = 'public', stateSchema = '_seg' } = options;
  const seg = quoteIdentifier(stateSchema);
  const view = quoteRelation({ schema, name });
  const connection = connectionOf(client);
  // Rows as text: the client's own reader of JSON need not keep every digit.
  const { rows } = await connection.query<{ epoch: string; weight: number; row: string }>(
    `SELECT c.epoch::text AS epoch, sum(c.weight)::integer AS weight, c."row"::text AS "row"
     FROM ${seg}.changelog AS c JOIN ${seg}.plan AS p ON p.node = c.node
     WHERE p.view = $1 AND c.epoch > $2::bigint
     GROUP BY c.epoch, c."row" HAVING sum(c.weight) <> 0 ORDER BY c.epoch, sum(c.weight), c."row"`,
    [view, after],
  );
  if (rows.length === 0) return [];
  const columns = await connection.query<{ name: string }>(
    `SELECT attname::text AS name FROM pg_attribute
     WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [view],
  );
  const names = columns.rows.map((column) => column.name);
  return rows.map(({ row, ...change }) => ({
    ...change,
    row: inOrder(parseJson(outOfDatabase(row)) as JsonRow, names),
  }));
}
