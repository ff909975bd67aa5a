import { describe, expect, it } from 'vitest';
import { formatTable } from './table.ts';

describe('formatTable', () => {
  it('lays out numbers to the right, NULL as nothing, objects as JSON', () => {
    const text = formatTable({
      columns: ['id', 'name', 'data', 'score'],
      rows: [
        [1, 'ann', { a: [1] }, '1.50'],
        [10n, null, null, '-20'],
        [2, 'a\nb\u001b[31m', true, null],
      ],
    });
    expect(text).toBe(
      [
        '| id | name         | data      | score |',
        '| -- | ------------ | --------- | ----- |',
        '|  1 | ann          | {"a":[1]} |  1.50 |',
        '| 10 |              |           |   -20 |',
        '|  2 | a\\nb\\x1b[31m | true      |       |',
        '',
      ].join('\n'),
    );
  });

  it('counts the width of wide characters', () => {
    expect(
      formatTable({
        columns: ['x', 'y'],
        rows: [
          ['日本', 'a'],
          ['ab', 'b'],
        ],
      }),
    ).toBe('| x    | y  |\n| ---- | -- |\n| 日本 | a  |\n| ab   | b  |\n');
  });

  it('cuts the widest columns to fit a terminal', () => {
    const rows = [['a'.repeat(60), 'b'.repeat(30), 'c']];
    const lines = formatTable({ columns: ['one', 'two', 'three'], rows }, 60)
      .trimEnd()
      .split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
    expect(lines[2]).toContain('…');
    expect(lines[2]).toContain('| c     |');
  });

  it('prints an empty relation', () => {
    expect(formatTable({ columns: ['id'], rows: [] })).toBe('| id |\n| -- |\n');
  });
});
