/**
 * A tree that no strategy keeps as it is → the same over stored intermediate results, in which keys are found: what stands below its
 * topmost operator that is not linear by itself. A side without a table (VALUES) gets one, and a side without columns gets one column.
 */
import { fingerprint, freeIds, mapOwnQueries, ownSubqueries } from '../relation/expression.ts';
import { childrenOf, outputOf, withChildren } from '../relation/ir.ts';
import type { Op } from '../relation/ir.ts';
import type { Ids } from '../relation/rename.ts';
import { treeWork } from './classify.ts';

/**
 * @param split stores a tree as an intermediate result, and answers a scan of it
 * @returns undefined when there is nothing that could be stored
 */
export function storedBelow(op: Op, ids: Ids, split: (op: Op) => Op): Op | undefined {
  const passes = op.kind === 'filter' || (op.kind === 'project' && !op.sets);
  if (passes && ownSubqueries(op).length === 0) {
    const child = storedBelow(op.child, ids, split);
    return child === undefined ? undefined : { ...op, child };
  }
  const children = childrenOf(op);
  const stored = children.map((child) => {
    const [columns, { kind }] = [outputOf(child), child];
    if (freeIds(child).size > 0) return inside(child, split);
    if (kind === 'scan' && columns.length > 0) return child;
    if (columns.length > 0) return split(child);
    const row = { id: ids.id('row'), expr: { A_Const: { boolval: { boolval: true } } } };
    return split({ kind: 'project', child, columns: [row], sets: false });
  });
  const over = mapOwnQueries(withChildren(op, stored), (query) => inside(query, split));
  return fingerprint(over) === fingerprint(op) ? undefined : over;
}

/** Of a correlated tree what uses nothing from outside. */
function inside(op: Op, split: (op: Op) => Op): Op {
  if (freeIds(op).size === 0) return treeWork(op) === 'linear' ? op : split(op);
  const below = withChildren(
    op,
    childrenOf(op).map((child) => inside(child, split)),
  );
  return mapOwnQueries(below, (query) => inside(query, split));
}
