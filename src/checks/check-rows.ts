/** Columns that rows of tests name, against the columns of the relation they are rows of. */
import type { JsonRow, JsonValue } from '../changelog/change.ts';
import type { Diagnostic, Location } from '../diagnostics/diagnostic.ts';
import { readRows, RowsMistake } from '../testing/rows-text.ts';
import type { RowsFormat } from '../testing/rows-text.ts';
import type { ColumnNames } from '../sql/query-columns.ts';
import { choiceHint, mistake } from './found.ts';

/** A relation as messages call it, and what is known of its columns. */
export interface Known {
  readonly title: string;
  readonly columns: ColumnNames | undefined;
}

/** SEG316 for each name that is no column, once. */
export function checkNames(
  known: Known,
  names: Iterable<string>,
  at: (name: string) => Location,
): Diagnostic[] {
  const { title, columns } = known;
  if (columns === undefined || columns.open) return [];
  return [...new Set(names)]
    .filter((name) => !columns.names.includes(name))
    .map((name) =>
      mistake(
        'SEG316',
        `${title} has no column "${name}"`,
        at(name),
        choiceHint(name, { kind: 'columns', names: columns.names }),
      ),
    );
}

/**
 * SEG316 for columns of rows, SEG317 for rows that cannot be read.
 * @param at the place of a path below the rows
 * @param others keys that are no columns
 */
export function checkRows(
  known: Known,
  rows: JsonValue,
  format: RowsFormat | undefined,
  at: (path: readonly (string | number)[]) => Location,
  others: readonly string[] = [],
): Diagnostic[] {
  let read: readonly JsonRow[];
  try {
    read = readRows(rows, format);
  } catch (error) {
    if (!(error instanceof RowsMistake)) throw error;
    return [mistake('SEG317', error.message, at(error.row === undefined ? [] : [error.row]))];
  }
  const places = new Map<string, number>();
  for (const [index, row] of read.entries()) {
    for (const name of Object.keys(row)) if (!places.has(name)) places.set(name, index);
  }
  const names = [...places.keys()].filter((name) => !others.includes(name));
  return checkNames(known, names, (name) => at(Array.isArray(rows) ? [places.get(name)!, name] : []));
}
