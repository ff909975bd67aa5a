/**
 * Expressions: libpg-query nodes, in which
 *   { Col: id }        a column of some operator
 *   { Sub: Subquery }  a subquery
 *   { Now: {} }        the clock
 * take the place of ColumnRef, SubLink and the readings of the clock's table, and
 *   { Late: expr }     is a constant whose value the planner is not to know (plan/late-constants.ts)
 */
import { childrenOf, outputOf, withChildren } from './ir.ts';
import type { Expr, Op, Subquery } from './ir.ts';

export const col = (id: string): Expr => ({ Col: id });

export const late = (constant: Expr): Expr => ({ Late: constant });

export function columnOf(expr: Expr): string | undefined {
  return typeof expr['Col'] === 'string' ? expr['Col'] : undefined;
}

export function subqueryOf(expr: Expr): Subquery | undefined {
  return expr['Sub'] as Subquery | undefined;
}

/**
 * Rebuilds an expression from the top: `replace` answers the replacement of a node, or undefined to go into it.
 * Subqueries are gone into too.
 */
export function mapExpr(expr: Expr, replace: (node: Expr) => Expr | undefined): Expr {
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (value === null || typeof value !== 'object') return value;
    const node = value as Expr;
    const replaced = replace(node);
    if (replaced !== undefined) return replaced;
    const sub = subqueryOf(node);
    if (sub !== undefined) {
      return {
        Sub: {
          ...sub,
          test: sub.test === null ? null : mapExpr(sub.test, replace),
          query: mapOpExprs(sub.query, (inner) => mapExpr(inner, replace)),
        },
      };
    }
    return Object.fromEntries(Object.entries(node).map(([key, inner]) => [key, visit(inner)]));
  };
  return visit(expr) as Expr;
}

/** Rebuilds a tree with every expression of it (not of children first) passed through `map`. */
export function mapOpExprs(op: Op, map: (expr: Expr) => Expr): Op {
  const over = withChildren(
    op,
    childrenOf(op).map((child) => mapOpExprs(child, map)),
  );
  return mapOwnExprs(over, map);
}

/** The operator with its own expressions passed through `map`; children as they are. */
export function mapOwnExprs(op: Op, map: (expr: Expr) => Expr): Op {
  const columns = <T extends { expr: Expr }>(list: readonly T[]): T[] =>
    list.map((column) => ({ ...column, expr: map(column.expr) }));
  switch (op.kind) {
    case 'values':
      return { ...op, rows: op.rows.map((row) => row.map(map)) };
    case 'function':
      return { ...op, calls: op.calls.map(map) };
    case 'project':
    case 'window':
      return { ...op, columns: columns(op.columns) };
    case 'filter':
      return { ...op, condition: map(op.condition) };
    case 'join':
      return { ...op, condition: op.condition === null ? null : map(op.condition) };
    case 'aggregate':
      return { ...op, groups: columns(op.groups), aggregates: columns(op.aggregates) };
    case 'limit':
      return {
        ...op,
        limit: op.limit === null ? null : map(op.limit),
        offset: op.offset === null ? null : map(op.offset),
      };
    case 'scan':
    case 'distinct':
    case 'distinct-on':
    case 'set':
      return op;
  }
}

/** The operator with the queries of its own expressions passed through `map`. */
export function mapOwnQueries(op: Op, map: (query: Op) => Op): Op {
  if (ownSubqueries(op).length === 0) return op;
  const inside = (expr: Expr): Expr =>
    mapExpr(expr, (node) => {
      const sub = subqueryOf(node);
      if (sub === undefined) return undefined;
      return { Sub: { ...sub, test: sub.test === null ? null : inside(sub.test), query: map(sub.query) } };
    });
  return mapOwnExprs(op, inside);
}

export function ownExprs(op: Op): Expr[] {
  const found: Expr[] = [];
  mapOwnExprs(op, (expr) => {
    found.push(expr);
    return expr;
  });
  return found;
}

/** Calls `visit` for every node of an expression; it answers false to stay out of that node. Subqueries are visited. */
export function walkExpr(expr: Expr, visit: (node: Expr) => boolean | void): void {
  const go = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const item of value) go(item);
      return;
    }
    if (value === null || typeof value !== 'object') return;
    const node = value as Expr;
    if (visit(node) === false) return;
    const sub = subqueryOf(node);
    if (sub !== undefined) {
      if (sub.test !== null) go(sub.test);
      walkOp(sub.query, (op) => {
        for (const inner of ownExprs(op)) go(inner);
      });
      return;
    }
    for (const inner of Object.values(node)) go(inner);
  };
  go(expr);
}

/** Every operator of a tree from the top, subqueries in expressions left out. */
export function walkOp(op: Op, visit: (op: Op) => void): void {
  visit(op);
  for (const child of childrenOf(op)) walkOp(child, visit);
}

/** What is read off an operator, which never changes, is kept with it: plans ask the same of every part of a tree at every level. */
export function remembered<Key extends object, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const known = new WeakMap<Key, { readonly value: Value }>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found.value;
    const value = compute(key);
    known.set(key, { value });
    return value;
  };
}

/** Subqueries of an operator's own expressions, those inside subqueries left out. */
export const ownSubqueries = remembered((op: Op): readonly Subquery[] => ownExprs(op).flatMap(subqueriesIn));

export function subqueriesIn(expr: Expr): Subquery[] {
  const found: Subquery[] = [];
  walkExpr(expr, (node) => {
    const sub = subqueryOf(node);
    if (sub === undefined) return true;
    found.push(sub);
    return false;
  });
  return found;
}

/** Every operator, those of subqueries in expressions too. */
export function walkAll(op: Op, visit: (op: Op) => void): void {
  visit(op);
  for (const child of childrenOf(op)) walkAll(child, visit);
  for (const sub of ownSubqueries(op)) walkAll(sub.query, visit);
}

/** Ids an expression uses from outside itself (ids that a subquery makes for itself are not counted). */
export const idsIn = remembered((expr: Expr): ReadonlySet<string> => {
  const used = new Set<string>();
  const made = new Set<string>();
  walkExpr(expr, (node) => {
    const id = columnOf(node);
    if (id !== undefined) used.add(id);
    const sub = subqueryOf(node);
    if (sub !== undefined) for (const id of madeIn(sub.query)) made.add(id);
  });
  for (const id of made) used.delete(id);
  return used;
});

/** Ids that the operators of a tree make. */
export const madeIn: (op: Op) => ReadonlySet<string> = remembered(
  (op: Op): ReadonlySet<string> =>
    new Set([
      ...outputOf(op),
      ...childrenOf(op).flatMap((child) => [...madeIn(child)]),
      ...ownSubqueries(op).flatMap((sub) => [...madeIn(sub.query)]),
    ]),
);

/** Ids that the expressions of a tree use. */
const usedIn: (op: Op) => ReadonlySet<string> = remembered(
  (op: Op): ReadonlySet<string> =>
    new Set([
      ...ownExprs(op).flatMap((expr) => [...idsIn(expr)]),
      ...childrenOf(op).flatMap((child) => [...usedIn(child)]),
      ...ownSubqueries(op).flatMap((sub) => [...usedIn(sub.query)]),
    ]),
);

/** Ids a tree uses and does not make: what a correlated subquery or a lateral item takes from outside. */
export const freeIds = remembered((op: Op): ReadonlySet<string> => {
  const made = madeIn(op);
  return new Set([...usedIn(op)].filter((id) => !made.has(id)));
});

export function substitute(expr: Expr, by: ReadonlyMap<string, Expr>): Expr {
  if (by.size === 0) return expr;
  return mapExpr(expr, (node) => {
    const id = columnOf(node);
    return id === undefined ? undefined : by.get(id);
  });
}

/** Whether two expressions are the same text (places in the source apart). */
export function sameExpr(a: Expr, b: Expr): boolean {
  return fingerprint(a) === fingerprint(b);
}

export function fingerprint(expr: unknown): string {
  return JSON.stringify(expr, (key, value: unknown) =>
    key === 'location' || key === 'list_start' || key === 'list_end' ? undefined : value,
  );
}

/** The parts of a condition that are joined by AND. */
export function conjuncts(condition: Expr | null): Expr[] {
  if (condition === null) return [];
  const bool = condition['BoolExpr'] as { boolop?: string; args?: Expr[] } | undefined;
  if (bool?.boolop === 'AND_EXPR') return (bool.args ?? []).flatMap(conjuncts);
  return [condition];
}

export function conjunction(parts: readonly Expr[]): Expr | null {
  if (parts.length === 0) return null;
  if (parts.length === 1) return parts[0]!;
  return { BoolExpr: { boolop: 'AND_EXPR', args: [...parts] } };
}

/** The two sides of `a = b` with the default operator. */
export function equality(expr: Expr): { left: Expr; right: Expr } | undefined {
  const node = expr['A_Expr'] as
    { kind?: string; name?: { String?: { sval?: string } }[]; lexpr?: Expr; rexpr?: Expr } | undefined;
  if (node?.kind !== 'AEXPR_OP' || node.lexpr === undefined || node.rexpr === undefined) return undefined;
  if (node.name?.length !== 1 || node.name[0]?.String?.sval !== '=') return undefined;
  return { left: node.lexpr, right: node.rexpr };
}

export function equals(left: Expr, right: Expr): Expr {
  return { A_Expr: { kind: 'AEXPR_OP', name: [{ String: { sval: '=' } }], lexpr: left, rexpr: right } };
}

export function usesNow(expr: Expr): boolean {
  let found = false;
  walkExpr(expr, (node) => {
    if ('Now' in node) found = true;
  });
  return found;
}

/** An SQL fragment that the compiler wrote itself, as a leaf of an expression. `ids` are the columns it uses. */
export function raw(parts: readonly (string | Expr)[]): Expr {
  return { Raw: parts };
}
