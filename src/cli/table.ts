import stringWidth from 'string-width';
import { textOfJson } from '../json/exact-json.ts';
import type { Writable } from '../json/exact-json.ts';
import { JsonNumber, printed } from '../json/json-number.ts';

/** A relation to print: every row has a cell for every column. */
export interface Relation {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

/**
 * A table as dbt's `show` prints it, which is also a Markdown table:
 *
 *     | id | name |
 *     | -- | ---- |
 *     |  1 | ann  |
 *
 * Columns of numbers stand to the right. NULL is empty. When `width` is given, the widest columns are cut until the
 * table fits, never below `MIN_COLUMN`; where that is not enough, each row is written on lines of its own, a column a
 * line, as psql's expanded display has it. Every line ends in a newline.
 */
export function formatTable({ columns, rows }: Relation, width?: number): string {
  const cells = rows.map((row) => row.map(cellText));
  const widths = columns.map((name, index) =>
    Math.max(stringWidth(name), 2, ...cells.map((row) => stringWidth(row[index]!))),
  );
  if (width !== undefined && !shrink(widths, width)) return expanded(columns, cells, width);
  const numeric = columns.map((_, index) => isNumeric(rows, index));
  const line = (texts: readonly string[]) =>
    `| ${texts.map((text, index) => pad(text, widths[index]!, numeric[index]!)).join(' | ')} |\n`;
  const rule = line(widths.map((size) => '-'.repeat(size)));
  return line(columns) + rule + cells.map(line).join('');
}

const MIN_COLUMN = 12;

/** A value on one line: objects as JSON, control characters as escapes. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  // A number as PostgreSQL prints it, NaN and Infinity too.
  const text = typeof value === 'number' ? numberText(value) : textOfJson(value as Writable);
  // eslint-disable-next-line no-control-regex -- what would break the table, or the terminal
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    const named: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
    return named[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** PostgreSQL's exponents have two digits. */
function numberText(value: number): string {
  return printed(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** Numbers, and numeric values, which arrive as text because JavaScript's numbers would round them. */
function isNumeric(rows: Relation['rows'], column: number): boolean {
  const values = rows.map((row) => row[column]).filter((value) => value !== null && value !== undefined);
  return (
    values.length > 0 &&
    values.every(
      (value) =>
        typeof value === 'number' ||
        typeof value === 'bigint' ||
        value instanceof JsonNumber ||
        (typeof value === 'string' && /^(-?\d+(\.\d+)?([eE][+-]?\d+)?|NaN|-?Infinity)$/.test(value)),
    )
  );
}

/**
 * A row on lines of its own, under the value of its first column:
 *
 *     -[ mql_alerts ]------
 *     state | ok
 *     since | 2026-01-01
 */
function expanded(columns: readonly string[], rows: readonly string[][], width: number): string {
  const [, ...names] = columns;
  const label = Math.max(0, ...names.map((name) => stringWidth(name)));
  const room = Math.max(MIN_COLUMN, width - label - 3);
  return rows
    .map(([title = '', ...values]) => {
      const head = `-[ ${title} ]`;
      const lines = values.flatMap((value, index) =>
        folded(value, room).map((part, n) => `${pad(n === 0 ? names[index]! : '', label, false)} | ${part}`),
      );
      return [`${head}${'-'.repeat(Math.max(0, width - stringWidth(head)))}`, ...lines];
    })
    .map((lines) => lines.map((line) => `${line.trimEnd()}\n`).join(''))
    .join('');
}

/** A text in parts that fit, cut between words where there are any. */
function folded(text: string, width: number): string[] {
  const parts: string[] = [];
  let line = '';
  for (const word of text.split(/(?<=\s)/)) {
    if (line !== '' && stringWidth(line + word.trimEnd()) > width) {
      parts.push(line.trimEnd());
      line = '';
    }
    line += word;
    while (stringWidth(line.trimEnd()) > width) {
      const part = fit(line, width).slice(0, -1);
      parts.push(part);
      line = line.slice(part.length);
    }
  }
  return [...parts, line.trimEnd()];
}

/** Makes columns narrower until they fit; answers whether they do. */
function shrink(widths: number[], available: number): boolean {
  const taken = () => widths.reduce((sum, size) => sum + size + 3, 1);
  while (taken() > available) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest]! <= MIN_COLUMN) return false;
    // Down to the next widest at once, or by what is missing.
    const second = Math.max(MIN_COLUMN, ...widths.filter((_, index) => index !== widest));
    const target = Math.max(
      widths[widest]! - (taken() - available),
      Math.min(second, widths[widest]! - 1),
      MIN_COLUMN,
    );
    widths[widest] = target;
  }
  return true;
}

function pad(text: string, width: number, right: boolean): string {
  const shown = fit(text, width);
  const space = ' '.repeat(Math.max(0, width - stringWidth(shown)));
  return right ? space + shown : shown + space;
}

function fit(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  let size = 0;
  for (const letter of text) {
    size += stringWidth(letter);
    if (size > width - 1) break;
    kept += letter;
  }
  return `${kept}…`;
}
