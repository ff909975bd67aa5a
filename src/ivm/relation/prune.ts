/** Takes out columns that nothing needs, so that stored intermediate relations and indexes hold no more than they must. */
import { freeIds, idsIn, mapOwnExprs, mapExpr, subqueryOf } from './expression.ts';
import { outputOf } from './ir.ts';
import type { Expr, Op } from './ir.ts';

/** @param keyColumns columns of a relation that stay in any case: what identifies a row of it */
export function prune(
  op: Op,
  need: ReadonlySet<string>,
  keyColumns: (relation: string) => readonly string[],
): Op {
  const at = mapOwnExprs(op, (expr) => pruneSubqueries(expr, keyColumns));
  const below = (child: Op, wanted: ReadonlySet<string>): Op => prune(child, wanted, keyColumns);
  const and = (...exprs: readonly (Expr | null)[]): Set<string> =>
    new Set([...need, ...exprs.flatMap((expr) => (expr === null ? [] : [...idsIn(expr)]))]);
  switch (at.kind) {
    case 'scan':
      return {
        ...at,
        columns: at.columns.filter(({ id, name }) => need.has(id) || keyColumns(at.relation).includes(name)),
      };
    case 'values':
    case 'function':
      return at;
    case 'project': {
      const columns = at.sets ? at.columns : at.columns.filter(({ id }) => need.has(id));
      return { ...at, columns, child: below(at.child, and(...columns.map(({ expr }) => expr))) };
    }
    case 'filter':
      return { ...at, child: below(at.child, and(at.condition)) };
    case 'join': {
      const all = new Set([...and(at.condition), ...freeIds(at.right)]);
      return { ...at, left: below(at.left, all), right: below(at.right, all) };
    }
    case 'aggregate': {
      const aggregates = at.aggregates.filter(({ id }) => need.has(id));
      const wanted = new Set([...at.groups, ...aggregates].flatMap(({ expr }) => [...idsIn(expr)]));
      return { ...at, aggregates, child: below(at.child, wanted) };
    }
    case 'window': {
      const columns = at.columns.filter(({ id }) => need.has(id));
      const child = below(at.child, and(...columns.map(({ expr }) => expr)));
      return columns.length === 0 ? child : { ...at, columns, child };
    }
    case 'distinct':
      return { ...at, child: below(at.child, new Set(outputOf(at.child))) };
    case 'distinct-on':
      return { ...at, child: below(at.child, new Set([...need, ...at.on, ...at.order.map(({ id }) => id)])) };
    case 'limit':
      return {
        ...at,
        child: below(at.child, new Set([...and(at.limit, at.offset), ...at.order.map(({ id }) => id)])),
      };
    case 'set':
      return {
        ...at,
        left: below(at.left, new Set(outputOf(at.left))),
        right: below(at.right, new Set(outputOf(at.right))),
      };
  }
}

function pruneSubqueries(expr: Expr, keyColumns: (relation: string) => readonly string[]): Expr {
  return mapExpr(expr, (node) => {
    const sub = subqueryOf(node);
    if (sub === undefined) return undefined;
    const test = sub.test === null ? null : pruneSubqueries(sub.test, keyColumns);
    return { Sub: { ...sub, test, query: prune(sub.query, new Set(sub.output), keyColumns) } };
  });
}
