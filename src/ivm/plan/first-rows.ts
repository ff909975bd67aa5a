/** Top-N of each group: a filter on row_number() or rank() that only the first rows of a partition can pass. */
import { columnOf, conjuncts } from '../relation/expression.ts';
import { Unsupported, outputOf } from '../relation/ir.ts';
import type { Expr, Op, SortKey, Window } from '../relation/ir.ts';
import { functionName } from './facts.ts';
import { reachOf } from './suffix-functions.ts';

export interface FirstRows {
  readonly window: Window;
  readonly order: readonly SortKey[];
  readonly rows: number;
  /** Rows that the order does not tell from the last one belong to them too. */
  readonly ties: boolean;
}

/** More than these are not worth computing anew for each change. */
const most = 100;

/** @returns how many of a partition's first rows decide what passes; undefined when it is another filter */
export function firstRows(op: Extract<Op, { kind: 'filter' }>): FirstRows | undefined {
  const defined = new Map<string, Expr>();
  let below: Op = op.child;
  while (below.kind === 'project' && !below.sets) {
    for (const column of below.columns) defined.set(column.id, column.expr);
    below = below.child;
  }
  if (below.kind !== 'window' || !looksBackOnly(below)) return undefined;
  for (const part of conjuncts(op.condition)) {
    const bound = upperBound(part);
    if (bound === undefined) continue;
    let id: string | undefined = bound.id;
    while (id !== undefined && defined.has(id)) id = columnOf(defined.get(id)!);
    const call = below.columns.find((column) => column.id === id)?.expr['FuncCall'] as Expr | undefined;
    const name = call === undefined ? undefined : functionName(call);
    const order = call === undefined ? undefined : orderOf(call, below.child);
    if ((name !== 'row_number' && name !== 'rank') || order === undefined) continue;
    return { window: below, order, rows: bound.rows, ties: name === 'rank' };
  }
  return undefined;
}

/** Rows after a row change nothing of it, and all windows run in one order. */
function looksBackOnly(window: Window): boolean {
  try {
    if (window.columns.some(({ expr }) => reachOf(expr['FuncCall'] as Expr).ahead > 0)) return false;
  } catch (error) {
    if (error instanceof Unsupported) return false;
    throw error;
  }
  const orders = window.columns.map(({ expr }) =>
    JSON.stringify((expr['FuncCall'] as { over: { orderClause?: unknown } }).over.orderClause),
  );
  return new Set(orders).size === 1;
}

function orderOf(call: Expr, child: Op): SortKey[] | undefined {
  const { orderClause = [] } = call['over'] as { orderClause?: { SortBy: { node: Expr } & Expr }[] };
  const visible = new Set(outputOf(child));
  const keys = orderClause.map(({ SortBy: key }) => {
    const descending = key['sortby_dir'] === 'SORTBY_DESC';
    const nulls = key['sortby_nulls'];
    const nullsFirst = nulls === 'SORTBY_NULLS_FIRST' || (nulls !== 'SORTBY_NULLS_LAST' && descending);
    return { id: columnOf(key.node) ?? '', descending, nullsFirst };
  });
  return keys.length > 0 && keys.every(({ id }) => visible.has(id)) ? keys : undefined;
}

/** `column <= 3`, `column < 4`, `column = 1` */
function upperBound(part: Expr): { id: string; rows: number } | undefined {
  const node = part['A_Expr'] as
    { kind?: string; name?: { String?: { sval?: string } }[]; lexpr?: Expr; rexpr?: Expr } | undefined;
  if (node?.kind !== 'AEXPR_OP' || node.lexpr === undefined || node.rexpr === undefined) return undefined;
  const id = columnOf(node.lexpr);
  const constant = node.rexpr['A_Const'] as { ival?: { ival?: number } } | undefined;
  if (id === undefined || constant?.ival === undefined) return undefined;
  const value = constant.ival.ival ?? 0;
  const word = node.name?.length === 1 ? node.name[0]?.String?.sval : undefined;
  const rows = word === '<=' || word === '=' ? value : word === '<' ? value - 1 : 0;
  return rows >= 1 && rows <= most ? { id, rows } : undefined;
}
