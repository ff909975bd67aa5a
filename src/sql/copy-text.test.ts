import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyLine, copyLines, refusedRow } from './copy-text.ts';

/** COPY's reading of a line, by the rules of PostgreSQL's manual. */
function readLine(line: string): (string | null)[] {
  const escapes: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
  return line
    .slice(0, -1)
    .split('\t')
    .map((field) => (field === '\\N' ? null : field.replace(/\\(.)/gs, (_, c: string) => escapes[c] ?? c)));
}

describe('COPY text', () => {
  it('escapes what has a meaning', () => {
    expect(copyLine(['a\tb', 'c\nd\r', '\\N', null, '', '\\.'])).toBe(
      'a\\tb\tc\\nd\\r\t\\\\N\t\\N\t\t\\\\.\n',
    );
  });

  it('survives the way there and back', () => {
    const field = fc.option(
      fc.string({ unit: fc.constantFrom('a', '\\', '\n', '\r', '\t', 'N', '.', 'é', '🚋', '"', ' ') }),
    );
    fc.assert(
      fc.property(fc.array(field, { minLength: 1 }), (values) => {
        const line = copyLine(values);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(line).not.toContain('\r');
        expect(readLine(line)).toEqual(values);
      }),
    );
  });

  it('refuses NUL', () => {
    expect(() => copyLines([['a'], ['b\0']])).toThrow(RangeError);
  });

  it('finds the row that the server names', () => {
    expect(refusedRow('COPY t, line 3, column a b: "x, line 9"')).toEqual({ row: 2, column: 'a b' });
    expect(refusedRow('COPY t, line 3')).toEqual({ row: 2, column: undefined });
    expect(refusedRow('PL/pgSQL function f() line 3 at RAISE')).toBeUndefined();
    expect(refusedRow(undefined)).toBeUndefined();
  });
});
