import { identityOf } from '../json/exact-json.ts';
import type { Change, JsonRow } from '../changelog/change.ts';
import { objectOf } from '../json/member-order.ts';

/**
 * Weighted rows of one step → changes: per key one row that went and one that came are an update. Without a key, or
 * where a key is not unique after all, each copy is its own delete or insert.
 */
export function pairChanges(
  rows: readonly { readonly row: JsonRow; readonly weight: number }[],
  key: readonly string[],
): Change[] {
  const groups = new Map<string, { key: JsonRow | null; gone: JsonRow[]; come: JsonRow[] }>();
  for (const [index, { row, weight }] of rows.entries()) {
    const of: JsonRow | null =
      key.length === 0 ? null : objectOf(key.map((name) => [name, row[name] ?? null]));
    const id = of === null ? String(index) : identityOf(of);
    const group = groups.get(id) ?? { key: of, gone: [], come: [] };
    groups.set(id, group);
    const side = weight > 0 ? group.come : group.gone;
    for (let copies = Math.abs(weight); copies > 0; copies--) side.push(row);
  }
  const changes: Change[] = [];
  for (const group of groups.values()) {
    if (group.key !== null && group.gone.length === 1 && group.come.length === 1) {
      changes.push({ op: 'update', key: group.key, row: group.come[0]!, before: group.gone[0]! });
      continue;
    }
    for (const before of group.gone) changes.push({ op: 'delete', key: group.key, row: null, before });
    for (const row of group.come) changes.push({ op: 'insert', key: group.key, row, before: null });
  }
  return changes;
}
