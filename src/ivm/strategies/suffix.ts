/**
 * Suffix: windows whose rows depend on what stands before them in their partition.
 *
 *     start    := for each touched partition the first position p where a row came or went    (plan/affected.ts, on the base)
 *     s        := the row `ahead` rows before p                                            (lead, m FOLLOWING)
 *     ΔV       := σ[K = k, position >= s] Q  −  σ[K = k, position >= s] V                  (plan/suffix-region.ts)
 *
 * Rows before s have the same rows before them and the same `ahead` rows after them as ever, so they stay what they are.
 * State: the rows, and one index on (hash of the partition, order). Cost: the rows from the change's place on, whatever came before.
 */
import { quoteIdentifier, quoteRelation } from '../../sql/quote.ts';
import { beforePosition, directionSql, fromPosition, reversed } from '../plan/positions.ts';
import type { KeyWithin } from '../plan/restrict.ts';
import type { StageSuffix } from '../plan/stage.ts';
import { probeOf, regionOf, startOf } from '../plan/suffix-region.ts';
import type { RegionRequest } from '../plan/suffix-region.ts';
import type { Op } from '../relation/ir.ts';
import { hashOfRow } from '../relation/row-hash.ts';
import { selectSql } from '../relation/to-sql.ts';
import type { SqlOptions } from '../relation/to-sql.ts';
import { applySql } from './apply.ts';
import { addressColumns, columnList, columnName, rowHash } from './stored-stage.ts';
import type { StoredStage } from './stored-stage.ts';

/** What the trees of a suffix are made for: the stage's own partition. */
export function regionRequest(stored: StoredStage, keyWithin: KeyWithin): RegionRequest {
  const { root, suffix } = stored.stage;
  if (root === null || suffix === undefined) throw new Error('invariant: a stage kept by suffixes');
  const types = addressColumns(stored).map((name) => typeOf(stored, name));
  return {
    root,
    plan: suffix,
    key: suffix.partition.map((id, i) => ({ expr: { Col: id }, value: `"_seg_k".k${i}`, type: types[i]! })),
    keyWithin,
  };
}

/** @param touched trees over the base that deliver partition and order of the rows that came or went */
export function suffixSql(
  stored: StoredStage,
  touched: readonly Op[],
  keyWithin: KeyWithin,
  options: SqlOptions,
  epoch: string,
  wanted: boolean,
): string {
  const request = regionRequest(stored, keyWithin);
  const { suffix } = stored.stage as { suffix: StageSuffix };
  const list = columnList(stored);
  const names = addressColumns(stored);
  const position = suffix.order.slice(0, suffix.bound);
  const keys = names.map((_, i) => `k${i}`);
  const places = position.map((_, i) => `p${i}`);
  const both = [...keys, ...places].join(', ');
  const sources = touched.map(
    (op) =>
      `    ${selectSql(
        op,
        [
          ...suffix.partition.map((id, i) => ({ id, name: `k${i}` })),
          ...position.map(({ id }, i) => ({ id, name: `p${i}` })),
        ],
        options,
      )}`,
  );
  const sorts = position.map((sort, i) => `p${i}${directionSql(sort)}`).join(', ');
  const typed = names.map((name, i) => `(k${i})::${typeOf(stored, name)} AS k${i}`);
  // Of each partition its first position, or of all rows where they are one partition.
  const [first, only] = keys.length > 0 ? [`DISTINCT ON (${keys.join(', ')}) `, ''] : ['', ' LIMIT 1'];
  const start = `"_seg_start" AS MATERIALIZED (
  SELECT ${first}${both} FROM (
    SELECT ${[...typed, ...places].join(', ')} FROM (
${sources.join('\n    UNION ALL\n')}
    ) AS "_seg_touched"
  ) AS "_seg_typed" ORDER BY ${[...keys, sorts].join(', ')}${only}
)`;
  return applySql(
    stored,
    [
      start,
      ...(suffix.ahead === 0 ? [] : [movedBack(request, keys, position.length, options)]),
      `"_seg_both" AS (
  SELECT "_seg_q".*, 1 AS "_seg_w", NULL::tid AS "_seg_place"
  FROM "${suffix.ahead === 0 ? '_seg_start' : '_seg_moved'}" AS "_seg_k"${carries(stored, request, options)} CROSS JOIN LATERAL (
    ${selectSql(
      regionOf(request),
      stored.stage.columns.map(({ id, name }) => ({ id, name })),
      options,
    )}
  ) AS "_seg_q"
  UNION ALL
  SELECT ${columnList(stored, '"_seg_t"')}, -1, "_seg_t".ctid
  FROM "${suffix.ahead === 0 ? '_seg_start' : '_seg_moved'}" AS "_seg_k" CROSS JOIN LATERAL (
    ${fromPosition(suffix, reference(stored))
      .map((place) => storedRows(stored, place))
      .join(' UNION ALL ')}
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

function typeOf({ columns }: StoredStage, name: string): string {
  return columns.find((column) => column.name === name)!.type;
}

function movedBack(
  request: RegionRequest,
  keys: readonly string[],
  columns: number,
  options: SqlOptions,
): string {
  const names = Array.from({ length: columns }, (_, i) => `p${i}`);
  const places = names.map(
    (name) => `CASE WHEN "_seg_b".found THEN "_seg_b".${name} ELSE "_seg_k".${name} END AS ${name}`,
  );
  return `"_seg_moved" AS MATERIALIZED (
  SELECT ${[...keys, ...places].join(', ')} FROM "_seg_start" AS "_seg_k" LEFT JOIN LATERAL (
    SELECT true AS found, "_seg_r".* FROM (${selectSql(startOf(request), names, options)}) AS "_seg_r"
  ) AS "_seg_b" ON true
)`;
}

/** The row before the position: the stored one, or one probe for each running column. */
function carries(stored: StoredStage, request: RegionRequest, options: SqlOptions): string {
  const { suffix } = stored.stage as { suffix: StageSuffix };
  if (suffix.running.length === 0) return '';
  if (!suffix.whole) {
    return suffix.running
      .map(
        (column, i) => ` LEFT JOIN LATERAL (
    SELECT true AS found, "_seg_r".c AS c${i} FROM (${selectSql(probeOf(request, column), ['c'], options)}) AS "_seg_r"
  ) AS "_seg_c${i}" ON true`,
      )
      .join('');
  }
  const values = suffix.running.map(
    ({ from }, i) => `"_seg_t".${quoteIdentifier(columnName(stored.stage, suffix.shown[from]!))} AS c${i}`,
  );
  const sorts = reversed(suffix.order).map((sort, i) => `${reference(stored)(i)}${directionSql(sort)}`);
  // Of rows that are alike the last one has the greatest number.
  if (suffix.alike) suffix.running.forEach(({ carry }, i) => carry === 'number' && sorts.push(`c${i} DESC`));
  return ` LEFT JOIN LATERAL (
    SELECT true AS found, ${values.join(', ')} FROM ${quoteRelation(stored.table)} AS "_seg_t"
    WHERE ${inPartition(stored, true)} AND (${beforePosition(suffix, reference(stored)).join('')})
    ORDER BY ${sorts.join(', ')} LIMIT 1
  ) AS "_seg_c" ON true`;
}

/** The order's columns in the stage's table. */
function reference({ stage }: StoredStage): (column: number) => string {
  return (i) =>
    `"_seg_t".${quoteIdentifier(columnName(stage, stage.suffix!.shown[stage.suffix!.order[i]!.id]!))}`;
}

function storedRows(stored: StoredStage, place: readonly string[]): string {
  return `SELECT "_seg_t".ctid, ${columnList(stored, '"_seg_t"')} FROM ${quoteRelation(stored.table)} AS "_seg_t"
    WHERE ${inPartition(stored, false)} AND (${place.join('')})`;
}

/** @param few whether a few rows are wanted, in the order of the index (see KeyPart in plan/restrict.ts) */
function inPartition(stored: StoredStage, few: boolean): string {
  const names = addressColumns(stored);
  if (names.length === 0) return 'true';
  const hash = hashOfRow(names.map((_, i) => `"_seg_k".k${i}`));
  const same = names
    .map((name, i) => `"_seg_t".${quoteIdentifier(name)} IS NOT DISTINCT FROM "_seg_k".k${i}`)
    .join(' AND ');
  const exact = few ? `CASE WHEN ${same} THEN true ELSE false END` : same;
  return `${rowHash(names, '"_seg_t"')} = ${hash} AND ${exact}`;
}
