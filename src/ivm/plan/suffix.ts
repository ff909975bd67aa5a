/**
 * Which trees can be kept by their suffixes: window functions, one above the other, over a linear tree, all with the same
 * PARTITION BY and ORDER BY, whose values depend on rows before theirs, and on a bounded number of rows after.
 *
 *     Q = top ∘ window_n ∘ project ∘ ... ∘ window_1 (base)
 *
 * When the first row that came or went in a partition stands at position p, rows before p − `ahead` are as they were. The rows
 * from there on need the `behind` rows before them, and of running functions the value of the row before them.
 */
import {
  col,
  columnOf,
  fingerprint,
  freeIds,
  idsIn,
  ownExprs,
  ownSubqueries,
  substitute,
  usesNow,
  walkAll,
} from '../relation/expression.ts';
import { Unsupported, outputOf } from '../relation/ir.ts';
import type { Column, Expr, Op, Scan, SortKey, Window } from '../relation/ir.ts';
import type { Ids } from '../relation/rename.ts';
import { treeWork } from './classify.ts';
import { addsExactly, columnFact, exprFact, isShort, uniqueKeys } from './facts.ts';
import type { Facts } from './facts.ts';
import { pushable } from './partition.ts';
import { reachOf } from './suffix-functions.ts';
import type { Carry } from './suffix-functions.ts';

/** A column that is continued from the row before. */
export interface Running {
  /** The window operator's column. */
  readonly id: string;
  readonly carry: Carry;
  /** Rows at the end that its frame leaves out. */
  readonly behind: number;
  /** Where the value of the row before stands: a column of the window operator. */
  readonly from: string;
  /** Where rows are not all stored: the value is found by an index on this expression over the base. */
  readonly probe: Expr | null;
}

export interface SuffixPlan {
  /** Columns of the base; none where all rows are one partition. */
  readonly partition: readonly string[];
  readonly order: readonly SortKey[];
  /** So many of the order's columns tell positions apart; the first of them may be NULL when `nullable` (then it is one). */
  readonly bound: number;
  readonly nullable: boolean;
  /** So many of the order's columns can be in an index. */
  readonly indexed: number;
  readonly behind: number;
  readonly ahead: number;
  readonly running: readonly Running[];
  /** Every row of the base has exactly one row in the result. */
  readonly whole: boolean;
  /** Several rows may stand in one place, the same in all columns but their numbers. */
  readonly alike: boolean;
}

/** Running values that can only be continued when every row is stored: the filter above must be a stage of its own. */
export class NeedsEveryRow extends Unsupported {}

/** A stack taken apart: operators from the top down to the lowest window, and what is below. */
interface Stack {
  readonly chain: readonly (Op & { kind: 'project' | 'filter' | 'window' })[];
  readonly base: Op;
}

export function stackOf(root: Op): Stack | undefined {
  const chain: Stack['chain'][number][] = [];
  let lowest = -1;
  let op = root;
  while (op.kind === 'project' || op.kind === 'filter' || op.kind === 'window') {
    chain.push(op);
    if (op.kind === 'window') lowest = chain.length - 1;
    op = op.child;
  }
  if (lowest < 0) return undefined;
  return { chain: chain.slice(0, lowest + 1), base: chain[lowest]!.child };
}

/** Puts a chain of operators over another base. */
export function restack(chain: Stack['chain'], base: Op): Op {
  return chain.reduceRight<Op>((child, op) => ({ ...op, child }), base);
}

/**
 * @returns the tree with what maintenance needs computed in it, and its plan; undefined when it is no stack of windows
 * @throws Unsupported with the reason why its partitions must be recomputed whole
 */
export function suffixOf(root: Op, facts: Facts, ids: Ids): { root: Op; plan: SuffixPlan } | undefined {
  const stack = stackOf(root);
  if (stack === undefined || treeWork(stack.base) !== 'linear' || freeIds(root).size > 0) return undefined;
  const { chain } = stack;
  let clock = false;
  walkAll(root, (op) => {
    if (ownExprs(op).some(usesNow)) clock = true;
  });
  if (clock) throw new Unsupported('a condition on the clock');
  if (chain.some((op) => ownSubqueries(op).length > 0)) throw new Unsupported('a subquery above the window');
  const top = chain.findIndex(({ kind }) => kind === 'window');
  const between = chain.slice(top + 1);
  if (between.some((op) => op.kind === 'filter' || (op.kind === 'project' && op.sets)))
    throw new Unsupported('rows filtered between two windows');
  const whole = !chain.slice(0, top).some((op) => op.kind === 'filter' || (op.kind === 'project' && op.sets));

  const defined = new Map<string, Expr>();
  for (const op of chain)
    if (op.kind === 'project') for (const column of op.columns) defined.set(column.id, column.expr);
  const resolve = (expr: Expr): Expr => {
    for (let at = expr; ;) {
      const next = substitute(at, defined);
      if (fingerprint(next) === fingerprint(at)) return at;
      at = next;
    }
  };

  const windows = chain.filter((op) => op.kind === 'window').reverse();
  const { partition, sorts } = commonWindow(windows, resolve);
  let base = stack.base;
  const computed: Column[] = [];
  const order = sorts.map(({ expr, ...rest }) => {
    const id = columnOf(expr);
    if (id !== undefined) return { id, ...rest };
    const column = { id: ids.id('position'), expr };
    computed.push(column);
    return { id: column.id, ...rest };
  });
  if (computed.length > 0) {
    const passed = outputOf(base).map((id) => ({ id, expr: col(id) }));
    base = { kind: 'project', child: base, columns: [...passed, ...computed], sets: false };
  }

  const can = pushable(base);
  if (partition.some((id) => !can.has(id))) throw new Unsupported('a partition that no index can find');
  if (ownerOf(base, [...partition, ...order.map(({ id }) => id)]) === undefined)
    throw new Unsupported('a partition and an order that come from several relations');
  const known = order.map(({ id }) => columnFact(base, id, facts));
  const longAt = known.findIndex(({ type }) => !isShort(type));
  const indexed = longAt < 0 ? order.length : longAt;
  if (indexed === 0) throw new Unsupported('an order by values that can be too long for an index (text)');
  const nullAt = known.slice(0, indexed).findIndex(({ notNull }) => !notNull);
  const ordered = (id: string): boolean => partition.includes(id) || order.some((sort) => sort.id === id);
  const total = uniqueKeys(base, facts).some((key) => key.every(ordered));
  const alike = !total && outputOf(base).every(ordered);

  const read = readFunctions(windows, resolve, { base, facts, total, alike, whole, ids });
  const computing = chain.map((op) => {
    const extra = read.added.get(op);
    return op.kind === 'window' && extra !== undefined ? { ...op, columns: [...op.columns, extra] } : op;
  });
  return {
    root: restack(computing, base),
    plan: {
      partition,
      order,
      bound: nullAt < 0 ? indexed : Math.max(nullAt, 1),
      nullable: nullAt === 0,
      indexed,
      behind: read.behind,
      ahead: read.ahead,
      running: read.running,
      whole,
      alike,
    },
  };
}

interface Sort extends Omit<SortKey, 'id'> {
  readonly expr: Expr;
}

interface Over {
  readonly partitionClause?: readonly Expr[];
  readonly orderClause?: readonly { SortBy: { node: Expr; [key: string]: unknown } }[];
}

/** The PARTITION BY and ORDER BY that all windows share, in terms of the base. */
function commonWindow(
  windows: readonly Window[],
  resolve: (expr: Expr) => Expr,
): { partition: string[]; sorts: Sort[] } {
  const found = windows.flatMap(({ columns }) =>
    columns.map(({ expr }) => {
      const over = (expr['FuncCall'] as { over: Over }).over;
      const partition = (over.partitionClause ?? []).map((part) => columnOf(resolve(part)));
      const sorts = (over.orderClause ?? []).map(({ SortBy: key }) => {
        if (((key['useOp'] as unknown[] | undefined) ?? []).length > 0)
          throw new Unsupported('ORDER BY ... USING');
        const descending = key['sortby_dir'] === 'SORTBY_DESC';
        const nulls = key['sortby_nulls'];
        const nullsFirst = nulls === 'SORTBY_NULLS_FIRST' || (nulls !== 'SORTBY_NULLS_LAST' && descending);
        return { expr: resolve(key.node), descending, nullsFirst };
      });
      return { partition: [...new Set(partition)], sorts };
    }),
  );
  const print = ({ partition, sorts }: (typeof found)[number]): string =>
    fingerprint([[...partition].sort(), sorts]);
  const first = found[0]!;
  if (found.some((other) => print(other) !== print(first)))
    throw new Unsupported('windows with different partitions or orders');
  if (first.sorts.length === 0) throw new Unsupported('a window without ORDER BY');
  const partition = first.partition.filter((id) => id !== undefined);
  if (partition.length < first.partition.length)
    throw new Unsupported('a partition by a value that a window computes');
  return { partition, sorts: first.sorts };
}

interface Context {
  readonly base: Op;
  readonly facts: Facts;
  readonly total: boolean;
  /** Rows of one place are the same in all their columns. */
  readonly alike: boolean;
  readonly whole: boolean;
  readonly ids: Ids;
}

interface Functions {
  readonly behind: number;
  readonly ahead: number;
  readonly running: readonly Running[];
  /** Columns that some windows must compute besides. */
  readonly added: ReadonlyMap<Op, Column>;
}

function readFunctions(
  windows: readonly Window[],
  resolve: (expr: Expr) => Expr,
  { base, facts, total, alike, whole, ids }: Context,
): Functions {
  const running: Running[] = [];
  const added = new Map<Op, Column>();
  const tainted = new Set<string>();
  let behind = 0;
  let ahead = 0;
  for (const level of windows) {
    let most = { behind: 0, ahead: 0 };
    for (const { id, expr } of level.columns) {
      const call = expr['FuncCall'] as Expr & { over: Over };
      const reach = reachOf(call);
      // Rows that are alike may stand in any order, and the last of them is told by its number.
      const anyOrder = alike && (reach.carry === null || reach.carry === 'number');
      if (reach.needsTotalOrder && !total && !anyOrder)
        throw new Unsupported('an ORDER BY that may hold ties (add a unique column)');
      const read = resolve({ List: [call['args'] ?? [], call['agg_filter'] ?? []] });
      const onRunning = [...idsIn(read)].some((used) => tainted.has(used));
      if (onRunning && reach.behind > 0)
        throw new Unsupported('a window that looks back on a value which another one runs up');
      if (onRunning || reach.carry !== null) tainted.add(id);
      most = { behind: Math.max(most.behind, reach.behind), ahead: Math.max(most.ahead, reach.ahead) };
      if (reach.carry === null) continue;
      const value = ((call['args'] as Expr[] | undefined) ?? [])[0];
      if (
        reach.carry === 'sum' &&
        !addsExactly(exprFact(value!, (of) => columnFact(level.child, of, facts)).type)
      )
        throw new Unsupported('a running sum of values that may be rounded, or whose type is not told');
      const probe = whole ? null : probeOf(call, reach.carry, reach.behind, resolve, base, facts);
      let from = id;
      if (reach.carry === 'rank') {
        // rank() tells where the peers of a row begin, not where they end: the rows so far are counted beside it.
        const count = added.get(level) ?? { id: ids.id('peers'), expr: countOver(call.over) };
        from = count.id;
        if (!added.has(level)) running.push({ id: from, carry: 'count', behind: 0, from, probe: null });
        added.set(level, count);
      }
      running.push({ id, carry: reach.carry, behind: reach.behind, from, probe });
    }
    behind += most.behind;
    ahead += most.ahead;
  }
  return { behind, ahead, running, added };
}

function countOver({ partitionClause, orderClause }: Over): Expr {
  const funcname = [{ String: { sval: 'count' } }];
  return { FuncCall: { funcname, agg_star: true, over: { partitionClause, orderClause } } };
}

/** A value over all rows so far that an index finds: the least, the greatest, the first. */
function probeOf(
  call: Expr,
  carry: Carry,
  behind: number,
  resolve: (expr: Expr) => Expr,
  base: Op,
  facts: Facts,
): Expr {
  const needed = (): never => {
    throw new NeedsEveryRow('a running value below a filter');
  };
  const value = ((call['args'] as Expr[] | undefined) ?? [])[0];
  // Without a partition that leads to it, a planner with old statistics takes another index than that on the value.
  const { partitionClause = [] } = (call as { over: Over }).over;
  if (partitionClause.length === 0) return needed();
  if (value === undefined || behind > 1 || !/^(min|max|or|and|first)$/.test(carry)) return needed();
  const filter = call['agg_filter'] as Expr | undefined;
  const read = resolve(
    filter === undefined ? value : { CaseExpr: { args: [{ CaseWhen: { expr: filter, result: value } }] } },
  );
  const own = new Set(outputOf(base));
  const ids = [...idsIn(read)];
  if (ids.length === 0 || ids.some((id) => !own.has(id))) return needed();
  if (carry === 'first') return read;
  const { type } = exprFact(resolve(value), (id) => columnFact(base, id, facts));
  return isShort(type) && ownerOf(base, ids) !== undefined ? read : needed();
}

/** The only relation that some columns of a tree are computed from. */
export function ownerOf(op: Op, ids: readonly string[]): Scan | undefined {
  const definitions = new Map<string, Expr>();
  const owners = new Map<string, Scan>();
  walkAll(op, (at) => {
    if (at.kind === 'project') for (const { id, expr } of at.columns) definitions.set(id, expr);
    if (at.kind === 'scan') for (const { id } of at.columns) owners.set(id, at);
  });
  const found = new Set<Scan | undefined>();
  const visit = (id: string, depth: number): void => {
    const expr = definitions.get(id);
    if (owners.has(id) || expr === undefined || depth > 50) {
      found.add(owners.get(id));
      return;
    }
    for (const used of idsIn(expr)) visit(used, depth + 1);
  };
  for (const id of ids) visit(id, 0);
  return found.size === 1 ? [...found][0] : undefined;
}
