/** One stage's tree → the cheapest way to keep it that is not adding to groups: linear, by suffixes, first rows, by key, or recomputed. */
import { freeIds } from '../relation/expression.ts';
import { Unsupported, outputOf } from '../relation/ir.ts';
import type { Op } from '../relation/ir.ts';
import type { Ids } from '../relation/rename.ts';
import { affected } from './affected.ts';
import { occurrencesOf, readsClock, relationsIn, treeWork } from './classify.ts';
import { expose } from './expose.ts';
import type { Facts } from './facts.ts';
import { columnCanFail } from './fallible.ts';
import type { TypeOf } from './fallible.ts';
import { firstRows } from './first-rows.ts';
import { naturalKey, pushable } from './partition.ts';
import { recompute } from './recomputed-stage.ts';
import type { Stage, StageColumn } from './stage.ts';
import { touchedPositions } from './suffix-region.ts';
import { suffixOf } from './suffix.ts';
import { topStage } from './top.ts';

/** What the choice is made by. */
export interface Known {
  readonly ids: Ids;
  readonly facts: Facts;
  /** Unique, non-null column lists of a relation. */
  readonly keysOf: (relation: string) => readonly (readonly string[])[];
  readonly typeOf: TypeOf;
}

type Chosen = Omit<Stage, 'name' | 'reads' | 'readsClock' | 'root'> & { root: Op };

/** @param unmergeable why its groups cannot be added to, where it has groups */
export function chooseStrategy(
  name: string,
  root: Op,
  columns: readonly StageColumn[],
  unmergeable: string | null,
  known: Known,
): Omit<Stage, 'reads' | 'readsClock'> {
  if (relationsIn(root).size === 0 && !readsClock(root)) {
    return { name, root, columns, strategy: 'linear', key: [], reason: 'no table is read', cost: 'nothing' };
  }
  if (treeWork(root) === 'linear') {
    return {
      name,
      root,
      columns,
      strategy: 'linear',
      key: [],
      reason: 'filters, projections, inner joins and UNION ALL pass a change on as it is',
      cost: 'the size of the change',
    };
  }
  let why = '';
  try {
    const suffix = suffixStage(root, columns, known);
    if (suffix !== undefined) return { name, ...suffix };
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    if (!firstRowsOnly(root)) why = `; not by its suffix because of ${error.construct}`;
  }
  const top = topStage(root, known.facts);
  if (top !== undefined) return { name, root, columns, key: [], ...top };
  try {
    const keyed = keyedStage(root, columns, known);
    if (keyed !== undefined) {
      const reason =
        unmergeable === null ? keyed.reason : `${keyed.reason}, and ${unmergeable} needs all of them`;
      return { name, ...keyed, reason: `${reason}${why}` };
    }
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    return recompute(name, root, columns, error.construct);
  }
  return recompute(
    name,
    root,
    columns,
    unmergeable === null ? `no partition key${why}` : `${unmergeable} needs all rows`,
  );
}

/** @throws Unsupported with the reason why partitions must be recomputed whole */
function suffixStage(root: Op, columns: readonly StageColumn[], { facts, ids }: Known): Chosen | undefined {
  const found = suffixOf(root, facts, ids);
  if (found === undefined) return undefined;
  const { plan } = found;
  const carried = plan.whole ? plan.running.map(({ from }) => from) : [];
  const order = plan.order.map(({ id }) => id);
  const { op, shown } = exposeAll(found.root, [...plan.partition, ...order, ...carried]);
  for (const occurrence of occurrencesOf(op, relationsIn(op))) touchedPositions(op, plan, occurrence);
  const words = plan.order.map(({ id, descending }) => `${wordOf(id)}${descending ? ' DESC' : ''}`);
  return {
    root: op,
    columns: withHidden(columns, Object.values(shown)),
    strategy: 'suffix',
    key: plan.partition.map((id) => shown[id]!),
    suffix: { ...plan, shown },
    ...(plan.partition.length === 0
      ? {
          reason: `rows depend on those before them by ${words.join(', ')}`,
          cost: 'the rows from the first changed place on: an event at the end costs the same however many there are',
        }
      : {
          reason: `rows of a partition by ${plan.partition.map(wordOf).join(', ')} depend on those before them by ${words.join(', ')}`,
          cost: "the partition's rows from the first changed place on: an event at the end costs the same however long the partition is",
        }),
  };
}

function keyedStage(root: Op, columns: readonly StageColumn[], known: Known): Chosen | undefined {
  const top = topGrouping(root);
  const natural = top === undefined ? driverKey(root, known) : pushableOf(top, naturalKey(top), known);
  if (natural.length === 0) return undefined;
  const { op, shown } = exposeAll(root, natural);
  const key = [...new Set(natural.map((id) => shown[id]!))];
  if (!reachable(op, key)) return undefined;
  return {
    root: op,
    columns: withHidden(columns, key),
    strategy: 'rekey',
    key,
    reason:
      top === undefined
        ? 'rows with the same key are decided by the rows of the outer side that bear it'
        : `rows are put together by ${key.map(wordOf).join(', ')}`,
    cost: firstRowsOnly(root)
      ? 'the first rows of the partitions that the change touches, found by index'
      : 'the partitions that the change touches, recomputed by index',
  };
}

/** Of some columns those that can be asked of the rows far below, where a condition may not have taken out those for which they fail. */
function pushableOf(op: Op, ids: Iterable<string>, { typeOf }: Known): string[] {
  const able = pushable(op);
  return [...ids].filter((id) => able.has(id) && !columnCanFail(op, id, typeOf));
}

/** For trees that only extend rows: the keys of the scans whose rows decide, or all their columns. */
function driverKey(root: Op, known: Known): string[] {
  const { keysOf, facts } = known;
  const scans = drivers(root);
  if (scans === undefined) return pushableOf(root, outputOf(root), known);
  return scans.flatMap((scan) => {
    const read = scan.columns.map(({ name }) => name);
    const derived = (facts(scan.relation)?.keys ?? []).filter((key) =>
      key.every((name) => read.includes(name)),
    );
    const names = keysOf(scan.relation)[0] ?? derived.find((key) => key.length > 0) ?? read;
    return names.map((name) => {
      const column = scan.columns.find((candidate) => candidate.name === name);
      if (column !== undefined) return column.id;
      throw new Unsupported('a key that was pruned');
    });
  });
}

/** Whether of a partition only its first rows are read: DISTINCT ON, top-N. */
function firstRowsOnly(op: Op): boolean {
  if (op.kind === 'distinct-on') return op.on.every((id) => pushable(op).has(id));
  if (op.kind === 'filter' && firstRows(op) !== undefined) return true;
  return (op.kind === 'filter' || op.kind === 'project') && firstRowsOnly(op.child);
}

const wordOf = (id: string): string => id.replace(/_\d+$/, '');

/** Makes columns from below visible at the top. @returns also under which id each is seen there */
function exposeAll(root: Op, ids: readonly string[]): { op: Op; shown: Record<string, string> } {
  let op = root;
  const shown: Record<string, string> = {};
  for (const id of ids) {
    const at = expose(op, id);
    op = at.op;
    shown[id] = at.id;
  }
  return { op, shown };
}

function withHidden(columns: readonly StageColumn[], ids: readonly string[]): StageColumn[] {
  const known = new Set(columns.map(({ id }) => id));
  const hidden = [...new Set(ids)].filter((id) => !known.has(id));
  return [...columns, ...hidden.map((id) => ({ id, name: `_seg_${id}`, hidden: true }))];
}

/** Whether every scan's change can be followed to the key. */
export function reachable(op: Op, key: readonly string[]): boolean {
  try {
    for (const occurrence of occurrencesOf(op, relationsIn(op))) affected(op, occurrence, new Set(key));
    return true;
  } catch (error) {
    if (error instanceof Unsupported) return false;
    throw error;
  }
}

/** The grouping operator nearest to the top, below projections and filters only. */
function topGrouping(op: Op): Op | undefined {
  switch (op.kind) {
    case 'project':
    case 'filter':
      return topGrouping(op.child);
    case 'limit':
      return op.limit === null && op.offset === null ? topGrouping(op.child) : op;
    case 'join':
    case 'scan':
    case 'values':
    case 'function':
      return undefined;
    case 'set':
      return op.operation === 'union' && op.all ? undefined : op;
    default:
      return op;
  }
}

type Scan = Extract<Op, { kind: 'scan' }>;

/** Scans whose rows decide the partitions of a tree that only extends; undefined when a union hides them. */
function drivers(op: Op): Scan[] | undefined {
  switch (op.kind) {
    case 'scan':
      return [op];
    case 'values':
    case 'function':
      return [];
    case 'project':
    case 'filter':
    case 'limit':
      return drivers(op.child);
    case 'join': {
      const left = drivers(op.left);
      if (op.join === 'left' || freeIds(op.right).size > 0) return left;
      const right = drivers(op.right);
      return left === undefined || right === undefined ? undefined : [...left, ...right];
    }
    default:
      return undefined;
  }
}
