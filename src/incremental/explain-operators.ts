/** A stage's tree of operators → the same in words, as far as it helps to see how a query was read. */
import { ownSubqueries } from '../ivm/relation/expression.ts';
import { childrenOf } from '../ivm/relation/ir.ts';
import type { Op, Subquery } from '../ivm/relation/ir.ts';

export interface ExplainedOperator {
  /** SQL's own word for it: `GROUP BY`, `inner join`; `read` for a relation. */
  readonly operator: string;
  /** Of a `read`: the relation, `"schema"."name"`, or `#1` for an intermediate result of the same view. */
  readonly relation?: string;
  readonly inputs: readonly ExplainedOperator[];
}

/** Operators that only compute or rename columns are left out; subqueries stand beside the input they are asked for. */
export function explainOperators(op: Op): ExplainedOperator {
  const inputs = [
    ...childrenOf(op).map(explainOperators),
    ...ownSubqueries(op).map((subquery) => ({
      operator: subqueryWord(subquery),
      inputs: [explainOperators(subquery.query)],
    })),
  ];
  if (op.kind === 'scan') return { operator: 'read', relation: op.relation, inputs };
  if (op.kind === 'project' && !op.sets && inputs.length === 1) return inputs[0]!;
  return { operator: operatorWord(op), inputs };
}

function operatorWord(op: Exclude<Op, { kind: 'scan' }>): string {
  switch (op.kind) {
    case 'values':
      return 'constants';
    case 'function':
      return 'function in FROM';
    case 'project':
      return op.sets ? 'set-returning functions' : 'columns';
    case 'filter':
      return 'filter';
    case 'join':
      return `${op.join} join${op.lateral ? ' lateral' : ''}`;
    case 'aggregate':
      return op.groups.length === 0 ? 'aggregate of all rows' : 'GROUP BY';
    case 'window':
      return 'window functions';
    case 'distinct':
      return 'DISTINCT';
    case 'distinct-on':
      return 'DISTINCT ON';
    case 'limit':
      return op.limit === null && op.offset === null ? 'ORDER BY' : 'ORDER BY ... LIMIT';
    case 'set':
      return `${op.operation.toUpperCase()}${op.all ? ' ALL' : ''}`;
  }
}

function subqueryWord({ type }: Subquery): string {
  switch (type) {
    case 'exists':
      return '[NOT] EXISTS subquery';
    case 'any':
      return '[NOT] IN / ANY subquery';
    case 'all':
      return 'ALL subquery';
    case 'scalar':
      return 'scalar subquery';
    case 'array':
      return 'ARRAY subquery';
  }
}
