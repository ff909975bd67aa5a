/**
 * Joins by several columns of which one may be long: a btree of them would refuse a value of more than 2.7 kB, and with it the
 * writer's row. Such a join is asked for by one hash of all its columns beside the comparisons themselves,
 *
 *     hash_record_extended(ROW(a, b), 0) = hash_record_extended(ROW(x, y), 0) AND a = x AND b = y
 *
 * so that an entry of its index is 8 bytes, as the indexes of partition keys are.
 */
import {
  conjunction,
  conjuncts,
  equality,
  fingerprint,
  idsIn,
  mapOwnQueries,
} from '../relation/expression.ts';
import { childrenOf, outputOf, withChildren } from '../relation/ir.ts';
import type { Expr, Op } from '../relation/ir.ts';
import { collationsIn } from '../relation/collations.ts';
import { columnFact, exprFact, isShort } from './facts.ts';
import type { Facts } from './facts.ts';

/** @param outer types of columns from outside, for correlated subqueries */
export function hashJoins(
  op: Op,
  facts: Facts,
  outer: (id: string) => string | undefined = () => undefined,
): Op {
  const ids = new Map(childrenOf(op).flatMap((child) => outputOf(child).map((id) => [id, child] as const)));
  const typeOfId = (id: string): string | undefined => {
    const child = ids.get(id);
    if (child === undefined) return outer(id);
    const { type } = columnFact(child, id, facts);
    const collation = collationsIn(child)(id);
    return collation === '' ? type : `${type} COLLATE ${collation}`;
  };
  const below = withChildren(
    op,
    childrenOf(op).map((child) => hashJoins(child, facts, typeOfId)),
  );
  const at = mapOwnQueries(below, (query) => hashJoins(query, facts, typeOfId));
  if (at.kind !== 'join' && at.kind !== 'filter') return at;
  const own = new Set(outputOf(at.kind === 'join' ? at.right : at.child));
  const match = rowMatch(conjuncts(at.condition), own, typeOfId);
  return match === undefined ? at : { ...at, condition: conjunction([match, ...conjuncts(at.condition)])! };
}

/** One comparison of hashes for all equalities between columns inside and outside, when a btree could not hold them. */
function rowMatch(
  parts: readonly Expr[],
  own: ReadonlySet<string>,
  typeOfId: (id: string) => string | undefined,
): Expr | undefined {
  if (parts.some((part) => 'RowMatch' in part)) return undefined;
  const typeOf = (expr: Expr): string | undefined =>
    exprFact(expr, (id) => ({ type: typeOfId(id), notNull: false })).type;
  const inside = (expr: Expr): boolean => idsIn(expr).size > 0 && [...idsIn(expr)].every((id) => own.has(id));
  const outside = (expr: Expr): boolean =>
    idsIn(expr).size > 0 && [...idsIn(expr)].every((id) => !own.has(id));
  const pairs = parts.flatMap((part) => {
    const sides = equality(part);
    if (sides === undefined) return [];
    const { left, right } = sides;
    if (inside(left) && outside(right)) return [{ inner: left, outer: right }];
    return inside(right) && outside(left) ? [{ inner: right, outer: left }] : [];
  });
  // Values that are equal by another collation than their own have hashes that differ.
  const collated = (expr: Expr): boolean =>
    fingerprint(expr).includes('"CollateClause"') ||
    [...idsIn(expr)].some((id) => / COLLATE /.test(typeOfId(id) ?? ''));
  const alike = pairs.filter(
    ({ inner, outer }) => !collated(inner) && !collated(outer) && hashedAlike(typeOf(inner), typeOf(outer)),
  );
  if (
    alike.length < 2 ||
    alike.every(({ inner, outer }) => isShort(typeOf(inner)) && isShort(typeOf(outer)))
  ) {
    return undefined;
  }
  return { RowMatch: { left: alike.map(({ inner }) => inner), right: alike.map(({ outer }) => outer) } };
}

/** Whether equal values of the two types have equal hashes. */
function hashedAlike(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  const family = (type: string): string =>
    /^(smallint|integer|bigint)$/.test(type)
      ? 'integer'
      : /^(text|character varying)/.test(type)
        ? 'text'
        : type;
  return family(a) === family(b) && !/\[\]$|^(real|double|json)/.test(a);
}
