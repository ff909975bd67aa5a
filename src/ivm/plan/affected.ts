/**
 * Affected keys: from the rows that came or went in one scan to a superset of the partitions they can change.
 *
 * The tree is followed from the changed scan to the top through its linear skeleton: grouping operators pass on the
 * columns they group by, conditions on columns that are not there are dropped (a key too many only costs its
 * recomputation), joins are probed only where a column of the other side is needed. Other scans of changed relations show
 * what stood before too (`ever`), since a pair that is gone must be found.
 */
import {
  col,
  columnOf,
  conjunction,
  conjuncts,
  equals,
  freeIds,
  idsIn,
  ownSubqueries,
  raw,
  subqueriesIn,
  subqueryOf,
  walkExpr,
} from '../relation/expression.ts';
import { Unsupported, outputOf } from '../relation/ir.ts';
import type { Column, Expr, Join, Op, Project, Subquery } from '../relation/ir.ts';
import { renamed } from '../relation/rename.ts';
import { hasOccurrence } from './classify.ts';
import { failsOver } from './fallible.ts';
import { hoisted } from './hoist.ts';
import { partitionIds } from './partition.ts';

/** @throws Unsupported when a needed column cannot be had on the way up */
export function affected(op: Op, occurrence: number, need: ReadonlySet<string>): Op {
  switch (op.kind) {
    case 'scan':
      return { ...op, mode: 'touched' };
    // The change is in a subquery of an argument.
    case 'values':
    case 'function':
      throw unavailable();
    case 'project': {
      const columns = columnsFor(op, need);
      if (columns.some(({ expr }) => subqueriesIn(expr).length > 0)) throw unavailable();
      const wanted = new Set(columns.flatMap(({ expr }) => [...idsIn(expr)]));
      const child = hasOccurrence(op.child, occurrence)
        ? affected(op.child, occurrence, wanted)
        : throughSubquery(op, op.child, occurrence, wanted);
      return { ...op, child, columns, sets: op.sets };
    }
    case 'filter': {
      if (!hasOccurrence(op.child, occurrence)) return throughSubquery(op, op.child, occurrence, need);
      const possible = obtainable(op.child, occurrence);
      const kept = conjuncts(op.condition).filter((part) => keepable(part, possible, op.child));
      const { op: below, rest } = besideChange(op.child, occurrence, kept);
      return filtered(affected(below, occurrence, union(need, ...rest.map(idsIn))), rest);
    }
    case 'join':
      return throughJoin(op, occurrence, need);
    case 'aggregate': {
      const groups = op.groups.filter(({ id }) => need.has(id));
      // A change in a subquery of an argument (of an ordered-set aggregate) may be one in every group.
      if (!hasOccurrence(op.child, occurrence) || groups.length < need.size) throw unavailable();
      const wanted = new Set(groups.flatMap(({ expr }) => [...idsIn(expr)]));
      return { kind: 'project', child: affected(op.child, occurrence, wanted), columns: groups, sets: false };
    }
    // A row of a window's partition, or of a DISTINCT ON, can change the others: only the key may be asked for.
    case 'window': {
      const partition = new Set(partitionIds(op));
      if ([...need].some((id) => !partition.has(id))) throw unavailable();
      return affected(op.child, occurrence, need);
    }
    case 'distinct-on':
      if ([...need].some((id) => !op.on.includes(id))) throw unavailable();
      return affected(op.child, occurrence, need);
    case 'distinct':
      return affected(op.child, occurrence, need);
    case 'limit':
      if (need.size > 0 && (op.limit !== null || op.offset !== null)) throw unavailable();
      return affected(op.child, occurrence, need);
    case 'set': {
      const side = hasOccurrence(op.left, occurrence) ? op.left : op.right;
      const ids = outputOf(side);
      const columns = op.columns.flatMap((id, i) => (need.has(id) ? [{ id, expr: col(ids[i]!) }] : []));
      const wanted = new Set(columns.map(({ expr }) => expr['Col'] as string));
      return renamed(affected(side, occurrence, wanted), columns);
    }
  }
}

/**
 * Conditions of a WHERE over joins that concern only what stands left of the changed side: where that side is probed with a condition of
 * its own, the left is joined before PostgreSQL sees them, and would be a cross product.
 */
function besideChange(op: Op, occurrence: number, parts: readonly Expr[]): { op: Op; rest: readonly Expr[] } {
  if (op.kind !== 'join' || op.join !== 'inner') return { op, rest: parts };
  if (hasOccurrence(op.left, occurrence)) {
    const left = besideChange(op.left, occurrence, parts);
    return { op: { ...op, left: left.op }, rest: left.rest };
  }
  const ids = new Set(outputOf(op.left));
  const probed = op.condition !== null || [...freeIds(op.right)].some((id) => ids.has(id));
  if (op.left.kind !== 'join' || !probed) return { op, rest: parts };
  const beside = parts.filter((part) => idsIn(part).size > 0 && [...idsIn(part)].every((id) => ids.has(id)));
  const rest = parts.filter((part) => !beside.includes(part));
  return { op: { ...op, left: filtered(op.left, beside) }, rest };
}

function throughJoin(op: Join, occurrence: number, need: ReadonlySet<string>): Op {
  if (op.join === 'full') throw unavailable();
  const inLeft = hasOccurrence(op.left, occurrence);
  if (!inLeft && !hasOccurrence(op.right, occurrence)) throw unavailable();
  const leftIds = new Set(outputOf(op.left));
  if (inLeft) {
    const possible = obtainable(op.left, occurrence);
    if ([...need].every((id) => possible.has(id))) return affected(op.left, occurrence, need);
    if (op.join === 'left') throw unavailable();
    const parts = conjuncts(op.condition).filter((part) =>
      keepable(part, union(possible, available(op.right)), op),
    );
    const lateral = freeIds(op.right);
    const wanted = union(need, lateral, ...parts.map(idsIn));
    const left = affected(
      op.left,
      occurrence,
      only(wanted, (id) => leftIds.has(id)),
    );
    const right = superset(
      op.right,
      only(wanted, (id) => !leftIds.has(id)),
    );
    return { ...op, left, right, condition: conjunction(parts) };
  }
  // The left side is joined although its columns may not be needed, unless the right side alone has them all.
  const possible = obtainable(op.right, occurrence);
  const free = [...freeIds(op.right)].some((id) => leftIds.has(id));
  if (op.join === 'inner' && !free && [...need].every((id) => possible.has(id))) {
    return affected(op.right, occurrence, need);
  }
  const parts = conjuncts(op.condition).filter((part) =>
    keepable(part, union(possible, available(op.left)), op),
  );
  const wanted = union(need, freeIds(op.right), ...parts.map(idsIn));
  const rightNeed = only(wanted, (id) => !leftIds.has(id) && possible.has(id));
  if (op.join === 'left' && [...need].some((id) => !leftIds.has(id))) throw unavailable();
  const left = superset(
    op.left,
    only(wanted, (id) => leftIds.has(id)),
  );
  return probing(left, affected(op.right, occurrence, rightNeed), parts);
}

/**
 * The change is in a subquery of a condition or column: its outer rows are those that meet the correlation. The other conditions of
 * the same WHERE hold for them too, so what they join is joined: without them every row of the other tables would be affected.
 */
function throughSubquery(op: Op, child: Op, occurrence: number, need: ReadonlySet<string>): Op {
  const sub = ownSubqueries(op).find(({ query }) => hasOccurrence(query, occurrence));
  if (sub === undefined) throw unavailable();
  const possible = obtainable(sub.query, occurrence);
  const outer = available(child);
  const kept = op.kind === 'filter' ? keptParts(op, outer) : [];
  const ways = testConditions(op, sub, need.size > 0).map((tests) =>
    tests.filter(
      (part) => [...idsIn(part)].every((id) => outer.has(id) || possible.has(id)) && !failsOver(part, child),
    ),
  );
  const own = new Set(outputOf(child));
  const probes = ways.map((tests) => {
    const wanted = only(union(need, freeIds(sub.query), ...[...tests, ...kept].map(idsIn)), (id) =>
      own.has(id),
    );
    const inner = only(union(...tests.map(idsIn)), (id) => possible.has(id));
    return probing(filtered(superset(child, wanted), kept), affected(sub.query, occurrence, inner), tests);
  });
  const columns = [...need];
  const select = (probe: Op): Op => ({
    kind: 'project',
    child: probe,
    columns: columns.map((id) => ({ id, expr: col(id) })),
    sets: false,
  });
  const [first, ...others] = probes;
  if (others.length === 0) return first!;
  return others.reduce<Op>(
    (left, right) => ({ kind: 'set', operation: 'union', all: true, left, right: select(right), columns }),
    select(first!),
  );
}

/** A lateral join that probes the left side from the rows of the change on the right, where their conditions allow it. */
function probing(left: Op, right: Op, tests: readonly Expr[]): Join {
  const outer = new Set(outputOf(left));
  const { op, parts } = hoisted(right, outer);
  const lateral = [...freeIds(op)].some((id) => outer.has(id));
  const kept = lateral ? { op: right, parts: [] } : { op, parts };
  return {
    kind: 'join',
    join: 'inner',
    left,
    right: kept.op,
    condition: conjunction([...tests, ...kept.parts]),
    lateral,
  };
}

/**
 * x IN (SELECT y): only outer rows with x = y, or where the comparison is unknown, can change. One list of conditions for each way a
 * row can be affected, so that an index answers each of them.
 * @param apart whether there may be several
 */
function testConditions(op: Op, sub: Subquery, apart: boolean): Expr[][] {
  if (sub.test === null || sub.type !== 'any' || sub.operator !== '=') return [[]];
  const row = sub.test['RowExpr'] as { args: Expr[] } | undefined;
  const sides = row === undefined ? [sub.test] : row.args;
  if (sides.some((side) => subqueriesIn(side).length > 0)) return [[]];
  const equal = sides.map((side, i) => equals(side, col(sub.output[i]!)));
  const positive = op.kind === 'filter' && conjuncts(op.condition).some((part) => subqueryOf(part) === sub);
  if (positive) return [equal];
  if (sides.length > 1 || !apart)
    return [sides.map((side, i) => raw(['((', side, ' = ', col(sub.output[i]!), ') IS NOT FALSE)']))];
  const isNull = (expr: Expr): Expr => ({ NullTest: { arg: expr, nulltesttype: 'IS_NULL' } });
  return [equal, [isNull(sides[0]!)], [isNull(col(sub.output[0]!))]];
}

/** Functions that return sets run in step, the shorter ones beside NULL: all of them are called, or none. */
function columnsFor(op: Project, need: ReadonlySet<string>): readonly Column[] {
  const makesRows = ({ expr }: Column): boolean => op.sets && columnOf(expr) === undefined;
  const every = op.columns.some((column) => need.has(column.id) && makesRows(column));
  return op.columns.filter((column) => need.has(column.id) || (every && makesRows(column)));
}

/** All rows the tree may show in any state between before and after, by its linear skeleton. */
export function superset(op: Op, need: ReadonlySet<string>): Op {
  switch (op.kind) {
    case 'scan':
      return { ...op, mode: 'ever' };
    case 'values':
    case 'function':
      return op;
    case 'project': {
      const columns = columnsFor(op, need);
      if (columns.some(({ expr }) => subqueriesIn(expr).length > 0)) throw unavailable();
      return {
        ...op,
        columns,
        child: superset(op.child, new Set(columns.flatMap(({ expr }) => [...idsIn(expr)]))),
      };
    }
    case 'filter': {
      const kept = keptParts(op, available(op.child));
      return filtered(superset(op.child, union(need, ...kept.map(idsIn))), kept);
    }
    case 'join': {
      const leftIds = new Set(outputOf(op.left));
      if (op.join === 'left') {
        if ([...need].some((id) => !leftIds.has(id))) throw unavailable();
        return superset(op.left, need);
      }
      if (op.join === 'full') throw unavailable();
      const parts = keptParts(op, available(op));
      const wanted = union(need, freeIds(op.right), ...parts.map(idsIn));
      const ofLeft = only(wanted, (id) => leftIds.has(id));
      const ofRight = only(wanted, (id) => !leftIds.has(id));
      const right = new Set(outputOf(op.right));
      // Rows of a side that nothing is asked of would only repeat those of the other.
      if (![...ofRight].some((id) => right.has(id)) && freeIds(op.right).size === 0)
        return superset(op.left, ofLeft);
      if (ofLeft.size === 0 && freeIds(op.left).size === 0) return superset(op.right, ofRight);
      return {
        ...op,
        left: superset(op.left, ofLeft),
        right: superset(op.right, ofRight),
        condition: conjunction(parts),
      };
    }
    case 'set': {
      if (op.operation !== 'union' || !op.all) throw unavailable();
      const all = (side: Op): Op => superset(side, new Set(outputOf(side)));
      return { ...op, left: all(op.left), right: all(op.right) };
    }
    default:
      throw unavailable();
  }
}

/** Ids of the output that `superset` can deliver. */
function available(op: Op): Set<string> {
  switch (op.kind) {
    case 'scan':
    case 'values':
    case 'function':
      return new Set(outputOf(op));
    case 'project': {
      const below = available(op.child);
      return new Set(
        op.columns
          .filter(
            ({ expr }) =>
              subqueriesIn(expr).length === 0 &&
              deliverable(expr, below, op.child) &&
              !failsOver(expr, op.child),
          )
          .map(({ id }) => id),
      );
    }
    case 'filter':
      return available(op.child);
    case 'join':
      if (op.join === 'full') return new Set();
      return op.join === 'left' ? available(op.left) : union(available(op.left), available(op.right));
    case 'set': {
      if (op.operation !== 'union' || !op.all) return new Set();
      const complete = [op.left, op.right].every((side) => available(side).size === outputOf(side).length);
      return new Set(complete ? op.columns : []);
    }
    default:
      return new Set();
  }
}

/** Whether what an expression takes of a child is among the ids; others come from outside. */
function deliverable(expr: Expr, ids: ReadonlySet<string>, child: Op): boolean {
  const own = new Set(outputOf(child));
  return [...idsIn(expr)].every((id) => ids.has(id) || !own.has(id));
}

/** The conditions of an operator that hold for rows of its superset as well. */
function keptParts(op: Extract<Op, { kind: 'filter' | 'join' }>, ids: ReadonlySet<string>): Expr[] {
  return conjuncts(op.condition).filter((part) => keepable(part, ids, op));
}

/** Ids of the output that `affected` can deliver. */
function obtainable(op: Op, occurrence: number): Set<string> {
  switch (op.kind) {
    case 'scan':
    case 'values':
    case 'function':
      return new Set(outputOf(op));
    case 'project': {
      const below = hasOccurrence(op.child, occurrence)
        ? obtainable(op.child, occurrence)
        : available(op.child);
      return new Set(
        op.columns
          .filter(
            ({ expr }) =>
              subqueriesIn(expr).length === 0 &&
              [...idsIn(expr)].every((id) => below.has(id)) &&
              !failsOver(expr, op.child),
          )
          .map(({ id }) => id),
      );
    }
    case 'aggregate': {
      const below = obtainable(op.child, occurrence);
      return new Set(
        op.groups
          .filter(({ expr }) => [...idsIn(expr)].every((id) => below.has(id)) && !failsOver(expr, op.child))
          .map(({ id }) => id),
      );
    }
    case 'filter':
      return hasOccurrence(op.child, occurrence) ? obtainable(op.child, occurrence) : available(op.child);
    case 'join': {
      const inLeft = hasOccurrence(op.left, occurrence);
      if (op.join === 'left') return inLeft ? obtainable(op.left, occurrence) : available(op.left);
      if (op.join === 'full') return new Set();
      return inLeft
        ? union(obtainable(op.left, occurrence), available(op.right))
        : union(available(op.left), obtainable(op.right, occurrence));
    }
    case 'set': {
      const side = hasOccurrence(op.left, occurrence) ? op.left : op.right;
      const below = obtainable(side, occurrence);
      const ids = outputOf(side);
      return new Set(op.columns.filter((_, i) => below.has(ids[i]!)));
    }
    case 'window': {
      const below = obtainable(op.child, occurrence);
      return new Set(partitionIds(op).filter((id) => below.has(id)));
    }
    case 'distinct-on': {
      const below = obtainable(op.child, occurrence);
      return new Set(op.on.filter((id) => below.has(id)));
    }
    case 'limit':
      return op.limit === null && op.offset === null ? obtainable(op.child, occurrence) : new Set();
    case 'distinct':
      return obtainable(op.child, occurrence);
  }
}

/** A condition that may stay: no subquery, nothing that can fail for rows that other conditions would take out, nothing of the clock, and of the operator's own columns only those there are. */
function keepable(part: Expr, possible: ReadonlySet<string>, child: Op): boolean {
  if (subqueriesIn(part).length > 0 || failsOver(part, child)) return false;
  let now = false;
  walkExpr(part, (node) => {
    if ('Now' in node) now = true;
  });
  if (now) return false;
  const own = new Set(outputOf(child));
  return [...idsIn(part)].every((id) => possible.has(id) || !own.has(id));
}

function filtered(child: Op, parts: readonly Expr[]): Op {
  const condition = conjunction(parts);
  return condition === null ? child : { kind: 'filter', child, condition };
}

function unavailable(): Unsupported {
  return new Unsupported('a change whose partition can only be told from a computed value');
}

function union(...sets: readonly ReadonlySet<string>[]): Set<string> {
  return new Set(sets.flatMap((set) => [...set]));
}

function only(set: ReadonlySet<string>, test: (id: string) => boolean): Set<string> {
  return new Set([...set].filter(test));
}
