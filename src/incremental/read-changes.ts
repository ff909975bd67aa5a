/** The change feed of a view that was created with `changes: true`. */
import type { JsonRow } from '../changelog/change.ts';
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { connectionOf } from './client.ts';
import type { QueryClient } from './client.ts';

export interface ViewChange {
  /** Number of the step; all changes of one step belong together. As text, since it may pass 2^53. */
  readonly epoch: string;
  /** How many copies of the row came (positive) or went (negative); never zero. */
  readonly weight: number;
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
  const { rows } = await connectionOf(client).query<ViewChange>(
    `SELECT c.epoch::text AS epoch, sum(c.weight)::integer AS weight, c."row"
     FROM ${seg}.changelog AS c JOIN ${seg}.plan AS p ON p.node = c.node
     WHERE p.view = $1 AND c.epoch > $2::bigint
     GROUP BY c.epoch, c."row" HAVING sum(c.weight) <> 0 ORDER BY c.epoch, sum(c.weight), c."row"`,
    [quoteRelation({ schema, name }), after],
  );
  return rows;
}
