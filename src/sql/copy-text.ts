/** PostgreSQL's COPY text format: one line a row, fields between tabs, `\N` for NULL, backslash escapes. */

// Only these have a meaning in the format; \b, \f and \v may be escaped but need not be.
const SPECIAL = /[\\\n\r\t]/;
const EVERY_SPECIAL = /[\\\n\r\t]/g;
const ESCAPES: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * One row, its newline included. Values are in the text form their columns' types read, null is NULL.
 * Throws a RangeError for a NUL character, which PostgreSQL cannot store.
 */
export function copyLine(values: readonly (string | null)[]): string {
  return withoutNul(line(values));
}

/** Many rows, ready for `Connection.copyFrom`. Throws as `copyLine` does. */
export function copyLines(rows: Iterable<readonly (string | null)[]>): string {
  let text = '';
  for (const row of rows) text += line(row);
  return withoutNul(text);
}

function line(values: readonly (string | null)[]): string {
  let text = '';
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (i > 0) text += '\t';
    if (value === null) text += '\\N';
    else
      text += SPECIAL.test(value) ? value.replace(EVERY_SPECIAL, (character) => ESCAPES[character]!) : value;
  }
  return text + '\n';
}

// Once for the whole text: a search for one character costs next to nothing, but not once a field.
function withoutNul(text: string): string {
  if (text.includes('\0')) throw new RangeError('a text value cannot contain a NUL character');
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
