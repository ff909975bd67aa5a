/**
 * The trees of a suffix's recomputation, for one partition (`"_seg_k".k0` ...) from one position (`"_seg_k".p0` ...) on:
 *
 *     region = last `behind` rows before the position  +  all rows from it on          (each with its distance "_seg_d")
 *     result = top(σ["_seg_d" = 0] windows(region)),  running functions continued from the row before the position
 *
 * The windows stand without PARTITION BY, since the region is one partition.
 */
import { col, columnOf, mapExpr, raw } from '../relation/expression.ts';
import { outputOf } from '../relation/ir.ts';
import type { Column, Expr, Op, SortKey } from '../relation/ir.ts';
import { copyOf } from '../relation/rename.ts';
import type { Ids } from '../relation/rename.ts';
import { affected } from './affected.ts';
import type { IndexOrder } from './indexes.ts';
import { beforePosition, condition, directionSql, fromPosition, reversed } from './positions.ts';
import { restrict } from './restrict.ts';
import type { KeyPart, KeyWithin } from './restrict.ts';
import { restack, stackOf } from './suffix.ts';
import type { Running, SuffixPlan } from './suffix.ts';

export interface RegionRequest {
  readonly root: Op;
  readonly plan: SuffixPlan;
  /** The partition's columns (of the base), with the SQL of their values. */
  readonly key: readonly KeyPart[];
  readonly keyWithin: KeyWithin;
}

const DISTANCE = '_seg_d';

/** SQL of the value of the row before, and of whether there is such a row. */
export function carried(plan: SuffixPlan, column: Running): { value: string; found: string } {
  const at = plan.running.indexOf(column);
  const alias = plan.whole ? '"_seg_c"' : `"_seg_c${at}"`;
  return { value: `${alias}.c${at}`, found: `${alias}.found` };
}

/** Partition and order of the rows that came or went, seen from one changed scan of the base. @throws Unsupported */
export function touchedPositions(
  root: Op,
  plan: Pick<SuffixPlan, 'partition' | 'order'>,
  occurrence: number,
): Op {
  const need = new Set([...plan.partition, ...plan.order.map(({ id }) => id)]);
  return affected(stackOf(root)!.base, occurrence, need);
}

/** The result's rows from the position on. */
export function regionOf(request: RegionRequest): Op {
  const { plan } = request;
  const { chain, base } = stackOf(request.root)!;
  const ids = freshIds();
  const columns = [...outputOf(base), DISTANCE];
  const rows = [
    ...(plan.behind === 0 ? [] : [lastBefore(request, base, plan.behind, ids)]),
    ...fromPosition(plan, () => '').map((_, branch) => atOrAfter(request, base, branch, ids)),
  ];
  const region = rows.reduce((left, right): Op => ({
    kind: 'set',
    operation: 'union',
    all: true,
    left,
    right,
    columns,
  }));
  const named: Op =
    rows.length > 1
      ? region
      : {
          kind: 'project',
          child: region,
          columns: columns.map((id, i) => ({ id, expr: col(outputOf(region)[i]!) })),
          sets: false,
        };
  const top = chain.findIndex(({ kind }) => kind === 'window');
  const inner = chain.slice(top).map((op) => {
    if (op.kind === 'window') return { ...op, columns: op.columns.map((column) => continued(column, plan)) };
    if (op.kind === 'project')
      return { ...op, columns: [...op.columns, { id: DISTANCE, expr: col(DISTANCE) }] };
    return op;
  });
  const windows: Op = {
    kind: 'filter',
    child: restack(inner, named),
    condition: raw([col(DISTANCE), ' = 0']),
  };
  return restack(chain.slice(0, top), windows);
}

/** Of the row that stands `ahead` rows before the position (or first of all): its order columns, as `p0` ... */
export function startOf(request: RegionRequest): Op {
  const { plan } = request;
  const { base } = stackOf(request.root)!;
  const { op, order } = before(request, base, freshIds());
  const back = limited(op, reversed(order), plan.ahead);
  const first = limited(back, order, 1);
  return {
    kind: 'project',
    child: first,
    columns: order.slice(0, plan.bound).map(({ id }, i) => ({ id: `p${i}`, expr: col(id) })),
    sets: false,
  };
}

/** The value of a running column over all rows before the position, found by an index, as `c`; no row when there is none. */
export function probeOf(request: RegionRequest, column: Running): Op {
  const { base } = stackOf(request.root)!;
  const { op, order, of } = before(request, base, freshIds(), column.carry !== 'first');
  const value: Column = { id: 'c', expr: renamed(column.probe!, of) };
  const shown = (child: Op, extra: readonly SortKey[]): Op => ({
    kind: 'project',
    child,
    columns: [value, ...extra.map(({ id }) => ({ id, expr: col(id) }))],
    sets: false,
  });
  if (column.carry === 'first') return limited(shown(op, order), order, 1);
  const greatest = column.carry === 'max' || column.carry === 'or';
  const known: Op = { kind: 'filter', child: shown(op, []), condition: raw([col('c'), ' IS NOT NULL']) };
  return limited(known, [{ id: 'c', descending: greatest, nullsFirst: greatest }], 1);
}

/** The base as it is reached in a recomputation: once in the order of its rows, once in that of each probed value. */
export function indexedBases(root: Op, plan: SuffixPlan): Op[] {
  const { base } = stackOf(root)!;
  const exprs = plan.partition.map(col);
  const by = (then: readonly IndexOrder[]): Op => ({
    kind: 'filter',
    child: base,
    condition: { KeyMatch: { exprs, values: [], then } },
  });
  const places = plan.order
    .slice(0, plan.indexed)
    .map(({ id, descending, nullsFirst }) => ({ expr: col(id), descending, nullsFirst, short: true }));
  const probes = plan.running.flatMap(({ probe, carry }) =>
    probe === null || carry === 'first'
      ? []
      : [by([{ expr: probe, descending: false, nullsFirst: false, short: true }])],
  );
  return [by(places), ...probes];
}

/**
 * Rows before the position.
 * @param byValue whether the index in the order of a value is meant to find them, and the one in the order of positions is not:
 *   inside of a CASE the condition is for no index
 */
function before(
  { plan, key, keyWithin }: RegionRequest,
  base: Op,
  ids: Ids,
  byValue = false,
): { op: Op; order: SortKey[]; of: (id: string) => string } {
  const { op: copy, of } = copyOf(base, ids);
  const parts = key.map((part) => ({ ...part, expr: renamed(part.expr, of), few: true }));
  const order = plan.order.map((sort) => ({ ...sort, id: of(sort.id) }));
  const place = beforePosition(plan, (i) => col(order[i]!.id));
  const op: Op = {
    kind: 'filter',
    child: restrict(copy, parts, keyWithin),
    condition: condition(byValue ? ['CASE WHEN ', ...place, ' THEN true ELSE false END'] : place),
  };
  return { op, order, of };
}

function lastBefore(request: RegionRequest, base: Op, rows: number, ids: Ids): Op {
  const { op, order, of } = before(request, base, ids);
  const last = limited(op, reversed(order), rows);
  const sorts = reversed(order).flatMap((sort, i) => [i === 0 ? '' : ', ', col(sort.id), directionSql(sort)]);
  const distance: Expr = rows === 1 ? raw(['1']) : raw(['row_number() OVER (ORDER BY ', ...sorts, ')']);
  return withDistance(last, outputOf(base).map(of), distance, ids);
}

function atOrAfter({ plan, key, keyWithin }: RegionRequest, base: Op, branch: number, ids: Ids): Op {
  const { op: copy, of } = copyOf(base, ids);
  const parts = key.map((part) => ({ ...part, expr: renamed(part.expr, of) }));
  const op: Op = {
    kind: 'filter',
    child: restrict(copy, parts, keyWithin),
    condition: condition(fromPosition(plan, (i) => col(of(plan.order[i]!.id)))[branch]!),
  };
  return withDistance(op, outputOf(base).map(of), raw(['0']), ids);
}

function withDistance(child: Op, columns: readonly string[], distance: Expr, ids: Ids): Op {
  const passed = columns.map((id) => ({ id, expr: col(id) }));
  return { kind: 'project', child, columns: [...passed, { id: ids.id('d'), expr: distance }], sets: false };
}

function limited(child: Op, order: readonly SortKey[], rows: number): Op {
  const limit: Expr = { A_Const: { ival: { ival: rows } } };
  return { kind: 'limit', child, order, limit, offset: null, ties: false };
}

function renamed(expr: Expr, of: (id: string) => string): Expr {
  return mapExpr(expr, (node) => {
    const id = columnOf(node);
    return id === undefined ? undefined : col(of(id));
  });
}

/** A window's column over the region; one that runs is continued from the row before the position. */
function continued(column: Column, plan: SuffixPlan): Column {
  const call = column.expr['FuncCall'] as Expr & { over: Expr };
  const { partitionClause: _, ...over } = call.over;
  const here = { FuncCall: { ...call, over } };
  const running = plan.running.find(({ id }) => id === column.id);
  if (running === undefined) return { ...column, expr: here };
  const { value, found } = carried(plan, running);
  // Rows before the position are in the value of the row before, but for those its frame left out.
  const own = raw([col(DISTANCE), ` <= ${plan.whole ? running.behind : 0}`]);
  const filter = call['agg_filter'] as Expr | undefined;
  const agg_filter = filter === undefined ? own : { BoolExpr: { boolop: 'AND_EXPR', args: [filter, own] } };
  const rest: Expr = plan.behind === 0 ? here : { FuncCall: { ...call, over, agg_filter } };
  const expr = (parts: (string | Expr)[]): Column => ({ ...column, expr: raw(['(', ...parts, ')']) });
  switch (running.carry) {
    case 'number':
    case 'rank':
    case 'dense': {
      if (plan.behind === 0) return expr([here, ` + coalesce(${value}, 0)`]);
      const lookedAt = raw([col(DISTANCE), ' > 0']);
      const { frameOptions: _f, startOffset: _s, endOffset: _e, ...ordered } = over;
      const seen = {
        FuncCall: {
          funcname: [{ String: { sval: 'count' } }],
          agg_star: true,
          agg_filter: lookedAt,
          over: ordered,
        },
      };
      return expr([here, ' - ', seen, ` + coalesce(${value}, 0)`]);
    }
    case 'first':
      return expr([`CASE WHEN ${found} THEN ${value} ELSE `, here, ' END']);
    case 'count':
      return expr([rest, ` + coalesce(${value}, 0)`]);
    case 'sum':
      return expr(['coalesce(', rest, ` + ${value}, ${value}, `, rest, ')']);
    case 'min':
      return expr(['LEAST(', rest, `, ${value})`]);
    case 'max':
      return expr(['GREATEST(', rest, `, ${value})`]);
    case 'or':
    case 'and': {
      const word = running.carry === 'or' ? 'OR' : 'AND';
      return expr(['coalesce(', rest, ` ${word} ${value}, ${value}, `, rest, ')']);
    }
  }
}

function freshIds(): Ids {
  let made = 0;
  return { id: (name) => `${name}_r${++made}`, occurrence: () => 0 };
}
