/**
 * Subqueries in the arguments of aggregates and window functions, as columns of the rows below:
 *
 *     max((SELECT count(*) FROM B WHERE B.x = A.x))  over A   =   max(v)  over  (A, (SELECT count(*) ...) AS v)
 *
 * A whole argument is taken down, so that what guards its subquery (a CASE) goes with it; a FILTER goes with its arguments.
 */
import { computed, withoutSubqueries } from './computed.ts';
import { col, mapExpr, raw, subqueriesIn, walkExpr } from './expression.ts';
import type { Expr, Op } from './ir.ts';
import type { Node, SelectReader } from './reader.ts';

type SortBy = { readonly SortBy: Node & { readonly node: Expr } };

/** @param isCall which calls of this query's level (of its subqueries none) are meant; `exprs` come back with those changed */
export function liftSubqueries(
  reader: SelectReader,
  op: Op,
  exprs: readonly Expr[],
  isCall: (node: Expr) => boolean,
): { op: Op; exprs: Expr[] } {
  const calls: Expr[] = [];
  for (const expr of exprs) {
    walkExpr(expr, (node) => {
      if ('Sub' in node) return false;
      if (isCall(node) && subqueriesIn(node).length > 0) calls.push(node);
      return true;
    });
  }
  let below = op;
  const lifted = new Map(
    calls.map((call) => {
      const without = lift(reader, below, call['FuncCall'] as Node);
      below = without.op;
      return [call, without.call] as const;
    }),
  );
  if (calls.length === 0) return { op, exprs: [...exprs] };
  return { op: below, exprs: exprs.map((expr) => mapExpr(expr, (node) => lifted.get(node))) };
}

function lift(reader: SelectReader, op: Op, call: Node): { op: Op; call: Expr } {
  let below = op;
  let filter = call['agg_filter'] as Expr | undefined;
  if (filter !== undefined && subqueriesIn(filter).length > 0) {
    const passes = computed(reader, below, [raw(['((', filter, ') IS TRUE)'])]);
    below = passes.op;
    filter = col(passes.ids[0]!);
  }
  const guarded = (expr: Expr): Expr =>
    filter === undefined || subqueriesIn(expr).length === 0
      ? expr
      : { CaseExpr: { args: [{ CaseWhen: { expr: filter, result: expr } }] } };
  const over = call['over'] as Node | undefined;
  // What stands before WITHIN GROUP belongs to the group, not to its rows.
  const args = call['agg_within_group'] === true ? [] : ((call['args'] as Expr[] | undefined) ?? []);
  const order = (call['agg_order'] as SortBy[] | undefined) ?? [];
  const windowOrder = (over?.['orderClause'] as SortBy[] | undefined) ?? [];
  // All at once: with DISTINCT the keys of ORDER BY must be the arguments themselves.
  const nodes = [...args, ...[...order, ...windowOrder].map(({ SortBy: key }) => key.node)];
  const taken = withoutSubqueries(reader, below, nodes.map(guarded));
  const ordered = (keys: readonly SortBy[], from: number): SortBy[] =>
    keys.map(({ SortBy: key }, i) => ({ SortBy: { ...key, node: taken.exprs[from + i]! } }));
  const lifted = {
    FuncCall: {
      ...call,
      ...(args.length === 0 ? {} : { args: taken.exprs.slice(0, args.length) }),
      ...(filter === undefined ? {} : { agg_filter: filter }),
      ...(order.length === 0 ? {} : { agg_order: ordered(order, args.length) }),
      ...(windowOrder.length === 0
        ? {}
        : { over: { ...over, orderClause: ordered(windowOrder, args.length + order.length) } }),
    },
  };
  return { op: taken.op, call: lifted };
}
