/**
 * Whether an expression can raise an error for some row: a cast, a division, an overflow. Where one stands in a query, filters may keep
 * such rows from it; whoever evaluates it elsewhere (in an index, a key, a probe) must ask here first.
 *
 * The answer errs on the side of yes: only what is known to have a value for every row is said not to fail. Left out are what no filter
 * guards against in practice: texts of a gigabyte, instants beyond the year 294276, numerics of 131,072 digits.
 */
import { exprFact, functionName } from './facts.ts';
import { childrenOf, outputOf } from '../relation/ir.ts';
import type { Column, Expr, Op } from '../relation/ir.ts';
import { idsIn, ownExprs, subqueryOf, walkAll, walkExpr } from '../relation/expression.ts';

/** The type of a column by its id, as format_type prints it. */
export type TypeOf = (id: string) => string | undefined;

interface Node {
  readonly [key: string]: unknown;
}

type Names = readonly { String?: { sval?: string } }[] | undefined;

export function canFail(expr: Expr, typeOf: TypeOf): boolean {
  const type = (value: unknown): string | undefined =>
    exprFact(value as Expr, (id) => ({ type: typeOf(id), notNull: false })).type;
  const visit = (value: unknown): boolean => {
    if (value === undefined || value === null || typeof value !== 'object') return false;
    if (Array.isArray(value)) return value.some(visit);
    const [kind, inner] = Object.entries(value as Node)[0] ?? [];
    if (kind === undefined) return false;
    const node = inner as Node;
    switch (kind) {
      case 'Col':
      case 'A_Const':
      case 'Now':
      case 'Late':
      case 'GroupingFunc':
        return false;
      case 'Raw':
        return (inner as (string | Expr)[]).some((part) => typeof part !== 'string' && visit(part));
      case 'NullTest':
      case 'BooleanTest':
      case 'BoolExpr':
      case 'CaseExpr':
      case 'CaseWhen':
      case 'CoalesceExpr':
      case 'MinMaxExpr':
      case 'RowExpr':
      case 'A_ArrayExpr':
      case 'CollateClause':
      case 'A_Indirection':
      case 'A_Indices':
      case 'NamedArgExpr':
      case 'KeyMatch':
      case 'RowMatch':
        return Object.entries(node).some(
          ([key, part]) => key !== 'collname' && key !== 'name' && visit(part),
        );
      case 'List':
        return visit(Array.isArray(inner) ? inner : node['items']);
      case 'String':
        return false;
      case 'SortBy':
        return visit(node['node']);
      case 'TypeCast':
        return visit(node['arg']) || !castsAlways(node, type);
      case 'A_Expr':
        return visit(node['lexpr']) || visit(node['rexpr']) || operatorFails(node, type);
      case 'FuncCall': {
        const over = node['over'] as Node | undefined;
        const parts = [
          node['args'],
          node['agg_filter'],
          node['agg_order'],
          over?.['partitionClause'],
          over?.['orderClause'],
        ];
        return parts.some(visit) || functionFails(node, type);
      }
      case 'Sub': {
        const sub = subqueryOf(value as Expr)!;
        // A subquery in the place of a value may have more than one row.
        return sub.type === 'scalar' || visit(sub.test) || treeCanFail(sub.query, typeOf);
      }
      default:
        return true;
    }
  };
  // What uses nothing of a row fails for all of them, or none.
  if (isConstant(expr)) return false;
  return visit(expr);
}

/** Whether some expression of a tree, subqueries included, can fail. */
export function treeCanFail(op: Op, typeOf: TypeOf): boolean {
  return (
    op.kind === 'function' ||
    ownExprs(op).some((expr) => canFail(expr, typeOf)) ||
    childrenOf(op).some((child) => treeCanFail(child, typeOf))
  );
}

const nameOf = (names: unknown): string => (names as Names)?.at(-1)?.String?.sval ?? '';

const whole = ['smallint', 'integer', 'bigint'];
const numbers = [...whole, 'numeric', 'real', 'double precision'];

/** By the name of the type cast to, the types whose every value it can take. */
const casts: Readonly<Record<string, readonly string[]>> = {
  int2: ['smallint'],
  int4: ['smallint', 'integer', 'boolean'],
  int8: whole,
  numeric: [...whole, 'numeric'],
  float4: ['smallint', 'integer', 'bigint', 'real'],
  float8: ['smallint', 'integer', 'bigint', 'real', 'double precision'],
  bool: ['boolean', 'integer'],
  date: ['date', 'timestamp without time zone', 'timestamp with time zone'],
  timestamp: ['date', 'timestamp without time zone', 'timestamp with time zone'],
  timestamptz: ['date', 'timestamp without time zone', 'timestamp with time zone'],
  interval: ['interval'],
  uuid: ['uuid'],
  jsonb: ['jsonb'],
};

function castsAlways(node: Node, type: (value: unknown) => string | undefined): boolean {
  const arg = node['arg'] as Expr;
  // A constant is read when the query is.
  if ('A_Const' in arg) return true;
  const { names, arrayBounds, typmods } = node['typeName'] as Node;
  if (arrayBounds !== undefined) return false;
  const name = nameOf(names);
  if (name === 'text' || name === 'varchar' || name === 'bpchar') return true;
  const from = type(arg)?.replace(/\(.*?\)/, '');
  if (from === undefined || (typmods !== undefined && !/^(timestamp|interval)/.test(name))) return false;
  return casts[name]?.includes(from.trim()) === true;
}

/** Whether its value is known when the query is planned. */
function isConstant(value: unknown): boolean {
  if (value === undefined) return false;
  let known = true;
  walkExpr(value as Expr, (node) => {
    if ('Col' in node || 'Sub' in node || 'Now' in node || 'Late' in node) known = false;
    return known;
  });
  return known;
}

function operatorFails(node: Node, type: (value: unknown) => string | undefined): boolean {
  const names = node['name'] as Names;
  const [left, right] = [node['lexpr'], node['rexpr']];
  // Operators of others than PostgreSQL are printed with their schema.
  if (names?.length !== 1 && node['kind'] !== 'AEXPR_NULLIF') return true;
  const name = nameOf(names);
  if (/^(=|<>|<|>|<=|>=|->|->>|#>|#>>|@>|<@|&&|\?|\?\||\?&)$/.test(name)) return false;
  // A pattern may be no pattern.
  if (/^!?(~|~\*|~~|~~\*)$/.test(name)) return !isConstant(right);
  const [a, b] = [type(left), type(right)];
  const is = (...types: string[]): boolean =>
    [a, b].some((one) => types.includes(one?.replace(/\(.*?\)/, '') ?? ''));
  if (name === '||') return !is('text', 'jsonb', 'character varying');
  if (left === undefined) return !(name === '-' && /^(numeric|real|double precision)/.test(b ?? ''));
  const time = /^(date|timestamp)/;
  switch (name) {
    case '+':
    case '-':
      if (time.test(a ?? '')) return !(/^(interval|integer)/.test(b ?? '') && isConstant(right));
      return !(/^numeric/.test(a ?? '') && /^numeric/.test(b ?? ''));
    case '*':
      return !(/^numeric/.test(a ?? '') && /^numeric/.test(b ?? ''));
    case '/':
    case '%':
      return !(numbers.includes((a ?? '').replace(/\(.*?\)/, '')) && isPositive(right as Expr));
    default:
      return true;
  }
}

/** A number above zero that is written in the query. */
function isPositive(expr: Expr): boolean {
  const cast = expr['TypeCast'] as { arg: Expr } | undefined;
  if (cast !== undefined) return isPositive(cast.arg);
  const { ival, fval, sval } = (expr['A_Const'] ?? {}) as {
    ival?: { ival?: number };
    fval?: { fval?: string };
    sval?: { sval?: string };
  };
  return Number(ival?.ival ?? fval?.fval ?? sval?.sval ?? 0) > 0;
}

/** Functions that have an answer for all arguments of their types. */
const total =
  /^(lower|upper|initcap|btrim|ltrim|rtrim|length|char_length|character_length|octet_length|bit_length|md5|concat|concat_ws|replace|translate|strpos|position|starts_with|reverse|left|right|ascii|quote_literal|quote_ident|to_jsonb|to_json|row_to_json|jsonb_typeof|jsonb_build_array|jsonb_strip_nulls|cardinality|array_length|array_upper|array_lower|array_ndims|array_to_string|isfinite|sign|floor|ceil|ceiling|isempty|lower_inc|upper_inc|lower_inf|upper_inf|pg_input_is_valid|num_nulls|num_nonnulls|hashtext|justify_hours|row_number|rank|dense_rank|percent_rank|cume_dist|lag|lead|first_value|last_value|count|min|max|sum|avg|bool_or|bool_and|every|bit_and|bit_or|bit_xor|string_agg|array_agg|jsonb_agg|json_agg|any_value|mode|percentile_disc|percentile_cont|variance|var_pop|var_samp|stddev|stddev_pop|stddev_samp)$/;

/** Functions that do when these arguments, by place, are constants, which were tried on other rows or are plain words. */
const totalBy: Readonly<Record<string, readonly number[]>> = {
  date_trunc: [0, 2],
  date_part: [0],
  extract: [0],
  to_char: [1],
  timezone: [0],
  regexp_replace: [1, 2, 3, 4, 5],
  regexp_match: [1, 2],
  regexp_count: [1, 2, 3],
  regexp_like: [1, 2],
  split_part: [2],
  substr: [1, 2],
  substring: [1, 2],
  round: [1],
  trunc: [1],
  lpad: [1],
  rpad: [1],
  repeat: [1],
};

function functionFails(node: Node, type: (value: unknown) => string | undefined): boolean {
  const name = functionName(node);
  const args = (node['args'] as Expr[] | undefined) ?? [];
  if (name === undefined || node['func_variadic'] === true) return true;
  // Of whole numbers the least has no opposite.
  if (name === 'abs') return !/^(numeric|real|double)/.test(type(args[0]) ?? '');
  if (total.test(name)) return false;
  // A key may not be NULL.
  if (/^jsonb?_build_object$/.test(name)) return args.some((arg, i) => i % 2 === 0 && !isConstant(arg));
  const places = totalBy[name];
  return (
    places === undefined || places.some((place) => args[place] !== undefined && !isConstant(args[place]))
  );
}

/** The types of the columns that a tree's operators make, as far as they are told by scans and forms of expressions. */
export class ColumnTypes {
  readonly #types = new Map<string, string | undefined>();
  readonly #definitions = new Map<string, Expr>();

  constructor(root?: Op) {
    if (root !== undefined) this.add(root);
  }

  add(root: Op): void {
    walkAll(root, (op) => {
      if (op.kind === 'scan') for (const { id, type } of op.columns) this.#types.set(id, type);
      const made =
        op.kind === 'aggregate'
          ? [...op.groups, ...op.aggregates]
          : op.kind === 'project' || op.kind === 'window'
            ? op.columns
            : [];
      this.define(made);
      if (op.kind === 'set') {
        const [left, right] = [outputOf(op.left), outputOf(op.right)];
        op.columns.forEach((id, i) =>
          this.#definitions.set(id, { CoalesceExpr: { args: [{ Col: left[i]! }, { Col: right[i]! }] } }),
        );
      }
    });
  }

  define(columns: readonly Column[]): void {
    for (const { id, expr } of columns) if (expr['Col'] !== id) this.#definitions.set(id, expr);
  }

  readonly of: TypeOf = (id) => {
    const definition = this.#definitions.get(id);
    if (this.#types.has(id) || definition === undefined) return this.#types.get(id);
    this.#types.set(id, undefined);
    const { type } = exprFact(definition, (inner) => ({ type: this.of(inner), notNull: false }));
    this.#types.set(id, type);
    return type;
  };
}

/** Whether an expression over a tree's columns can fail; types are asked for only where they matter. */
export function failsOver(expr: Expr, over: Op): boolean {
  return canFail(expr, () => undefined) && canFail(expr, new ColumnTypes(over).of);
}

/** Whether a column of a tree's output is computed by something that can fail, below which no stored rows stand yet. */
export function columnCanFail(
  op: Op,
  id: string,
  typeOf: TypeOf,
  known = new Map<Op, Map<string, boolean>>(),
): boolean {
  const ids = known.get(op) ?? new Map<string, boolean>();
  known.set(op, ids);
  // Each column is asked once: chains of columns that use several of those below have very many paths.
  const answer = ids.get(id) ?? askColumn(op, id, typeOf, known);
  ids.set(id, answer);
  return answer;
}

function askColumn(op: Op, id: string, typeOf: TypeOf, known: Map<Op, Map<string, boolean>>): boolean {
  const among = (columns: readonly Column[], child: Op): boolean => {
    const column = columns.find((candidate) => candidate.id === id);
    if (column === undefined) return outputOf(child).includes(id) && columnCanFail(child, id, typeOf, known);
    return (
      canFail(column.expr, typeOf) ||
      [...idsIn(column.expr)].some(
        (inner) => outputOf(child).includes(inner) && columnCanFail(child, inner, typeOf, known),
      )
    );
  };
  switch (op.kind) {
    case 'scan':
    case 'values':
    case 'function':
      return false;
    case 'project':
    case 'window':
      return among(op.columns, op.child);
    case 'aggregate':
      return among([...op.groups, ...op.aggregates], op.child);
    case 'filter':
    case 'distinct':
    case 'distinct-on':
    case 'limit':
      return columnCanFail(op.child, id, typeOf, known);
    case 'join':
      return columnCanFail(outputOf(op.left).includes(id) ? op.left : op.right, id, typeOf, known);
    case 'set': {
      const at = op.columns.indexOf(id);
      return [op.left, op.right].some((side) => columnCanFail(side, outputOf(side)[at]!, typeOf, known));
    }
  }
}
