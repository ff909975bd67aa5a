/** The type of an expression as far as its text tells it: by casts, literals, operators and functions, and declared columns. */
import { parseStatements } from '../sql/parse.ts';
import { argumentsOf, calledName, inner, isTree, listOf, operatorOf, texts } from './tree.ts';
import type { Tree } from './tree.ts';

export type VisibleType =
  | 'integer'
  | 'numeric'
  | 'float'
  | 'text'
  | 'boolean'
  | 'timestamptz'
  | 'timestamp'
  | 'date'
  | 'time'
  | 'interval'
  | 'jsonb'
  | 'array'
  | 'row';

const byName: Readonly<Record<string, VisibleType>> = {
  int2: 'integer',
  int4: 'integer',
  int8: 'integer',
  smallint: 'integer',
  integer: 'integer',
  bigint: 'integer',
  numeric: 'numeric',
  decimal: 'numeric',
  float4: 'float',
  float8: 'float',
  real: 'float',
  'double precision': 'float',
  text: 'text',
  varchar: 'text',
  'character varying': 'text',
  character: 'text',
  bpchar: 'text',
  bool: 'boolean',
  boolean: 'boolean',
  timestamptz: 'timestamptz',
  'timestamp with time zone': 'timestamptz',
  timestamp: 'timestamp',
  'timestamp without time zone': 'timestamp',
  date: 'date',
  time: 'time',
  'time without time zone': 'time',
  interval: 'interval',
  jsonb: 'jsonb',
  json: 'jsonb',
};

const byFunction: Readonly<Record<string, VisibleType>> = {
  count: 'integer',
  row_number: 'integer',
  rank: 'integer',
  dense_rank: 'integer',
  length: 'integer',
  extract: 'numeric',
  to_timestamp: 'timestamptz',
  now: 'timestamptz',
  make_timestamptz: 'timestamptz',
  make_timestamp: 'timestamp',
  make_time: 'time',
  make_date: 'date',
  to_date: 'date',
  lower: 'text',
  upper: 'text',
  initcap: 'text',
  concat: 'text',
  concat_ws: 'text',
  format: 'text',
  to_char: 'text',
  btrim: 'text',
  replace: 'text',
  md5: 'text',
  substring: 'text',
  string_agg: 'text',
  array_agg: 'array',
  string_to_array: 'array',
  date_part: 'float',
  sin: 'float',
  cos: 'float',
  tan: 'float',
  cbrt: 'float',
  degrees: 'float',
  radians: 'float',
  random: 'float',
};

/** Functions of numbers whose answer is of the type of what they are given. */
const ofArgument: ReadonlySet<string> = new Set(
  'abs ceil ceiling floor round trunc sqrt exp ln log power sum min max mod trim_scale lag lead first_value last_value'.split(
    ' ',
  ),
);

/** The type that a declaration stands for, `numeric(10, 2)`; undefined for one that says nothing here. @throws SqlSyntaxError */
export function declaredType(declared: string): VisibleType | undefined {
  const [statement] = parseStatements(`select null::${declared}`);
  const [target] = listOf(inner(statement?.node, 'SelectStmt')?.['targetList']);
  return visibleType(inner(target, 'ResTarget')?.['val'], new Map());
}

/** @param columns types of columns by name, where the name tells it */
export function visibleType(
  expression: unknown,
  columns: ReadonlyMap<string, VisibleType>,
): VisibleType | undefined {
  if (!isTree(expression)) return undefined;
  const of = (value: unknown): VisibleType | undefined => visibleType(value, columns);
  const first = (values: readonly unknown[]): VisibleType | undefined =>
    values.map(of).find((type) => type !== undefined);
  const [kind, node] = Object.entries(expression)[0] ?? [];
  if (kind === undefined || !isTree(node)) return undefined;
  switch (kind) {
    case 'ColumnRef':
      return columns.get(texts(node['fields']).at(-1) ?? '');
    case 'A_Const':
      return constantType(node);
    case 'TypeCast': {
      const type = node['typeName'] as Tree;
      return type['arrayBounds'] !== undefined ? 'array' : byName[texts(type['names']).at(-1) ?? ''];
    }
    case 'FuncCall':
      return callType(node, of);
    case 'CoalesceExpr':
    case 'MinMaxExpr':
      return first(listOf(node['args']));
    case 'CaseExpr':
      return first([
        ...listOf(node['args']).map((when) => inner(when, 'CaseWhen')?.['result']),
        node['defresult'],
      ]);
    case 'RowExpr':
      return 'row';
    case 'A_ArrayExpr':
      return 'array';
    case 'BoolExpr':
    case 'NullTest':
    case 'BooleanTest':
      return 'boolean';
    case 'SQLValueFunction':
      return /TIMESTAMP/.test(String(node['op'])) ? 'timestamptz' : undefined;
    case 'A_Expr':
      return operatorType(node, of);
    default:
      return undefined;
  }
}

function constantType(node: Tree): VisibleType | undefined {
  if ('ival' in node) return 'integer';
  if ('fval' in node) return 'numeric';
  return 'boolval' in node ? 'boolean' : undefined;
}

function callType(call: Tree, of: (value: unknown) => VisibleType | undefined): VisibleType | undefined {
  const name = calledName(call);
  const args = argumentsOf(call);
  if (name === 'avg')
    return of(args[0]) === 'float' ? 'float' : of(args[0]) === 'interval' ? 'interval' : 'numeric';
  if (/^(var|stddev)(iance|_pop|_samp)?$/.test(name)) return of(args[0]) === 'float' ? 'float' : 'numeric';
  if ((name === 'round' || name === 'trunc') && args.length === 2) return 'numeric';
  if (name === 'date_trunc' || name === 'timezone') return of(args[1]);
  if (/^(to_)?jsonb(_|$)/.test(name) && !/_text$|_length$|_exists|_typeof$|_pretty$|_keys$/.test(name))
    return 'jsonb';
  return byFunction[name] ?? (ofArgument.has(name) ? of(args[0]) : undefined);
}

function operatorType(
  expression: Tree,
  of: (value: unknown) => VisibleType | undefined,
): VisibleType | undefined {
  const operator = operatorOf(expression);
  const [left, right] = [of(expression['lexpr']), of(expression['rexpr'])];
  switch (operator) {
    case '->':
    case '#>':
      return 'jsonb';
    case '->>':
    case '#>>':
      return 'text';
    case '||':
      return [left, right].find((type) => type === 'array' || type === 'jsonb' || type === 'text');
    case '':
    case '=':
    case '<>':
    case '<':
    case '>':
    case '<=':
    case '>=':
      return 'boolean';
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '^':
      if (left === 'float' || right === 'float') return 'float';
      if (left === 'numeric' || right === 'numeric') return 'numeric';
      if (left === 'date' && right === 'interval') return 'timestamp';
      return left === 'timestamptz' ||
        left === 'timestamp' ||
        left === 'date' ||
        left === 'interval' ||
        left === right
        ? left
        : expression['lexpr'] === undefined
          ? right
          : undefined;
    default:
      return undefined;
  }
}
