/** Makes a column of an operator below visible in the output of a tree, through projections on the way. */
import { col, columnOf } from '../relation/expression.ts';
import { Unsupported, outputOf } from '../relation/ir.ts';
import type { Op } from '../relation/ir.ts';

/** @returns the tree, and the id under which the column is in its output (a projection may already show it) */
export function expose(op: Op, id: string): { op: Op; id: string } {
  switch (op.kind) {
    case 'project': {
      if (op.columns.some((column) => column.id === id)) return { op, id };
      const below = expose(op.child, id);
      const shown = op.columns.find(({ expr }) => columnOf(expr) === below.id);
      if (shown !== undefined) return { op: { ...op, child: below.op }, id: shown.id };
      return {
        op: { ...op, child: below.op, columns: [...op.columns, { id: below.id, expr: col(below.id) }] },
        id: below.id,
      };
    }
    case 'filter':
    case 'window':
    case 'limit': {
      if (outputOf(op).includes(id)) {
        return { op, id };
      }
      const below = expose(op.child, id);
      return { op: { ...op, child: below.op }, id: below.id };
    }
    case 'join': {
      if (outputOf(op).includes(id)) return { op, id };
      for (const side of ['left', 'right'] as const) {
        try {
          const below = expose(op[side], id);
          return { op: { ...op, [side]: below.op }, id: below.id };
        } catch (error) {
          if (!(error instanceof Unsupported)) throw error;
        }
      }
      throw new Unsupported(`the hidden column ${id}`);
    }
    default:
      if (outputOf(op).includes(id)) return { op, id };
      throw new Unsupported(`the hidden column ${id}`);
  }
}
