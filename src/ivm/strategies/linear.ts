/**
 * Linear: filter, projection, inner join, UNION ALL, set-returning functions.
 *
 *     ΔQ = a sum of terms, each of which holds changes of the inputs          (plan/signed.ts)
 *
 * The terms' weights are added up row by row; rows that go are found in the stage's table by the hash of the whole row.
 * State: the rows themselves. Cost: the size of the change, times one index probe for each join.
 */
import { col } from '../relation/expression.ts';
import type { Op } from '../relation/ir.ts';
import { selectSql } from '../relation/to-sql.ts';
import type { SqlOptions } from '../relation/to-sql.ts';
import { weightOf } from '../plan/signed.ts';
import type { SignedTerms, Term } from '../plan/signed.ts';
import { quoteIdentifier, quoteRelation } from '../../sql/quote.ts';
import { applyNewSql, applySql } from './apply.ts';
import { answering } from './statement.ts';
import type { StepStatement } from './statement.ts';
import { addressColumns, columnList, rowHash } from './stored-stage.ts';
import type { StoredStage } from './stored-stage.ts';
import { termsSql } from './terms-sql.ts';

/** @param removes whether rows may have gone from what changed */
export function linearSql(
  stored: StoredStage,
  change: SignedTerms,
  options: SqlOptions,
  epoch: string,
  wanted: boolean,
  removes = true,
): StepStatement {
  const table = quoteRelation(stored.table);
  const list = columnList(stored);
  const { terms } = change;
  const all = [...stored.columns.map(({ name }) => name), '_seg_w'];
  const names = addressColumns(stored);
  const same = names.map(
    (name) => `"_seg_t".${quoteIdentifier(name)} IS NOT DISTINCT FROM "_seg_s".${quoteIdentifier(name)}`,
  );
  const [only] = terms;
  // One copy of a row is as good as another: only the feed wants equal rows counted.
  if (!removes && terms.length === 1 && only?.crossing === false && stored.changelog === null) {
    const rows = `  SELECT ${list} FROM (${selectSql(weighted(stored, only), all, options)}) AS "_seg_rows"`;
    return applyNewSql(stored, rows, wanted);
  }
  const general = applySql(
    stored,
    [
      `"_seg_sum" AS MATERIALIZED (
  SELECT ${list}, sum("_seg_w")::integer AS "_seg_w" FROM (
${termsSql(change, (term) => weighted(stored, term), all, options)}
  ) AS "_seg_terms" GROUP BY ${list} HAVING sum("_seg_w") <> 0
)`,
      `"_seg_delta" AS MATERIALIZED (
  SELECT ${columnList(stored, '"_seg_s"')}, "_seg_s"."_seg_w", CASE WHEN "_seg_s"."_seg_w" < 0 THEN ARRAY(
    SELECT "_seg_t".ctid FROM ${table} AS "_seg_t"
    WHERE ${rowHash(names, '"_seg_t"')} = ${rowHash(names, '"_seg_s"')} AND ${same.join(' AND ')}
    LIMIT -"_seg_s"."_seg_w") END AS "_seg_at"
  FROM "_seg_sum" AS "_seg_s"
)`,
    ],
    epoch,
    wanted,
  );
  return answering(general);
}

/** The term's columns under the stage's names, and the product of its weights. */
function weighted(stored: StoredStage, { op, weights }: Term): Op {
  return {
    kind: 'project',
    child: op,
    sets: false,
    columns: [
      ...stored.stage.columns.map(({ id, name }) => ({ id: name, expr: col(id) })),
      { id: '_seg_w', expr: weightOf(weights) },
    ],
  };
}
