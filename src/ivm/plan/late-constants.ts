/**
 * Constants that PostgreSQL's planner must not compute with. It puts a subquery's columns in the place of their names, and while it plans
 * it computes what uses constants alone: `12 / x` over `(SELECT 0 AS x)` divides by zero also where no row passes `x <> 0`. In the query
 * itself a grouping set or an outer join keeps the two apart; a stage is another query, and its planner would compute them. So a constant
 * column from which something that can fail is computed is written `(SELECT 0)`, which has a value only when the statement runs.
 */
import {
  idsIn,
  late,
  mapOwnQueries,
  ownExprs,
  subqueriesIn,
  usesNow,
  walkAll,
} from '../relation/expression.ts';
import { childrenOf, outputOf, withChildren } from '../relation/ir.ts';
import type { Expr, Op } from '../relation/ir.ts';
import { canFail } from './fallible.ts';
import type { TypeOf } from './fallible.ts';

export function withLateConstants(root: Op, typeOf: TypeOf): Op {
  const risky = usedByWhatFails(root, typeOf);
  return risky.size === 0 ? root : delayed(root, risky);
}

/** Ids of the columns from which something that can fail is computed, by way of other columns too. */
function usedByWhatFails(root: Op, typeOf: TypeOf): ReadonlySet<string> {
  const madeOf = new Map<string, string[]>();
  const used = new Set<string>();
  walkAll(root, (op) => {
    for (const expr of ownExprs(op)) if (canFail(expr, typeOf)) for (const id of idsIn(expr)) used.add(id);
    for (const { id, expr } of columnsOf(op)) madeOf.set(id, [...idsIn(expr)]);
    if (op.kind === 'set') {
      const [left, right] = [outputOf(op.left), outputOf(op.right)];
      op.columns.forEach((id, i) => madeOf.set(id, [left[i]!, right[i]!]));
    }
  });
  // What is added on the way is visited as well.
  for (const id of used) for (const below of madeOf.get(id) ?? []) used.add(below);
  return used;
}

function columnsOf(op: Op): readonly { readonly id: string; readonly expr: Expr }[] {
  if (op.kind === 'project' || op.kind === 'window') return op.columns;
  return op.kind === 'aggregate' ? [...op.groups, ...op.aggregates] : [];
}

function delayed(op: Op, risky: ReadonlySet<string>): Op {
  const below = withChildren(
    op,
    childrenOf(op).map((child) => delayed(child, risky)),
  );
  const at = mapOwnQueries(below, (query) => delayed(query, risky));
  const once = (id: string, expr: Expr): Expr => (risky.has(id) && isConstant(expr) ? late(expr) : expr);
  // Columns of several rows, and of functions that return sets, are no constants to the planner.
  if (at.kind === 'project' && !at.sets)
    return { ...at, columns: at.columns.map(({ id, expr }) => ({ id, expr: once(id, expr) })) };
  if (at.kind === 'values' && at.rows.length === 1)
    return { ...at, rows: at.rows.map((row) => row.map((expr, i) => once(at.columns[i]!, expr))) };
  return at;
}

function isConstant(expr: Expr): boolean {
  return idsIn(expr).size === 0 && subqueriesIn(expr).length === 0 && !usesNow(expr);
}
