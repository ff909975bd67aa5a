import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactStringify, parseExact, refusal, unmark } from './exact-json.ts';

describe('exact JSON', () => {
  it('keeps numbers that JavaScript cannot hold', () => {
    const text =
      '{"a":12345678901234567890,"b":[0.12345678901234567,1e400,-5],"c":"12345678901234567890","\uE000":1}';
    const { exact, mark } = parseExact(text);
    expect(mark).not.toBeNull();
    expect(exactStringify(exact, mark)).toBe(text);
    expect(unmark((exact as { a: unknown }).a, mark)).toBe('12345678901234567890');
    expect(unmark((exact as { c: unknown }).c, mark)).toBe('12345678901234567890');
  });

  it('leaves ordinary records alone', () => {
    for (const text of ['{"a":1.5,"b":[1,-2],"c":"1234567890123456789"}', '[0.1,1e21,9007199254740991]']) {
      const { plain, exact, mark } = parseExact(text);
      expect(mark).toBeNull();
      expect(exact).toBe(plain);
    }
  });

  it('survives any JSON with any numbers', () => {
    const number = fc.oneof(
      fc.bigInt().map(String),
      fc.tuple(fc.bigInt(), fc.nat()).map(([whole, fraction]) => `${whole}.${fraction}`),
      fc
        .tuple(fc.integer(), fc.integer({ min: -400, max: 400 }))
        .map(([whole, exponent]) => `${whole}e${exponent}`),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), number)), (pairs) => {
        const text = `[${pairs.map(([key, digits]) => `{${JSON.stringify(key)}:${digits}}`).join(',')}]`;
        const { exact, mark } = parseExact(text);
        const found = (exact as Record<string, unknown>[]).map((item) => Object.entries(item)[0]!);
        found.forEach(([key, value], i) => {
          expect(key).toBe(pairs[i]![0]);
          const digits = unmark(value, mark);
          // Either the digits themselves, or a number that is exactly them.
          if (typeof digits === 'string') expect(digits).toBe(pairs[i]![1]);
          else expect(sameDecimal(String(digits), pairs[i]![1])).toBe(true);
        });
      }),
      { numRuns: 500 },
    );
  });
});

describe('what PostgreSQL cannot store', () => {
  it.each([
    ['{"a":"x\\u0000"}', /NUL/],
    ['{"a":"x\\\\u0000"}', undefined],
    ['{"a":"x\\\\\\u0000"}', /NUL/],
    ['{"a":"\\ud83d\\ude8b"}', undefined],
    ['{"a":"\\ud83d"}', /surrogate/],
    ['{"a":"\\ude8b\\ud83d"}', /surrogate/],
    ['{"a":"\\\\ud83d"}', undefined],
    [`${'['.repeat(501)}"${' '.repeat(500)}"${']'.repeat(501)}`, /nested deeper than 500/],
    [`${'['.repeat(500)}"${'['.repeat(600)}"${']'.repeat(500)}`, undefined],
  ])('%s', (text, reason) => {
    if (reason === undefined) expect(refusal(text)).toBeUndefined();
    else expect(refusal(text)).toMatch(reason);
  });
});

/** Equal as decimals, without going through floating point. */
function sameDecimal(left: string, right: string): boolean {
  return normal(left) === normal(right);
}

function normal(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text)!;
  const digits = (whole + fraction).replace(/^0+/, '');
  const kept = digits.replace(/0+$/, '');
  return kept === ''
    ? '0'
    : `${sign}${kept}e${Number(exponent) - fraction.length + digits.length - kept.length}`;
}
