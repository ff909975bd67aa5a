/**
 * The end of every step: a delta is written to the stage's table and to the change feed, and handed to the next step.
 *
 * `"_seg_delta"` must hold the stage's columns, `_seg_w` (never zero, one row per distinct row) and `_seg_at`, the places
 * (ctid) of at least −w stored copies of a row that goes. Deletes go by place, so no row is searched twice.
 */
import { quoteIdentifier, quoteRelation } from '../../sql/quote.ts';
import type { StepStatement } from './statement.ts';
import { columnList, visibleRowAsJson } from './stored-stage.ts';
import type { StoredStage } from './stored-stage.ts';

/**
 * @param ctes `name AS (...)` fragments that end with "_seg_delta"
 * @returns one statement; it answers `removed` and `added`, arrays of the stage's row type with one element a copy
 *   when `wanted`, else one number: how many distinct rows came or went
 */
export function applySql(
  stored: StoredStage,
  ctes: readonly string[],
  epoch: string,
  wanted: boolean,
): string {
  const table = quoteRelation(stored.table);
  const hidden = stored.stage.columns.some((column) => column.hidden);
  const parts = [...ctes];
  parts.push(`"_seg_gone" AS (
  DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
)`);
  parts.push(`"_seg_come" AS (
  INSERT INTO ${table} (${columnList(stored)})
  SELECT ${columnList(stored, '"_seg_d"')} FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
)`);
  if (stored.changelog !== null) {
    parts.push(`"_seg_logged" AS (
  INSERT INTO ${quoteRelation(stored.changelog.table)} (epoch, node, weight, "row")
  ${loggedRows(stored.changelog.node, epoch, deltaAsJson(visibleRowAsJson(stored, '"_seg_d"')), hidden)}
)`);
  }
  return `WITH ${parts.join(',\n')}
${wanted ? deltaArrays(stored) : 'SELECT count(*) FROM "_seg_delta"'}`;
}

/**
 * The same end where rows only come: they are written as they are.
 * @param rows a SELECT of the stage's columns
 */
export function applyNewSql(stored: StoredStage, rows: string, wanted: boolean): StepStatement {
  const table = quoteRelation(stored.table);
  const list = columnList(stored);
  if (!wanted) return { general: null, quick: `INSERT INTO ${table} (${list})\n${rows}` };
  const general = `WITH "_seg_delta" AS MATERIALIZED (
${rows}
),
"_seg_come" AS (
  INSERT INTO ${table} (${list}) SELECT ${list} FROM "_seg_delta"
)
SELECT '{}'::${table}[], ARRAY(SELECT ROW(${columnList(stored, '"_seg_d"')})::${table} FROM "_seg_delta" AS "_seg_d")`;
  return { general, quick: null };
}

/**
 * The same end for a stage with at most one row for each key (plan/one-row.ts): what stays in its place is updated there. An update
 * that changes no indexed column writes no index entry and leaves nothing to vacuum; a row written anew cost twice as much.
 *
 * `"_seg_pairs"` must hold, for each key whose row is not what it was: the stage's columns, which are the new row where `_seg_new` is
 * true; `_seg_o0`, `_seg_o1` ..., the stored row in the table's order; and `_seg_place`, its ctid, NULL when there is none.
 * @param options.seen whether `"_seg_seen"` says if readers see a difference
 * @param options.mayGo whether a row can go; each table that a statement writes to costs it time even when nothing is written
 */
export function applyPairsSql(
  stored: StoredStage,
  ctes: readonly string[],
  epoch: string,
  wanted: boolean,
  { mayGo = true, seen: known = false }: { readonly mayGo?: boolean; readonly seen?: boolean } = {},
): string {
  const table = quoteRelation(stored.table);
  const sets = stored.columns.map(
    ({ name }) => `${quoteIdentifier(name)} = "_seg_p".${quoteIdentifier(name)}`,
  );
  const came = columnList(stored, '"_seg_p"');
  const went = stored.columns.map((_, i) => `"_seg_p"._seg_o${i}`).join(', ');
  const old = (name: string): string =>
    `"_seg_p"._seg_o${stored.columns.findIndex((column) => column.name === name)}`;
  const hidden = stored.stage.columns.some((column) => column.hidden);
  const seen = known ? (hidden ? ' AND "_seg_seen"' : '') : seenByReaders(stored, old);
  const parts = [
    ...ctes,
    `"_seg_changed" AS (
  UPDATE ${table} AS "_seg_t" SET ${sets.join(', ')} FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
)`,
    ...(mayGo
      ? [
          `"_seg_gone" AS (
  DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
)`,
        ]
      : []),
    `"_seg_come" AS (
  INSERT INTO ${table} (${columnList(stored)}) SELECT ${came} FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)`,
  ];
  if (stored.changelog !== null) {
    const json = visibleRowAsJson(stored, '"_seg_p"', old);
    parts.push(`"_seg_logged" AS (
  INSERT INTO ${quoteRelation(stored.changelog.table)} (epoch, node, weight, "row")
  ${loggedRows(
    stored.changelog.node,
    epoch,
    `SELECT -1 AS "_seg_w", ${json} AS "row" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NOT NULL${seen}
  UNION ALL
  SELECT 1, ${visibleRowAsJson(stored, '"_seg_p"')} FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_new"${seen}`,
    // Rows of two keys are the same to readers only where the key is not seen.
    stored.stage.columns.some(({ id, hidden }) => hidden && stored.stage.key.includes(id)),
  )}
)`);
  }
  const rows = (values: string, where: string): string =>
    `ARRAY(SELECT ROW(${values})::${table} FROM "_seg_pairs" AS "_seg_p" WHERE ${where}${seen})`;
  return `WITH ${parts.join(',\n')}
${
  wanted
    ? `SELECT ${rows(went, '"_seg_place" IS NOT NULL')}, ${rows(came, '"_seg_new"')}`
    : 'SELECT count(*) FROM "_seg_pairs"'
}`;
}

/** Readers see the visible columns only: a change of nothing but what is kept beside them is none. */
function seenByReaders(stored: StoredStage, old: (name: string) => string): string {
  const { columns } = stored.stage;
  if (!columns.some(({ hidden }) => hidden)) return '';
  const visible = columns.filter(({ hidden }) => !hidden).map(({ name }) => name);
  if (visible.length === 0) return ' AND ("_seg_new" IS NULL OR "_seg_place" IS NULL)';
  const differ = visible.map((name) => `"_seg_p".${quoteIdentifier(name)} IS DISTINCT FROM ${old(name)}`);
  return ` AND ("_seg_new" IS NULL OR "_seg_place" IS NULL OR ${differ.join(' OR ')})`;
}

/** `"_seg_delta"` as weights and rows of JSON, for `loggedRows`. */
export function deltaAsJson(row: string, delta = '"_seg_delta"'): string {
  return `SELECT "_seg_d"."_seg_w", ${row} AS "row" FROM ${delta} AS "_seg_d"`;
}

/**
 * Weighted rows (`_seg_w`, `row`) as rows of the change feed. Rows that differ in hidden columns only are the same row to its
 * readers: where there are such columns their weights are added up first, lest a feed tell of a row that went and came.
 */
export function loggedRows(node: number, epoch: string, rows: string, hidden: boolean): string {
  const [weight, tail] = hidden
    ? ['sum("_seg_w")', ' GROUP BY "row" HAVING sum("_seg_w") <> 0']
    : ['"_seg_w"', ''];
  return `SELECT ${epoch}, ${node}, ${weight}, "row" FROM (${rows}) AS "_seg_v"${tail}`;
}

/** The delta as two arrays of rows. */
export function deltaArrays(stored: StoredStage): string {
  const rows = (sign: 1 | -1): string =>
    `ARRAY(SELECT ROW(${columnList(stored, '"_seg_d"')})::${quoteRelation(stored.table)}
    FROM "_seg_delta" AS "_seg_d", generate_series(1, ${sign === 1 ? '' : '-'}"_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" ${sign === 1 ? '>' : '<'} 0)`;
  return `SELECT ${rows(-1)}, ${rows(1)}`;
}
