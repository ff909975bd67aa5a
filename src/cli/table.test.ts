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

  it('writes rows on lines of their own where columns cannot be made narrow enough', () => {
    const columns = ['sink', 'state', 'since', 'waiting', 'reason'];
    const row = [
      'behavior_notifications',
      'failing',
      '2026-01-01 10:00:00',
      3,
      'the receiver answers 503 again and again, for an hour',
    ];
    const text = formatTable({ columns, rows: [row, ['b', 'ok', '', 0, null]] }, 44);
    expect(text).toBe(
      [
        '-[ behavior_notifications ]-----------------',
        'state   | failing',
        'since   | 2026-01-01 10:00:00',
        'waiting | 3',
        'reason  | the receiver answers 503 again and',
        '        | again, for an hour',
        '-[ b ]--------------------------------------',
        'state   | ok',
        'since   |',
        'waiting | 0',
        'reason  |',
        '',
      ].join('\n'),
    );
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBe(44);
  });
});
