/**
 * Recompute and difference: the strategy that is right for every query, and the oracle of all others.
 *
 *     Δ = Q(inputs now) − stored                    (Z-sets: rows with weights; NULL equals NULL here)
 *     stored := stored + Δ
 *
 * The difference is ONE aggregation over both sides: every row of the query counts +1, every stored row −1, and the rows whose
 * sum is not zero are the delta, consolidated by construction. Bags are exact: a row that should stand three times and
 * stands once has weight +2. Equality is that of GROUP BY (as in EXCEPT ALL): 1.0 and 1.00 are one value.
 *
 * Cost: the whole query, and one pass over what is stored.
 */
import { quoteIdentifier, quoteRelation } from '../../sql/quote.ts';
import { rowObject, rowText } from '../../sql/row-json.ts';
import { deltaAsJson, loggedRows } from './apply.ts';

export interface StoredColumn {
  readonly name: string;
  /** As format_type prints it. */
  readonly type: string;
  /** Whether the type has a hash function; where it has none (money, bit, tsvector), its text is hashed. */
  readonly hashable: boolean;
  /** Kept for maintenance only: not part of the row that readers of the change feed see. */
  readonly hidden?: boolean;
}

export interface StoredView {
  /** The table that holds the rows, with exactly these columns. */
  readonly table: { readonly schema: string; readonly name: string };
  readonly columns: readonly StoredColumn[];
  /** A SELECT with the same columns in the same order. */
  readonly query: string;
}

/** Where the delta is recorded: the changelog's table, the node's number in it, and an SQL expression for the epoch. */
export interface ChangelogTarget {
  readonly table: { readonly schema: string; readonly name: string };
  readonly node: number;
  readonly epoch: string;
}

/** The delta of a view against what is stored: a SELECT of the view's columns and `_seg_w`, the weight (never zero). */
export function differenceSql(view: StoredView): string {
  const columns = view.columns.map(({ name }) => quoteIdentifier(name));
  const list = columns.join(', ');
  return `SELECT ${list}, sum("_seg_w")::integer AS "_seg_w"
  FROM (
    SELECT ${list}, 1 AS "_seg_w" FROM (
${view.query}
    ) AS "_seg_query" (${list})
    UNION ALL
    SELECT ${list}, -1 FROM ${quoteRelation(view.table)}
  ) AS "_seg_both"
  GROUP BY ${list}
  HAVING sum("_seg_w") <> 0`;
}

/**
 * One statement that brings the stored rows up to date and answers `changed`, the number of distinct rows that came or
 * went. Deletes find their rows by a hash of the whole row (a hash join over one pass), then by IS NOT DISTINCT FROM,
 * and take exactly as many copies as the weight says.
 * @param answer what the statement selects in the end, from "_seg_delta": the view's columns and "_seg_w"
 */
export function recomputeSql(
  view: StoredView,
  changelog: ChangelogTarget | null,
  answer = 'SELECT count(*) AS changed FROM "_seg_delta"',
): string {
  const names = view.columns.map(({ name }) => quoteIdentifier(name));
  const of = (alias: string): string => names.map((name) => `${alias}.${name}`).join(', ');
  const hashOf = (alias: string): string =>
    `hash_record_extended(ROW(${view.columns
      .map(({ name, hashable }) => `${alias}.${quoteIdentifier(name)}${hashable ? '' : '::text'}`)
      .join(', ')}), 0)`;
  const table = quoteRelation(view.table);
  // Rows that differ in hidden columns only are written, but are no change that anybody sees.
  const seen = view.columns.some(({ hidden }) => hidden === true) ? seenSql(view) : '';
  const delta = seen === '' ? '"_seg_delta"' : '"_seg_seen"';
  const logged =
    changelog === null
      ? ''
      : `,
"_seg_logged" AS (
  INSERT INTO ${quoteRelation(changelog.table)} (epoch, node, weight, "row")
  ${loggedRows(changelog.node, changelog.epoch, deltaAsJson(rowAsJson(view, '"_seg_d"'), delta), false)}
)`;
  return `WITH "_seg_delta" AS MATERIALIZED (
  ${differenceSql(view)}
),
"_seg_gone" AS (
  SELECT row_number() OVER () AS "_seg_n", -"_seg_w" AS "_seg_copies", ${names.join(', ')} FROM "_seg_delta" WHERE "_seg_w" < 0
),
"_seg_numbered" AS (
  SELECT "_seg_s".ctid AS "_seg_place", "_seg_g"."_seg_copies", row_number() OVER (PARTITION BY "_seg_g"."_seg_n") AS "_seg_copy"
  FROM ${table} AS "_seg_s"
  JOIN "_seg_gone" AS "_seg_g"
    ON ${hashOf('"_seg_s"')} = ${hashOf('"_seg_g"')}
   AND (${of('"_seg_s"')}) IS NOT DISTINCT FROM (${of('"_seg_g"')})
),
"_seg_deleted" AS (
  DELETE FROM ${table} AS "_seg_t" USING "_seg_numbered" AS "_seg_x"
  WHERE "_seg_t".ctid = "_seg_x"."_seg_place" AND "_seg_x"."_seg_copy" <= "_seg_x"."_seg_copies"
),
"_seg_inserted" AS (
  INSERT INTO ${table} (${names.join(', ')})
  SELECT ${of('"_seg_d"')} FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
)${seen}${logged}
${answer.replaceAll('"_seg_delta"', delta)}`;
}

/** The delta of the visible columns; hidden ones are NULL in it. */
function seenSql({ table, columns }: StoredView): string {
  const visible = columns.filter(({ hidden }) => hidden !== true).map(({ name }) => quoteIdentifier(name));
  const list = columns.map(({ name, hidden }) =>
    hidden === true
      ? `(NULL::${quoteRelation(table)}).${quoteIdentifier(name)} AS ${quoteIdentifier(name)}`
      : quoteIdentifier(name),
  );
  return `,
"_seg_seen" AS MATERIALIZED (
  SELECT ${list.join(', ')}, sum("_seg_w")::integer AS "_seg_w" FROM "_seg_delta"
  GROUP BY ${visible.length === 0 ? '()' : visible.join(', ')} HAVING sum("_seg_w") <> 0
)`;
}

/**
 * Statements that fill a view whose table is empty: every row of the query is new, so there is nothing to compare. The
 * first one's row count says how many.
 */
export function fillSql(view: StoredView, changelog: ChangelogTarget | null): string[] {
  const table = quoteRelation(view.table);
  const list = view.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  const fill = `INSERT INTO ${table} (${list}) SELECT ${list} FROM (
${view.query}
    ) AS "_seg_query" (${list})`;
  if (changelog === null) return [fill];
  const seen = view.columns
    .filter(({ hidden }) => hidden !== true)
    .map(({ name }) => `"_seg_d".${quoteIdentifier(name)}`);
  return [
    fill,
    `INSERT INTO ${quoteRelation(changelog.table)} (epoch, node, weight, "row")
  SELECT ${changelog.epoch}, ${changelog.node}, count(*)::integer, ${rowAsJson(view, '"_seg_d"')}
  FROM ${table} AS "_seg_d" GROUP BY ${seen.length === 0 ? '()' : seen.join(', ')} HAVING count(*) > 0`,
  ];
}

/** One row as readers see it, as a JSON object. */
export function rowAsJson(view: Pick<StoredView, 'columns'>, alias: string): string {
  return rowObject(visible(view), alias);
}

function visible({ columns }: Pick<StoredView, 'columns'>): readonly StoredColumn[] {
  return columns.filter(({ hidden }) => hidden !== true);
}

/** The same as JSON text, with the columns in their order, which jsonb does not keep. */
export function rowAsText(view: Pick<StoredView, 'columns'>, alias: string): string {
  return rowText(visible(view), alias);
}
