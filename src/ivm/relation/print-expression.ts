/**
 * Expression → SQL. Every operator is put in parentheses, so that no precedence has to be known; a node this file does
 * not know is refused (`Unsupported`), which makes the view recompute: better than a text that means something else.
 */
import { quoteIdentifier, quoteLiteral } from '../../sql/quote.ts';
import { Unsupported } from './ir.ts';
import type { Expr, Op, Subquery } from './ir.ts';
import { hashOfRow } from './row-hash.ts';

export interface PrintOptions {
  /** How a column is written; by default its id, quoted. */
  readonly column?: (id: string) => string;
  /** What stands for the clock. */
  readonly now: string;
  readonly query: (op: Op, output: readonly string[]) => string;
  /** Only whether it can be printed is asked, of what was just read: grouping() is replaced later (grouping-sets.ts). */
  readonly reading?: true;
  /** Constants are written as such: what is printed cannot fail. */
  readonly plain?: true;
  /** EXISTS is asked row by row. */
  readonly driven?: true | undefined;
}

interface Node {
  readonly [key: string]: unknown;
}
type Names = readonly { String?: { sval?: string } }[] | undefined;

export function printExpr(expr: Expr, options: PrintOptions): string {
  const print = (value: unknown): string => {
    const entries = Object.entries(value as Node);
    if (entries.length !== 1) throw new Unsupported('an expression of unknown form');
    const [kind, inner] = entries[0]!;
    return printers[kind]?.(inner as Node, print, options) ?? refuse(kind);
  };
  return print(expr);
}

type Printer = (node: Node, print: (value: unknown) => string, options: PrintOptions) => string;

function refuse(kind: string): never {
  throw new Unsupported(`an expression of kind ${kind}`);
}

const list = (value: unknown, print: (value: unknown) => string): string[] =>
  ((value as readonly unknown[] | undefined) ?? []).map(print);

/** An index's expressions hold no subqueries. */
const asIndexed = (exprs: unknown, options: PrintOptions): string[] =>
  list(exprs, (expr) => printExpr(expr as Expr, { ...options, plain: true }));

function path(names: Names): string {
  return (names ?? []).map(({ String: name }) => quoteIdentifier(name?.sval ?? '')).join('.');
}

function operator(names: Names): string {
  const parts = (names ?? []).map(({ String: name }) => name?.sval ?? '');
  const symbol = parts.at(-1) ?? '';
  if (!/^[-+*/<>=~!@#%^&|`?]+$/.test(symbol)) throw new Unsupported(`the operator ${symbol}`);
  if (parts.length === 1) return symbol;
  return `OPERATOR(${parts.slice(0, -1).map(quoteIdentifier).join('.')}.${symbol})`;
}

const printers: Record<string, Printer> = {
  Col: (id, _print, { column }) => (column ?? quoteIdentifier)(id as unknown as string),
  Now: (_node, _print, { now }) => now,
  Late: (node, print, { plain }) => (plain === true ? print(node) : `(SELECT ${print(node)})`),
  GroupingFunc: (_node, _print, { reading }) => (reading === true ? '0' : refuse('GroupingFunc')),
  Raw: (parts, print) =>
    (parts as unknown as (string | Expr)[])
      .map((part) => (typeof part === 'string' ? part : print(part)))
      .join(''),
  KeyMatch: (node, _print, options) => {
    const values = node['values'] as string[];
    return `(${hashOfRow(asIndexed(node['exprs'], options))} = ${hashOfRow(values)})`;
  },
  RowMatch: (node, _print, options) =>
    `(${hashOfRow(asIndexed(node['left'], options))} = ${hashOfRow(asIndexed(node['right'], options))})`,
  Sub: (node, print, { query, driven }) => {
    const sub = node as unknown as Subquery;
    const text = `(${query(sub.query, sub.output)})`;
    switch (sub.type) {
      case 'exists':
        return driven === true ? `EXISTS (${query(sub.query, sub.output)} OFFSET 0)` : `EXISTS ${text}`;
      case 'scalar':
        return text;
      case 'array':
        return `ARRAY${text}`;
      case 'any':
        if (driven === true && sub.operator === '=' && sub.output.length === 1)
          return inByIndex(print(sub.test), query(sub.query, sub.output), sub.output[0]!);
        return `(${print(sub.test)} ${sub.operator} ANY ${text})`;
      case 'all':
        return `(${print(sub.test)} ${sub.operator} ALL ${text})`;
    }
  },
  A_Const: (node) => {
    if (node['isnull'] === true) return 'NULL';
    const { ival, fval, boolval, sval, bsval } = node as {
      ival?: { ival?: number };
      fval?: { fval?: string };
      boolval?: { boolval?: boolean };
      sval?: { sval?: string };
      bsval?: { bsval?: string };
    };
    if (ival !== undefined) return (ival.ival ?? 0) < 0 ? `(${ival.ival})` : String(ival.ival ?? 0);
    if (fval !== undefined) return fval.fval ?? '0';
    if (boolval !== undefined) return boolval.boolval === true ? 'true' : 'false';
    if (sval !== undefined) return quoteLiteral(sval.sval ?? '');
    if (bsval !== undefined)
      return `${(bsval.bsval ?? 'b')[0]!.toUpperCase()}${quoteLiteral((bsval.bsval ?? 'b').slice(1))}`;
    return 'NULL';
  },
  TypeCast: (node, print) => `(${print(node['arg'])})::${printType(node['typeName'] as Node)}`,
  CollateClause: (node, print) => `(${print(node['arg'])} COLLATE ${path(node['collname'] as Names)})`,
  BoolExpr: (node, print) => {
    const args = list(node['args'], print);
    if (node['boolop'] === 'NOT_EXPR') return `(NOT ${args[0]!})`;
    return `(${args.join(node['boolop'] === 'AND_EXPR' ? ' AND ' : ' OR ')})`;
  },
  NullTest: (node, print) =>
    `(${print(node['arg'])} IS ${node['nulltesttype'] === 'IS_NULL' ? 'NULL' : 'NOT NULL'})`,
  BooleanTest: (node, print) =>
    `(${print(node['arg'])} ${String(node['booltesttype']).replace('IS_', 'IS ').replace('NOT_', 'NOT ')})`,
  CoalesceExpr: (node, print) => `COALESCE(${list(node['args'], print).join(', ')})`,
  MinMaxExpr: (node, print) =>
    `${node['op'] === 'IS_GREATEST' ? 'GREATEST' : 'LEAST'}(${list(node['args'], print).join(', ')})`,
  CaseExpr: (node, print) => {
    const subject = node['arg'] === undefined ? '' : ` ${print(node['arg'])}`;
    const whens = (node['args'] as { CaseWhen: Node }[]).map(
      ({ CaseWhen: when }) => ` WHEN ${print(when['expr'])} THEN ${print(when['result'])}`,
    );
    const otherwise = node['defresult'] === undefined ? '' : ` ELSE ${print(node['defresult'])}`;
    return `(CASE${subject}${whens.join('')}${otherwise} END)`;
  },
  A_ArrayExpr: (node, print) => `ARRAY[${list(node['elements'], print).join(', ')}]`,
  RowExpr: (node, print) => `ROW(${list(node['args'], print).join(', ')})`,
  A_Indirection: (node, print) => {
    const steps = (node['indirection'] as Node[]).map((step) => {
      const name = step['String'] as { sval?: string } | undefined;
      if (name !== undefined) return `.${quoteIdentifier(name.sval ?? '')}`;
      const at = step['A_Indices'] as Node | undefined;
      if (at === undefined) throw new Unsupported('a subscript of unknown form');
      const lower = at['lidx'] === undefined ? '' : print(at['lidx']);
      const upper = at['uidx'] === undefined ? '' : print(at['uidx']);
      return at['is_slice'] === true ? `[${lower}:${upper}]` : `[${upper}]`;
    });
    return `(${print(node['arg'])})${steps.join('')}`;
  },
  A_Expr: (node, print) => {
    const left = (): string => print(node['lexpr']);
    const right = (): string => print(node['rexpr']);
    const name = node['name'] as Names;
    switch (node['kind']) {
      case 'AEXPR_OP':
        return node['lexpr'] === undefined
          ? `(${operator(name)} ${right()})`
          : `(${left()} ${operator(name)} ${right()})`;
      case 'AEXPR_OP_ANY':
        return `(${left()} ${operator(name)} ANY (${right()}))`;
      case 'AEXPR_OP_ALL':
        return `(${left()} ${operator(name)} ALL (${right()}))`;
      case 'AEXPR_DISTINCT':
        return `(${left()} IS DISTINCT FROM ${right()})`;
      case 'AEXPR_NOT_DISTINCT':
        return `(${left()} IS NOT DISTINCT FROM ${right()})`;
      case 'AEXPR_NULLIF':
        return `NULLIF(${left()}, ${right()})`;
      default:
        throw new Unsupported(`an operator of kind ${String(node['kind'])}`);
    }
  },
  NamedArgExpr: (node, print) => `${quoteIdentifier(String(node['name']))} => ${print(node['arg'])}`,
  FuncCall: (node, print) => {
    const variadic = node['func_variadic'] === true;
    const args = list(node['args'], print).map((arg, i, all) =>
      variadic && i === all.length - 1 ? `VARIADIC ${arg}` : arg,
    );
    const order = printOrder(node['agg_order'], print);
    const within = node['agg_within_group'] === true;
    const inside = node['agg_star'] === true ? '*' : args.join(', ');
    const distinct = node['agg_distinct'] === true ? 'DISTINCT ' : '';
    const name = path(node['funcname'] as Names);
    const call = `${name}(${distinct}${inside}${order !== '' && !within ? ` ${order}` : ''})`;
    const group = within ? ` WITHIN GROUP (${order})` : '';
    const filter = node['agg_filter'] === undefined ? '' : ` FILTER (WHERE ${print(node['agg_filter'])})`;
    const over = node['over'] === undefined ? '' : ` OVER (${printWindow(node['over'] as Node, print)})`;
    return `${call}${group}${filter}${over}`;
  },
};

/**
 * x IN (SELECT y ...) asked of an index on y, wherever it stands: as it is, PostgreSQL reads all of the subquery's rows and hashes
 * them. What it answers is the same, unknown where nothing is equal and x, or some y, is NULL.
 */
function inByIndex(test: string, query: string, column: string): string {
  const some = (where: string): string => `EXISTS (SELECT FROM (${query}) AS "_n"${where} OFFSET 0)`;
  const y = `"_n".${quoteIdentifier(column)}`;
  return `(CASE WHEN ${some(` WHERE ${test} = ${y}`)} THEN true WHEN ${test} IS NULL THEN nullif(${some('')}, true) WHEN ${some(` WHERE ${y} IS NULL`)} THEN NULL ELSE false END)`;
}

function printOrder(value: unknown, print: (value: unknown) => string): string {
  const keys = (value as { SortBy: Node }[] | undefined) ?? [];
  if (keys.length === 0) return '';
  const texts = keys.map(({ SortBy: key }) => {
    if (key['useOp'] !== undefined) throw new Unsupported('ORDER BY ... USING');
    const direction = key['sortby_dir'] === 'SORTBY_DESC' ? ' DESC' : '';
    const nulls =
      key['sortby_nulls'] === 'SORTBY_NULLS_FIRST'
        ? ' NULLS FIRST'
        : key['sortby_nulls'] === 'SORTBY_NULLS_LAST'
          ? ' NULLS LAST'
          : '';
    return `${print(key['node'])}${direction}${nulls}`;
  });
  return `ORDER BY ${texts.join(', ')}`;
}

const FRAME = {
  NONDEFAULT: 0x1,
  RANGE: 0x2,
  ROWS: 0x4,
  GROUPS: 0x8,
  BETWEEN: 0x10,
  START_UNBOUNDED_PRECEDING: 0x20,
  END_UNBOUNDED_FOLLOWING: 0x100,
  START_CURRENT_ROW: 0x200,
  END_CURRENT_ROW: 0x400,
  START_OFFSET_PRECEDING: 0x800,
  END_OFFSET_PRECEDING: 0x1000,
  START_OFFSET_FOLLOWING: 0x2000,
  END_OFFSET_FOLLOWING: 0x4000,
  EXCLUDE_CURRENT_ROW: 0x8000,
  EXCLUDE_GROUP: 0x10000,
  EXCLUDE_TIES: 0x20000,
};

function printWindow(window: Node, print: (value: unknown) => string): string {
  const partition = list(window['partitionClause'], print);
  const parts = [
    partition.length === 0 ? '' : `PARTITION BY ${partition.join(', ')}`,
    printOrder(window['orderClause'], print),
  ];
  const flags = Number(window['frameOptions'] ?? 0);
  if ((flags & FRAME.NONDEFAULT) !== 0) {
    const has = (flag: number): boolean => (flags & flag) !== 0;
    const unit = has(FRAME.ROWS) ? 'ROWS' : has(FRAME.GROUPS) ? 'GROUPS' : 'RANGE';
    const start = has(FRAME.START_UNBOUNDED_PRECEDING)
      ? 'UNBOUNDED PRECEDING'
      : has(FRAME.START_CURRENT_ROW)
        ? 'CURRENT ROW'
        : `${print(window['startOffset'])} ${has(FRAME.START_OFFSET_PRECEDING) ? 'PRECEDING' : 'FOLLOWING'}`;
    const end = has(FRAME.END_UNBOUNDED_FOLLOWING)
      ? 'UNBOUNDED FOLLOWING'
      : has(FRAME.END_CURRENT_ROW)
        ? 'CURRENT ROW'
        : `${print(window['endOffset'])} ${has(FRAME.END_OFFSET_PRECEDING) ? 'PRECEDING' : 'FOLLOWING'}`;
    const exclude = has(FRAME.EXCLUDE_CURRENT_ROW)
      ? ' EXCLUDE CURRENT ROW'
      : has(FRAME.EXCLUDE_GROUP)
        ? ' EXCLUDE GROUP'
        : has(FRAME.EXCLUDE_TIES)
          ? ' EXCLUDE TIES'
          : '';
    parts.push(`${unit} BETWEEN ${start} AND ${end}${exclude}`);
  }
  return parts.filter((part) => part !== '').join(' ');
}

function printType(type: Node): string {
  const names = (type['names'] as { String?: { sval?: string } }[]).map(
    ({ String: name }) => name?.sval ?? '',
  );
  if (type['setof'] === true || type['pct_type'] === true) throw new Unsupported('a type of unknown form');
  const mods = ((type['typmods'] as Node[] | undefined) ?? []).map((mod) => {
    const value = (mod['A_Const'] as { ival?: { ival?: number } } | undefined)?.ival;
    if (value === undefined) throw new Unsupported('a type of unknown form');
    return String(value.ival ?? 0);
  });
  const bounds = ((type['arrayBounds'] as unknown[] | undefined) ?? []).map(() => '[]').join('');
  const name = names.map(quoteIdentifier).join('.');
  if (mods.length > 0 && name === '"pg_catalog"."interval"') return `${intervalType(mods)}${bounds}`;
  return `${name}${mods.length > 0 ? `(${mods.join(', ')})` : ''}${bounds}`;
}

/** Bits of an interval's type modifier, from the widest field on (INTERVAL_MASK in PostgreSQL's timestamp.h). */
const intervalFields = [
  [4, 'year'],
  [2, 'month'],
  [8, 'day'],
  [1024, 'hour'],
  [2048, 'minute'],
  [4096, 'second'],
] as const;

/** An interval of limited fields or precision has a syntax of its own, after the key word alone. */
function intervalType([mask, precision]: readonly string[]): string {
  const fields = intervalFields.filter(([bit]) => (Number(mask) & bit) !== 0).map(([, word]) => word);
  const [first, last] = [fields[0], fields.at(-1)];
  const digits = precision === undefined ? '' : `(${precision})`;
  // All bits stand for no limit, which is not said as "year to second".
  if (fields.length === 0 || (Number(mask) & 0x7fff) === 0x7fff) return `interval${digits}`;
  return first === last ? `interval ${first}${digits}` : `interval ${first} to ${last}${digits}`;
}
