/**
 * Subqueries that use nothing of the rows around them, as joins with an intermediate result of one row:
 *
 *     σ[x > (SELECT avg(y) FROM B)] A   =   σ[x > v] (A × (SELECT avg(y) AS v FROM B))
 *     σ[EXISTS (B)] A                   =   σ[e] (A × (SELECT count(*) > 0 AS e FROM B))
 *
 * A join passes changes of A on as they are, and has nothing to do while the row stays what it is: another row of B does not
 * concern EXISTS (B). That such a subquery has exactly one row is seen where it is an aggregate without GROUP BY.
 */
import {
  col,
  columnOf,
  fingerprint,
  freeIds,
  mapOwnExprs,
  mapExpr,
  ownSubqueries,
  raw,
  subqueryOf,
  substitute,
} from '../relation/expression.ts';
import { outputOf } from '../relation/ir.ts';
import type { Expr, Filter, Op, Project, Subquery } from '../relation/ir.ts';
import type { Ids } from '../relation/rename.ts';
import { canFail } from './fallible.ts';
import type { TypeOf } from './fallible.ts';
import { guarded } from './guarded-filters.ts';

/**
 * @param split stores a tree as an intermediate result, and answers a scan of it
 * @returns undefined when the operator has no such subquery
 */
export function joinSubqueries(
  op: Project | Filter,
  ids: Ids,
  typeOf: TypeOf,
  split: (op: Op) => Op,
): Op | undefined {
  const joined = new Map<string, { side: Op; value: Expr }>();
  const found = ownSubqueries(op).filter(standsAlone);
  if (found.length === 0) return undefined;
  for (const sub of found) {
    const print = fingerprint(sub);
    if (!joined.has(print))
      joined.set(print, sub.type === 'exists' ? existence(sub, ids, split) : value(sub, typeOf));
  }
  const over = mapOwnExprs(op, (expr) =>
    mapExpr(expr, (node) => {
      const sub = subqueryOf(node);
      const at = sub === undefined ? undefined : joined.get(fingerprint(sub));
      return at?.value;
    }),
  ) as Project | Filter;
  const child = [...joined.values()].reduce((left, { side }) => cross(left, side), op.child);
  if (over.kind === 'project') return { ...over, child };
  // A filter passes on what stands below it: nobody above knows of the rows beside.
  const columns = outputOf(op).map((id) => ({ id, expr: col(id) }));
  return { kind: 'project', child: guarded({ ...over, child }, typeOf), columns, sets: false };
}

function cross(left: Op, right: Op): Op {
  const nothing = left.kind === 'values' && left.rows.length === 1 && left.columns.length === 0;
  if (nothing) return right;
  return { kind: 'join', join: 'inner', left, right, condition: null, lateral: false };
}

function standsAlone(sub: Subquery): boolean {
  if (freeIds(sub.query).size > 0) return false;
  return sub.type === 'exists' || (sub.type === 'scalar' && hasOneRow(sub.query));
}

/** Whether a tree has one row whatever its relations hold. */
function hasOneRow(op: Op): boolean {
  switch (op.kind) {
    case 'aggregate':
      return op.groups.length === 0;
    case 'project':
      return !op.sets && hasOneRow(op.child);
    case 'limit':
      return op.limit === null && op.offset === null && hasOneRow(op.child);
    case 'join':
      return op.join === 'inner' && op.condition === null && hasOneRow(op.left) && hasOneRow(op.right);
    case 'values':
      return op.rows.length === 1;
    default:
      return false;
  }
}

/**
 * What can fail of the value (a division by a count) is computed where the subquery stands: the row beside is there also when nobody
 * asks for it.
 */
function value({ query, output }: Subquery, typeOf: TypeOf): { side: Op; value: Expr } {
  let side = query;
  let shown: Expr = col(output[0]!);
  while (
    (side.kind === 'project' && !side.sets) ||
    (side.kind === 'limit' && side.limit === null && side.offset === null)
  ) {
    if (side.kind === 'project') {
      if (!side.columns.some(({ expr }) => canFail(expr, typeOf))) break;
      shown = substitute(shown, new Map(side.columns.map(({ id, expr }) => [id, expr])));
    }
    side = side.child;
  }
  return columnOf(shown) === output[0] ? { side: query, value: shown } : { side, value: shown };
}

/** The count is kept apart from what is made of it, which changes far less often. */
function existence({ query }: Subquery, ids: Ids, split: (op: Op) => Op): { side: Op; value: Expr } {
  const [count, exists] = [ids.id('count'), ids.id('exists')];
  const call = { FuncCall: { funcname: [{ String: { sval: 'count' } }], agg_star: true } };
  const counted: Op = {
    kind: 'aggregate',
    child: unlimited(query),
    groups: [],
    aggregates: [{ id: count, expr: call }],
  };
  const columns = [{ id: exists, expr: raw(['(', col(count), ' > 0)']) }];
  return {
    side: split({ kind: 'project', child: split(counted), columns, sets: false }),
    value: col(exists),
  };
}

/** EXISTS asks for one row, in whatever order. */
function unlimited(op: Op): Op {
  if (op.kind === 'project' && !op.sets) return { ...op, child: unlimited(op.child) };
  const limit = (op.kind === 'limit' ? op.limit : null)?.['A_Const'] as
    { ival?: { ival?: number } } | undefined;
  const some =
    op.kind === 'limit' && (op.limit === null || (limit?.ival?.ival ?? 0) > 0) && op.offset === null;
  return some ? unlimited(op.child) : op;
}
