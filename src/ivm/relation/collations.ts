/** Collations that a set operation mixes: its rows are equal by one of them, its sides by another each. */
import { columnOf, walkAll, walkExpr } from './expression.ts';
import { outputOf } from './ir.ts';
import type { Expr, Op } from './ir.ts';

/** Whether the columns of the sides may be compared by another collation together than each side by itself. */
export function mixesCollations(left: Op, right: Op): boolean {
  const [of, other] = [collationsIn(left), collationsIn(right)];
  const ids = outputOf(right);
  return outputOf(left).some((id, i) => of(id) !== other(ids[i]!));
}

/** Names of the collations a column's value may bear, of those that matter: what COLLATE says, and what is not deterministic. */
export function collationsIn(op: Op): (id: string) => string {
  const made = new Map<string, Expr[]>();
  const loose = new Map<string, string>();
  walkAll(op, (at) => {
    if (at.kind === 'scan') {
      for (const column of at.columns) if (column.loose !== undefined) loose.set(column.id, column.loose);
    } else if (at.kind === 'project' || at.kind === 'window') {
      for (const { id, expr } of at.columns) made.set(id, [expr]);
    } else if (at.kind === 'aggregate') {
      for (const { id, expr } of [...at.groups, ...at.aggregates]) made.set(id, [expr]);
    } else if (at.kind === 'set') {
      const sides = [outputOf(at.left), outputOf(at.right)];
      at.columns.forEach((id, i) =>
        made.set(
          id,
          sides.map((ids) => ({ Col: ids[i]! })),
        ),
      );
    }
  });
  return (id) => {
    const found = new Set<string>();
    const seen = new Set<string>();
    const visit = (expr: Expr): void => {
      walkExpr(expr, (node) => {
        const clause = node['CollateClause'] as { collname: { String?: { sval?: string } }[] } | undefined;
        if (clause !== undefined) found.add(clause.collname.at(-1)?.String?.sval ?? '');
        const used = columnOf(node);
        if (used === undefined || seen.has(used)) return;
        seen.add(used);
        const own = loose.get(used);
        if (own !== undefined) found.add(own);
        for (const below of made.get(used) ?? []) visit(below);
      });
    };
    visit({ Col: id });
    return [...found].sort().join();
  };
}
