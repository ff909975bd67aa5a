/**
 * Keys that can fail, stored: what of a join's conditions, of correlated conditions, and of the keys of groups and windows can raise an error
 * is computed of the rows that stand there, kept with them in an intermediate result, and found in it. In an index on a source it would be
 * computed for every row that anybody writes.
 */
import {
  col,
  conjunction,
  conjuncts,
  freeIds,
  idsIn,
  mapOwnExprs,
  ownSubqueries,
  subqueriesIn,
  usesNow,
} from '../relation/expression.ts';
import { outputOf } from '../relation/ir.ts';
import type { Column, Expr, Filter, Join, Op, Project } from '../relation/ir.ts';
import { ownWork } from './classify.ts';
import { functionName } from './facts.ts';
import { canFail, columnCanFail } from './fallible.ts';
import type { ColumnTypes } from './fallible.ts';
import { mergesAlways } from './merge-stage.ts';
import type { MergeContext } from './merge-stage.ts';
import { TakenOut } from './take-out.ts';

/** The tree with these columns only. */
function shown(op: Op, ids: readonly string[]): Project {
  return { kind: 'project', child: op, columns: ids.map((id) => ({ id, expr: col(id) })), sets: false };
}

/** The tree with these conditions; itself when there are none. */
export function filtered(child: Op, parts: readonly Expr[]): Op {
  const condition = conjunction(parts);
  return condition === null ? child : { kind: 'filter', child, condition };
}

/** What of a window's call its rows are found by: partition and order, and a value that is the least, greatest or first. */
function searchedBy(expr: Expr): Expr {
  const call = expr['FuncCall'] as { over: Expr; args?: Expr[] } & Expr;
  const found = /^(min|max|bool_or|bool_and|every|first_value)$/.test(functionName(call) ?? '');
  return { List: [call.over, ...(found ? [call.args ?? [], call['agg_filter'] ?? {}] : [])] };
}

/** A window's call with an order of plain columns. */
function orderTakenOut(expr: Expr, taken: TakenOut): Expr {
  const call = expr['FuncCall'] as { over: { orderClause?: { SortBy: { node: Expr } }[] } };
  const { orderClause } = call.over;
  if (orderClause === undefined) return expr;
  const order = orderClause.map(({ SortBy: key }) => ({ SortBy: { ...key, node: taken.of(key.node) } }));
  return { FuncCall: { ...call, over: { ...call.over, orderClause: order } } };
}

export class StoredKeys {
  readonly types: ColumnTypes;
  readonly #merging: MergeContext;
  readonly #store: (op: Op) => Op;

  /** @param store makes a tree ready to be kept, stores it as an intermediate result, and answers a scan of it */
  constructor(types: ColumnTypes, merging: MergeContext, store: (op: Op) => Op) {
    this.types = types;
    this.#merging = merging;
    this.#store = store;
  }

  fails(expr: Expr): boolean {
    return canFail(expr, this.types.of);
  }

  anyCanFail(op: Op, ids: Iterable<string>): boolean {
    return [...ids].some((id) => columnCanFail(op, id, this.types.of));
  }

  #takeOut(own: Op): TakenOut {
    return new TakenOut(new Set(outputOf(own)), this.types.of, () => this.#merging.ids.id('value'));
  }

  /** The rows of a tree with columns that are computed of them, as an intermediate result. */
  #storedWith(op: Op, columns: readonly Column[]): Op {
    this.types.define(columns);
    const passed = outputOf(op).map((id) => ({ id, expr: col(id) }));
    return this.#store(
      columns.length === 0
        ? op
        : { kind: 'project', child: op, columns: [...passed, ...columns], sets: false },
    );
  }

  /** What of a join's condition can fail is stored with the side that it is computed of. */
  ofJoin(op: Join): Op {
    let parts = conjuncts(op.condition);
    const isPlain = (part: Expr): boolean => subqueriesIn(part).length === 0 && !usesNow(part);
    const plain = parts.filter(isPlain);
    const sides = [op.left, op.right].map((side, i) => {
      if (freeIds(side).size > 0) return side;
      const own = new Set(outputOf(side));
      const only = (part: Expr): boolean =>
        idsIn(part).size > 0 && [...idsIn(part)].every((id) => own.has(id));
      // Rows that the condition leaves out stay on an outer side: what it keeps from failing there is kept from it.
      const stays = op.join === 'full' || (op.join === 'left' && i === 0);
      const guards = stays ? plain.filter((part) => only(part) && !this.fails(part)) : [];
      const taken = this.#takeOut(side);
      parts = parts.map((part) => (isPlain(part) ? taken.of(part, guards) : part));
      const used = plain.flatMap((part) => [...idsIn(part)]).filter((id) => own.has(id));
      return taken.columns.length > 0 || this.anyCanFail(side, used)
        ? this.#storedWith(side, taken.columns)
        : side;
    });
    // What can fail of both sides together is asked of the pairs that all other conditions let through.
    const late =
      op.join === 'inner' ? parts.filter((part) => subqueriesIn(part).length === 0 && this.fails(part)) : [];
    if (late.length === 0 && sides.every((side, i) => side === (i === 0 ? op.left : op.right))) return op;
    const condition = conjunction(parts.filter((part) => !late.includes(part)));
    const join: Op = { ...op, left: sides[0]!, right: sides[1]!, condition };
    if (late.length === 0) return shown(join, outputOf(op));
    return shown({ kind: 'filter', child: join, condition: conjunction(late)!, after: true }, outputOf(op));
  }

  /** What of a correlated condition can fail of the rows within is stored with them. */
  ofCondition(op: Filter): Project | Filter {
    if (freeIds(op.child).size > 0) return op;
    const own = new Set(outputOf(op.child));
    const parts = conjuncts(op.condition);
    const alone = (part: Expr): boolean => [...idsIn(part)].every((id) => own.has(id));
    const correlated = parts.filter((part) => !alone(part) && subqueriesIn(part).length === 0);
    const taken = this.#takeOut(op.child);
    const over = new Map(correlated.map((part) => [part, taken.of(part)]));
    const used = correlated.flatMap((part) => [...idsIn(part)]).filter((id) => own.has(id));
    if (taken.columns.length === 0 && !this.anyCanFail(op.child, used)) return op;
    const below = parts.filter((part) => alone(part) && subqueriesIn(part).length === 0 && !usesNow(part));
    const rest = parts.filter((part) => !below.includes(part)).map((part) => over.get(part) ?? part);
    const child = this.#storedWith(filtered(op.child, below), taken.columns);
    return shown({ kind: 'filter', child, condition: conjunction(rest)! }, outputOf(op));
  }

  /** What subqueries ask of the rows around them, and that can fail, is stored with those. */
  ofSubqueries(op: Project | Filter): Project | Filter {
    if (freeIds(op.child).size > 0 || ownSubqueries(op).length === 0) return op;
    const taken = this.#takeOut(op.child);
    const over = mapOwnExprs(op, (expr) =>
      conjunction(conjuncts(expr).map((part) => taken.ofSubqueries(part)))!,
    ) as Project | Filter;
    const free = new Set(
      ownSubqueries(over).flatMap((sub) => [
        ...freeIds(sub.query),
        ...(sub.test === null ? [] : idsIn(sub.test)),
      ]),
    );
    const used = outputOf(op.child).filter((id) => free.has(id));
    if (taken.columns.length === 0 && !this.anyCanFail(op.child, used)) return op;
    if (over.kind === 'project') return { ...over, child: this.#storedWith(op.child, taken.columns) };
    const parts = conjuncts(over.condition);
    const below = parts.filter(
      (part) => subqueriesIn(part).length === 0 && !usesNow(part) && !this.fails(part),
    );
    const child = this.#storedWith(filtered(op.child, below), taken.columns);
    const rest = conjunction(parts.filter((part) => !below.includes(part)))!;
    return shown({ kind: 'filter', child, condition: rest }, outputOf(op));
  }

  /** Keys that can fail are stored with the rows they are computed of, unless nothing is ever found by them. */
  ofGroups<T extends Op & { readonly child: Op }>(op: T): T {
    if (ownWork(op) !== 'grouping' || op.kind === 'limit' || freeIds(op.child).size > 0) return op;
    const { child } = op;
    if (op.kind === 'window') {
      const taken = this.#takeOut(child);
      const columns = op.columns.map((column) => ({ ...column, expr: orderTakenOut(column.expr, taken) }));
      if (taken.columns.length > 0) return { ...op, columns, child: this.#storedWith(child, taken.columns) };
    }
    const used =
      op.kind === 'aggregate'
        ? op.groups.flatMap(({ expr }) => [...idsIn(expr)])
        : op.kind === 'window'
          ? op.columns.flatMap(({ expr }) => [...idsIn(searchedBy(expr))])
          : op.kind === 'distinct-on'
            ? [...op.on, ...op.order.map(({ id }) => id)]
            : outputOf(child);
    if (!this.anyCanFail(child, used) || mergesAlways(op, this.#merging)) return op;
    return { ...op, child: this.#merging.split(child) };
  }
}
