/**
 * Rekey: the strategy for everything that falls into partitions.
 *
 *     keys      := distinct keys that the change touches                       (plan/affected.ts)
 *     ΔV        := Σ over k in keys of  σ[K = k] Q(inputs now)  −  σ[K = k] V   (plan/restrict.ts pushes k to the scans)
 *
 * Since each touched partition is recomputed from the tables as they are, the step is right whatever happened to them
 * meanwhile, and a change that cancels itself leaves no trace. State: the rows, and an index on the hash of their key.
 * Cost: the touched partitions. The lateral form is driven by index whatever the planner thinks; OFFSET 0 keeps it so: a plan
 * made while the table was empty walked through all of it for each statement, once it was not.
 */
import { quoteIdentifier, quoteRelation } from '../../sql/quote.ts';
import { oneRowPerKey } from '../plan/one-row.ts';
import { restrict } from '../plan/restrict.ts';
import type { KeyWithin } from '../plan/restrict.ts';
import type { Op } from '../relation/ir.ts';
import { hashOfRow } from '../relation/row-hash.ts';
import { selectSql } from '../relation/to-sql.ts';
import type { SqlOptions } from '../relation/to-sql.ts';
import { applyPairsSql, applySql } from './apply.ts';
import { addressColumns, columnList, rowHash } from './stored-stage.ts';
import type { StoredStage } from './stored-stage.ts';

/** The stage's query for one key, whose columns are `"_seg_k".k0` and so on. */
export function restrictedRoot(stored: StoredStage, keyWithin: KeyWithin): Op {
  const { stage } = stored;
  if (stage.root === null) throw new Error('invariant: a stage with a key has a tree');
  const types = addressColumns(stored).map(
    (name) => stored.columns.find((column) => column.name === name)!.type,
  );
  return restrict(
    stage.root,
    stage.key.map((id, i) => ({ expr: { Col: id }, value: `"_seg_k".k${i}`, type: types[i]! })),
    keyWithin,
  );
}

/** @param touched trees that deliver the key's columns under their ids, for each changed scan */
export function rekeySql(
  stored: StoredStage,
  touched: readonly Op[],
  keyWithin: KeyWithin,
  options: SqlOptions,
  epoch: string,
  wanted: boolean,
): string {
  const { stage } = stored;
  const list = columnList(stored);
  const names = addressColumns(stored);
  const typeOf = (name: string): string => stored.columns.find((column) => column.name === name)!.type;
  const keys = names.map((name, i) => `(k${i})::${typeOf(name)} AS k${i}`);
  const sources = touched.map(
    (op) =>
      `    ${selectSql(
        op,
        stage.key.map((id, i) => ({ id, name: `k${i}` })),
        options,
      )}`,
  );
  const output = stage.columns.map(({ id, name }) => ({ id, name }));
  const restricted = restrictedRoot(stored, keyWithin);
  const hash = hashOfRow(names.map((_, i) => `"_seg_k".k${i}`));
  const same = names.map(
    (name, i) => `"_seg_t".${quoteIdentifier(name)} IS NOT DISTINCT FROM "_seg_k".k${i}`,
  );
  const keysSql = `"_seg_keys" AS MATERIALIZED (
  SELECT DISTINCT ${keys.join(', ')} FROM (
${sources.join('\n    UNION ALL\n')}
  ) AS "_seg_touched"
)`;
  if (oneRowPerKey(restricted, stage.key)) {
    const old = stored.columns.map(({ name }, i) => `"_seg_t".${quoteIdentifier(name)} AS _seg_o${i}`);
    const differ = stored.columns.map(
      ({ name }, i) => `"_seg_q".${quoteIdentifier(name)} IS DISTINCT FROM "_seg_t"._seg_o${i}`,
    );
    return applyPairsSql(
      stored,
      [
        keysSql,
        `"_seg_pairs" AS MATERIALIZED (
  SELECT "_seg_q".*, "_seg_t".*
  FROM "_seg_keys" AS "_seg_k" LEFT JOIN LATERAL (
    SELECT *, true AS "_seg_new" FROM (
    ${selectSql(restricted, output, options)}
    ) AS "_seg_q"
  ) AS "_seg_q" ON true LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", ${old.join(', ')} FROM ${quoteRelation(stored.table)} AS "_seg_t"
    WHERE ${rowHash(names, '"_seg_t"')} = ${hash} AND ${same.join(' AND ')}
    OFFSET 0) AS "_seg_t" ON true
  WHERE "_seg_new" IS NULL AND "_seg_place" IS NOT NULL OR "_seg_new" AND ("_seg_place" IS NULL OR ${differ.join(' OR ')})
)`,
      ],
      epoch,
      wanted,
    );
  }
  return applySql(
    stored,
    [
      keysSql,
      `"_seg_both" AS (
  SELECT "_seg_q".*, 1 AS "_seg_w", NULL::tid AS "_seg_place"
  FROM "_seg_keys" AS "_seg_k" CROSS JOIN LATERAL (
    ${selectSql(restricted, output, options)}
  ) AS "_seg_q"
  UNION ALL
  SELECT ${columnList(stored, '"_seg_t"')}, -1, "_seg_t".ctid
  FROM "_seg_keys" AS "_seg_k" CROSS JOIN LATERAL (
    SELECT "_seg_t".ctid, ${columnList(stored, '"_seg_t"')} FROM ${quoteRelation(stored.table)} AS "_seg_t"
    WHERE ${rowHash(names, '"_seg_t"')} = ${hash} AND ${same.join(' AND ')}
    OFFSET 0) AS "_seg_t"
)`,
      `"_seg_delta" AS MATERIALIZED (
  SELECT ${list}, sum("_seg_w")::integer AS "_seg_w", array_agg("_seg_place") FILTER (WHERE "_seg_w" < 0) AS "_seg_at"
  FROM "_seg_both" GROUP BY ${list} HAVING sum("_seg_w") <> 0
)`,
    ],
    epoch,
    wanted,
  );
}
