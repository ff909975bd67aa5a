/** What the readers of clauses share: the one who reads a SELECT (from-sql.ts is it), and the shapes between them. */
import type { Catalog } from '../catalog.ts';
import { Unsupported, outputOf } from './ir.ts';
import type { Expr, Limit, Op, SortKey } from './ir.ts';
import type { Scope } from './scope.ts';

export interface Node {
  readonly [key: string]: unknown;
}

/** One SELECT as a tree: its columns' ids, and the names they have outside. */
export interface Selected {
  readonly op: Op;
  readonly output: readonly { readonly id: string; readonly name: string }[];
}

/** Reads SELECTs, also those inside of clauses, and hands out the ids of one view. */
export interface SelectReader {
  readonly catalog: Catalog;
  id(name: string): string;
  occurrence(): number;
  /** A SELECT inside `parent`'s scope (null at the top and in views that are read through). */
  select(select: Node, parent: Scope | null): Selected;
  /**
   * A SELECT that is run as text, as an intermediate result of its own.
   * @param names of its columns
   * @param error why; thrown again where it cannot stand alone
   */
  apart(select: Node, scope: Scope, names: readonly string[], error: Unsupported): Selected;
}

/** The tree with exactly these columns in this order (an operator may carry more). */
export function exactly(op: Op, output: readonly { readonly id: string }[]): Op {
  const has = outputOf(op);
  if (has.length === output.length && has.every((id, i) => id === output[i]!.id)) return op;
  if (new Set(output.map(({ id }) => id)).size !== output.length)
    throw new Unsupported('a column taken twice');
  return {
    kind: 'project',
    child: op,
    columns: output.map(({ id }) => ({ id, expr: { Col: id } })),
    sets: false,
  };
}

export function sortKey(key: Node, id: string): SortKey {
  if (key['useOp'] !== undefined && (key['useOp'] as unknown[]).length > 0)
    throw new Unsupported('ORDER BY ... USING');
  const descending = key['sortby_dir'] === 'SORTBY_DESC';
  const nulls = key['sortby_nulls'];
  return {
    id,
    descending,
    nullsFirst: nulls === 'SORTBY_NULLS_FIRST' || (nulls !== 'SORTBY_NULLS_LAST' && descending),
  };
}

export function limited(
  op: Op,
  select: Node,
  order: readonly SortKey[],
  expressions: { read(value: unknown): Expr },
): Op {
  const read = (value: unknown): Expr | null => {
    if (value === undefined) return null;
    const constant = (value as { A_Const?: Node }).A_Const;
    return constant?.['isnull'] === true ? null : expressions.read(value);
  };
  const limit = read(select['limitCount']);
  const offset = read(select['limitOffset']);
  if (order.length === 0 && limit === null && offset === null) return op;
  const ties = select['limitOption'] === 'LIMIT_OPTION_WITH_TIES';
  return { kind: 'limit', child: op, order, limit, offset, ties } satisfies Limit;
}
