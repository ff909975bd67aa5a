import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readExpectedValue, type Cell, type ExpectedCell } from './matchers.ts';
import { diffRows } from './row-diff.ts';
import { diffSummary, diffText } from './row-diff-text.ts';
import type { JsonValue } from '../changelog/change.ts';

function matcher(value: JsonValue): ExpectedCell {
  const read = readExpectedValue(value);
  if (!('matcher' in read)) throw new Error('no matcher');
  return read.matcher;
}

describe('diffRows', () => {
  it('says what is missing, unexpected and changed, aligned by key', () => {
    const diff = diffRows({
      columns: ['user_id', 'vendor', 'remove'],
      key: [0],
      expected: [
        ['alice', '32', 'true'],
        ['bob', '32', 'true'],
        ['dora', '1', null],
      ],
      actual: [
        ['carol', '7', null],
        ['alice', '32', 'false'],
        ['dora', '1', null],
      ],
    });
    expect(diffSummary(diff)).toBe('3 rows differ: 1 changed, 1 missing, 1 unexpected (1 as expected)');
    expect(diffText(diff)).toBe(
      [
        '    user_id | vendor | remove',
        '  ~ alice   | 32     | true → false',
        '  - bob     | 32     | true',
        '  + carol   | 7      | NULL',
      ].join('\n'),
    );
  });

  it('counts duplicates', () => {
    const diff = diffRows({ columns: ['a'], expected: [['1'], ['1']], actual: [['1'], ['1'], ['1']] });
    expect(diff.differences).toEqual([{ kind: 'unexpected', actual: ['1'] }]);
    expect(diff.matched).toBe(2);
  });

  it('pairs rows without a key by similarity, never when most differs', () => {
    const diff = diffRows({
      columns: ['a', 'b', 'c'],
      expected: [['1', 'x', 'p']],
      actual: [
        ['1', 'x', 'q'],
        ['9', 'y', 'r'],
      ],
    });
    expect(diff.differences.map(({ kind }) => kind)).toEqual(['changed', 'unexpected']);
  });

  it('gives matchers only the rows they need', () => {
    const any = matcher({ any: true });
    const diff = diffRows({
      columns: ['a', 'b'],
      expected: [
        [any, any],
        [any, '2'],
        ['1', any],
      ],
      actual: [
        ['1', '2'],
        ['3', '4'],
        ['1', '9'],
      ],
    });
    expect(diff.differences).toEqual([]);
  });

  it('does not mind other rows with contains', () => {
    const actual = [['1'], ['2']];
    expect(diffRows({ columns: ['a'], expected: [['2']], actual, contains: true }).differences).toEqual([]);
    expect(diffRows({ columns: ['a'], expected: [['3']], actual, contains: true }).differences).toHaveLength(
      1,
    );
  });

  it('tells rows that are out of order', () => {
    const diff = diffRows({
      columns: ['a'],
      expected: [['1'], ['2'], ['3']],
      actual: [['1'], ['3'], ['2']],
      ordered: true,
    });
    expect(diffText(diff)).toBe(
      ['    a', '  ↕ 2  (expected as row 2, is row 3)', '  ↕ 3  (expected as row 3, is row 2)'].join('\n'),
    );
    expect(diffSummary(diff)).toBe('2 rows differ: 2 out of order (3 as expected)');
  });

  const cell = fc.option(fc.constantFrom('a', 'b', ''), { nil: null });
  const bag = fc.array(fc.tuple(cell, cell), { maxLength: 8 });

  it('is empty exactly when the bags are equal, and always adds up', () => {
    fc.assert(
      fc.property(bag, bag, fc.boolean(), (expected, actual, keyed) => {
        const diff = diffRows({ columns: ['x', 'y'], expected, actual, key: keyed ? [0] : [] });
        const sorted = (rows: Cell[][]): string[] => rows.map((row) => JSON.stringify(row)).sort();
        const equal = JSON.stringify(sorted(expected)) === JSON.stringify(sorted(actual));
        expect(diff.differences.length === 0).toBe(equal);
        const count = (...kinds: string[]): number =>
          diff.differences.filter((d) => kinds.includes(d.kind)).length;
        expect(diff.matched + count('missing', 'changed')).toBe(expected.length);
        expect(diff.matched + count('unexpected', 'changed')).toBe(actual.length);
        for (const difference of diff.differences) {
          if (difference.kind === 'changed') expect(difference.changed.length).toBeGreaterThan(0);
        }
        expect(() => diffText(diff)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  it('finds an assignment with matchers whenever there is one', () => {
    const loosen = fc.tuple(bag, fc.infiniteStream(fc.boolean()), fc.nat()).map(([actual, coins, turn]) => {
      const any = matcher({ any: true });
      const expected = actual.map((row) =>
        row.map((value): ExpectedCell => (coins.next().value ? any : value)),
      );
      const at = expected.length === 0 ? 0 : turn % expected.length;
      return { actual, expected: [...expected.slice(at), ...expected.slice(0, at)].reverse() };
    });
    fc.assert(
      fc.property(loosen, ({ actual, expected }) => {
        expect(diffRows({ columns: ['x', 'y'], expected, actual }).differences).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

describe('diffText', () => {
  it('quotes what would mislead and escapes what cannot be seen', () => {
    const diff = diffRows({
      columns: ['na"me\n', 'x'],
      expected: [
        ['', 'NULL'],
        [' a', null],
      ],
      actual: [['\u202etxt', '日本']],
    });
    expect(diffText(diff)).toBe(
      ['    na"me\\n   | x', '  - ""        | "NULL"', '  - " a"      | NULL', '  + \\u202etxt | 日本'].join(
        '\n',
      ),
    );
  });

  it('shows long JSON values by the paths that differ', () => {
    const long = (member: boolean): string =>
      JSON.stringify([
        { first: '2021-03-19T17:00:00+00:00', member, segment: { name: 'trains', vendor: 32 } },
      ]);
    const diff = diffRows({
      columns: ['user', 'segments'],
      key: [0],
      expected: [['alice', long(true)]],
      actual: [['alice', long(false)]],
    });
    expect(diffText(diff, { widest: 20 })).toBe(
      [
        '    user  | segments',
        '  ~ alice | [{"first":"2021-03-… → [{"first":"2021-03-…',
        '      segments[0].member: true → false',
      ].join('\n'),
    );
  });

  it('leaves out equal columns of wide rows and counts what it does not show', () => {
    const columns = Array.from({ length: 30 }, (_, i) => `column_${i}`);
    const row = (id: number, last: string): Cell[] =>
      columns.map((_, i) => (i === 0 ? String(id) : i === 29 ? last : 'same'));
    const ids = Array.from({ length: 12 }, (_, i) => i);
    const diff = diffRows({
      columns,
      key: [0],
      expected: ids.map((id) => row(id, 'a')),
      actual: ids.map((id) => row(id, 'b')),
    });
    const lines = diffText(diff, { most: 2 }).split('\n');
    expect(lines).toEqual([
      '    column_0 | column_29',
      '  ~ 0        | a → b',
      '  ~ 1        | a → b',
      '    (28 equal columns not shown)',
      '    … and 10 more differences',
    ]);
  });

  it('colours marks and cells when asked', () => {
    const diff = diffRows({ columns: ['a'], expected: [['1']], actual: [] });
    expect(diffText(diff, { colors: true })).toContain('\u001b[31m-\u001b[39m');
  });
});
