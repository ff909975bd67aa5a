/** What kind of work a tree is: which operators need state, and where. */
import { freeIds, ownExprs, ownSubqueries, remembered, usesNow, walkAll } from '../relation/expression.ts';
import { childrenOf } from '../relation/ir.ts';
import type { Op, Scan } from '../relation/ir.ts';

/**
 * `linear`: Q(A + Δ) = Q(A) + Q(Δ) in each input, duplicates and all.
 * `extending`: every row stems from rows of the left (or outer) input, which alone decide its partition: left joins,
 *   subqueries in WHERE or SELECT.
 * `grouping`: rows are put together: GROUP BY, windows, DISTINCT, LIMIT, set operations other than UNION ALL.
 */
export type Work = 'linear' | 'extending' | 'grouping';

/** The operator alone, its children aside. */
export function ownWork(op: Op): Work {
  switch (op.kind) {
    case 'scan':
      return 'linear';
    case 'values':
    case 'function':
    case 'project':
    case 'filter':
      return ownSubqueries(op).length > 0 ? 'extending' : 'linear';
    case 'join':
      if (op.join === 'full') return 'grouping';
      return op.join === 'left' || ownSubqueries(op).length > 0 || correlatedState(op.right)
        ? 'extending'
        : 'linear';
    case 'set':
      return op.operation === 'union' && op.all ? 'linear' : 'grouping';
    case 'limit':
      return op.limit === null && op.offset === null ? 'linear' : 'grouping';
    default:
      return 'grouping';
  }
}

/** A lateral right side that groups or extends cannot stand alone: it belongs to the join. */
function correlatedState(right: Op): boolean {
  return freeIds(right).size > 0 && treeWork(right) !== 'linear';
}

/** The whole tree. */
export const treeWork: (op: Op) => Work = remembered((op: Op): Work => {
  let work: Work = ownWork(op);
  // A lateral side with state was counted as the join's own.
  const children =
    op.kind === 'join' && work === 'extending' && freeIds(op.right).size > 0 ? [op.left] : childrenOf(op);
  for (const child of children) {
    const below = treeWork(child);
    if (below === 'grouping') return 'grouping';
    if (below === 'extending') work = work === 'grouping' ? 'grouping' : 'extending';
  }
  return work;
});

/** The scans of a tree, subqueries too, in the order of the tree. */
const scansIn: (op: Op) => readonly Scan[] = remembered((op: Op): readonly Scan[] =>
  op.kind === 'scan'
    ? [op]
    : [...childrenOf(op).flatMap(scansIn), ...ownSubqueries(op).flatMap(({ query }) => scansIn(query))],
);

/** Keys of the relations a tree scans, subqueries too. */
export function relationsIn(op: Op): Set<string> {
  return new Set(scansIn(op).map(({ relation }) => relation));
}

/** Occurrences of a relation in a tree, subqueries too, in the order of the tree. */
export function occurrencesOf(op: Op, relations: ReadonlySet<string>): number[] {
  return scansIn(op)
    .filter(({ relation }) => relations.has(relation))
    .map(({ occurrence }) => occurrence);
}

export function hasOccurrence(op: Op, occurrence: number): boolean {
  return scansIn(op).some((scan) => scan.occurrence === occurrence);
}

export function readsClock(root: Op): boolean {
  let found = false;
  walkAll(root, (op) => {
    if (ownExprs(op).some(usesNow)) found = true;
  });
  return found;
}
