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
import { hasOccurrence } from './classify.ts';
import { ColumnTypes, canFail } from './fallible.ts';
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
      const child = affected(op.child, occurrence, union(need, ...kept.map(idsIn)));
      return filtered(child, kept);
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
      return { kind: 'project', child: affected(side, occurrence, wanted), columns, sets: false };
    }
  }
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
      keepable(part, union(possible, new Set(outputOf(op.right))), op),
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
  const parts = conjuncts(op.condition).filter((part) => keepable(part, union(possible, leftIds), op));
  const wanted = union(need, freeIds(op.right), ...parts.map(idsIn));
  const rightNeed = only(wanted, (id) => !leftIds.has(id) && possible.has(id));
  if (op.join === 'left' && [...need].some((id) => !leftIds.has(id))) throw unavailable();
  const left = superset(
    op.left,
    only(wanted, (id) => leftIds.has(id)),
  );
  return probing(left, affected(op.right, occurrence, rightNeed), parts);
}

/** The change is in a subquery of a condition or column: its outer rows are those that meet the correlation. */
function throughSubquery(op: Op, child: Op, occurrence: number, need: ReadonlySet<string>): Op {
  const sub = ownSubqueries(op).find(({ query }) => hasOccurrence(query, occurrence));
  if (sub === undefined) throw unavailable();
  const possible = obtainable(sub.query, occurrence);
  const outer = new Set(outputOf(child));
  const tests = testConditions(op, sub).filter(
    (part) => [...idsIn(part)].every((id) => outer.has(id) || possible.has(id)) && !fails(part, child),
  );
  const wanted = only(union(need, freeIds(sub.query), ...tests.map(idsIn)), (id) => outer.has(id));
  const inner = only(union(...tests.map(idsIn)), (id) => possible.has(id));
  return probing(superset(child, wanted), affected(sub.query, occurrence, inner), tests);
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

/** x IN (SELECT y): only outer rows with x = y, or where the comparison is unknown, can change. */
function testConditions(op: Op, sub: Subquery): Expr[] {
  if (sub.test === null || (sub.type !== 'any' && sub.type !== 'all')) return [];
  const row = sub.test['RowExpr'] as { args: Expr[] } | undefined;
  const sides = row === undefined ? [sub.test] : row.args;
  if (sides.some((side) => subqueriesIn(side).length > 0)) return [];
  if (sub.type === 'any' && sub.operator === '=') {
    const positive = op.kind === 'filter' && conjuncts(op.condition).some((part) => subqueryOf(part) === sub);
    if (positive) return sides.map((side, i) => equals(side, col(sub.output[i]!)));
    return sides.map((side, i) => raw(['((', side, ' = ', col(sub.output[i]!), ') IS NOT FALSE)']));
  }
  return [];
}

/** Functions that return sets run in step, the shorter ones beside NULL: none of them can be left out. */
function columnsFor(op: Project, need: ReadonlySet<string>): readonly Column[] {
  return op.columns.filter(({ id, expr }) => need.has(id) || (op.sets && columnOf(expr) === undefined));
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
      const kept = conjuncts(op.condition).filter((part) =>
        keepable(part, new Set(outputOf(op.child)), op.child),
      );
      try {
        return filtered(superset(op.child, union(need, ...kept.map(idsIn))), kept);
      } catch (error) {
        if (!(error instanceof Unsupported)) throw error;
        return superset(op.child, need);
      }
    }
    case 'join': {
      const leftIds = new Set(outputOf(op.left));
      if (op.join === 'left') {
        if ([...need].some((id) => !leftIds.has(id))) throw unavailable();
        return superset(op.left, need);
      }
      if (op.join === 'full') throw unavailable();
      const parts = conjuncts(op.condition).filter(
        (part) => subqueriesIn(part).length === 0 && !fails(part, op),
      );
      const wanted = union(need, freeIds(op.right), ...parts.map(idsIn));
      return {
        ...op,
        left: superset(
          op.left,
          only(wanted, (id) => leftIds.has(id)),
        ),
        right: superset(
          op.right,
          only(wanted, (id) => !leftIds.has(id)),
        ),
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
        : new Set(outputOf(op.child));
      return new Set(
        op.columns
          .filter(
            ({ expr }) =>
              subqueriesIn(expr).length === 0 &&
              [...idsIn(expr)].every((id) => below.has(id)) &&
              !fails(expr, op.child),
          )
          .map(({ id }) => id),
      );
    }
    case 'aggregate': {
      const below = obtainable(op.child, occurrence);
      return new Set(
        op.groups.filter(({ expr }) => [...idsIn(expr)].every((id) => below.has(id))).map(({ id }) => id),
      );
    }
    case 'filter':
      return hasOccurrence(op.child, occurrence)
        ? obtainable(op.child, occurrence)
        : new Set(outputOf(op.child));
    case 'join': {
      const inLeft = hasOccurrence(op.left, occurrence);
      if (op.join === 'left') return inLeft ? obtainable(op.left, occurrence) : new Set(outputOf(op.left));
      if (op.join === 'full') return new Set();
      return inLeft
        ? union(obtainable(op.left, occurrence), new Set(outputOf(op.right)))
        : union(new Set(outputOf(op.left)), obtainable(op.right, occurrence));
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
  if (subqueriesIn(part).length > 0 || fails(part, child)) return false;
  let now = false;
  walkExpr(part, (node) => {
    if ('Now' in node) now = true;
  });
  if (now) return false;
  const own = new Set(outputOf(child));
  return [...idsIn(part)].every((id) => possible.has(id) || !own.has(id));
}

/** Whether an expression over a tree's columns can fail; types are asked for only where they matter. */
function fails(expr: Expr, over: Op): boolean {
  return canFail(expr, () => undefined) && canFail(expr, new ColumnTypes(over).of);
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
