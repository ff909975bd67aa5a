/** The hash by which rows are found: an index on it is short whatever the columns hold. */

/**
 * So many columns are hashed: an index's expressions must fit into a page of PostgreSQL's catalog. Where there are more the rows that
 * agree in these are compared like all others, by each of their columns.
 */
export const HASHED_COLUMNS = 400;

/** @param columns as SQL; who asks compares them one by one as well */
export function hashOfRow(columns: readonly string[]): string {
  return `hash_record_extended(ROW(${columns.slice(0, HASHED_COLUMNS).join(', ')}), 0)`;
}
