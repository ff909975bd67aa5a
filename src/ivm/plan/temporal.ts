/**
 * What of a tree depends on the clock, and which rows can change when it moves: temporal filters as Materialize and
 * Differential Dataflow know them, but at any place of a tree, since the clock is an input like any other here.
 */
import {
  columnOf,
  conjunction,
  conjuncts,
  freeIds,
  idsIn,
  subqueryOf,
  mapOwnExprs,
  mapExpr,
  ownExprs,
  raw,
  usesNow,
  walkAll,
  walkExpr,
} from '../relation/expression.ts';
import { childrenOf, outputOf } from '../relation/ir.ts';
import type { Expr, Filter, Join, Op, Scan } from '../relation/ir.ts';
import { boundOf, isFree, isIndexable, isStrict, spanOf } from './clock-bounds.ts';
import type { Bound } from './clock-bounds.ts';
import { canFail } from './fallible.ts';
import { Origins } from './origins.ts';

/** Rows of one scan whose time has come when the clock moves: those with `value` in a range. */
export interface Due {
  readonly scan: Scan;
  /** Over ids of the scan: a column, or what an index can be on. */
  readonly value: Expr;
  /** The ends of the range as functions of the clock. */
  readonly low: Expr;
  readonly high: Expr;
}

export interface Temporal {
  readonly due: readonly Due[];
  /** Functions of the clock that any row may depend on: when one of them changes its value, so may every row. */
  readonly loose: readonly Expr[];
}

/** The variables of a clock's program. */
export const FROM = '_seg_t0';
export const TO = '_seg_t1';

export function temporalOf(root: Op): Temporal {
  const origins = new Origins(root);
  const due = new Map<string, Due>();
  const loose = new Map<string, Expr>();
  walkAll(root, (op) => {
    const { bounds, others } = clockUses(op);
    for (const other of others) loose.set(JSON.stringify(other), other);
    for (const bound of bounds) {
      const found = duesOf(bound, origins);
      if (found === undefined) loose.set(JSON.stringify(bound.edge), bound.edge);
      for (const one of found ?? []) {
        due.set(JSON.stringify([one.scan.occurrence, one.value, one.low, one.high]), one);
      }
    }
  });
  return { due: [...due.values()], loose: [...loose.values()] };
}

/** @returns undefined when there is no index that finds the rows */
function duesOf(bound: Bound, origins: Origins): Due[] | undefined {
  const found = origins.of(bound.value);
  if (found === undefined) return undefined;
  const dues: Due[] = [];
  for (const { scan, expr, nullable } of found) {
    const timeLike = (column: Expr): boolean => {
      const type = scan.columns.find(({ id }) => id === columnOf(column))?.type;
      return type !== undefined && /^(date|timestamp)/.test(type);
    };
    const span = spanOf({ ...bound, value: expr }, timeLike);
    const typeOf = (id: string): string | undefined => scan.columns.find((column) => column.id === id)?.type;
    if (!isIndexable(span.value) || canFail(span.value, typeOf)) return undefined;
    if (nullable && !isStrict(span.value)) return undefined;
    dues.push({ scan, value: span.value, low: span.low, high: span.high });
  }
  return dues;
}

/** The comparisons with the clock in an operator's own expressions, and what else of the clock is there. */
function clockUses(op: Op): { bounds: Bound[]; others: Expr[] } {
  const bounds: Bound[] = [];
  const others: Expr[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (value === null || typeof value !== 'object') return;
    const node = value as Expr;
    const sub = subqueryOf(node);
    if (sub !== undefined) {
      // Operators of the subquery are visited by themselves.
      if (sub.test !== null) visit(sub.test);
      return;
    }
    if (!usesNow(node)) return;
    const bound = boundOf(node);
    if (bound !== undefined) bounds.push(bound);
    else if (isExpression(node) && isFree(node)) others.push(node);
    else Object.values(node).forEach(visit);
  };
  ownExprs(op).forEach(visit);
  return { bounds, others };
}

/** Whether a node can be asked for by itself: others are parts of one, or may be aggregates and functions of sets. */
function isExpression(node: Expr): boolean {
  const call = node['FuncCall'] as { funcname: { String?: { sval?: string } }[] } | undefined;
  if (call !== undefined) return steps.test(call.funcname.at(-1)?.String?.sval ?? '');
  const keys = Object.keys(node);
  if (keys.length !== 1 || !/^(A_Expr|TypeCast|Now|CoalesceExpr|MinMaxExpr)$/.test(keys[0]!)) return false;
  let plain = true;
  walkExpr(node, (inner) => {
    if (inner !== node && inner['FuncCall'] !== undefined && !isExpression(inner)) plain = false;
  });
  return plain;
}

const steps = /^(date_trunc|date_bin|date_part|extract|timezone|to_char|floor|ceil|round)$/;

/** Row values that are compared with the clock by an operator and that no index can find in its tree as it is. */
export function valuesToStore(op: Op): Expr[] {
  const origins = new Origins(op);
  const below = new Set(childrenOf(op).flatMap(outputOf));
  const found = new Map<string, Expr>();
  for (const bound of clockUses(op).bounds) {
    if (duesOf(bound, origins) !== undefined) continue;
    const stored = spanOf(bound, () => false).value;
    const column = columnOf(stored) === undefined ? bound.value : stored;
    if ([...idsIn(column)].every((id) => below.has(id))) found.set(JSON.stringify(column), column);
  }
  return [...found.values()];
}

/** An operator's own expressions with some values replaced. */
export function replaceIn(op: Op, by: ReadonlyMap<string, Expr>): Op {
  return mapOwnExprs(op, (expr) => mapExpr(expr, (node) => by.get(JSON.stringify(node))));
}

/** The expression at an instant: `"_seg_t0"` or `"_seg_t1"` for the clock. */
export function atInstant(expr: Expr, instant: string): Expr {
  return mapExpr(expr, (node) => ('Now' in node ? raw([instant]) : undefined));
}

/** Rows due between the two instants, in whichever order they come. */
export function dueRange({ value, low, high }: Due): Expr {
  const end = (word: string, expr: Expr): (string | Expr)[] => [
    `${word}(`,
    atInstant(expr, FROM),
    ', ',
    atInstant(expr, TO),
    ')',
  ];
  return raw([
    '(',
    value,
    ' >= ',
    ...end('LEAST', low),
    ' AND ',
    value,
    ' <= ',
    ...end('GREATEST', high),
    ')',
  ]);
}

/** Conditions of an inner join that compare both sides with the clock, as a filter above it. */
export function timeApart(join: Join): (Filter & { readonly child: Join }) | undefined {
  if (join.join !== 'inner' || freeIds(join).size > 0 || valuesToStore(join).length === 0) return undefined;
  const parts = conjuncts(join.condition);
  const timed = parts.filter(usesNow);
  const child: Join = { ...join, condition: conjunction(parts.filter((part) => !usesNow(part))) };
  return { kind: 'filter', child, condition: conjunction(timed)! };
}
