/**
 * Stages of strategy `merge`: projections over an aggregate (GROUP BY, DISTINCT, UNION, or of all rows) whose input is linear, so
 * that a change of the input comes as rows with weights and is added to what is kept of each group.
 */
import { col, columnOf, subqueriesIn, substitute, usesNow } from '../relation/expression.ts';
import { childrenOf, outputOf, withChildren } from '../relation/ir.ts';
import type { Aggregate, Column, Op } from '../relation/ir.ts';
import type { Ids } from '../relation/rename.ts';
import { treeWork } from './classify.ts';
import { builtin, callOf, mergeAggregates } from './merge-aggregates.ts';
import type { MergedAggregates } from './merge-aggregates.ts';
import { countable, withoutDistinct } from './merge-distinct.ts';
import type { MergePlan, StatePart, TypesOf } from './merge-plan.ts';
import { rereads } from './merge-plan.ts';
import type { Stage, StageColumn } from './stage.ts';

export interface MergeContext {
  readonly ids: Ids;
  readonly typesOf: TypesOf;
  /** Stores a tree as a stage of its own, and answers a scan of it. */
  readonly split: (op: Op) => Op;
}

export type Merged =
  | { readonly kind: 'stage'; readonly stage: Omit<Stage, 'name' | 'reads' | 'readsClock'> }
  /** What lies over the aggregate (HAVING, the clock, subqueries) is kept by a stage over the groups. */
  | { readonly kind: 'below'; readonly root: Op }
  /** Kept otherwise, because of this aggregate. */
  | { readonly kind: 'not'; readonly because: string };

/** @returns undefined when the tree is no aggregate over a linear input */
export function mergeStage(
  root: Op,
  columns: readonly StageColumn[],
  context: MergeContext,
): Merged | undefined {
  const base = baseOf(root);
  if (base === undefined) return undefined;
  const merged = withDistinctTakenOut(base, context);
  if ('unmergeable' in merged) return { kind: 'not', because: merged.unmergeable };
  if (listed(merged) && (base.top !== root || countsDistinct(base.aggregate)))
    return { kind: 'not', because: 'jsonb_agg()' };
  if (base.top !== root) return { kind: 'below', root: replaced(root, base.top, context.split(base.top)) };
  const expanded = withoutDistinct(base.aggregate, context.ids, context.typesOf, context.split);
  const final = mergeAll({ ...base, aggregate: expanded }, context);
  // Beside distinct values a list has a filter, and keys of another row.
  if ('unmergeable' in final) return { kind: 'not', because: final.unmergeable };
  return { kind: 'stage', stage: stageOf(expanded, final, columns) };
}

/** The tree with its topmost aggregate stored apart, when that one can be merged. */
export function mergeApart(root: Op, context: MergeContext): Op {
  const base = baseOf(root);
  if (base === undefined) return root;
  const merged = withDistinctTakenOut(base, context);
  if ('unmergeable' in merged || listed(merged)) return root;
  return replaced(root, base.top, context.split(base.top));
}

/** Lists can be long: an intermediate result would be a second copy of them. */
function listed({ plan }: MergedAggregates): boolean {
  return plan.parts.some(({ kind }) => kind === 'list');
}

/** Beside a DISTINCT aggregate the rows of a list would be those of an intermediate result, one for each distinct value. */
function countsDistinct({ aggregates }: Aggregate): boolean {
  return aggregates.some(
    ({ expr }) => (expr['FuncCall'] as Record<string, unknown>)['agg_distinct'] === true,
  );
}

/** Whether groups are merged, and never read again, so that nothing need be found by their key. */
export function mergesAlways(op: Op, context: MergeContext): boolean {
  const base = baseOf(op);
  if (base === undefined) return false;
  const merged = withDistinctTakenOut(base, context);
  return !('unmergeable' in merged) && !merged.plan.parts.some(rereads);
}

/** An aggregate, with what can be computed over it in the same stage. */
interface Base {
  /** The operator up to which the stage reaches: the aggregate, or the projection over it. */
  readonly top: Op;
  readonly aggregate: Aggregate;
  readonly outputs: readonly Column[];
}

function baseOf(op: Op): Base | undefined {
  switch (op.kind) {
    case 'project': {
      const below = baseOf(op.child);
      if (below === undefined || below.top !== op.child || op.sets) return below;
      const plain = op.columns.every(({ expr }) => subqueriesIn(expr).length === 0 && !usesNow(expr));
      if (!plain) return below;
      const by = new Map(below.outputs.map(({ id, expr }) => [id, expr]));
      const outputs = op.columns.map(({ id, expr }) => ({ id, expr: substitute(expr, by) }));
      return { ...below, top: op, outputs };
    }
    case 'filter':
      return baseOf(op.child);
    case 'limit':
      return op.limit === null && op.offset === null ? baseOf(op.child) : undefined;
    case 'aggregate':
      return linearOnly(op, op);
    case 'distinct': {
      const groups = outputOf(op.child).map((id) => ({ id, expr: col(id) }));
      return linearOnly(op, { kind: 'aggregate', child: op.child, groups, aggregates: [] });
    }
    case 'set': {
      if (op.operation !== 'union' || op.all) return undefined;
      const groups = op.columns.map((id) => ({ id, expr: col(id) }));
      return linearOnly(op, { kind: 'aggregate', child: { ...op, all: true }, groups, aggregates: [] });
    }
    default:
      return undefined;
  }
}

function linearOnly(top: Op, aggregate: Aggregate): Base | undefined {
  if (treeWork(aggregate.child) !== 'linear') return undefined;
  if (top.kind !== 'aggregate' && aggregate.groups.length === 0) return undefined;
  const outputs = outputOf(aggregate).map((id) => ({ id, expr: col(id) }));
  return { top, aggregate, outputs };
}

function mergeAll(
  { aggregate, outputs }: Base,
  { ids, typesOf }: MergeContext,
): MergedAggregates | { readonly unmergeable: string } {
  const { aggregates, groups } = aggregate;
  const merged = mergeAggregates(aggregates, outputs, groups.length > 0, typesOf, (name) => ids.id(name));
  if ('unmergeable' in merged || widthOf(merged, groups.length) <= WIDEST) return merged;
  return { unmergeable: `a row of ${aggregates.length} aggregates` };
}

/** As it will be when DISTINCT has been taken out, before the stage is made (withoutDistinct). */
function withDistinctTakenOut(base: Base, context: MergeContext): ReturnType<typeof mergeAll> {
  const aggregates = base.aggregate.aggregates.map((column) => {
    const call = callOf(column.expr);
    const taken = call.agg_distinct === true && countable.test(builtin(call) ?? '');
    if (!taken || call.args?.length !== 1 || call.agg_order !== undefined) return column;
    return { ...column, expr: { FuncCall: { ...call, agg_distinct: false } } };
  });
  return mergeAll({ ...base, aggregate: { ...base.aggregate, aggregates } }, context);
}

/** PostgreSQL's limit is 1,664 columns of a SELECT; some are seg's own. */
const WIDEST = 1600;

/** Columns of the widest row that maintenance puts together: a group as it is stored, beside what a change amounts to in it. */
function widthOf({ plan, outputs }: MergedAggregates, groups: number): number {
  const computed = outputs.filter(({ expr }) => columnOf(expr) === undefined).length;
  return plan.parts.reduce((sum, part) => sum + widthOfPart(part), 2 * groups + computed);
}

function widthOfPart(part: StatePart): number {
  switch (part.kind) {
    case 'count':
    case 'xor':
      return 2;
    case 'sum':
    case 'extreme':
    case 'bits':
      return 3;
    case 'first':
      return 4 + 3 * part.keys.length;
    case 'list':
      return 8;
  }
}

function stageOf(
  aggregate: Aggregate,
  { plan, aggregates, outputs: all }: MergedAggregates,
  columns: readonly StageColumn[],
): Omit<Stage, 'name' | 'reads' | 'readsClock'> {
  // A column that shows a group or a piece of state as it is holds it too; what nobody sees is hidden.
  const visible = new Set(columns.map(({ id }) => id));
  const outputs = all.filter(({ id }) => visible.has(id));
  const shown = new Map<string, string>();
  for (const { id, expr } of outputs) {
    if (typeof expr['Col'] === 'string' && !shown.has(expr['Col'])) shown.set(expr['Col'], id);
  }
  const hidden = [...aggregate.groups, ...aggregates].map(({ id }) => id).filter((id) => !shown.has(id));
  const root: Op = {
    kind: 'project',
    child: { ...aggregate, aggregates },
    sets: false,
    columns: [...outputs, ...hidden.map((id) => ({ id, expr: col(id) }))],
  };
  const at = (id: string): string => shown.get(id) ?? id;
  return {
    root,
    columns: [...columns, ...hidden.map((id) => ({ id, name: `_seg_${id}`, hidden: true }))],
    strategy: 'merge',
    key: aggregate.groups.map(({ id }) => at(id)),
    merge: { ...plan, columns: Object.fromEntries(aggregates.map(({ id }) => [id, at(id)])) },
    reason: reasonOf(aggregate, plan),
    cost: costOf(aggregate, plan),
  };
}

function reasonOf({ groups }: Aggregate, { parts }: Pick<MergePlan, 'parts'>): string {
  const words = new Set(parts.map((part) => partWords[part.kind]));
  const kept = words.size === 0 ? 'nothing' : [...words].join(', ');
  return groups.length === 0
    ? `what is kept of all rows (${kept}) can be added to`
    : `what is kept of each group (${kept}) can be added to`;
}

const partWords = {
  count: 'counts',
  sum: 'sums',
  extreme: 'least and greatest values',
  first: 'the first row by an order',
  xor: 'bits',
  bits: 'bits',
  list: 'lists in an order',
} as const;

function costOf({ groups }: Aggregate, { parts }: Pick<MergePlan, 'parts'>): string {
  const size = groups.length === 0 ? 'the size of the change' : 'the groups that the change touches';
  if (!parts.some(rereads)) return size;
  const which = groups.length === 0 ? 'all rows are' : 'that group is';
  if (parts.some(({ kind }) => kind === 'list'))
    return `${size}, in whose rows one place is counted; when several of a group change at once, ${which} read again`;
  return `${size}; when the row goes that holds a kept value, ${which} read again`;
}

function replaced(op: Op, from: Op, to: Op): Op {
  if (op === from) return to;
  return withChildren(
    op,
    childrenOf(op).map((child) => replaced(child, from, to)),
  );
}
