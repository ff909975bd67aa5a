import type { SeedNode } from '../project/nodes.ts';
import type { SeedProblems } from './seed-problems.ts';

/**
 * A header's name as the column is called: dbt does not quote seed columns unless told to (`quote_columns: true`), so
 * PostgreSQL folds them to lower case. Names that could not stand without quotes are kept as they are.
 */
export function columnName(node: SeedNode, header: string): string {
  const plain = /^[A-Za-z_][\w$]*$/.test(header);
  return node.config.quote_columns === true || !plain ? header : header.toLowerCase();
}

/** PostgreSQL cuts longer names, without a word, so that two columns may come to have one name. */
const MOST_NAME_BYTES = 63;

/** Whether a column can have this name; if not, that is among the problems. */
export function checkName(
  name: string,
  problems: SeedProblems,
  place: Parameters<SeedProblems['add']>[2],
): boolean {
  const bytes = Buffer.byteLength(name);
  if (bytes <= MOST_NAME_BYTES) return true;
  const message = `the column name "${name}" is ${bytes} bytes long, and PostgreSQL keeps ${MOST_NAME_BYTES} of a name`;
  problems.add('SEG523', message, place, { hint: 'Shorten it.' });
  return false;
}

/** The type declared for a column: dbt's `column_types`, else the property file's `data_type`. */
export function declaredType(node: SeedNode, name: string): string | undefined {
  const types = node.config.column_types ?? {};
  const own = (record: Record<string, unknown>): string | undefined =>
    Object.keys(record).find((key) => key === name || columnName(node, key) === name);
  const typed = own(types);
  if (typed !== undefined) return types[typed];
  const described = own(node.columns);
  return described === undefined ? undefined : (node.columns[described]!.data_type ?? undefined);
}

export function keyColumns(node: SeedNode): readonly string[] {
  const key = node.config.unique_key;
  if (key === null || key === undefined) return [];
  return (typeof key === 'string' ? [key] : key).map((name) => columnName(node, name));
}
