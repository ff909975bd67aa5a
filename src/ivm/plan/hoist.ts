/**
 * Takes conditions on outer columns out of a lateral side, so that a plain join with them remains:
 *
 *     L ⋈ lateral σ[c(l, r)] R   =   L ⋈[c(l, r)] R
 *
 * which can be driven from either side by index. Meant for trees that deliver keys: projections may be widened.
 */
import { col, conjunction, conjuncts, freeIds, idsIn, subqueriesIn } from '../relation/expression.ts';
import { outputOf } from '../relation/ir.ts';
import type { Expr, Op } from '../relation/ir.ts';

/** @returns the tree without the conditions, whose own columns are in its output */
export function hoisted(op: Op, outer: ReadonlySet<string>): { op: Op; parts: Expr[] } {
  const none = { op, parts: [] };
  if (![...freeIds(op)].some((id) => outer.has(id))) return none;
  const correlated = (part: Expr): boolean =>
    subqueriesIn(part).length === 0 && [...idsIn(part)].some((id) => outer.has(id));
  switch (op.kind) {
    case 'filter': {
      const below = hoisted(op.child, outer);
      const parts = conjuncts(op.condition);
      const rest = conjunction(parts.filter((part) => !correlated(part)));
      return {
        op: rest === null ? below.op : { ...op, child: below.op, condition: rest },
        parts: [...below.parts, ...parts.filter(correlated)],
      };
    }
    case 'project': {
      const below = hoisted(op.child, outer);
      const shown = new Set(op.columns.map(({ id }) => id));
      const used = new Set(below.parts.flatMap((part) => [...idsIn(part)]));
      const wanted = outputOf(below.op).filter((id) => used.has(id));
      // An id that is shown as something else cannot stand for itself.
      const taken = op.columns.some(({ id, expr }) => wanted.includes(id) && expr['Col'] !== id);
      if (taken) return none;
      const more = wanted.filter((id) => !shown.has(id)).map((id) => ({ id, expr: col(id) }));
      return { op: { ...op, child: below.op, columns: [...op.columns, ...more] }, parts: below.parts };
    }
    case 'join': {
      if (op.join !== 'inner') return none;
      const left = hoisted(op.left, outer);
      const right = hoisted(op.right, outer);
      const parts = conjuncts(op.condition);
      return {
        op: {
          ...op,
          left: left.op,
          right: right.op,
          condition: conjunction(parts.filter((part) => !correlated(part))),
        },
        parts: [...left.parts, ...right.parts, ...parts.filter(correlated)],
      };
    }
    default:
      return none;
  }
}
