/** The columns of a merged stage's table: keys, pieces of state, and what users see of them. */
import type { Aggregate, Expr, Project } from '../relation/ir.ts';
import { columnOf, mapExpr, raw } from '../relation/expression.ts';
import type { StoredStage } from './stored-stage.ts';

/** The parts of a merged stage's tree. */
export function mergedTree(stored: StoredStage): { root: Project; aggregate: Aggregate } {
  const root = stored.stage.root;
  if (root?.kind !== 'project' || root.child.kind !== 'aggregate')
    throw new Error('invariant: a merged stage is a projection over an aggregate');
  return { root, aggregate: root.child };
}

export interface Layout {
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly hidden: boolean;
    /** What users see, over groups and state; null for a column that is key or state as it is. */
    readonly expr: Expr | null;
  }[];
  /** Place of the column that holds a piece of state. */
  readonly of: (id: string) => number;
  readonly typeOf: (name: string) => string;
  /** For a SELECT of the stage's root: the column of a piece of state under the name `a…`. */
  readonly named: (id: string) => { id: string; name: string };
  /** An expression over groups and state, with SQL for each: by default `k…` and `n…`. */
  readonly overState: (expr: Expr, key?: (place: number) => string, state?: (id: string) => string) => Expr;
}

export function layoutOf(stored: StoredStage): Layout {
  const { stage } = stored;
  const plan = stage.merge!;
  const { root, aggregate } = mergedTree(stored);
  const byName = new Map(stage.columns.map((column) => [column.name, column]));
  const placeOf = new Map(stored.columns.map(({ name }, i) => [byName.get(name)!.id, i]));
  const holders = new Set([...Object.values(plan.columns), ...stage.key]);
  const columns = stored.columns.map(({ name, type }) => {
    const { id, hidden } = byName.get(name)!;
    const expr = holders.has(id) ? null : root.columns.find((column) => column.id === id)!.expr;
    return { name, type, hidden, expr };
  });
  const of = (id: string): number => placeOf.get(plan.columns[id]!)!;
  const keyPlace = new Map(aggregate.groups.map(({ id }, i) => [id, i]));
  return {
    columns,
    of,
    typeOf: (name) => columns.find((column) => column.name === name)!.type,
    named: (id) => ({ id: plan.columns[id]!, name: `a${of(id)}` }),
    overState: (expr, key = (i) => `k${i}`, state = (id) => `n${of(id)}`) =>
      mapExpr(expr, (node) => {
        const id = columnOf(node);
        if (id === undefined) return undefined;
        const place = keyPlace.get(id);
        return raw([place === undefined ? state(id) : key(place)]);
      }),
  };
}
