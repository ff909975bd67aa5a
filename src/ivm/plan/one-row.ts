/** Whether a key tells a row: stages where it does are written by UPDATE, and compared without sorting. */
import { columnOf } from '../relation/expression.ts';
import { outputOf } from '../relation/ir.ts';
import type { Op } from '../relation/ir.ts';

/** @returns true when the tree has at most one row for each value of the columns `key` (ids of its output) */
export function oneRowPerKey(op: Op, key: readonly string[]): boolean {
  const has = (ids: readonly string[]): boolean => ids.length > 0 && ids.every((id) => key.includes(id));
  switch (op.kind) {
    case 'project': {
      if (op.sets) return false;
      const below = op.columns.filter(({ id }) => key.includes(id)).map(({ expr }) => columnOf(expr));
      return oneRowPerKey(
        op.child,
        below.filter((id) => id !== undefined),
      );
    }
    case 'filter':
      return oneRowPerKey(op.child, key);
    case 'limit':
      return isOne(op) || oneRowPerKey(op.child, key);
    case 'aggregate':
      return has(op.groups.map(({ id }) => id));
    case 'distinct':
      return has(outputOf(op));
    case 'distinct-on':
      return has(op.on);
    case 'set':
      return !op.all && has(op.columns);
    case 'scan':
    case 'values':
    case 'function':
    case 'join':
    case 'window':
      return false;
  }
}

function isOne({ limit, ties }: Extract<Op, { kind: 'limit' }>): boolean {
  const constant = limit?.['A_Const'] as { ival?: { ival?: number } } | undefined;
  return !ties && constant?.ival?.ival === 1;
}
