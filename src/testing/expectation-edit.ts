/** What `--update` writes: the rows that are there, as YAML in the form the scenario's author uses. */
import { unnamed, type Cell, type ExpectedCell } from './matchers.ts';
import type { RowDiff } from './row-diff.ts';
import type { RowsSource, YamlPath } from './scenario.ts';

/** One change to a scenario's file. Plain data: it crosses threads. */
export type ExpectationEdit =
  /** The list at `path` becomes these items: numbers are items as they stand, texts are new YAML flow mappings. */
  | { readonly path: YamlPath; readonly kind: 'list'; readonly items: readonly (number | string)[] }
  /** The CSV text at `path` becomes this one. */
  | { readonly path: YamlPath; readonly kind: 'csv'; readonly lines: readonly string[] }
  | { readonly path: YamlPath; readonly kind: 'scalar'; readonly text: string };

/** A column of a diff and its SQL type. `before.x` columns stand under `before` in YAML. */
export interface EditedColumn {
  readonly name: string;
  readonly type: string;
  readonly before: boolean;
}

/**
 * The edit that would make an expectation hold; undefined when it cannot be made by itself (rows of a file, NDJSON,
 * `contains`, an order that differs).
 */
export function rowsEdit(
  source: RowsSource,
  diff: RowDiff,
  columns: readonly EditedColumn[],
  rowCount: number,
): ExpectationEdit | undefined {
  if (source.kind === 'file' || diff.differences.some(({ kind }) => kind === 'moved')) return undefined;
  const { rows } = source;
  const csv = typeof rows === 'string';
  const lines = csv ? rows.split('\n').filter((line) => line.trim() !== '') : [];
  // A quoted line break would put more than one line to a row, a quoted name hide where a column stands.
  if (csv && (rows.trimStart().startsWith('{') || lines.length !== rowCount + 1 || lines[0]!.includes('"')))
    return undefined;
  const header =
    lines[0]?.split(',').map((name) => columns.findIndex((column) => column.name === name.trim())) ?? [];
  const write = (actual: readonly Cell[], expected?: readonly ExpectedCell[]): string =>
    csv ? csvRow(header.map((index) => actual[index] ?? null)) : yamlRow(columns, actual, expected);
  const replaced = new Map<number, string | null>();
  const added: string[] = [];
  for (const difference of diff.differences) {
    if (difference.kind === 'missing') replaced.set(difference.index, null);
    else if (difference.kind === 'changed')
      replaced.set(difference.index, write(difference.actual, difference.expected));
    else if (difference.kind === 'unexpected') added.push(write(difference.actual));
  }
  const kept = Array.from({ length: rowCount }, (_, index) => index).flatMap((index): (number | string)[] => {
    const row = replaced.get(index);
    return row === undefined ? [index] : row === null ? [] : [row];
  });
  const items = [...kept, ...added];
  if (!csv) return { path: source.path, kind: 'list', items };
  const newLines = items.map((item) => (typeof item === 'number' ? lines[item + 1]! : item));
  return { path: source.path, kind: 'csv', lines: [lines[0]!, ...newLines] };
}

function csvRow(cells: readonly Cell[]): string {
  return cells.map((cell) => (cell === null ? '' : csvField(cell))).join(',');
}

function yamlRow(
  columns: readonly EditedColumn[],
  actual: readonly Cell[],
  expected?: readonly ExpectedCell[],
): string {
  const own: string[] = [];
  const before: string[] = [];
  for (const [i, column] of columns.entries()) {
    // A column the author did not care about stays out of the row.
    if (expected?.[i] === unnamed) continue;
    (column.before ? before : own).push(
      `${yamlText(column.before ? column.name.slice('before.'.length) : column.name)}: ${cellYaml(column.type, actual[i]!)}`,
    );
  }
  if (before.length > 0) own.push(`before: {${before.join(', ')}}`);
  return `{${own.join(', ')}}`;
}

export function csvField(text: string): string {
  return text === '' || /[",\n\r]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Numbers, booleans and JSON as they are; every other value as text. JSON is YAML. */
function cellYaml(type: string, cell: Cell): string {
  if (cell === null) return 'null';
  if (
    /^(smallint|integer|bigint|numeric|real|double precision)/.test(type) &&
    Number.isSafeInteger(Math.trunc(Number(cell)))
  )
    return cell;
  if (type === 'boolean' || /^jsonb?$/.test(type)) return cell;
  return yamlText(cell);
}

/** Bare when YAML 1.1 reads it back as this text, else quoted. */
function yamlText(text: string): string {
  const isPlain = /^[\p{L}_][\p{L}\p{N}_./@+-]*( [\p{L}\p{N}_./@+-]+)*$/u.test(text);
  const isWord = /^(y|n|yes|no|on|off|true|false|null|~)$/i.test(text);
  return isPlain && !isWord ? text : JSON.stringify(text);
}
