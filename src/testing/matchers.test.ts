import { describe, expect, it } from 'vitest';
import { jsonIncludes, readExpectedValue, type Cell } from './matchers.ts';
import type { JsonValue } from '../changelog/change.ts';

function test(value: JsonValue, cell: Cell): boolean {
  const read = readExpectedValue(value);
  if (!('matcher' in read)) throw new Error(JSON.stringify(read));
  return read.matcher.matches(cell);
}

describe('readExpectedValue', () => {
  it('reads matchers', () => {
    expect(test({ any: true }, null)).toBe(true);
    expect(test({ present: true }, null)).toBe(false);
    expect(test({ present: false }, null)).toBe(true);
    expect(test({ matches: '^usr-' }, 'usr-1')).toBe(true);
    expect(test({ matches: '^usr-' }, null)).toBe(false);
    expect(test({ approx: 10, within: 0.5 }, '10.4')).toBe(true);
    expect(test({ approx: 10, within: 0.5 }, '10.6')).toBe(false);
    expect(test({ approx: 0 }, '')).toBe(false);
    expect(test({ includes: { a: [1] } }, '{"a": [2, 1], "b": 3}')).toBe(true);
    expect(test({ includes: 'b' }, 'abc')).toBe(true);
  });

  it('leaves values and JSON documents alone', () => {
    for (const value of [1, 'any', null, [1], { any: false }, { any: true, other: 1 }, {}] as JsonValue[]) {
      expect(readExpectedValue(value)).toEqual({ value });
    }
    expect(readExpectedValue({ exactly: { any: true } })).toEqual({ value: { any: true } });
  });

  it('says what is wrong with a matcher', () => {
    expect(readExpectedValue({ matches: '(' })).toHaveProperty(
      'mistake',
      expect.stringMatching(/no regular expression/),
    );
    expect(readExpectedValue({ approx: 'ten' })).toEqual({ mistake: '"approx" wants a number' });
    expect(readExpectedValue({ approx: 1, within: -1 })).toHaveProperty('mistake');
  });
});

it('jsonIncludes follows PostgreSQL', () => {
  expect(jsonIncludes([1, 2, 3], [3, 1, 1])).toBe(true);
  expect(jsonIncludes({ a: 1 }, {})).toBe(true);
  expect(jsonIncludes([], {})).toBe(false);
  expect(jsonIncludes({ a: null }, { b: null })).toBe(false);
});
