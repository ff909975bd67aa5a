import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identityOf, parseJson, stringifyJson, textOfJson } from './exact-json.ts';
import { canonicalNumber, JsonNumber, wholeNumber } from './json-number.ts';

describe('exact JSON', () => {
  it.each([
    '{"a":12345678901234567890,"b":[0.12345678901234567,1e400,-5],"c":"12345678901234567890","\uE000":1}',
    '[700.00,1.0,-0,-0.0,0.0000001,1e21,1E+5,9007199254740993,-9007199254740993,0.10]',
    '{"__proto__":700.00,"constructor":{"__proto__":[1.50]},"":2.0}',
    '{"b":1,"10":{"2":-0,"1":[1.50]},"9":"x","__proto__":1,"4294967295":0,"01":2}',
    '700.00',
    '"700.00"',
    String.raw`["a\\",1.50,"\\\"1.50"]`,
    'null',
  ])('%s is written as it was read', (text) => {
    expect(stringifyJson(parseJson(text))).toBe(text);
  });

  it('reads ordinary numbers as numbers', () => {
    const text = '{"a":1.5,"b":[1,-2,0.000001],"c":"1234567890123456789","d":9007199254740991}';
    expect(parseJson(text)).toEqual(JSON.parse(text));
    expect(parseJson('{"a":700.00}')).toEqual({ a: new JsonNumber('700.00') });
    expect(Object.getPrototypeOf(parseJson('{"__proto__":1.50}'))).toBe(Object.prototype);
  });

  it('tells its own marks from the characters of a text', () => {
    const text = String.raw`["\ue0001.50",1.50,{"\uE0002":1,"\u0032":0,"1":"\ue000"}]`.replaceAll(
      '\\\\',
      '\\',
    );
    expect(stringifyJson(parseJson(text))).toBe('["\uE0001.50",1.50,{"\uE0002":1,"2":0,"1":"\uE000"}]');
  });

  it('tells its own marks from the characters of a text', () => {
    const text = String.raw`["\ue0001.50",1.50,{"\uE0002":1,"\u0032":0,"1":"\ue000"}]`;
    expect(stringifyJson(parseJson(text))).toBe('["\uE0001.50",1.50,{"\uE0002":1,"2":0,"1":"\uE000"}]');
  });

  it.each(['{1.50:2}', '[01.50]', '[1.50', '[1.5.50]', '[-]', '1.50 2.50', ''])('%s is no JSON', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });

  it('writes what is no JSON value by itself', () => {
    expect(stringifyJson({ a: 1n << 64n, b: undefined, c: [undefined, -0, NaN] })).toBe(
      '{"a":18446744073709551616,"c":[null,-0,"NaN"]}',
    );
    expect(textOfJson('x')).toBe('x');
    expect(textOfJson(new JsonNumber('1.50'))).toBe('1.50');
  });

  it('knows equal numbers', () => {
    const same = (left: string, right: string): boolean =>
      identityOf(parseJson(left)) === identityOf(parseJson(right));
    expect(same('{"a":[1.50,0.0,-0]}', '{"a":[15e-1,0,0]}')).toBe(true);
    expect(same('9007199254740993', '9007199254740992')).toBe(false);
    expect(same('"1.50"', '1.50')).toBe(false);
    expect(['1.0', '1e3', '-20', '1.5', '-0', '1e400'].map(wholeNumber)).toEqual([
      1n,
      1000n,
      -20n,
      undefined,
      0n,
      10n ** 40n,
    ]);
  });

  it('survives any JSON with any numbers', () => {
    const digits = fc.oneof(
      fc.bigInt().map(String),
      fc.tuple(fc.bigInt(), fc.nat()).map(([whole, fraction]) => `${whole}.${fraction}`),
      fc.tuple(fc.bigInt(), fc.nat()).map(([whole, fraction]) => `${whole}.${fraction}0`),
      fc
        .tuple(fc.integer(), fc.integer({ min: -400, max: 400 }))
        .map(([whole, exponent]) => `${whole}e${exponent}`),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), digits)), (pairs) => {
        const text = `[${pairs.map(([key, number]) => `{${JSON.stringify(key)}:${number}}`).join(',')}]`;
        expect(stringifyJson(parseJson(text))).toBe(text);
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(stringifyJson(parseJson(JSON.stringify(value)))).toBe(JSON.stringify(value));
      }),
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(canonicalNumber(String(number))).toBe(canonicalNumber(number.toExponential()));
      }),
    );
  });
});
