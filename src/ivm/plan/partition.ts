/**
 * Partitions: which columns of a tree's output a restriction can be pushed along, down to the scans.
 *
 *     σ[K = k] Q(A, B, ...)  =  Q(σ[K = k] A, B, ...)
 *
 * A tree with such columns K is the union of its partitions, and a change touches only the partitions of its own keys.
 */
import { columnOf, freeIds, idsIn, subqueriesIn } from '../relation/expression.ts';
import { outputOf } from '../relation/ir.ts';
import type { Expr, Op, Window } from '../relation/ir.ts';

/** Ids of the output on which a restriction passes through every operator below that groups rows. */
export function pushable(op: Op): Set<string> {
  switch (op.kind) {
    case 'scan':
    case 'values':
      return new Set(outputOf(op));
    case 'function':
      // What a function makes of a row cannot be asked of the rows by index: its answers are kept, and asked instead.
      return new Set(freeIds(op).size > 0 ? [] : outputOf(op));
    case 'project': {
      const below = pushable(op.child);
      return new Set(
        op.columns
          .filter(({ expr }) => (!op.sets || columnOf(expr) !== undefined) && pushableExpr(expr, below))
          .map(({ id }) => id),
      );
    }
    case 'filter':
      return pushable(op.child);
    case 'join':
      if (op.join === 'full') return new Set();
      if (op.join === 'left') return pushable(op.left);
      return new Set([...pushable(op.left), ...pushable(op.right)]);
    case 'aggregate': {
      const below = pushable(op.child);
      return new Set(op.groups.filter(({ expr }) => pushableExpr(expr, below)).map(({ id }) => id));
    }
    case 'window': {
      const below = pushable(op.child);
      return new Set(partitionIds(op).filter((id) => below.has(id)));
    }
    case 'distinct':
      return pushable(op.child);
    case 'distinct-on': {
      const below = pushable(op.child);
      return new Set(op.on.filter((id) => below.has(id)));
    }
    case 'limit':
      return op.limit === null && op.offset === null ? pushable(op.child) : new Set();
    case 'set': {
      const left = pushable(op.left);
      const right = pushable(op.right);
      const leftIds = outputOf(op.left);
      const rightIds = outputOf(op.right);
      return new Set(op.columns.filter((_, i) => left.has(leftIds[i]!) && right.has(rightIds[i]!)));
    }
  }
}

function pushableExpr(expr: Expr, below: ReadonlySet<string>): boolean {
  if (subqueriesIn(expr).length > 0) return false;
  const ids = idsIn(expr);
  return ids.size > 0 && [...ids].every((id) => below.has(id)) && !JSON.stringify(expr).includes('"Now"');
}

/** Columns that every window of the operator is partitioned by. */
export function partitionIds(op: Window): string[] {
  const lists = op.columns.map(({ expr }) => {
    const over = (expr['FuncCall'] as { over: { partitionClause?: Expr[] } }).over;
    return (over.partitionClause ?? []).map(columnOf);
  });
  return [...new Set(lists[0] ?? [])].filter(
    (id): id is string => id !== undefined && lists.every((list) => list.includes(id)),
  );
}

/** The columns a grouping operator puts rows together by: the key one would choose for it. */
export function naturalKey(op: Op): string[] {
  switch (op.kind) {
    case 'aggregate':
      return op.groups.map(({ id }) => id);
    case 'window':
      return partitionIds(op);
    case 'distinct':
    case 'set':
      return outputOf(op);
    case 'distinct-on':
      return [...op.on];
    default:
      return [];
  }
}
