/** Expressions as columns of their own. */
import { col, columnOf, sameExpr } from './expression.ts';
import { outputOf } from './ir.ts';
import type { Column, Expr, Op } from './ir.ts';
import type { SelectReader } from './reader.ts';

/** Computes what is not a plain column below `op`, so that it has an id. */
export function computed(reader: SelectReader, op: Op, exprs: readonly Expr[]): { op: Op; ids: string[] } {
  const added: Column[] = [];
  const ids = exprs.map((expr) => {
    const id = columnOf(expr);
    if (id !== undefined && outputOf(op).includes(id)) return id;
    const known = added.find((column) => sameExpr(column.expr, expr));
    if (known !== undefined) return known.id;
    const column = { id: reader.id('key'), expr };
    added.push(column);
    return column.id;
  });
  if (added.length === 0) return { op, ids };
  const passed = outputOf(op).map((id) => ({ id, expr: col(id) }));
  return { op: { kind: 'project', child: op, columns: [...passed, ...added], sets: false }, ids };
}
