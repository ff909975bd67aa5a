import { describe, expect, it } from 'vitest';
import type { Change, JsonRow } from '../changelog/change.ts';
import { consolidateChanges } from './consolidate-changes.ts';

const insert = (row: JsonRow, keyed = true): Change => ({
  op: 'insert',
  key: keyed ? { id: row['id']! } : null,
  row,
  before: null,
});
const remove = (before: JsonRow, keyed = true): Change => ({
  op: 'delete',
  key: keyed ? { id: before['id']! } : null,
  row: null,
  before,
});
const update = (before: JsonRow, row: JsonRow): Change => ({
  op: 'update',
  key: { id: row['id']! },
  row,
  before,
});
const batches = (...changes: Change[]) =>
  changes.map((change, i) => ({ position: String(i), at: '', changes: [change] }));

describe('consolidateChanges', () => {
  it('keeps the net effect per key', () => {
    const [a, b, c] = [
      { id: 1, v: 'a' },
      { id: 1, v: 'b' },
      { id: 1, v: 'c' },
    ];
    expect(consolidateChanges(batches(insert(a), update(a, b), update(b, c)))).toEqual([insert(c)]);
    expect(consolidateChanges(batches(insert(a), remove(a)))).toEqual([]);
    expect(consolidateChanges(batches(remove(a), insert(b)))).toEqual([update(a, b)]);
    expect(consolidateChanges(batches(update(a, b), update(b, a)))).toEqual([]);
    expect(consolidateChanges(batches(update(a, b), remove(b)))).toEqual([remove(a)]);
  });

  it('adds weights of equal rows without a key', () => {
    const row = { id: 1, v: { x: 1, y: 2 } };
    const same = { v: { y: 2, x: 1 }, id: 1 };
    expect(consolidateChanges(batches(insert(row, false), insert(same, false), remove(row, false)))).toEqual([
      insert(row, false),
    ]);
    expect(consolidateChanges(batches(remove(row, false), remove(row, false)))).toHaveLength(2);
  });
});
