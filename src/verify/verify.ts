/** Every maintained view against its recomputation, EXCEPT ALL both ways, on a live project. */
import type { JsonRow } from '../changelog/change.ts';
import type { Connection } from '../engines/connection.ts';
import { differenceSql, rowAsText } from '../ivm/strategies/recompute.ts';
import { parseJson } from '../json/exact-json.ts';
import { quoteRelation } from '../sql/quote.ts';
import { readDeployed } from '../state/nodes.ts';

export interface Verification {
  readonly uniqueId: string;
  readonly name: string;
  /** Rows of the view as stored. */
  readonly rows: number;
  /** Rows the query gives and the view lacks; copies count each. */
  readonly missing: number;
  /** Rows the view has and the query does not give. */
  readonly extra: number;
  /** Some of the rows that differ: `weight` > 0 is missing, < 0 is extra. */
  readonly samples: readonly { readonly row: JsonRow; readonly weight: number }[];
  readonly seconds: number;
}

/**
 * Recomputes and compares, one view after the other, in one snapshot of the database.
 * @param ids unique_ids to check; default: every maintained view that is deployed
 */
export async function verify(
  connection: Connection,
  options: {
    ids?: ReadonlySet<string>;
    stateSchema?: string;
    onResult?: (result: Verification) => void;
  } = {},
): Promise<Verification[]> {
  const { stateSchema = '_seg' } = options;
  return connection.transaction(async (tx) => {
    const results: Verification[] = [];
    for (const node of (await readDeployed(tx, stateSchema)).values()) {
      if (node.kind !== 'materialized_view' || node.state === null || node.definition === null) continue;
      if (options.ids !== undefined && !options.ids.has(node.uniqueId)) continue;
      const started = performance.now();
      const view = {
        table: { schema: stateSchema, name: node.state },
        columns: node.columns,
        query: node.definition,
      };
      const { rows } = await tx.query<{
        rows: number;
        missing: number;
        extra: number;
        samples: { row: string; weight: number }[] | null;
      }>(
        `WITH difference AS MATERIALIZED (${differenceSql(view)})
         SELECT (SELECT count(*) FROM ${quoteRelation(view.table)}) AS rows,
                coalesce(sum("_seg_w") FILTER (WHERE "_seg_w" > 0), 0)::bigint AS missing,
                coalesce(-sum("_seg_w") FILTER (WHERE "_seg_w" < 0), 0)::bigint AS extra,
                (SELECT jsonb_agg(jsonb_build_object('row', s."row", 'weight', s."_seg_w"))
                 FROM (SELECT ${rowAsText(view, 'd')} AS "row", d."_seg_w" FROM difference AS d LIMIT 5) AS s) AS samples
         FROM difference`,
      );
      const { samples, ...counts } = rows[0]!;
      const result = {
        uniqueId: node.uniqueId,
        name: node.name,
        ...counts,
        samples: (samples ?? []).map(({ row, weight }) => ({ row: parseJson(row) as JsonRow, weight })),
        seconds: (performance.now() - started) / 1000,
      };
      results.push(result);
      options.onResult?.(result);
    }
    return results;
  });
}
