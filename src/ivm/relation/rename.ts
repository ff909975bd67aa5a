/** A copy of a tree with ids and occurrences of its own, to stand beside the original in one tree. */
import {
  col,
  columnOf,
  fingerprint,
  madeIn,
  mapExpr,
  mapOwnExprs,
  subqueriesIn,
  subqueryOf,
  substitute,
} from './expression.ts';
import { childrenOf, withChildren } from './ir.ts';
import type { Column, Expr, Op, Subquery } from './ir.ts';

export interface Ids {
  id(name: string): string;
  occurrence(): number;
}

export function copyOf(op: Op, ids: Ids): { op: Op; of: (id: string) => string } {
  const names = new Map([...madeIn(op)].map((id) => [id, ids.id(id.replace(/_\d+$/, ''))] as const));
  const of = (id: string): string => names.get(id) ?? id;
  const expr = (value: Expr): Expr =>
    mapExpr(value, (node) => {
      const id = columnOf(node);
      if (id !== undefined) return col(of(id));
      const sub = node['Sub'] as Subquery | undefined;
      if (sub === undefined) return undefined;
      return {
        Sub: {
          ...sub,
          test: sub.test === null ? null : expr(sub.test),
          query: copy(sub.query),
          output: sub.output.map(of),
        },
      };
    });
  const copy = (at: Op): Op => {
    const below = withChildren(at, childrenOf(at).map(copy));
    const mapped = mapOwnExprs(below, expr);
    const renamed = <T extends { id: string }>(list: readonly T[]): T[] =>
      list.map((column) => ({ ...column, id: of(column.id) }));
    switch (mapped.kind) {
      case 'scan':
        return { ...mapped, occurrence: ids.occurrence(), columns: renamed(mapped.columns) };
      case 'values':
      case 'function':
      case 'set':
        return { ...mapped, columns: mapped.columns.map(of) };
      case 'project':
      case 'window':
        return { ...mapped, columns: renamed(mapped.columns) };
      case 'aggregate':
        return { ...mapped, groups: renamed(mapped.groups), aggregates: renamed(mapped.aggregates) };
      case 'distinct-on':
        return { ...mapped, on: mapped.on.map(of), order: renamed(mapped.order) };
      case 'limit':
        return { ...mapped, order: renamed(mapped.order) };
      case 'filter':
      case 'join':
      case 'distinct':
        return mapped;
    }
  };
  return { op: copy(op), of };
}

/** The same text for trees that differ in ids only. */
export function canonicalText(op: Op): string {
  let ids = 0;
  const { op: copy } = copyOf(op, { id: () => `c${++ids}`, occurrence: () => 0 });
  return fingerprint(copy);
}

/** The same text for expressions whose subqueries differ in ids only: PostgreSQL writes one that is grouped by twice. */
export function canonicalExpr(expr: Expr): string {
  if (subqueriesIn(expr).length === 0) return fingerprint(expr);
  let ids = 0;
  const renamed = (value: Expr): Expr =>
    mapExpr(value, (node) => {
      const sub = subqueryOf(node);
      if (sub === undefined) return undefined;
      const { op, of } = copyOf(sub.query, { id: () => `c${++ids}`, occurrence: () => 0 });
      const test = sub.test === null ? null : renamed(sub.test);
      return { Sub: { ...sub, test, query: op, output: sub.output.map(of) } };
    });
  return fingerprint(renamed(expr));
}

/**
 * The columns of a tree under other ids. One projection does it where the tree ends with one: the branches of a long UNION would
 * stand under as many projections as there are branches.
 */
export function renamed(child: Op, columns: readonly Column[]): Op {
  if (child.kind !== 'project') return { kind: 'project', child, columns, sets: false };
  const by = new Map(child.columns.map(({ id, expr }) => [id, expr]));
  return { ...child, columns: columns.map(({ id, expr }) => ({ id, expr: substitute(expr, by) })) };
}
