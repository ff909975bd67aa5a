/**
 * Rows as keys: `ROW(a, b)` is equal to another, and stands before it, as its members are one after the other. So a key that is a
 * row is several keys, which tables and indexes can hold; a row without a type of its own is no column of any table.
 */
import type { Expr } from './ir.ts';
import type { Node } from './reader.ts';

/** The members of a row that is written out, those of rows in it too; any other expression is itself. */
export function rowMembers(expr: Expr): Expr[] {
  const args = (expr['RowExpr'] as { args?: Expr[] } | undefined)?.args ?? [];
  return args.length === 0 ? [expr] : args.flatMap(rowMembers);
}

/** Keys of an ORDER BY. Within a row a NULL is greater than any value, wherever NULLs of the key itself would stand. */
export function sortMembers(key: Node, expr: Expr): { key: Node; expr: Expr }[] {
  const members = rowMembers(expr);
  if (members[0] === expr) return [{ key, expr }];
  return members.map((member) => ({ key: { ...key, sortby_nulls: 'SORTBY_NULLS_DEFAULT' }, expr: member }));
}
