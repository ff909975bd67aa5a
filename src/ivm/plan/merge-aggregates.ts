/**
 * Aggregate calls → state that a change can be added to, and what users see as expressions over it.
 *
 * The counting algorithm (Gupta, Mumick, Subrahmanian, SIGMOD 1993) and DBToaster (Koch et al., VLDB Journal 2014): a group
 * is a counter and sums over Z; what is not a sum is computed from sums (avg, variance, bool_and) or kept beside them (least
 * and greatest values, the first row by an order), and read again when the kept row itself goes. A list of JSON in an order is edited in its place.
 *
 * Only what comes out as PostgreSQL's own aggregate would, to the last digit, is merged: sums of floats depend on their order
 * and are not. Formulas follow src/backend/utils/adt/numeric.c (numeric_avg, numeric_stddev_internal).
 */
import { col, columnOf, fingerprint, mapExpr, raw } from '../relation/expression.ts';
import type { Column, Expr } from '../relation/ir.ts';
import type { AggregateTypes, MergePlan, SortBy, StatePart, SumKind, TypesOf } from './merge-plan.ts';

export interface MergedAggregates {
  readonly plan: Pick<MergePlan, 'count' | 'parts'>;
  /** What the aggregate operator computes from scratch: one column a piece of state. */
  readonly aggregates: readonly Column[];
  /** The view's columns over groups and state. */
  readonly outputs: readonly Column[];
}

interface Call {
  readonly funcname: readonly { String?: { sval?: string } }[];
  readonly args?: readonly Expr[];
  readonly agg_star?: boolean;
  readonly agg_distinct?: boolean;
  readonly agg_within_group?: boolean;
  readonly func_variadic?: boolean;
  readonly agg_filter?: Expr;
  readonly agg_order?: readonly { SortBy: Record<string, unknown> }[];
}

export const callOf = (expr: Expr): Call => expr['FuncCall'] as Call;

/** The name of one of PostgreSQL's own aggregates; a user's is printed with its schema. */
export function builtin(call: Call): string | undefined {
  const path = call.funcname.map(({ String: name }) => name?.sval ?? '');
  return path.length === 1 || path[0] === 'pg_catalog' ? path.at(-1) : undefined;
}

const comparable =
  /^(smallint|integer|bigint|oid|boolean|date|uuid|real|double precision|numeric.*|timestamp.*|time .*|interval.*|text|character.*|inet|money|pg_lsn|"char")$/;
const wholes = /^(smallint|integer|bigint)$/;

/** Whether DISTINCT makes no difference to an aggregate. */
export const idempotent = /^(min|max|bool_and|bool_or|every|bit_and|bit_or)$/;

/** count(*) has no arguments to ask about. */
const none: AggregateTypes = { args: [], order: [] };

/**
 * @param aggregates calls, each under an id
 * @param outputs the columns above, over the operator's groups and the calls' ids
 * @param newId makes an id that is new in the tree
 * @returns what to keep, or the aggregate that cannot be kept so, in words
 */
export function mergeAggregates(
  aggregates: readonly Column[],
  outputs: readonly Column[],
  grouped: boolean,
  typesOf: TypesOf,
  newId: (name: string) => string,
): MergedAggregates | { readonly unmergeable: string } {
  const state = new State(newId);
  const count = grouped ? state.count(null) : null;
  const values = new Map<string, Expr>();
  const firsts = new Map<string, string>();
  for (const { id, expr } of aggregates) {
    const call = callOf(expr);
    const name = builtin(call) ?? call.funcname.at(-1)?.String?.sval ?? '';
    const types = typesOf(id) ?? (call.agg_star === true ? none : undefined);
    if (types === undefined || builtin(call) === undefined) return { unmergeable: `${name}()` };
    if (name === 'array_agg') {
      const first = firstOf(call, types.args, types.order);
      if (first === undefined || !onlyFirstIsUsed(outputs, id)) return { unmergeable: 'array_agg()' };
      firsts.set(id, state.first(first));
      continue;
    }
    if (name === 'jsonb_agg') {
      const list = grouped ? listOf(call, types.args, types.order) : undefined;
      // What is computed over it would be a second copy of it.
      if (list === undefined || !outputs.some((column) => columnOf(column.expr) === id))
        return { unmergeable: 'jsonb_agg()' };
      values.set(id, col(state.list(expr, list)));
      continue;
    }
    const value = valueOf(call, name, types.args, state);
    if (typeof value === 'string') return { unmergeable: value };
    values.set(id, value);
  }
  return {
    plan: { count, parts: state.parts },
    aggregates: state.columns,
    outputs: outputs.map((column) => ({
      ...column,
      expr: mapExpr(column.expr, (node) => {
        const first = firsts.get(firstElementOf(node) ?? '');
        if (first !== undefined) return col(first);
        const id = columnOf(node);
        return id === undefined ? undefined : values.get(id);
      }),
    })),
  };
}

/** The value of one call over state; a string says in words why there is none. */
function valueOf(call: Call, name: string, types: readonly string[], state: State): Expr | string {
  if (call.agg_within_group === true || call.func_variadic === true) return `${name}()`;
  if (call.agg_distinct === true && !idempotent.test(name)) return `${name}(DISTINCT)`;
  const filter = call.agg_filter ?? null;
  if (name === 'count' && call.agg_star === true) return col(state.count(filter));
  const [given] = call.args ?? [];
  const type = types[0];
  if (given === undefined || type === undefined || call.args?.length !== 1) return `${name}()`;
  const arg = filtered(given, filter);
  const sum = sumKind(type);
  const counted = (): Expr => col(state.count(isNotNull(arg)));
  switch (name) {
    case 'count':
      return counted();
    case 'sum':
      if (sum === undefined) return `sum(${type})`;
      return col(state.sum(arg, type, sum));
    case 'avg':
      if (sum === undefined) return `avg(${type})`;
      if (sum === 'interval')
        return raw(['(', col(state.sum(arg, type, sum)), ' / ', counted(), '::double precision)']);
      return raw(['(', col(state.sum(arg, type, sum)), '::numeric / ', counted(), '::numeric)']);
    case 'bool_and':
    case 'every':
      return nullIfNone(counted(), [col(state.count(arg)), ' = ', counted()]);
    case 'bool_or':
      return nullIfNone(counted(), [col(state.count(arg)), ' > 0']);
    case 'min':
    case 'max':
      // Arrays compare element by element.
      return comparable.test(type.replace(/\[\]$/, ''))
        ? col(state.extreme(arg, name === 'max'))
        : `${name}(${type})`;
    case 'bit_xor':
      return wholes.test(type) ? col(state.xor(arg)) : `bit_xor(${type})`;
    case 'bit_and':
    case 'bit_or':
      return wholes.test(type) ? col(state.bits(arg, name === 'bit_and' ? '&' : '|')) : `${name}(${type})`;
    case 'var_pop':
    case 'var_samp':
    case 'variance':
    case 'stddev':
    case 'stddev_pop':
    case 'stddev_samp':
      if (sum === undefined || sum === 'interval') return `${name}(${type})`;
      return spread(name, arg, type, state);
    default:
      return `${name}()`;
  }
}

/** (N ΣX² − (ΣX)²) / (N (N − 1)), or / N² of a population; the root of it with as many digits as it has itself. */
function spread(name: string, given: Expr, type: string, state: State): Expr {
  const arg = wholes.test(type) ? raw(['(', given, ')::numeric']) : given;
  const square = raw(['((', arg, ') * (', arg, '))']);
  const n = raw([col(state.count(isNotNull(given))), '::numeric']);
  const sum = raw(['(', col(state.sum(given, type, sumKind(type)!)), ')::numeric']);
  const squares = col(state.sum(square, type, 'numeric'));
  const population = name.endsWith('_pop');
  const above = raw(['(', n, ' * ', squares, ' - ', sum, ' * ', sum, ')']);
  const below = population ? raw(['(', n, ' * ', n, ')']) : raw(['(', n, ' * (', n, ' - 1))']);
  const variance = raw([
    `(CASE WHEN `,
    n,
    population ? ' > 0' : ' > 1',
    ' THEN CASE WHEN ',
    above,
    ' <= 0 THEN 0::numeric ELSE ',
    above,
    ' / ',
    below,
    ' END END)',
  ]);
  if (name.startsWith('var')) return variance;
  // With twice the digits the root cannot lie so near to the middle between two results that it is rounded wrongly.
  return raw([
    '(SELECT CASE WHEN scale(v) IS NULL OR v = 0 THEN v ELSE round(sqrt(round(v, 2 * scale(v) + 8)), scale(v)) END FROM (SELECT ',
    variance,
    ' AS v) AS "_seg_v")',
  ]);
}

function sumKind(type: string): SumKind | undefined {
  if (wholes.test(type)) return 'whole';
  if (/^numeric(\(.*\))?$/.test(type)) return 'numeric';
  return /^interval/.test(type) ? 'interval' : undefined;
}

function firstOf(
  call: Call,
  types: readonly string[],
  orderTypes: readonly string[],
):
  | (Omit<Extract<StatePart, { kind: 'first' }>, 'kind' | 'id' | 'count' | 'keys'> & { keys: SortBy[] })
  | undefined {
  const [arg] = call.args ?? [];
  const keys = orderOf(call, orderTypes);
  if (arg === undefined || keys === undefined || call.agg_distinct === true) return undefined;
  if (types[0] === undefined || types[0].endsWith('[]')) return undefined;
  return { arg, when: call.agg_filter ?? null, keys };
}

/** The ORDER BY of an aggregate; undefined when there is none, or one whose places cannot be compared. */
function orderOf(call: Call, types: readonly string[]): SortBy[] | undefined {
  const order = call.agg_order ?? [];
  if (order.length === 0 || !types.every((type) => comparable.test(type))) return undefined;
  if (order.some(({ SortBy: key }) => key['useOp'] !== undefined)) return undefined;
  return order.map(({ SortBy: key }) => {
    const descending = key['sortby_dir'] === 'SORTBY_DESC';
    const nulls = key['sortby_nulls'];
    return {
      expr: key['node'] as Expr,
      descending,
      nullsFirst: nulls === 'SORTBY_NULLS_FIRST' || (nulls !== 'SORTBY_NULLS_LAST' && descending),
    };
  });
}

type List = Extract<StatePart, { kind: 'list' }>;

/** Elements are JSON, so one of them is made as jsonb_agg makes it. */
function listOf(
  call: Call,
  types: readonly string[],
  orderTypes: readonly string[],
): Pick<List, 'arg' | 'keys'> | undefined {
  const [given] = call.args ?? [];
  const keys = orderOf(call, orderTypes);
  const plain = call.agg_distinct !== true && call.agg_filter === undefined && call.func_variadic !== true;
  if (given === undefined || call.args?.length !== 1 || keys === undefined || !plain) return undefined;
  const [type] = types;
  if (type === undefined || type === 'record') return undefined;
  const json = type === 'jsonb' ? given : raw(['to_jsonb((', given, type === 'text' ? ')::text)' : '))']);
  return { arg: raw(['coalesce(', json, ", 'null'::jsonb)"]), keys };
}

/** `(x)[1]` of a column: its id. */
function firstElementOf(node: Expr): string | undefined {
  const at = node['A_Indirection'] as { arg: Expr; indirection: Expr[] } | undefined;
  if (at?.indirection.length !== 1) return undefined;
  const index = at.indirection[0]!['A_Indices'] as
    { uidx?: Expr; is_slice?: boolean; lidx?: Expr } | undefined;
  if (index === undefined || index.is_slice === true || index.lidx !== undefined) return undefined;
  const constant = index.uidx?.['A_Const'] as { ival?: { ival?: number } } | undefined;
  return constant?.ival?.ival === 1 ? columnOf(at.arg) : undefined;
}

function onlyFirstIsUsed(outputs: readonly Column[], id: string): boolean {
  let other = false;
  for (const { expr } of outputs) {
    mapExpr(expr, (node) => {
      if (firstElementOf(node) === id) return node;
      if (columnOf(node) === id) other = true;
      return undefined;
    });
  }
  return !other;
}

const filtered = (arg: Expr, filter: Expr | null): Expr =>
  filter === null ? arg : raw(['CASE WHEN ', filter, ' THEN ', arg, ' END']);

/** Not `IS NOT NULL`, which is false for a row with a NULL in it. */
const isNotNull = (expr: Expr): Expr => raw(['((', expr, ') IS DISTINCT FROM NULL)']);

const nullIfNone = (count: Expr, value: readonly (string | Expr)[]): Expr =>
  raw(['(CASE WHEN ', count, ' > 0 THEN ', ...value, ' END)']);

/** Collects pieces of state; the same piece is kept once. */
class State {
  readonly parts: StatePart[] = [];
  readonly columns: Column[] = [];
  readonly #known = new Map<string, string>();
  readonly #newId: (name: string) => string;

  constructor(newId: (name: string) => string) {
    this.#newId = newId;
  }

  count(when: Expr | null): string {
    const scratch = when === null ? ['count(*)'] : ['count(*) FILTER (WHERE ', when, ')'];
    return this.#part('count', scratch, (id) => ({ kind: 'count', id, when }));
  }

  sum(arg: Expr, type: string, sum: SumKind): string {
    const count = this.count(isNotNull(arg));
    // numeric(10, 2) has one scale; of others the sum must lose the digits that no value has any more.
    const scales =
      type === 'numeric'
        ? this.#sum(raw([`('1e' || 12 * scale(`, arg, '))::numeric']), 'numeric', null, null)
        : null;
    return this.#sum(arg, sum, count, scales);
  }

  #sum(arg: Expr, sum: SumKind, count: string | null, scales: string | null): string {
    return this.#part('sum', ['sum(', arg, ')'], (id) => ({ kind: 'sum', id, arg, sum, count, scales }));
  }

  extreme(arg: Expr, greatest: boolean): string {
    const name = greatest ? 'max' : 'min';
    return this.#part(name, [`${name}(`, arg, ')'], (id) => ({ kind: 'extreme', id, arg, greatest }));
  }

  xor(arg: Expr): string {
    const count = this.count(isNotNull(arg));
    return this.#part('xor', ['bit_xor(', arg, ')'], (id) => ({ kind: 'xor', id, arg, count }));
  }

  bits(arg: Expr, operator: '&' | '|'): string {
    const name = operator === '&' ? 'bit_and' : 'bit_or';
    return this.#part('bits', [`${name}(`, arg, ')'], (id) => ({ kind: 'bits', id, arg, operator }));
  }

  first({ arg, when, keys }: { arg: Expr; when: Expr | null; keys: readonly SortBy[] }): string {
    const count = this.count(when);
    const order = keys.flatMap(({ expr, descending, nullsFirst }, i) => [
      i === 0 ? ' ORDER BY ' : ', ',
      expr,
      `${descending ? ' DESC' : ''} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`,
    ]);
    const tail = when === null ? [')'] : [') FILTER (WHERE ', when, ')'];
    const scratch = (value: Expr): (string | Expr)[] => ['(array_agg(', value, ...order, ...tail, ')[1]'];
    return this.#part('first', scratch(arg), (id) => ({
      kind: 'first',
      id,
      arg,
      when,
      count,
      keys: keys.map((key) => {
        const keyId = this.#newId('first_by');
        this.columns.push({ id: keyId, expr: raw(scratch(key.expr)) });
        return { ...key, id: keyId };
      }),
    }));
  }

  list(call: Expr, { arg, keys }: Pick<List, 'arg' | 'keys'>): string {
    const count = this.count(null);
    return this.#part('list', [call], (id) => ({ kind: 'list', id, arg, keys, count }));
  }

  #part(name: string, scratch: readonly (string | Expr)[], make: (id: string) => StatePart): string {
    const expr = raw(scratch);
    const print = fingerprint(expr);
    const known = this.#known.get(print);
    if (known !== undefined) return known;
    const id = this.#newId(name);
    this.#known.set(print, id);
    this.columns.push({ id, expr });
    this.parts.push(make(id));
    return id;
  }
}
