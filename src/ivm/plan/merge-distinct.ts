/**
 * count(DISTINCT x) and its like as a counted relation of its own: D(g, x) = the distinct pairs, kept with their multiplicities,
 * and the aggregate over
 *
 *     rows (with no x)  UNION ALL  D (with nothing but x)  UNION ALL  D' ...
 *
 * so that a change of D, which is one row where a value appears or vanishes, is added to the group like any other.
 * Source: DBToaster (Koch et al., VLDB Journal 2014), nested aggregates as views of their own.
 */
import { col, columnOf, fingerprint, mapExpr, raw } from '../relation/expression.ts';
import type { Aggregate, Column, Expr, Op } from '../relation/ir.ts';
import { copyOf } from '../relation/rename.ts';
import type { Ids } from '../relation/rename.ts';
import { builtin, callOf, idempotent } from './merge-aggregates.ts';
import type { TypesOf } from './merge-plan.ts';

/** Aggregates that can be computed over the distinct values themselves. */
export const countable = /^(count|sum|avg|variance|var_pop|var_samp|stddev|stddev_pop|stddev_samp|bit_xor)$/;

interface Source {
  readonly arg: Expr;
  readonly filter: Expr | null;
  readonly type: string;
  readonly calls: Column[];
}

/** @returns the aggregate itself when it has no DISTINCT to take out, or one that cannot be taken out */
export function withoutDistinct(op: Aggregate, ids: Ids, typesOf: TypesOf, split: (op: Op) => Op): Aggregate {
  const sources = new Map<string, Source>();
  const plain: Column[] = [];
  for (const column of op.aggregates) {
    const call = callOf(column.expr);
    const name = builtin(call) ?? '';
    if (call.agg_distinct !== true || idempotent.test(name)) {
      plain.push(column);
      continue;
    }
    const [arg] = call.args ?? [];
    const type = typesOf(column.id)?.args[0];
    if (arg === undefined || call.args?.length !== 1 || type === undefined || !countable.test(name))
      return op;
    const filter = call.agg_filter ?? null;
    const print = fingerprint([arg, filter]);
    const source = sources.get(print) ?? { arg, filter, type, calls: [] };
    source.calls.push(column);
    sources.set(print, source);
  }
  if (sources.size === 0) return op;
  const [only] = sources.values();
  if (sources.size === 1 && plain.length === 0 && only!.filter === null) {
    const { scan, groups, value } = distinctOf(op, only!, ids, split);
    return {
      ...op,
      child: scan,
      groups: op.groups.map((group, i) => ({ ...group, expr: col(groups[i]!) })),
      aggregates: only!.calls.map((call) => over(call, [col(value)], null)),
    };
  }
  return besideRows(op, plain, [...sources.values()], ids, typesOf, split);
}

/** The stage of distinct values of each group. */
function distinctOf(
  op: Aggregate,
  source: Source,
  ids: Ids,
  split: (op: Op) => Op,
): { scan: Op; groups: string[]; value: string } {
  const copy = copyOf(op.child, ids);
  const moved = (expr: Expr): Expr =>
    mapExpr(expr, (node) => {
      const id = columnOf(node);
      return id === undefined ? undefined : col(copy.of(id));
    });
  const groups = op.groups.map(({ id, expr }) => ({ id: ids.id(plainName(id)), expr: moved(expr) }));
  const value = { id: ids.id('value'), expr: moved(source.arg) };
  const child: Op =
    source.filter === null ? copy.op : { kind: 'filter', child: copy.op, condition: moved(source.filter) };
  return {
    scan: split({ kind: 'aggregate', child, groups: [...groups, value], aggregates: [] }),
    groups: groups.map(({ id }) => id),
    value: value.id,
  };
}

function besideRows(
  op: Aggregate,
  plain: readonly Column[],
  sources: readonly Source[],
  ids: Ids,
  typesOf: TypesOf,
  split: (op: Op) => Op,
): Aggregate {
  /** Columns of the union: what rows put there, and what distinct values put there. */
  const columns: { id: string; row: Expr; otherwise: Expr }[] = [];
  const add = (name: string, row: Expr, otherwise: Expr): Expr => {
    const id = ids.id(name);
    columns.push({ id, row, otherwise });
    return col(id);
  };
  const none = (type: string): Expr => raw([`NULL::${type}`]);
  const isRow = add('is_row', raw(['true']), raw(['false']));
  const aggregates: Column[] = [];
  for (const column of plain) {
    const call = callOf(column.expr);
    const types = typesOf(column.id);
    const given = call.args ?? [];
    const order = call.agg_order ?? [];
    if (types === undefined || types.args.length !== given.length || types.order.length !== order.length)
      return op;
    const filter = call.agg_filter;
    const when =
      filter === undefined ? isRow : add('when', raw(['((', filter, ') IS TRUE)']), raw(['false']));
    // What a FILTER keeps from an argument (a division by zero) must be kept from it here.
    const guarded = (expr: Expr): Expr =>
      filter === undefined ? expr : raw(['CASE WHEN ', filter, ' THEN ', expr, ' END']);
    const args = given.map((arg, i) => add('arg', guarded(arg), none(types.args[i]!)));
    const keys = order.map(({ SortBy: key }, i) => ({
      SortBy: { ...key, node: add('key', guarded(key['node'] as Expr), none(types.order[i]!)) },
    }));
    aggregates.push(over(column, args, when, keys));
  }
  const sides: Op[] = [];
  const distinct = sources.map((source) => {
    const value = add('value', none(source.type), none(source.type));
    aggregates.push(...source.calls.map((call) => over(call, [value], null)));
    return { ...distinctOf(op, source, ids, split), to: columnOf(value)! };
  });
  const side = (child: Op, groups: readonly Expr[], of: (column: (typeof columns)[number]) => Expr): Op => ({
    kind: 'project',
    child,
    sets: false,
    columns: [
      ...groups.map((expr) => ({ id: ids.id('group'), expr })),
      ...columns.map((column) => ({ id: ids.id(plainName(column.id)), expr: of(column) })),
    ],
  });
  sides.push(
    side(
      op.child,
      op.groups.map(({ expr }) => expr),
      ({ row }) => row,
    ),
  );
  for (const { scan, groups, value, to } of distinct) {
    sides.push(side(scan, groups.map(col), ({ id, otherwise }) => (id === to ? col(value) : otherwise)));
  }
  const names = [...op.groups, ...columns].map(({ id }) => plainName(id));
  // The last union's columns are those that the calls name.
  const child = sides.slice(1).reduce<Op>((left, right, i) => {
    const last = i === sides.length - 2;
    const groups = op.groups.map(({ id }) => ids.id(plainName(id)));
    return {
      kind: 'set',
      operation: 'union',
      all: true,
      left,
      right,
      columns: last ? [...groups, ...columns.map(({ id }) => id)] : names.map((name) => ids.id(name)),
    };
  }, sides[0]!);
  const groupIds = child.kind === 'set' ? child.columns : [];
  const order = new Map(op.aggregates.map(({ id }, i) => [id, i]));
  return {
    ...op,
    child,
    groups: op.groups.map((group, i) => ({ ...group, expr: col(groupIds[i]!) })),
    aggregates: aggregates.sort((a, b) => order.get(a.id)! - order.get(b.id)!),
  };
}

/** The same call over other columns, without DISTINCT. */
function over(
  column: Column,
  args: readonly Expr[],
  filter: Expr | null,
  order?: readonly { SortBy: Record<string, unknown> }[],
): Column {
  const { agg_distinct, agg_filter, agg_order, ...call } = callOf(column.expr);
  void [agg_distinct, agg_filter, agg_order];
  return {
    ...column,
    expr: {
      FuncCall: {
        ...call,
        args,
        ...(filter === null ? {} : { agg_filter: filter }),
        ...(order === undefined || order.length === 0 ? {} : { agg_order: order }),
      },
    },
  };
}

const plainName = (id: string): string => id.replace(/_\d+$/, '');
