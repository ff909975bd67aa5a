/** FULL JOIN as a left join UNION ALL the right rows without a match, each an intermediate result. */
import { conjunction, mapExpr } from '../relation/expression.ts';
import { outputOf } from '../relation/ir.ts';
import type { Expr, Join, Op, Subquery } from '../relation/ir.ts';
import { copyOf } from '../relation/rename.ts';
import type { Ids } from '../relation/rename.ts';

/** A FULL JOIN B = (A LEFT JOIN B) UNION ALL (B without a match in A, beside NULLs of A's types). */
export function fullJoin(join: Join, ids: Ids, split: (op: Op) => Op): Op {
  const columns = [...outputOf(join.left), ...outputOf(join.right)];
  const condition = (left: (id: string) => string, right: (id: string) => string): Expr =>
    join.condition === null
      ? { A_Const: { boolval: { boolval: true } } }
      : mapExpr(join.condition, (node) =>
          typeof node['Col'] === 'string' ? { Col: left(right(node['Col'])) } : undefined,
        );
  const l1 = copyOf(join.left, ids);
  const r1 = copyOf(join.right, ids);
  const matched: Op = {
    ...join,
    join: 'left',
    left: l1.op,
    right: r1.op,
    condition: condition(l1.of, r1.of),
  };
  const l2 = copyOf(join.left, ids);
  const l3 = copyOf(join.left, ids);
  const r2 = copyOf(join.right, ids);
  const exists: Subquery = {
    type: 'exists',
    test: null,
    operator: '=',
    query: { kind: 'filter', child: l2.op, condition: conjunction([condition(l2.of, r2.of)])! },
    output: [],
  };
  const lonely: Op = {
    kind: 'filter',
    child: r2.op,
    condition: { BoolExpr: { boolop: 'NOT_EXPR', args: [{ Sub: exists }] } },
  };
  const beside: Op = {
    kind: 'join',
    join: 'left',
    left: lonely,
    right: l3.op,
    condition: { A_Const: { boolval: {} } },
    lateral: false,
  };
  const inOrder: Op = {
    kind: 'project',
    child: beside,
    sets: false,
    columns: [...outputOf(join.left).map(l3.of), ...outputOf(join.right).map(r2.of)].map((id) => ({
      id: ids.id(id.replace(/_\d+$/, '')),
      expr: { Col: id },
    })),
  };
  return {
    kind: 'set',
    operation: 'union',
    all: true,
    left: split(matched),
    right: split(inOrder),
    columns,
  };
}
