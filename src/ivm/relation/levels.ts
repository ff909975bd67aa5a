/**
 * Levels of queries: what of an expression belongs to the query it stands in, and what to the subqueries inside of it. An aggregate
 * belongs to the innermost query whose columns it uses, without any to the one it stands in (PostgreSQL, check_agg_arguments).
 */
import { idsIn, mapExpr, mapOpExprs, subqueryOf, walkExpr } from './expression.ts';
import type { Expr } from './ir.ts';

/**
 * Rebuilds an expression of a query over the columns `own`.
 * @param replace answers the replacement of a node, or undefined to go into it; of subqueries it is asked for nodes only that use
 *   columns of this query and no others
 */
export function mapLevel(
  expr: Expr,
  own: ReadonlySet<string>,
  replace: (node: Expr) => Expr | undefined,
): Expr {
  const inside = (node: Expr): Expr | undefined => (usesOnly(node, own) ? replace(node) : undefined);
  return mapExpr(expr, (node) => {
    const sub = subqueryOf(node);
    if (sub === undefined) return replace(node);
    const replaced = replace(node);
    if (replaced !== undefined) return replaced;
    const test = sub.test === null ? null : mapLevel(sub.test, own, replace);
    const query = mapOpExprs(sub.query, (inner) => mapExpr(inner, inside));
    return { Sub: { ...sub, test, query } };
  });
}

/** Whether some node of this query's level passes the test. */
export function someOfLevel(expr: Expr, own: ReadonlySet<string>, test: (node: Expr) => boolean): boolean {
  let found = false;
  const visit =
    (within: boolean) =>
    (node: Expr): boolean => {
      if (found) return false;
      const sub = subqueryOf(node);
      if (sub !== undefined && !within) {
        if (sub.test !== null) walkExpr(sub.test, visit(false));
        walkExpr({ Sub: { ...sub, test: null } }, visit(true));
        return false;
      }
      found = test(node) && (!within || usesOnly(node, own));
      return !found;
    };
  walkExpr(expr, visit(false));
  return found;
}

/** Whether an expression uses columns, and all of them are among these. */
export function usesOnly(expr: Expr, ids: ReadonlySet<string>): boolean {
  const used = idsIn(expr);
  return used.size > 0 && [...used].every((id) => ids.has(id));
}
