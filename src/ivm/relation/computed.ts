/** Expressions as columns of their own. */
import { col, columnOf, subqueriesIn, walkExpr } from './expression.ts';
import { outputOf } from './ir.ts';
import type { Column, Expr, Op } from './ir.ts';
import type { SelectReader } from './reader.ts';
import { canonicalExpr } from './rename.ts';

/** Whether an expression calls a function that returns a set, subqueries left out. */
export function returnsSet(expr: Expr, { catalog }: SelectReader): boolean {
  let found = false;
  walkExpr(expr, (node) => {
    if (found || 'Sub' in node) return false;
    const call = node['FuncCall'] as { funcname: { String?: { sval?: string } }[] } | undefined;
    found =
      call !== undefined && catalog.function(call.funcname.at(-1)?.String?.sval ?? '')?.returnsSet === true;
    return !found;
  });
  return found;
}

/** Computes what is not a plain column below `op`, so that it has an id. A function that returns a set makes more rows there. */
export function computed(reader: SelectReader, op: Op, exprs: readonly Expr[]): { op: Op; ids: string[] } {
  const added: Column[] = [];
  const ids = exprs.map((expr) => {
    const id = columnOf(expr);
    if (id !== undefined && outputOf(op).includes(id)) return id;
    const known = added.find((column) => canonicalExpr(column.expr) === canonicalExpr(expr));
    if (known !== undefined) return known.id;
    const column = { id: reader.id('key'), expr };
    added.push(column);
    return column.id;
  });
  if (added.length === 0) return { op, ids };
  const sets = added.some(({ expr }) => returnsSet(expr, reader));
  const passed = outputOf(op).map((id) => ({ id, expr: col(id) }));
  return { op: { kind: 'project', child: op, columns: [...passed, ...added], sets }, ids };
}

/** The expressions with those that hold subqueries computed below: aggregates and functions take columns in their stead. */
export function withoutSubqueries(
  reader: SelectReader,
  op: Op,
  exprs: readonly Expr[],
): { op: Op; exprs: Expr[] } {
  const nested = exprs.filter((expr) => subqueriesIn(expr).length > 0);
  const below = computed(reader, op, nested);
  const ids = new Map(nested.map((expr, i) => [expr, below.ids[i]!]));
  return { op: below.op, exprs: exprs.map((expr) => (ids.has(expr) ? col(ids.get(expr)!) : expr)) };
}
