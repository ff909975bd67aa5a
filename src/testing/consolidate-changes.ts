/** The net effect of many batches: what a reader who slept through them has to do. Pure. */
import type { Change, ChangeBatch, JsonRow } from '../changelog/change.ts';
import { pairChanges } from '../feeds/pair-changes.ts';
import { identityOf } from '../json/exact-json.ts';

/**
 * Adds up the rows that came and went, so that equal rows cancel out as often as they meet, and pairs what is left by
 * key: insert then delete is nothing, delete then insert an update, an update back to the old row nothing.
 */
export function consolidateChanges(batches: readonly ChangeBatch[]): Change[] {
  const bag = new Map<string, { row: JsonRow; weight: number }>();
  const add = (row: JsonRow | null, weight: number): void => {
    if (row === null) return;
    const text = identityOf(row);
    const known = bag.get(text);
    if (known === undefined) bag.set(text, { row, weight });
    else known.weight += weight;
  };
  const changes = batches.flatMap((batch) => batch.changes);
  for (const { row, before } of changes) {
    add(before, -1);
    add(row, 1);
  }
  const key = changes.find((change) => change.key !== null)?.key ?? {};
  return pairChanges(
    [...bag.values()].filter(({ weight }) => weight !== 0),
    Object.keys(key),
  );
}
