/**
 * Conditions that tell where a row stands in an order against the position of a change, `"_seg_k".p0`, `p1` ...
 *
 * A comparison of rows is answered by an index only when no value is NULL and all columns run in one direction: a position is
 * the longest beginning of the order that has no NULLs, or its first column alone; where the direction turns, one
 * condition becomes several that exclude each other. What the position does not tell apart counts as one place.
 */
import { raw } from '../relation/expression.ts';
import type { Expr, SortKey } from '../relation/ir.ts';
import type { SuffixPlan } from './suffix.ts';

export type Part = string | Expr;
/** How a column of the order is written: SQL, or an expression of a tree. */
export type Reference<T> = (column: number) => T;

type Position = Pick<SuffixPlan, 'order' | 'bound' | 'nullable'>;

/** Rows at or after the position: for each such row exactly one of the conditions holds. */
export function fromPosition<T>(plan: Position, ref: Reference<T>): (string | T)[][] {
  if (plan.nullable) {
    const { descending, nullsFirst } = plan.order[0]!;
    const reached: (string | T)[] = [ref(0), descending ? ' <= ' : ' >= ', '"_seg_k".p0'];
    return [reached, nullsFirst ? ['"_seg_k".p0 IS NULL'] : [ref(0), ' IS NULL']];
  }
  const runs = directions(plan);
  return runs.map((run, i) => [
    ...runs.slice(0, i).flatMap((before): (string | T)[] => [...compare(before, '=', ref), ' AND ']),
    ...compare(run, `${run.descending ? '<' : '>'}${i === runs.length - 1 ? '=' : ''}`, ref),
  ]);
}

/** Rows before the position. */
export function beforePosition<T>(plan: Position, ref: Reference<T>): (string | T)[] {
  if (plan.nullable) {
    const { descending, nullsFirst } = plan.order[0]!;
    const other: (string | T)[] = nullsFirst
      ? ['("_seg_k".p0 IS NOT NULL AND ', ref(0), ' IS NULL)']
      : ['("_seg_k".p0 IS NULL AND ', ref(0), ' IS NOT NULL)'];
    return ['(', ref(0), descending ? ' > ' : ' < ', '"_seg_k".p0 OR ', ...other, ')'];
  }
  const runs = directions(plan);
  const parts = runs.flatMap((run, i): (string | T)[] => [
    i === 0 ? '' : ' OR (',
    ...runs.slice(0, i).flatMap((before): (string | T)[] => [...compare(before, '=', ref), ' AND ']),
    ...compare(run, run.descending ? '>' : '<', ref),
    i === 0 ? '' : ')',
  ]);
  if (runs.length === 1) return parts;
  return ['(', ...parts, ') AND ', ...compare(runs[0]!, runs[0]!.descending ? '>=' : '<=', ref)];
}

interface Run {
  readonly columns: readonly number[];
  readonly descending: boolean;
}

function directions({ order, bound }: Position): Run[] {
  const runs: { columns: number[]; descending: boolean }[] = [];
  order.slice(0, bound).forEach(({ descending }, i) => {
    const last = runs.at(-1);
    if (last?.descending === descending) last.columns.push(i);
    else runs.push({ columns: [i], descending });
  });
  return runs;
}

function compare<T>({ columns }: Run, operator: string, ref: Reference<T>): (string | T)[] {
  const own = columns.flatMap((i, at): (string | T)[] => [at === 0 ? '' : ', ', ref(i)]);
  const other = columns.map((i) => `"_seg_k".p${i}`).join(', ');
  return columns.length === 1
    ? [...own, ` ${operator} ${other}`]
    : ['ROW(', ...own, `) ${operator} ROW(${other})`];
}

export function reversed(order: readonly SortKey[]): SortKey[] {
  return order.map(({ id, descending, nullsFirst }) => ({
    id,
    descending: !descending,
    nullsFirst: !nullsFirst,
  }));
}

/** `DESC NULLS LAST`, as in ORDER BY and in an index. */
export function directionSql({ descending, nullsFirst }: Pick<SortKey, 'descending' | 'nullsFirst'>): string {
  return `${descending ? ' DESC' : ''} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`;
}

export const condition = (parts: readonly Part[]): Expr => raw(['(', ...parts, ')']);
