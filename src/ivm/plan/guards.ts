/**
 * Brings guards below what they guard, as PostgreSQL's planner does, before a tree is cut into stages: what a stage stores it computes
 * for all its rows, also for those that a condition above it would have taken out.
 *
 *     σ[kind = 'num'] (U ⋈[u.id = e.payload::int] E)   =   U ⋈[u.id = e.payload::int] σ[kind = 'num'] E
 *     σ[b <> 0] (U ⋈ π[a / b] E)                        =   π[a / b] (U ⋈ σ[b <> 0] E)
 *
 * Conditions go down as far as they can, computed columns go up as far as nothing needs them. Trees in which nothing can fail stay as
 * they are.
 */
import {
  col,
  columnOf,
  conjunction,
  conjuncts,
  fingerprint,
  freeIds,
  idsIn,
  mapOwnQueries,
  ownExprs,
  remembered,
  subqueriesIn,
  substitute,
  usesNow,
} from '../relation/expression.ts';
import { childrenOf, outputOf, withChildren } from '../relation/ir.ts';
import type { Expr, Filter, Join, Op, Project } from '../relation/ir.ts';
import { canFail, treeCanFail } from './fallible.ts';
import type { TypeOf } from './fallible.ts';
import { withGuardedFilters } from './guarded-filters.ts';
import { partitionIds } from './partition.ts';

export function withGuardsBelow(root: Op, typeOf: TypeOf): Op {
  return treeCanFail(root, typeOf) ? withGuardedFilters(new Guards(typeOf).settle(root), typeOf) : root;
}

class Guards {
  readonly #fails: (expr: Expr) => boolean;
  /** What may be evaluated for more rows than stand here. */
  readonly #guard: (part: Expr) => boolean;
  readonly #known = new WeakMap<Op, boolean>();

  constructor(typeOf: TypeOf) {
    this.#fails = remembered((expr) => canFail(expr, typeOf));
    this.#guard = remembered(
      (part) => subqueriesIn(part).length === 0 && !usesNow(part) && !this.#fails(part),
    );
  }

  settle(op: Op): Op {
    const below = withChildren(
      op,
      childrenOf(op).map((child) => this.settle(child)),
    );
    const at = mapOwnQueries(below, (query) => this.settle(query));
    if (!this.#risky(at)) return at;
    if (at.kind === 'filter') return this.#filter(at);
    return at.kind === 'join' ? this.#join(at) : at;
  }

  /** Whether something that stands in the tree, subqueries aside, can fail. */
  #risky(op: Op): boolean {
    const known = this.#known.get(op);
    if (known !== undefined) return known;
    const risky =
      ownExprs(op).some((expr) => this.#fails(expr)) || childrenOf(op).some((child) => this.#risky(child));
    this.#known.set(op, risky);
    return risky;
  }

  #filter(op: Filter): Op {
    let { child } = op;
    const kept: Expr[] = [];
    const parts = conjuncts(op.condition);
    for (const part of parts) {
      // Below a condition on rows around the query nothing can be stored.
      const own = [...idsIn(part)].every((id) => outputOf(op).includes(id));
      const lower = own && this.#guard(part) && this.#risky(child) ? this.#pushed(child, part) : undefined;
      if (lower === undefined) kept.push(part);
      else child = lower;
    }
    if (kept.length === 0) return child;
    const late = kept.filter((part) => subqueriesIn(part).length === 0 && this.#fails(part));
    const early = kept.filter((part) => !late.includes(part));
    // Of the conditions on one relation PostgreSQL takes the cheapest first; those on a join come after all of them.
    if (late.length === 0 || !overJoin(child)) return { ...op, child, condition: this.#inOrder(kept) };
    const below: Op = early.length === 0 ? child : { ...op, child, condition: conjunction(early)! };
    return { ...op, child: below, condition: conjunction(late)!, after: true };
  }

  /** What cannot fail before what can. */
  #inOrder(parts: readonly Expr[]): Expr {
    return conjunction([
      ...parts.filter((part) => !this.#fails(part)),
      ...parts.filter((part) => this.#fails(part)),
    ])!;
  }

  #join(op: Join): Op {
    let { left, right } = op;
    const kept: Expr[] = [];
    for (const part of conjuncts(op.condition)) {
      const ids = [...idsIn(part)];
      const only = (side: Op): boolean => ids.length > 0 && ids.every((id) => outputOf(side).includes(id));
      if (op.join !== 'full' && this.#guard(part) && only(right)) right = this.#below(right, part);
      else if (op.join === 'inner' && this.#guard(part) && only(left)) left = this.#below(left, part);
      else kept.push(part);
    }
    const condition = kept.length === 0 ? null : this.#inOrder(kept);
    return this.#lifted({ ...op, left, right, condition });
  }

  #below(child: Op, part: Expr): Op {
    return this.#pushed(child, part) ?? { kind: 'filter', child, condition: part };
  }

  /** @returns undefined where the condition can go no further down than above this operator */
  #pushed(op: Op, part: Expr): Op | undefined {
    const ids = [...idsIn(part)];
    const all = (of: readonly string[]): boolean => ids.length > 0 && ids.every((id) => of.includes(id));
    const through = (child: Op, columns: readonly { id: string; expr: Expr }[]): Op | undefined => {
      const by = new Map(columns.map(({ id, expr }) => [id, expr]));
      const lower = substitute(part, by);
      // Columns over columns can make a long condition of a short one; other names cannot.
      const computed = ids.some((id) => columnOf(by.get(id) ?? col(id)) === undefined);
      const long = computed && fingerprint(lower).length > 20_000;
      return !long && this.#guard(lower) ? this.#below(child, lower) : undefined;
    };
    switch (op.kind) {
      case 'project': {
        const plain = op.sets ? op.columns.filter(({ expr }) => columnOf(expr) !== undefined) : op.columns;
        const known = ids.filter((id) => outputOf(op).includes(id));
        if (!known.every((id) => plain.some((column) => column.id === id))) return undefined;
        const child = through(op.child, plain);
        return child === undefined ? undefined : { ...op, child };
      }
      case 'filter': {
        const child = this.#pushed(op.child, part);
        if (child !== undefined) return { ...op, child };
        return { ...op, condition: this.#inOrder([...conjuncts(op.condition), part]) };
      }
      case 'join':
        if (op.join !== 'full' && all(outputOf(op.left))) return { ...op, left: this.#below(op.left, part) };
        if (op.join !== 'inner') return undefined;
        if (all(outputOf(op.right))) return { ...op, right: this.#below(op.right, part) };
        return { ...op, condition: this.#inOrder([...conjuncts(op.condition), part]) };
      case 'aggregate': {
        const child = all(op.groups.map(({ id }) => id)) ? through(op.child, op.groups) : undefined;
        return child === undefined ? undefined : { ...op, child };
      }
      case 'window':
        return all(partitionIds(op)) ? { ...op, child: this.#below(op.child, part) } : undefined;
      case 'distinct':
        return { ...op, child: this.#below(op.child, part) };
      case 'distinct-on':
        return all(op.on) ? { ...op, child: this.#below(op.child, part) } : undefined;
      case 'limit':
        return op.limit === null && op.offset === null
          ? { ...op, child: this.#below(op.child, part) }
          : undefined;
      case 'set': {
        if (op.operation !== 'union') return undefined;
        const [left, right] = [op.left, op.right].map((side) => {
          const of = outputOf(side);
          return through(
            side,
            op.columns.map((id, i) => ({ id, expr: col(of[i]!) })),
          );
        });
        return left === undefined || right === undefined ? undefined : { ...op, left, right };
      }
      case 'scan':
      case 'values':
      case 'function':
        return undefined;
    }
  }

  /** Columns of a side that can fail, and that the join does not need, are computed for the rows that it lets through. */
  #lifted(join: Join): Op {
    if (join.join === 'full') return join;
    const needed = new Set([
      ...(join.condition === null ? [] : idsIn(join.condition)),
      ...freeIds(join.right),
    ]);
    const moved = new Map<string, Expr>();
    const side = (op: Op): Op => {
      const at = merged(op, (expr) => this.#fails(expr));
      if (at.kind !== 'project' || at.sets) return op;
      const up = at.columns.filter(
        ({ id, expr }) => !needed.has(id) && subqueriesIn(expr).length === 0 && this.#fails(expr),
      );
      if (up.length === 0) return op;
      const stay = at.columns.filter((column) => !up.includes(column));
      const more = [...new Set(up.flatMap(({ expr }) => [...idsIn(expr)]))].filter((id) =>
        outputOf(at.child).includes(id),
      );
      // An id that is shown as something else cannot stand for itself.
      if (more.some((id) => at.columns.some((column) => column.id === id && columnOf(column.expr) !== id)))
        return op;
      for (const { id, expr } of up) moved.set(id, expr);
      const passed = more
        .filter((id) => !stay.some((column) => column.id === id))
        .map((id) => ({ id, expr: col(id) }));
      return { ...at, columns: [...stay, ...passed] };
    };
    const left = side(join.left);
    const right = join.join === 'inner' ? side(join.right) : join.right;
    if (moved.size === 0) return join;
    const columns = outputOf(join).map((id) => ({ id, expr: moved.get(id) ?? col(id) }));
    return { kind: 'project', child: { ...join, left, right }, columns, sets: false };
  }
}

function overJoin(op: Op): boolean {
  return op.kind === 'join' || ((op.kind === 'project' || op.kind === 'filter') && overJoin(op.child));
}

/** Projections one above the other as one, where the upper only passes on what can fail. */
function merged(op: Op, fails: (expr: Expr) => boolean): Op {
  if (op.kind !== 'project' || op.sets || op.child.kind !== 'project' || op.child.sets) return op;
  const below = merged(op.child, fails) as Project;
  const failing = new Set(below.columns.filter(({ expr }) => fails(expr)).map(({ id }) => id));
  const passes = op.columns.every(
    ({ expr }) => columnOf(expr) !== undefined || [...idsIn(expr)].every((id) => !failing.has(id)),
  );
  if (failing.size === 0 || !passes) return op;
  const by = new Map(below.columns.map(({ id, expr }) => [id, expr]));
  return { ...below, columns: op.columns.map(({ id, expr }) => ({ id, expr: substitute(expr, by) })) };
}
