/**
 * ORDER BY ... LIMIT over one relation: the first rows are read again by an index on the order after each change, and
 * compared with the rows that are kept. Cost: as many rows as the LIMIT and OFFSET say, whatever the relation holds.
 */
import { columnOf, idsIn, ownSubqueries, substitute, usesNow } from '../relation/expression.ts';
import type { Expr, Limit, Op, Scan, SortKey } from '../relation/ir.ts';
import type { Stage } from './stage.ts';
import { columnFact, isShort } from './facts.ts';
import type { Facts } from './facts.ts';

export interface Top {
  readonly scan: Scan;
  /** Columns of the scan an index must be on, in this order. */
  readonly order: readonly (Omit<SortKey, 'id'> & { readonly expr: Expr })[];
}

/** The LIMIT on top of a tree, below projections and filters. */
export function limitOf(root: Op): (Limit & { readonly limit: Expr }) | undefined {
  if (root.kind === 'project' || root.kind === 'filter') {
    return ownSubqueries(root).length > 0 ? undefined : limitOf(root.child);
  }
  return root.kind === 'limit' && root.limit !== null ? { ...root, limit: root.limit } : undefined;
}

/** How an index finds the rows of a LIMIT; undefined when none does: filters, joins or computed values are below it. */
export function topOf(limit: Limit): Top | undefined {
  if (limit.order.length === 0) return undefined;
  let keys: Expr[] = limit.order.map(({ id }) => ({ Col: id }));
  let op = limit.child;
  while (op.kind === 'project' && !op.sets && ownSubqueries(op).length === 0) {
    const by = new Map(op.columns.map(({ id, expr }) => [id, expr]));
    keys = keys.map((key) => substitute(key, by));
    op = op.child;
  }
  if (op.kind !== 'scan') return undefined;
  const scan = op;
  const constant = (key: Expr): boolean => idsIn(key).size === 0 && !usesNow(key);
  if (!keys.every((key) => columnOf(key) !== undefined || constant(key))) return undefined;
  const order = limit.order
    .map((key, i) => ({ expr: keys[i]!, descending: key.descending, nullsFirst: key.nullsFirst }))
    .filter(({ expr }) => !constant(expr));
  return order.length === 0 ? undefined : { scan, order };
}

/** A stage that is a LIMIT; one whose order no index can hold is recomputed. */
export function topStage(root: Op, facts: Facts): Pick<Stage, 'strategy' | 'reason' | 'cost'> | undefined {
  const limit = limitOf(root);
  const top = limit === undefined ? undefined : topOf(limit);
  if (top === undefined) return undefined;
  if (isShort(columnFact(top.scan, columnOf(top.order[0]!.expr) ?? '', facts).type)) {
    return {
      strategy: 'top',
      reason: 'the first rows by an order',
      cost: 'the rows that LIMIT and OFFSET ask for, read again by an index on the order',
    };
  }
  return {
    strategy: 'recompute',
    reason:
      'ORDER BY ... LIMIT by a text, which an index could not hold at any length (cast it to varchar(200))',
    cost: 'the whole query',
  };
}
