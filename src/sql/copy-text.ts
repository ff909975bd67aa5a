/** PostgreSQL's COPY text format: one line a row, fields between tabs, `\N` for NULL, backslash escapes. */

// Only these four have a meaning in the format; \b, \f and \v may be escaped but need not be.
const SPECIAL = /[\\\n\r\t]/;
const EVERY_SPECIAL = /[\\\n\r\t]/g;
const ESCAPES: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * One field. `value` is the value in the text form the column's type reads, null is NULL.
 * Throws a RangeError for a NUL character, which PostgreSQL cannot store.
 */
export function copyField(value: string | null): string {
  if (value === null) return '\\N';
  if (value.includes('\0')) throw new RangeError('a text value cannot contain a NUL character');
  return SPECIAL.test(value) ? value.replace(EVERY_SPECIAL, (character) => ESCAPES[character]!) : value;
}

/** One row, its newline included. */
export function copyLine(values: readonly (string | null)[]): string {
  let line = '';
  for (let i = 0; i < values.length; i++) line += (i === 0 ? '' : '\t') + copyField(values[i]!);
  return line + '\n';
}

/** Many rows, ready for `Connection.copyFrom`. */
export function copyLines(rows: Iterable<readonly (string | null)[]>): string {
  let text = '';
  for (const row of rows) text += copyLine(row);
  return text;
}

/**
 * Which row of a COPY the server refused, from 0, read from its error's context (`COPY t, line 12, column a: "x"`), and
 * the column it names; undefined when it does not say (a trigger failed, for one).
 */
export function refusedRow(context: string | undefined): { row: number; column?: string } | undefined {
  const match = /^COPY .*?, line (\d+)(?:, column (.*?)(?::|$))?/m.exec(context ?? '');
  return match === null ? undefined : { row: Number(match[1]) - 1, column: match[2] };
}
