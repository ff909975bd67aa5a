import { describe, expect, it } from 'vitest';
import { readRows } from './rows-text.ts';

describe('readRows', () => {
  it('reads lists, CSV and NDJSON', () => {
    expect(readRows([{ a: 1 }])).toEqual([{ a: 1 }]);
    expect(readRows('a,b\n1,x\n,""\n"q ""z""",é\n')).toEqual([
      { a: '1', b: 'x' },
      { a: null, b: '' },
      { a: 'q "z"', b: 'é' },
    ]);
    expect(readRows('{"a": 1}\n\n{"a": null}')).toEqual([{ a: 1 }, { a: null }]);
  });

  it('takes nothing for no rows', () => {
    for (const nothing of [null, undefined, '', '\n', [], 'a,b\n']) expect(readRows(nothing)).toEqual([]);
  });

  it('says where rows are wrong', () => {
    expect(() => readRows('a,b\n1\n')).toThrow(
      'a row of the CSV has 1 fields, the header another number at line 2',
    );
    expect(() => readRows('a,a\n1,2')).toThrow('column "a" stands twice in the header');
    expect(() => readRows('a\n"x')).toThrow('a quote in the CSV is not closed');
    expect(() => readRows('{"a": 1}\n{"a"')).toThrow(/line 2 is no JSON/);
    expect(() => readRows('[1]\n', 'ndjson')).toThrow('line 1 is no JSON object');
    expect(() => readRows([{ a: 1 }, 7])).toThrow('row 2 is no mapping of columns to values');
    expect(() => readRows({ a: 1 })).toThrow('rows must be a list of mappings, or CSV or NDJSON text');
  });
});
