/** What is known of a column without asking the engine again: its type, whether it is ever NULL, what makes rows unique. */
import { columnOf, conjuncts, equality, idsIn } from '../relation/expression.ts';
import { outputOf } from '../relation/ir.ts';
import type { Expr, Join, Op } from '../relation/ir.ts';

export interface ColumnFact {
  /** As format_type prints it; undefined when nothing is known. */
  readonly type: string | undefined;
  readonly notNull: boolean;
}

export interface RelationFacts {
  readonly column: (name: string) => ColumnFact;
  /** Lists of columns by which no two rows are the same, NULL being a value like others. */
  readonly keys: readonly (readonly string[])[];
}

/** By a relation's key, hidden stages (`#1`) included. */
export type Facts = (relation: string) => RelationFacts | undefined;

const unknown: ColumnFact = { type: undefined, notNull: false };

/** A value of such a type is never too long for a btree's page, whatever rows hold. */
export function isShort(type: string | undefined): boolean {
  return /^(smallint|integer|bigint|oid|boolean|date|uuid|real|double precision|numeric.*|timestamp.*|time .*|interval.*|"char"|character( varying)?\((\d\d?|[1-4]\d\d)\))$/.test(
    type ?? '',
  );
}

/** Whether sums of such values are the same in whatever order they are added. */
export function addsExactly(type: string | undefined): boolean {
  return /^(smallint|integer|bigint|numeric.*|interval.*|money)$/.test(type ?? '');
}

/** The fact of a column of an operator's output. */
export function columnFact(op: Op, id: string, facts: Facts): ColumnFact {
  const below =
    (child: Op): ((inner: string) => ColumnFact) =>
    (inner) =>
      columnFact(child, inner, facts);
  switch (op.kind) {
    case 'scan': {
      const column = op.columns.find((candidate) => candidate.id === id);
      if (column === undefined) return unknown;
      const fact = facts(op.relation)?.column(column.name) ?? unknown;
      return { ...fact, type: fact.type ?? column.type };
    }
    case 'values':
    case 'function':
      return unknown;
    case 'project': {
      const column = op.columns.find((candidate) => candidate.id === id);
      return column === undefined || op.sets ? unknown : exprFact(column.expr, below(op.child));
    }
    case 'window': {
      const column = op.columns.find((candidate) => candidate.id === id);
      if (column === undefined) return columnFact(op.child, id, facts);
      return { ...exprFact(column.expr, below(op.child)), notNull: false };
    }
    case 'aggregate': {
      const column = [...op.groups, ...op.aggregates].find((candidate) => candidate.id === id);
      return column === undefined ? unknown : exprFact(column.expr, below(op.child));
    }
    case 'join': {
      const inLeft = outputOf(op.left).includes(id);
      const fact = columnFact(inLeft ? op.left : op.right, id, facts);
      return op.join === 'inner' || (op.join === 'left' && inLeft) ? fact : { ...fact, notNull: false };
    }
    case 'set': {
      const at = op.columns.indexOf(id);
      const [left, right] = [op.left, op.right].map((side) => columnFact(side, outputOf(side)[at]!, facts));
      return left!.type === right!.type
        ? { type: left!.type, notNull: left!.notNull && right!.notNull }
        : unknown;
    }
    case 'filter':
    case 'limit':
    case 'distinct':
    case 'distinct-on':
      return columnFact(op.child, id, facts);
  }
}

interface Node {
  readonly [key: string]: unknown;
}

const typeNames: Record<string, string> = {
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  bool: 'boolean',
  float4: 'real',
  float8: 'double precision',
  timestamptz: 'timestamp with time zone',
  timestamp: 'timestamp without time zone',
};

/** The fact of an expression, as far as its form tells. */
export function exprFact(expr: Expr, of: (id: string) => ColumnFact): ColumnFact {
  const id = columnOf(expr);
  if (id !== undefined) return of(id);
  const fact = (value: unknown): ColumnFact => exprFact(value as Expr, of);
  const [kind, value] = Object.entries(expr)[0] as [string, Node];
  switch (kind) {
    case 'TypeCast': {
      const names = (value['typeName'] as { names: { String?: { sval?: string } }[]; arrayBounds?: unknown })
        .names;
      const name = names.at(-1)?.String?.sval ?? '';
      if ((value['typeName'] as Node)['arrayBounds'] !== undefined) return unknown;
      return { type: typeNames[name] ?? name, notNull: fact(value['arg']).notNull };
    }
    case 'A_Const':
      if (value['isnull'] === true) return unknown;
      if (value['ival'] !== undefined) return { type: 'integer', notNull: true };
      if (value['boolval'] !== undefined) return { type: 'boolean', notNull: true };
      return { type: value['fval'] === undefined ? undefined : 'numeric', notNull: true };
    case 'BoolExpr':
      return { type: 'boolean', notNull: (value['args'] as Expr[]).every((arg) => fact(arg).notNull) };
    case 'CollateClause':
      return fact(value['arg']);
    case 'Late':
      return fact(value);
    case 'NullTest':
    case 'BooleanTest':
      return { type: 'boolean', notNull: true };
    case 'CoalesceExpr':
    case 'MinMaxExpr': {
      const args = (value['args'] as Expr[]).map(fact);
      return together(
        args,
        args.some(({ notNull }) => notNull),
      );
    }
    case 'CaseExpr': {
      const whens = (value['args'] as { CaseWhen: { result: Expr } }[]).map(({ CaseWhen: when }) =>
        fact(when.result),
      );
      const last = value['defresult'] === undefined ? [] : [fact(value['defresult'])];
      const all = [...whens, ...last];
      return together(all, last.length === 1 && all.every(({ notNull }) => notNull));
    }
    case 'A_Expr':
      return operatorFact(value, fact);
    case 'FuncCall':
      return callFact(value, fact);
    default:
      return unknown;
  }
}

function together(all: readonly ColumnFact[], notNull: boolean): ColumnFact {
  return { type: all.every(({ type }) => type === all[0]?.type) ? all[0]?.type : undefined, notNull };
}

function operatorFact(node: Node, fact: (value: unknown) => ColumnFact): ColumnFact {
  const name = (node['name'] as { String?: { sval?: string } }[] | undefined)?.at(-1)?.String?.sval ?? '';
  if (node['kind'] === 'AEXPR_NULLIF') return { type: fact(node['lexpr']).type, notNull: false };
  if (/^(=|<>|<|>|<=|>=|~|~\*|!~|~~|!~~)$/.test(name)) return { type: 'boolean', notNull: false };
  if (name === '->>' || name === '#>>') return { type: 'text', notNull: false };
  if (node['kind'] !== 'AEXPR_OP' || !/^[-+*]$/.test(name) || node['lexpr'] === undefined) return unknown;
  const [left, right] = [fact(node['lexpr']), fact(node['rexpr'])];
  const same = left.type === right.type && /^(integer|bigint|numeric|interval)$/.test(left.type ?? '');
  if (same && (name !== '*' || left.type !== 'interval'))
    return { type: left.type, notNull: left.notNull && right.notNull };
  // timestamptz ± interval
  if (left.type?.startsWith('timestamp') === true && right.type === 'interval')
    return { type: left.type, notNull: left.notNull && right.notNull };
  return unknown;
}

function callFact(node: Node, fact: (value: unknown) => ColumnFact): ColumnFact {
  const name = functionName(node);
  const args = (node['args'] as unknown[] | undefined) ?? [];
  if (name === undefined) return unknown;
  if (/^(count|row_number|rank|dense_rank)$/.test(name)) return { type: 'bigint', notNull: true };
  if (/^(bool_or|bool_and|every)$/.test(name)) return { type: 'boolean', notNull: false };
  if (/^(min|max|lag|lead|first_value|last_value)$/.test(name))
    return { type: fact(args[0]).type, notNull: false };
  if (name === 'sum') {
    const { type } = fact(args[0]);
    const summed =
      type === 'smallint' || type === 'integer' ? 'bigint' : type === 'bigint' ? 'numeric' : type;
    return { type: summed, notNull: false };
  }
  if (/^(btrim|ltrim|rtrim|lower|upper|initcap|replace|substr|split_part|md5|to_char)$/.test(name))
    return { type: 'text', notNull: false };
  if (name === 'date_trunc' && args.length === 2) return fact(args[1]);
  return unknown;
}

/** The name of a function of PostgreSQL's own; undefined for others. */
export function functionName(call: Node): string | undefined {
  const path = (call['funcname'] as { String?: { sval?: string } }[]).map(
    ({ String: name }) => name?.sval ?? '',
  );
  return path.length === 1 || (path.length === 2 && path[0] === 'pg_catalog') ? path.at(-1) : undefined;
}

/** Lists of output columns by which no two rows of a tree are the same. */
export function uniqueKeys(op: Op, facts: Facts): string[][] {
  switch (op.kind) {
    case 'scan': {
      const idOf = (name: string): string | undefined =>
        op.columns.find((column) => column.name === name)?.id;
      return complete((facts(op.relation)?.keys ?? []).map((key) => key.map(idOf)));
    }
    case 'project':
      if (op.sets) return [];
      return complete(
        uniqueKeys(op.child, facts).map((key) =>
          key.map((id) => op.columns.find(({ expr }) => columnOf(expr) === id)?.id),
        ),
      );
    case 'filter':
    case 'limit':
    case 'window':
      return uniqueKeys(op.child, facts);
    case 'join':
      return joinKeys(op, facts);
    case 'aggregate':
      return [op.groups.map(({ id }) => id)];
    case 'distinct':
      return [outputOf(op), ...uniqueKeys(op.child, facts)];
    case 'distinct-on':
      return [[...op.on], ...uniqueKeys(op.child, facts)];
    case 'set':
      return op.all ? [] : [[...op.columns]];
    case 'values':
    case 'function':
      return [];
  }
}

function complete(keys: readonly (readonly (string | undefined)[])[]): string[][] {
  return keys.filter((key): key is string[] => key.length > 0 && key.every((id) => id !== undefined));
}

function joinKeys(op: Join, facts: Facts): string[][] {
  if (op.join === 'full') return [];
  const left = uniqueKeys(op.left, facts);
  const right = uniqueKeys(op.right, facts);
  const leftIds = new Set(outputOf(op.left));
  const given = new Set<string>();
  for (const part of conjuncts(op.condition)) {
    const sides = equality(part);
    if (sides === undefined) continue;
    for (const [a, b] of [
      [sides.left, sides.right],
      [sides.right, sides.left],
    ] as const) {
      const id = columnOf(a);
      if (id !== undefined && idsIn(b).size > 0 && [...idsIn(b)].every((other) => leftIds.has(other)))
        given.add(id);
    }
  }
  // At most one row of the right side for each of the left.
  if (right.some((key) => key.every((id) => given.has(id)))) return left;
  return left.flatMap((l) => right.map((r) => [...l, ...r]));
}
