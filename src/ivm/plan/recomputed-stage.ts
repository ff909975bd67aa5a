/** Stages that are recomputed: views that nothing cheaper keeps, and parts of a query that stand apart. */
import { quoteIdentifier } from '../../sql/quote.ts';
import type { Part } from '../relation/apart.ts';
import { walkAll } from '../relation/expression.ts';
import type { Op } from '../relation/ir.ts';
import type { Stage, StageColumn } from './stage.ts';

export function recompute(
  name: string,
  root: Op,
  columns: readonly StageColumn[],
  why: string,
): Omit<Stage, 'reads' | 'readsClock'> {
  return { name, root, columns, strategy: 'recompute', key: [], reason: why, cost: 'the whole query' };
}

export function recomputedPart(why: string): Pick<Stage, 'strategy' | 'key' | 'part' | 'reason' | 'cost'> {
  return {
    strategy: 'recompute',
    key: [],
    part: true,
    reason: `this part of the query alone, because of ${why}`,
    cost: 'the whole of this part',
  };
}

/** Names of the columns that a tree reads of a relation; undefined when it does not read it at all. */
export function columnsRead(op: Op, relation: string): Set<string> | undefined {
  let used: Set<string> | undefined;
  walkAll(op, (at) => {
    if (at.kind !== 'scan' || at.relation !== relation) return;
    used = new Set([...(used ?? []), ...at.columns.map(({ name }) => name)]);
  });
  return used;
}

/** Only what is read of it is kept: other columns may be of types that no table holds. */
export function stageOfPart(
  { name, text: whole, columns: all, reads, readsClock, why }: Part,
  used: ReadonlySet<string>,
): Stage {
  const columns = used.size === 0 ? ['row'] : all.filter((column) => used.has(column));
  const list = used.size === 0 ? 'true AS "row"' : columns.map(quoteIdentifier).join(', ');
  return {
    name,
    root: null,
    text: `SELECT ${list} FROM (${whole}) AS "_u"`,
    reads,
    readsClock,
    columns: columns.map((column) => ({ id: column, name: column, hidden: false })),
    ...recomputedPart(why),
  };
}
