/** A row diff as text for people: a table with a mark before each row, and whole values below where the table cuts them. */
import {
  identityOf,
  isArray,
  isObject,
  parseJson,
  stringifyJson,
  type ExactJson,
} from '../json/exact-json.ts';
import colors from 'picocolors';
import stringWidth from 'string-width';
import { isMatcher, type Cell, type ExpectedCell } from './matchers.ts';
import type { RowDiff, RowDifference } from './row-diff.ts';
import { plural } from './test-result.ts';

export interface DiffTextOptions {
  /** Differences shown; the rest is counted. */
  readonly most?: number;
  /** Characters of a cell in the table; what is longer is cut with `…` and, where it changed, shown below. */
  readonly widest?: number;
  readonly colors?: boolean;
}

/** `1 missing, 2 unexpected, 1 changed (3 as expected)`. */
export function diffSummary(diff: RowDiff): string {
  const parts = (['changed', 'missing', 'unexpected', 'moved'] as const).flatMap((kind) => {
    const count = diff.differences.filter((difference) => difference.kind === kind).length;
    return count === 0 ? [] : [`${count} ${kind === 'moved' ? 'out of order' : kind}`];
  });
  return `${plural(diff.differences.length, 'row')} ${diff.differences.length === 1 ? 'differs' : 'differ'}: ${parts.join(', ')} (${diff.matched} as expected)`;
}

/**
 * Lines without a final newline:
 * ```
 *     user_id | remove
 *   ~ alice   | true → false
 *   - bob     | true
 *   + carol   | NULL
 * ```
 * `-` expected but not there, `+` there but not expected, `~` expected → actual, `↕` in another place. Columns that are
 * neither key nor different are left out of a table of changed rows only that would be wider than 120 characters.
 */
export function diffText(diff: RowDiff, options: DiffTextOptions = {}): string {
  const { most = 10, widest = 40 } = options;
  const paint = colors.createColors(options.colors ?? false);
  const shown = diff.differences.slice(0, most);
  const table = shown.map((difference) => diff.columns.map((_, c) => cellText(difference, c, widest)));
  let kept = diff.columns.map((_, c) => c);
  const widthOf = (c: number): number =>
    Math.max(stringWidth(printable(diff.columns[c]!)), ...table.map((row) => stringWidth(row[c]!.text)));
  if (shown.every((d) => d.kind === 'changed') && kept.reduce((sum, c) => sum + widthOf(c) + 3, 0) > 120) {
    kept = kept.filter(
      (c) => diff.key.includes(c) || shown.some((d) => d.kind === 'changed' && d.changed.includes(c)),
    );
  }
  const widths = kept.map(widthOf);
  const line = (
    mark: string,
    texts: readonly string[],
    color: (text: string, column: number) => string,
  ): string =>
    `  ${color(mark, -1)} ${texts
      .map(
        (text, i) =>
          color(text, kept[i]!) + (i < texts.length - 1 ? ' '.repeat(widths[i]! - stringWidth(text)) : ''),
      )
      .join(' | ')}`.trimEnd();

  const lines = [
    line(
      ' ',
      kept.map((c) => printable(diff.columns[c]!)),
      (text) => paint.bold(text),
    ),
  ];
  for (const [r, difference] of shown.entries()) {
    const texts = kept.map((c) => table[r]![c]!.text);
    switch (difference.kind) {
      case 'missing':
        lines.push(line('-', texts, (text) => paint.red(text)));
        break;
      case 'unexpected':
        lines.push(line('+', texts, (text) => paint.green(text)));
        break;
      case 'changed':
        lines.push(
          line('~', texts, (t, c) => (c === -1 || difference.changed.includes(c) ? paint.yellow(t) : t)),
        );
        for (const c of difference.changed) {
          if (table[r]![c]!.cut)
            lines.push(...wholeCell(diff.columns[c]!, difference.expected[c]!, difference.actual[c]!));
        }
        break;
      case 'moved':
        lines.push(
          `${line('↕', texts, (text) => paint.yellow(text))}  (expected as row ${difference.to + 1}, is row ${difference.from + 1})`,
        );
        break;
    }
  }
  const hidden = diff.columns.length - kept.length;
  if (hidden > 0) lines.push(paint.dim(`    (${plural(hidden, 'equal column')} not shown)`));
  const more = diff.differences.length - shown.length;
  if (more > 0) lines.push(paint.dim(`    … and ${plural(more, 'more difference')}`));
  return lines.join('\n');
}

function cellText(difference: RowDifference, c: number, widest: number): { text: string; cut: boolean } {
  switch (difference.kind) {
    case 'missing':
      return shorten(valueText(difference.expected[c]!), widest);
    case 'unexpected':
    case 'moved':
      return shorten(valueText(difference.actual[c]!), widest);
    case 'changed': {
      if (!difference.changed.includes(c)) return shorten(valueText(difference.actual[c]!), widest);
      const from = shorten(valueText(difference.expected[c]!), widest);
      const to = shorten(valueText(difference.actual[c]!), widest);
      return { text: `${from.text} → ${to.text}`, cut: from.cut || to.cut };
    }
  }
}

/** Both values in full; JSON documents as the paths at which they differ. */
function wholeCell(column: string, expected: ExpectedCell, actual: Cell): string[] {
  const paths = jsonDifferences(expected, actual);
  if (paths !== undefined) return paths.map((path) => `      ${printable(column)}${path}`);
  return [
    `      ${printable(column)} expected ${valueText(expected)}`,
    `      ${printable(column)} actual   ${valueText(actual)}`,
  ];
}

function jsonDifferences(expected: ExpectedCell, actual: Cell): string[] | undefined {
  if (typeof expected !== 'string' || actual === null) return undefined;
  if (!/^[[{]/.test(expected) || !/^[[{]/.test(actual)) return undefined;
  try {
    const found: string[] = [];
    walk(parseJson(expected), parseJson(actual), '', found);
    return found.length === 0 || found.length > 20 ? undefined : found;
  } catch {
    return undefined;
  }
}

function walk(
  expected: ExactJson | undefined,
  actual: ExactJson | undefined,
  path: string,
  found: string[],
): void {
  if (expected !== undefined && actual !== undefined && identityOf(expected) === identityOf(actual)) return;
  if (isContainer(expected) && isContainer(actual) && isArray(expected) === isArray(actual)) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    for (const key of keys) {
      const step = isArray(expected)
        ? `[${key}]`
        : /^\w+$/.test(key)
          ? `.${key}`
          : `[${JSON.stringify(key)}]`;
      walk(member(expected, key), member(actual, key), path + step, found);
    }
    return;
  }
  const text = (value: ExactJson | undefined): string =>
    value === undefined ? '(absent)' : stringifyJson(value);
  found.push(`${path}: ${text(expected)} → ${text(actual)}`);
}

type Container = readonly ExactJson[] | { readonly [key: string]: ExactJson };

function isContainer(value: ExactJson | undefined): value is Container {
  return isArray(value) || isObject(value);
}

function member(value: Container, key: string): ExactJson | undefined {
  return isArray(value) ? value[Number(key)] : Object.hasOwn(value, key) ? value[key] : undefined;
}

/** NULL is bare; texts that would mislead (empty, `NULL`, blanks at the ends) are quoted; control characters escaped. */
export function valueText(cell: ExpectedCell): string {
  if (cell === null) return 'NULL';
  if (isMatcher(cell)) return cell.text;
  if (cell === '' || cell === 'NULL' || cell !== cell.trim()) return JSON.stringify(cell);
  return printable(cell);
}

/** C0, C1, and the invisible characters that reorder or hide text. */
// eslint-disable-next-line no-control-regex
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

function printable(text: string): string {
  return text.replace(unprintable, (c) => {
    if (c === '\n') return '\\n';
    if (c === '\t') return '\\t';
    if (c === '\r') return '\\r';
    return `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function shorten(text: string, widest: number): { text: string; cut: boolean } {
  const characters = [...text];
  if (characters.length <= widest) return { text, cut: false };
  return { text: `${characters.slice(0, widest - 1).join('')}…`, cut: true };
}
