/** The net effect of many batches: what a reader who slept through them has to do. Pure. */
import type { Change, ChangeBatch, JsonRow, JsonValue } from '../changelog/change.ts';

/**
 * With a key: at most one change per key (insert then delete is nothing, delete then insert an update, an update back to
 * the old row nothing). Without: equal rows inserted and deleted cancel out as often as they meet.
 * In order of first appearance.
 */
export function consolidateChanges(batches: readonly ChangeBatch[]): Change[] {
  const keyed = new Map<string, { key: JsonRow; before: JsonRow | null; row: JsonRow | null }>();
  const bag = new Map<string, { row: JsonRow; weight: number }>();
  const add = (row: JsonRow, weight: number): void => {
    const text = canonical(row);
    const known = bag.get(text);
    if (known === undefined) bag.set(text, { row, weight });
    else known.weight += weight;
  };
  for (const change of batches.flatMap((batch) => batch.changes)) {
    if (change.key === null) {
      if (change.before !== null) add(change.before, -1);
      if (change.row !== null) add(change.row, 1);
      continue;
    }
    const text = canonical(change.key);
    const known = keyed.get(text);
    if (known === undefined) keyed.set(text, { key: change.key, before: change.before, row: change.row });
    else known.row = change.row;
  }
  const result: Change[] = [];
  for (const { key, before, row } of keyed.values()) {
    if (before === null && row === null) continue;
    if (before !== null && row !== null && canonical(before) === canonical(row)) continue;
    result.push({ op: before === null ? 'insert' : row === null ? 'delete' : 'update', key, row, before });
  }
  for (const { row, weight } of bag.values()) {
    for (let i = 0; i < Math.abs(weight); i++) {
      result.push(
        weight > 0
          ? { op: 'insert', key: null, row, before: null }
          : { op: 'delete', key: null, row: null, before: row },
      );
    }
  }
  return result;
}

/** JSON text that does not depend on the order of keys. */
function canonical(value: JsonValue): string {
  return JSON.stringify(value, (_, inner: JsonValue) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
