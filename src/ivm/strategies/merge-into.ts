/**
 * A merged stage in one pass, for a step whose change nobody reads:
 *
 *     MERGE INTO stage USING (what the change amounts to in each group) ON same group
 *     WHEN MATCHED AND the group is empty THEN DELETE, WHEN MATCHED THEN UPDATE, WHEN NOT MATCHED THEN INSERT
 *
 * Nothing is stored in between and no row is looked for twice, which is half of the time of the statement that answers its change.
 * Since a hash index (stored-stage.ts) answers only for one hash at a time, the table is never read whole, whatever statistics say.
 */
import { exprSql } from '../relation/to-sql.ts';
import { quoteIdentifier, quoteRelation } from '../../sql/quote.ts';
import { changeSelect, changedRows, sameGroup, stateParts } from './merge-change.ts';
import type { MergeRequest } from './merge-change.ts';
import { layoutOf } from './merge-layout.ts';
import { addressColumns } from './stored-stage.ts';
import type { StoredStage } from './stored-stage.ts';

/** @returns null when the change is read, or when a group may have to be read again */
export function mergeIntoSql(stored: StoredStage, request: MergeRequest): string | null {
  if (request.wanted || stored.changelog !== null) return null;
  const { removes, options } = request;
  const plan = stored.stage.merge!;
  const layout = layoutOf(stored);
  const keys = addressColumns(stored);
  const keyNames = keys.map((_, i) => `k${i}`);
  const target = (i: number): string => `"_seg_t".${quoteIdentifier(layout.columns[i]!.name)}`;
  const kept = stateParts(plan, removes, (id) => target(layout.of(id)), true);
  if (kept.parts.some(({ again }) => again !== null)) return null;
  const fresh = stateParts(plan, removes, (id) => `NULL::${layout.columns[layout.of(id)]!.type}`, true);

  /** The row's columns after the change. */
  const valuesOver = (next: ReadonlyMap<string, string>): string[] => {
    const state = (id: string): string => `(${next.get(id)!})::${layout.columns[layout.of(id)]!.type}`;
    const held = new Map([...next.keys()].map((id) => [layout.of(id), state(id)]));
    return layout.columns.map(({ name, expr }, i) => {
      if (keys.includes(name)) return `k${keys.indexOf(name)}`;
      if (expr === null) return held.get(i)!;
      return exprSql(
        layout.overState(expr, (place) => `"_seg_k".k${place}`, state),
        options,
      );
    });
  };
  const isKept = (next: ReadonlyMap<string, string>): string =>
    plan.count === null ? 'true' : `coalesce((${next.get(plan.count)!}) > 0, false)`;

  const after = valuesOver(kept.next);
  const moving = layout.columns.flatMap(({ name }, i) => (keys.includes(name) ? [] : [i]));
  if (moving.length === 0) return null;
  const sets = moving.map((i) => `${quoteIdentifier(layout.columns[i]!.name)} = ${after[i]!}`);
  const differ = moving.map((i) => {
    // Intervals that are equal need not be the same: a day and 24 hours.
    const cast = layout.columns[i]!.type.startsWith('interval') ? '::text' : '';
    return `(${after[i]!})${cast} IS DISTINCT FROM ${target(i)}${cast}`;
  });
  // A group that rows only come to is another one afterwards, since they are counted.
  const changes = removes || plan.count === null ? ` AND (${differ.join(' OR ')})` : '';
  return `MERGE INTO ${quoteRelation(stored.table)} AS "_seg_t" USING (
  ${changeSelect(kept.parts, keyNames, `(\n${changedRows(stored, kept.parts, layout, request)}\n  )`)}
) AS "_seg_k" ON ${sameGroup(stored)}
${removes ? `WHEN MATCHED AND NOT ${isKept(kept.next)} THEN DELETE\n` : ''}WHEN MATCHED${changes} THEN UPDATE SET ${sets.join(', ')}
WHEN NOT MATCHED${removes ? ` AND ${isKept(fresh.next)}` : ''} THEN INSERT (${layout.columns.map(({ name }) => quoteIdentifier(name)).join(', ')}) VALUES (${valuesOver(fresh.next).join(', ')})`;
}
