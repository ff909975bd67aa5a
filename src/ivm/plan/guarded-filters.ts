/**
 * Conditions that can fail, asked only of the rows that the others of their WHERE let through:
 *
 *     σ[b <> 0 AND a / b > 1] A   =   σ[b <> 0 AND CASE WHEN b <> 0 THEN a / b > 1 END] A
 *
 * Of the conditions on one relation PostgreSQL takes the cheapest first, whichever is written first. A stage asks them of rows that the
 * query may not get to (those of the other side of a join are none yet), and of more at once: guards from far above are among them.
 */
import {
  conjunction,
  conjuncts,
  fingerprint,
  idsIn,
  mapOwnQueries,
  subqueriesIn,
  substitute,
  usesNow,
} from '../relation/expression.ts';
import { childrenOf, outputOf, withChildren } from '../relation/ir.ts';
import type { Expr, Filter, Op } from '../relation/ir.ts';
import { canFail } from './fallible.ts';
import type { TypeOf } from './fallible.ts';

export function withGuardedFilters(root: Op, typeOf: TypeOf): Op {
  const fails = (expr: Expr): boolean => canFail(expr, typeOf);
  const visit = (op: Op): Op => {
    const at = op.kind === 'filter' && op.after !== true ? lowered(op, fails) : op;
    const below = withChildren(at, childrenOf(at).map(visit));
    const over = mapOwnQueries(below, visit);
    return over.kind === 'filter' ? guarded(over, typeOf) : over;
  };
  return visit(root);
}

/** What is asked of an operator's rows alone: conditions on rows around a subquery are found by index, and stored where they can fail. */
function isPlain(part: Expr, over: Op): boolean {
  const ids = [...idsIn(part)];
  const own = outputOf(over);
  const alone = ids.length > 0 && ids.every((id) => own.includes(id));
  return alone && subqueriesIn(part).length === 0 && !usesNow(part);
}

/** One filter, those below it aside. */
export function guarded(op: Filter, typeOf: TypeOf): Filter {
  if (op.after === true) return op;
  const parts = conjuncts(op.condition);
  const plain = parts.filter((part) => isPlain(part, op.child));
  const late = plain.filter((part) => canFail(part, typeOf));
  const guards = conjunction(plain.filter((part) => !late.includes(part)));
  if (late.length === 0 || guards === null) return op;
  const asked: Expr = { CaseWhen: { expr: guards, result: conjunction(late)! } };
  const rest = parts.filter((part) => !late.includes(part));
  return { ...op, condition: conjunction([...rest, { CaseExpr: { args: [asked] } }])! };
}

/** What can fail, or is asked of columns that can, goes down to the guards below the projections that make these. */
function lowered(op: Filter, fails: (expr: Expr) => boolean): Op {
  let { child } = op;
  const kept = conjuncts(op.condition).filter((part) => {
    const lower = beside(child, part, fails);
    child = lower ?? child;
    return lower === undefined;
  });
  const condition = conjunction(kept);
  return condition === null ? child : { ...op, child, condition };
}

function beside(op: Op, part: Expr, fails: (expr: Expr) => boolean): Op | undefined {
  if (!isPlain(part, op)) return undefined;
  if (op.kind === 'project' && !op.sets) {
    const lower = substitute(part, new Map(op.columns.map(({ id, expr }) => [id, expr])));
    // Columns over columns can make a long condition of a short one.
    const child = fingerprint(lower).length > 20_000 ? undefined : beside(op.child, lower, fails);
    return child === undefined ? undefined : { ...op, child };
  }
  if (op.kind !== 'filter' || op.after === true || !fails(part)) return undefined;
  const guards = conjuncts(op.condition);
  if (!guards.some((guard) => isPlain(guard, op.child) && !fails(guard))) return undefined;
  return { ...op, condition: conjunction([...guards, part])! };
}
