/**
 * A join of two changes. The statements of a program are planned with hash and merge joins off, so that state is reached by index; two
 * changes have no index, and a nested loop of them is quadratic in the batch. PostgreSQL has no nested loop for a FULL JOIN: it
 * hashes or sorts both sides, whatever is off. Rows without a partner are taken out again by conditions on weights, which are never
 * zero, in a form that PostgreSQL does not turn the join into an inner one for (coalesce is not strict).
 */
import { col, conjuncts, equality, idsIn, raw } from './expression.ts';
import { childrenOf, outputOf } from './ir.ts';
import type { Expr, Join, Op } from './ir.ts';

/** @returns the condition that a row of both sides is there; undefined when this is no such join */
export function bothChange(op: Join): Expr | undefined {
  if (op.join !== 'inner' || op.lateral || op.condition === null) return undefined;
  const [left, right] = [weightOf(op.left), weightOf(op.right)];
  if (left === undefined || right === undefined) return undefined;
  const hashed = conjuncts(op.condition).some((part) => {
    const sides = equality(part);
    if (sides === undefined) return false;
    const [a, b] = [columnOf(op, sides.left), columnOf(op, sides.right)];
    return a !== undefined && b !== undefined && a.left !== b.left && hashable(a.type) === hashable(b.type);
  });
  if (!hashed) return undefined;
  return raw(['coalesce(', col(left), ', 0) <> 0 AND coalesce(', col(right), ', 0) <> 0']);
}

/** The weight of a change within a tree, as the tree shows it. */
function weightOf(op: Op): string | undefined {
  if (op.kind === 'scan') return op.mode === 'change' || op.mode === 'shared' ? op.weight : undefined;
  const below = childrenOf(op)
    .map(weightOf)
    .find((weight) => weight !== undefined);
  return below !== undefined && outputOf(op).includes(below) ? below : undefined;
}

function columnOf(op: Join, expr: Expr): { left: boolean; type: string | undefined } | undefined {
  const id = typeof expr['Col'] === 'string' ? expr['Col'] : undefined;
  if (id === undefined || idsIn(expr).size !== 1) return undefined;
  const left = outputOf(op.left).includes(id);
  const type = columnType(left ? op.left : op.right, id);
  return type === undefined ? undefined : { left, type };
}

/** The type of a column, where it is one of a scan's. */
export function columnType(op: Op, id: string): string | undefined {
  if (op.kind === 'scan') return op.columns.find((column) => column.id === id)?.type;
  if (op.kind === 'project') {
    const column = op.columns.find((candidate) => candidate.id === id);
    const below = column === undefined ? undefined : column.expr['Col'];
    return typeof below === 'string' ? columnType(op.child, below) : undefined;
  }
  if (op.kind === 'set') return undefined;
  return childrenOf(op)
    .map((child) => columnType(child, id))
    .find((type) => type !== undefined);
}

/** Families of types between which `=` is known to be hashed or sorted by. */
function hashable(type: string | undefined): string | symbol {
  if (/^(smallint|integer|bigint)$/.test(type ?? '')) return 'integer';
  if (/^(text|character varying.*)$/.test(type ?? '')) return 'text';
  if (/^(uuid|date|boolean|numeric.*|timestamp.*)$/.test(type ?? '')) return type!.replace(/\(.*?\)/, '');
  return Symbol('unknown');
}
