/**
 * A comparison with the clock → when it can change.
 *
 *     value(row) op edge(now)
 *
 * is decided by the edge alone while the row stands. When the clock moves from t0 to t1 its answer can differ only for
 * rows whose value lies between edge(t0) and edge(t1), both ends included; nothing is asked of the edge, which may jump
 * (`date_trunc('day', now())`) or clamp (`now() - interval '1 month'`). Where it is the same at t0 and t1 nothing changes.
 *
 * What stands on the row's side besides a column is brought to the other: the range is then widened where the calendar
 * does not allow to compute backwards exactly (months, truncation). A range that is too wide only costs evaluation: rows
 * in it are evaluated at t0 and at t1.
 */
import { columnOf, idsIn, raw, subqueriesIn, usesNow } from '../relation/expression.ts';
import type { Expr } from '../relation/ir.ts';

export interface Bound {
  /** The row's side: columns, no clock. */
  readonly value: Expr;
  /** The clock's side: no columns. */
  readonly edge: Expr;
}

/** Values for which a bound may be crossed while the clock's side moves: from `low` to `high`, functions of the clock. */
export interface Span {
  readonly value: Expr;
  readonly low: Expr;
  readonly high: Expr;
}

interface Binary {
  readonly operator: string;
  readonly left: Expr;
  readonly right: Expr;
}

const comparisons = new Set(['<', '<=', '>', '>=', '=', '<>']);

/** @returns undefined when the expression is no comparison of a row's value with a value of the clock */
export function boundOf(expr: Expr): Bound | undefined {
  const compared = binary(expr, ['AEXPR_OP', 'AEXPR_DISTINCT', 'AEXPR_NOT_DISTINCT']);
  if (compared === undefined || !comparisons.has(compared.operator)) return undefined;
  return sided(compared.left, compared.right) ?? sided(compared.right, compared.left);
}

function sided(clock: Expr, other: Expr): Bound | undefined {
  if (!usesNow(clock) || usesNow(other)) return undefined;
  if (!isFree(clock)) return isFree(other) ? difference(clock, other) : undefined;
  if (isFree(other) || subqueriesIn(other).length > 0) return undefined;
  return { value: other, edge: clock };
}

/** `now() - x op c` and `x - now() op c`, for an interval, a number of days or of seconds. */
function difference(clock: Expr, constant: Expr): Bound | undefined {
  const seconds = epochOf(clock);
  if (seconds !== undefined) {
    const scale = numberOf(constant);
    if (scale === undefined) return undefined;
    const text = `make_interval(secs => (${scale} * ${seconds.factor})::double precision)`;
    return between(seconds.of, raw([text]));
  }
  const exact = exactInterval(constant);
  if (exact !== undefined) return between(clock, exact);
  const minus = binary(clock);
  const days = numberOf(constant);
  if (minus === undefined || days === undefined || !/^\(?-?\d+\)?$/.test(days)) return undefined;
  const dates = [minus.left, minus.right].filter((side) => usesNow(side)).every(isDate);
  return dates ? between(clock, raw([days])) : undefined;
}

function between(clock: Expr, constant: Expr): Bound | undefined {
  const minus = binary(clock);
  if (minus?.operator !== '-') return undefined;
  const { left, right } = minus;
  if (subqueriesIn(left).length + subqueriesIn(right).length > 0) return undefined;
  if (usesNow(left) && isFree(left) && !usesNow(right)) {
    return { value: right, edge: raw(['(', left, ' - ', constant, ')']) };
  }
  if (usesNow(right) && isFree(right) && !usesNow(left)) {
    return { value: left, edge: raw(['(', right, ' + ', constant, ')']) };
  }
  return undefined;
}

/** `extract(epoch from x)`, times or divided by constants: `of` x, and how many seconds are one of it. */
function epochOf(expr: Expr): { readonly of: Expr; readonly factor: string } | undefined {
  const call = expr['FuncCall'] as { funcname: Names; args?: Expr[] } | undefined;
  if (call !== undefined) {
    const [field, of] = call.args ?? [];
    const named = ['extract', 'date_part'].includes(nameOf(call.funcname));
    return named && of !== undefined && textOf(field) === 'epoch' ? { of, factor: '1' } : undefined;
  }
  const scaled = binary(expr);
  if (scaled === undefined || (scaled.operator !== '/' && scaled.operator !== '*')) return undefined;
  const by = numberOf(scaled.right);
  const inner = by === undefined || !/[1-9]/.test(by) || by.includes('-') ? undefined : epochOf(scaled.left);
  if (inner === undefined) return undefined;
  const factor = scaled.operator === '/' ? `${inner.factor} * ${by!}` : `${inner.factor} / ${by!}`;
  return { of: inner.of, factor };
}

/** Brings constants and steps from the row's side to the other, so that what remains is what an index may hold. */
export function spanOf(bound: Bound, timeLike: (column: Expr) => boolean): Span {
  return peel({ value: bound.value, low: bound.edge, high: bound.edge }, timeLike);
}

function peel(span: Span, timeLike: (column: Expr) => boolean): Span {
  const { value, low, high } = span;
  const shifted = (inner: Expr, constant: Expr, back: '+' | '-'): Span => {
    // Computing backwards over months lands up to a week beside.
    const slack = (sign: '+' | '-'): string => (hasMonths(constant) ? ` ${sign} interval '8 days')` : ')');
    return peel(
      {
        value: inner,
        low: raw(['(', low, ` ${back} `, constant, slack('-')]),
        high: raw(['(', high, ` ${back} `, constant, slack('+')]),
      },
      timeLike,
    );
  };
  const sum = binary(value);
  if (sum?.operator === '+' && isInterval(sum.right)) return shifted(sum.left, sum.right, '-');
  if (sum?.operator === '+' && isInterval(sum.left)) return shifted(sum.right, sum.left, '-');
  if (sum?.operator === '-' && isInterval(sum.right)) return shifted(sum.left, sum.right, '+');
  const step = (inner: Expr, unit: string): Span =>
    peel({ value: inner, low, high: raw(['(', high, ` + interval '${unit}')`]) }, timeLike);
  const truncated = value['FuncCall'] as { funcname: Names; args?: Expr[] } | undefined;
  if (truncated !== undefined && nameOf(truncated.funcname) === 'date_trunc') {
    const [unit, inner, zone] = truncated.args ?? [];
    const word = textOf(unit)?.toLowerCase() ?? '';
    const length = steps[word];
    if (length !== undefined && inner !== undefined && zone === undefined && isTime(inner, timeLike))
      return step(inner, length);
  }
  const cast = castOf(value);
  if (cast?.type === 'date' && isTime(cast.arg, timeLike)) return step(cast.arg, '1 day');
  return span;
}

const steps: Readonly<Record<string, string>> = {
  second: '1 second',
  minute: '1 minute',
  hour: '1 hour',
  day: '1 day',
  week: '7 days',
  month: '31 days',
  quarter: '92 days',
  year: '366 days',
};

function isTime(expr: Expr, timeLike: (column: Expr) => boolean): boolean {
  if (columnOf(expr) !== undefined) return timeLike(expr);
  const sum = binary(expr);
  if (sum !== undefined && isInterval(sum.right)) return isTime(sum.left, timeLike);
  return false;
}

/** What an index may be on without asking the catalog: the functions used are immutable whatever the types. */
export function isIndexable(expr: Expr): boolean {
  if (columnOf(expr) !== undefined) return true;
  if (expr['A_Const'] !== undefined) return true;
  const cast = castOf(expr);
  if (cast !== undefined) return cast.arg['A_Const'] !== undefined;
  const args = ((expr['CoalesceExpr'] ?? expr['MinMaxExpr']) as { args?: Expr[] } | undefined)?.args;
  if (args !== undefined) return args.every(isIndexable);
  const sum = binary(expr);
  return sum !== undefined && isIndexable(sum.left) && numberOf(sum.right) !== undefined;
}

/** Whether NULL in a column makes the whole NULL, so that it decides nothing. */
export function isStrict(expr: Expr): boolean {
  if (columnOf(expr) !== undefined) return true;
  const sum = binary(expr);
  return sum !== undefined && (isStrict(sum.left) || isStrict(sum.right));
}

type Names = readonly { String?: { sval?: string } }[] | undefined;

function nameOf(names: Names): string {
  return names?.at(-1)?.String?.sval ?? '';
}

function binary(expr: Expr, kinds: readonly string[] = ['AEXPR_OP']): Binary | undefined {
  const node = expr['A_Expr'] as { kind?: string; name?: Names; lexpr?: Expr; rexpr?: Expr } | undefined;
  if (node?.lexpr === undefined || node.rexpr === undefined || !kinds.includes(node.kind ?? ''))
    return undefined;
  return { operator: nameOf(node.name), left: node.lexpr, right: node.rexpr };
}

/** No column, no subquery: the same for every row. */
export function isFree(expr: Expr): boolean {
  return idsIn(expr).size === 0 && subqueriesIn(expr).length === 0;
}

function castOf(expr: Expr): { readonly arg: Expr; readonly type: string } | undefined {
  const cast = expr['TypeCast'] as
    { arg: Expr; typeName: { names: Names; arrayBounds?: unknown } } | undefined;
  if (cast === undefined || cast.typeName.arrayBounds !== undefined) return undefined;
  return { arg: cast.arg, type: nameOf(cast.typeName.names) };
}

function isDate(expr: Expr): boolean {
  return castOf(expr)?.type === 'date';
}

/** The text of a string constant, cast or not. */
function textOf(expr: Expr | undefined): string | undefined {
  if (expr === undefined) return undefined;
  const constant = expr['A_Const'] as { sval?: { sval?: string } } | undefined;
  return constant === undefined ? textOf(castOf(expr)?.arg) : constant.sval?.sval;
}

/** A number written in the query, as SQL. */
function numberOf(expr: Expr): string | undefined {
  const cast = castOf(expr);
  if (cast !== undefined) {
    const text = /^(numeric|float8|float4|int[248])$/.test(cast.type)
      ? (textOf(cast.arg) ?? numberOf(cast.arg))
      : undefined;
    return text !== undefined && /^\(?-?[\d.]+\)?$/.test(text) ? text : undefined;
  }
  const constant = expr['A_Const'] as { ival?: { ival?: number }; fval?: { fval?: string } } | undefined;
  if (constant?.ival !== undefined) return `(${constant.ival.ival ?? 0})`;
  const text = constant?.fval?.fval;
  return text !== undefined && /^-?[\d.]+$/.test(text) ? `(${text})` : undefined;
}

/** A constant interval: a literal, or a product of one. */
function isInterval(expr: Expr): boolean {
  const cast = castOf(expr);
  if (cast !== undefined) return cast.type === 'interval' && textOf(cast.arg) !== undefined;
  const product = binary(expr);
  if (product === undefined || (product.operator !== '*' && product.operator !== '/')) return false;
  return (
    (isInterval(product.left) && numberOf(product.right) !== undefined) ||
    (numberOf(product.left) !== undefined && isInterval(product.right))
  );
}

function hasMonths(interval: Expr): boolean {
  const cast = castOf(interval);
  if (cast !== undefined)
    return /mon|y\b|yr|year|dec|cent|mille|^\s*P[^T]*[YM]|\d-\d/i.test(textOf(cast.arg) ?? 'mon');
  const product = binary(interval);
  return (
    product === undefined || [product.left, product.right].some((side) => isInterval(side) && hasMonths(side))
  );
}

/** An interval as one compares intervals: a month is 30 days. Differences of instants hold no months, so it is exact. */
function exactInterval(expr: Expr): Expr | undefined {
  if (!isInterval(expr)) return undefined;
  if (!hasMonths(expr)) return expr;
  return raw([
    '(make_interval(days => ((extract(year FROM ',
    expr,
    ') * 12 + extract(month FROM ',
    expr,
    ')) * 30)::integer) + (',
    expr,
    ' - make_interval(years => extract(year FROM ',
    expr,
    ')::integer, months => extract(month FROM ',
    expr,
    ')::integer)))',
  ]);
}
