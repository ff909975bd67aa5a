/**
 * The end of every step: a delta is written to the stage's table and to the change feed, and handed to the next step.
 *
 * `"_seg_delta"` must hold the stage's columns, `_seg_w` (never zero, one row per distinct row) and `_seg_at`, the places
 * (ctid) of at least −w stored copies of a row that goes. Deletes go by place, so no row is searched twice.
 */
import { quoteRelation } from '../../sql/quote.ts';
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
  SELECT ${epoch}, ${stored.changelog.node}, "_seg_d"."_seg_w", ${visibleRowAsJson(stored, '"_seg_d"')} FROM "_seg_delta" AS "_seg_d"
)`);
  }
  return `WITH ${parts.join(',\n')}
${wanted ? deltaArrays(stored) : 'SELECT count(*) FROM "_seg_delta"'}`;
}

/** The delta as two arrays of rows. */
export function deltaArrays(stored: StoredStage): string {
  const rows = (sign: 1 | -1): string =>
    `ARRAY(SELECT ROW(${columnList(stored, '"_seg_d"')})::${quoteRelation(stored.table)}
    FROM "_seg_delta" AS "_seg_d", generate_series(1, ${sign === 1 ? '' : '-'}"_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" ${sign === 1 ? '>' : '<'} 0)`;
  return `SELECT ${rows(-1)}, ${rows(1)}`;
}
