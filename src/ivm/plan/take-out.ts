/**
 * Takes what can fail out of conditions, so that it is computed where it stands in the query and stored: what is probed, indexed, or asked of
 * rows that a change has touched is then a column, which cannot fail.
 *
 *     U ⋈[u.id = e.payload::int] E   =   U ⋈[u.id = x] π[*, payload::int AS x] E
 *
 * What CASE, COALESCE, AND and OR keep from being evaluated is kept from it by a CASE of its own.
 */
import {
  col,
  conjunction,
  fingerprint,
  idsIn,
  raw,
  subqueriesIn,
  subqueryOf,
  usesNow,
} from '../relation/expression.ts';
import { childrenOf, withChildren } from '../relation/ir.ts';
import type { Column, Expr, Op } from '../relation/ir.ts';
import { canFail } from './fallible.ts';
import type { TypeOf } from './fallible.ts';

export class TakenOut {
  readonly columns: Column[] = [];
  readonly #own: ReadonlySet<string>;
  readonly #typeOf: TypeOf;
  readonly #newId: () => string;
  readonly #byPrint = new Map<string, string>();

  /** @param own ids of the rows that the columns are computed of */
  constructor(own: ReadonlySet<string>, typeOf: TypeOf, newId: () => string) {
    this.#own = own;
    this.#typeOf = typeOf;
    this.#newId = newId;
  }

  /**
   * The expression over columns of its own in place of what can fail of the rows alone.
   * @param guards what holds wherever the expression is evaluated
   */
  of(expr: Expr, guards: readonly Expr[] = []): Expr {
    return this.#visit(expr, guards) as Expr;
  }

  /** Of the subqueries of an expression what can fail of the rows outside. */
  ofSubqueries(expr: Expr, guards: readonly Expr[] | null = []): Expr {
    return this.#visit(expr, guards, true) as Expr;
  }

  #visit(value: unknown, guards: readonly Expr[] | null, outside = false): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#visit(item, guards, outside));
    if (value === null || typeof value !== 'object') return value;
    const node = value as Expr;
    const sub = subqueryOf(node);
    if (sub !== undefined) {
      const test = sub.test === null ? null : (this.#visit(sub.test, guards) as Expr);
      return { Sub: { ...sub, test, query: this.#inQuery(sub.query, guards) } };
    }
    if (!outside && this.#takes(node)) {
      if (guards === null) return node;
      return this.#column(
        guards.length === 0 ? node : raw(['(CASE WHEN ', conjunction(guards)!, ' THEN ', node, ' END)']),
      );
    }
    const [kind, inner] = Object.entries(node)[0] ?? [];
    const and = (more: readonly Expr[]): readonly Expr[] | null =>
      guards === null || !more.every((guard) => this.#holds(guard)) ? null : [...guards, ...more];
    const parts = inner as Record<string, unknown>;
    if (kind === 'CaseExpr') {
      if (parts['arg'] !== undefined) return { CaseExpr: this.#all(parts, null, outside) };
      const passed: Expr[] = [];
      const args = (parts['args'] as { CaseWhen: { expr: Expr; result: Expr } }[]).map(
        ({ CaseWhen: when }) => {
          const expr = this.#visit(when.expr, and(passed), outside);
          const result = this.#visit(
            when.result,
            and([...passed, raw(['(', when.expr, ' IS TRUE)'])]),
            outside,
          );
          passed.push(raw(['(', when.expr, ' IS NOT TRUE)']));
          return { CaseWhen: { ...when, expr, result } };
        },
      );
      const { defresult } = parts;
      return {
        CaseExpr: {
          ...parts,
          args,
          ...(defresult === undefined ? {} : { defresult: this.#visit(defresult, and(passed), outside) }),
        },
      };
    }
    const test =
      kind === 'CoalesceExpr'
        ? ' IS NOT DISTINCT FROM NULL)'
        : kind === 'BoolExpr'
          ? boolTests[parts['boolop'] as string]
          : undefined;
    if (test !== undefined) {
      const passed: Expr[] = [];
      const args = (parts['args'] as Expr[]).map((arg) => {
        const over = this.#visit(arg, and(passed), outside);
        passed.push(raw(['(', arg, test]));
        return over;
      });
      return { [kind!]: { ...parts, args } };
    }
    return this.#all(node, guards, outside);
  }

  #all(
    node: Readonly<Record<string, unknown>>,
    guards: readonly Expr[] | null,
    outside: boolean,
  ): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(node).map(([key, inner]) => [key, this.#visit(inner, guards, outside)]),
    );
  }

  /** Aggregates, windows and functions that return sets are no columns. */
  #inQuery(op: Op, guards: readonly Expr[] | null): Op {
    const below = withChildren(
      op,
      childrenOf(op).map((child) => this.#inQuery(child, guards)),
    );
    switch (below.kind) {
      case 'filter':
        return { ...below, condition: this.#visit(below.condition, guards) as Expr };
      case 'join':
        return below.condition === null
          ? below
          : { ...below, condition: this.#visit(below.condition, guards) as Expr };
      case 'project':
        if (below.sets) return below;
        return {
          ...below,
          columns: below.columns.map((column) => ({
            ...column,
            expr: this.#visit(column.expr, guards) as Expr,
          })),
        };
      default:
        return below;
    }
  }

  #holds(guard: Expr): boolean {
    const ids = [...idsIn(guard)];
    const plain = subqueriesIn(guard).length === 0 && !usesNow(guard) && !canFail(guard, this.#typeOf);
    return plain && ids.every((id) => this.#own.has(id));
  }

  #takes(node: Expr): boolean {
    const kinds = Object.keys(node);
    if (
      kinds.length !== 1 ||
      !/^(A_Expr|TypeCast|FuncCall|BoolExpr|NullTest|BooleanTest|CaseExpr|CoalesceExpr|MinMaxExpr|A_ArrayExpr|A_Indirection)$/.test(
        kinds[0]!,
      )
    )
      return false;
    const ids = [...idsIn(node)];
    if (ids.length === 0 || !ids.every((id) => this.#own.has(id))) return false;
    return subqueriesIn(node).length === 0 && !usesNow(node) && canFail(node, this.#typeOf);
  }

  #column(expr: Expr): Expr {
    const print = fingerprint(expr);
    const known = this.#byPrint.get(print);
    if (known !== undefined) return col(known);
    const id = this.#newId();
    this.#byPrint.set(print, id);
    this.columns.push({ id, expr });
    return col(id);
  }
}

const boolTests: Readonly<Record<string, string | undefined>> = {
  AND_EXPR: ' IS NOT FALSE)',
  OR_EXPR: ' IS NOT TRUE)',
};
