import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lookup, parsePath, place } from './map-record.ts';

describe('paths', () => {
  it.each([
    ['$', []],
    ['a', ['a']],
    ['a.b.c', ['a', 'b', 'c']],
    ['$.a.b', ['a', 'b']],
    ['a."b.c".d', ['a', 'b.c', 'd']],
    ["'it''s'", null],
    [`'it\\'s'`, ["it's"]],
    ['items[0].id', ['items', '0', 'id']],
    ['$["odd ]"][1]', ['odd ]', '1']],
    ['größe.名前.🚋', ['größe', '名前', '🚋']],
    ['first name', ['first name']],
    ['a-b.$ref', ['a-b', '$ref']],
    ['', null],
    ['.a', null],
    ['a.', null],
    ['a..b', null],
    ['a[', null],
    ['a["x', null],
    ['a]b', null],
  ])('%s', (path, steps) => {
    if (steps === null) expect(() => parsePath(path)).toThrow(/cannot be read at character \d+/);
    else expect(parsePath(path)).toEqual(steps);
  });

  it('can name any step when quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), (steps) => {
        const path = steps.map((step) => `"${step.replace(/["\\]/g, '\\$&')}"`).join('.');
        expect(parsePath(path)).toEqual(steps);
      }),
    );
  });
});

describe('lookup', () => {
  it('finds own properties only', () => {
    const record = JSON.parse(
      '{"a":{"b":[{"c":1}]},"__proto__":{"x":2},"constructor":null,"":3,"s":"text"}',
    ) as unknown;
    expect(lookup(record, ['a', 'b', '0', 'c'])).toBe(1);
    expect(lookup(record, ['__proto__', 'x'])).toBe(2);
    expect(lookup(record, ['constructor'])).toBe(null);
    expect(lookup(record, [''])).toBe(3);
    expect(lookup(record, [])).toBe(record);
    for (const path of [
      ['toString'],
      ['a', 'constructor'],
      ['a', '__proto__'],
      ['s', 'length'],
      ['s', '0'],
      ['a', 'b', 'length'],
      ['x', 'y'],
    ]) {
      expect(lookup(record, path)).toBeUndefined();
    }
  });

  it('finds what was placed, and touches nothing else', () => {
    const step = fc.constantFrom('a', 'b', '__proto__', 'constructor', '0');
    fc.assert(
      fc.property(fc.array(step, { minLength: 1 }), fc.jsonValue(), (path, value) => {
        const record: Record<string, unknown> = {};
        place(record, path, value);
        expect(lookup(record, path)).toBe(value);
        expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
        expect(Object.hasOwn(Object.prototype, 'a')).toBe(false);
      }),
    );
  });
});
