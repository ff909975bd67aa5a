/**
 * ORDER BY ... LIMIT over one relation: the first rows are read again by an index on the order after each change, and
 * compared with the rows that are kept. Cost: as many rows as the LIMIT and OFFSET say, whatever the relation holds.
 */
import { columnOf, idsIn, ownSubqueries, substitute, usesNow } from '../relation/expression.ts';
import { raw } from '../relation/expression.ts';
import { outputOf } from '../relation/ir.ts';
import type { Expr, Limit, Op, Scan, SortKey } from '../relation/ir.ts';
import { copyOf } from '../relation/rename.ts';
import type { Stage, StageTop } from './stage.ts';
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
export function topStage(
  root: Op,
  facts: Facts,
): Pick<Stage, 'strategy' | 'reason' | 'cost' | 'top'> | undefined {
  const limit = limitOf(root);
  const top = limit === undefined ? undefined : topOf(limit);
  if (limit === undefined || top === undefined) return undefined;
  const ids = top.order.map(({ expr }) => columnOf(expr) ?? '');
  const types = ids.map((id) => columnFact(top.scan, id, facts).type);
  const reason = 'the first rows by an order';
  const cost = 'the rows that LIMIT and OFFSET ask for, read again by an index on the order';
  if (isShort(types[0])) return { strategy: 'top', reason, cost };
  const end = types.findIndex((type) => !isShort(type) && !isText(type));
  const bound = end < 0 ? ids.length : end;
  if (bound > 0 && ownSubqueries(limit).length === 0) {
    return {
      strategy: 'top',
      top: { bound, texts: ids.slice(0, bound).filter((_, i) => isText(types[i])) },
      reason,
      cost: `${cost}, and the rows whose texts in the order are longer than ${LONG} bytes`,
    };
  }
  return {
    strategy: 'recompute',
    reason: `ORDER BY ... LIMIT by a value of type ${types[0] ?? 'unknown'}, which no index holds at any length`,
    cost: 'the whole query',
  };
}

/** Texts of so many bytes together fit into an entry of a btree, beside what else may stand in it. */
const LONG = 2000;

/** Values whose length in bytes octet_length() tells: an array of texts is none. */
function isText(type: string | undefined): boolean {
  return /^(text|character|bytea)\b(?!.*\[\])|\bcitext$/.test(type ?? '');
}

/** The rows that an index on the order holds, and those whose texts are too long for it. */
export function byLength({ texts }: StageTop): {
  readonly length: Expr;
  readonly short: Expr;
  readonly long: Expr;
} {
  const parts = texts.flatMap((id, i): (string | Expr)[] => [
    i === 0 ? '' : ' + ',
    'coalesce(octet_length(',
    { Col: id },
    '), 0)',
  ]);
  const length = raw(['(', ...parts, ')']);
  return { length, short: raw(['(', length, ` <= ${LONG})`]), long: raw(['(', length, ` > ${LONG})`]) };
}

/**
 * The same rows, the first ones of either length taken apart and put together:
 *
 *     top(n) A  =  top(n) (top(n) σ[short] A  UNION ALL  top(n) σ[long] A)
 */
export function topByLength(root: Op, split: StageTop): Op {
  if (root.kind === 'project' || root.kind === 'filter')
    return { ...root, child: topByLength(root.child, split) };
  if (root.kind !== 'limit') throw new Error('invariant: a LIMIT below projections and filters');
  const { scan, order } = topOf(root)!;
  const limit = raw(['(', root.limit!, ')', ...(root.offset === null ? [] : [' + (', root.offset, ')'])]);
  const { short, long } = byLength(split);
  const sorts = order.map(({ expr, ...sort }) => ({ id: columnOf(expr)!, ...sort }));
  const side = (condition: Expr, name: string): Op => {
    const first: Op = {
      kind: 'limit',
      child: { kind: 'filter', child: scan, condition },
      order: sorts,
      limit,
      offset: null,
      ties: root.ties,
    };
    let ids = 0;
    return copyOf(first, { id: () => `${name}_${++ids}`, occurrence: () => scan.occurrence }).op;
  };
  const both: Op = {
    kind: 'set',
    operation: 'union',
    all: true,
    left: firstOf(side(short, 'short')),
    right: firstOf(side(long, 'long')),
    columns: outputOf(scan),
  };
  const over = (op: Op): Op => (op.kind === 'project' ? { ...op, child: over(op.child) } : both);
  return { ...root, child: over(root.child) };
}

/** A side of a union of its own: a LIMIT would be read as that of the union. */
function firstOf(op: Op): Op {
  const columns = outputOf(op).map((id) => ({ id, expr: { Col: id } }));
  return { kind: 'project', child: op, columns, sets: false };
}
