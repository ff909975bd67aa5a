/** A tree of the algebra as text: one operator a line, what it reads below it. */
import { ownSubqueries } from '../../src/ivm/relation/expression.ts';
import { childrenOf, outputOf } from '../../src/ivm/relation/ir.ts';
import type { Column, Expr, Op, SortKey } from '../../src/ivm/relation/ir.ts';
import { printExpr } from '../../src/ivm/relation/print-expression.ts';

export function algebraText(op: Op, indent = ''): string {
  const below = [
    ...childrenOf(op).map((child) => algebraText(child, `${indent}  `)),
    ...ownSubqueries(op).map(
      ({ type, query }, i) =>
        `${indent}  subquery ${i + 1} (${type}):\n${algebraText(query, `${indent}    `)}`,
    ),
  ];
  return [`${indent}${line(op)}`, ...below].join('\n');
}

function line(op: Op): string {
  switch (op.kind) {
    case 'scan':
      return `scan ${op.relation} as ${op.columns.map(({ id }) => id).join(', ')}`;
    case 'values':
      return `values ${op.columns.join(', ')}: ${op.rows.map((row) => `(${row.map(text).join(', ')})`).join(', ')}`;
    case 'function':
      return `function ${op.calls.map(text).join(', ')} as ${op.columns.join(', ')}`;
    case 'project':
      return `project${op.sets ? ' (sets)' : ''} ${columns(op.columns)}`;
    case 'filter':
      return `filter ${text(op.condition)}`;
    case 'join':
      return `${op.join} join${op.lateral ? ' lateral' : ''} on ${op.condition === null ? 'true' : text(op.condition)}`;
    case 'aggregate':
      return `aggregate by (${columns(op.groups)}): ${columns(op.aggregates)}`;
    case 'window':
      return `window ${columns(op.columns)}`;
    case 'distinct':
      return `distinct ${outputOf(op).join(', ')}`;
    case 'distinct-on':
      return `distinct on (${op.on.join(', ')}) order by ${order(op.order)}`;
    case 'limit':
      return `limit ${op.limit === null ? 'none' : text(op.limit)} offset ${op.offset === null ? 'none' : text(op.offset)} order by ${order(op.order)}`;
    case 'set':
      return `${op.operation}${op.all ? ' all' : ''} as ${op.columns.join(', ')}`;
  }
}

const text = (expr: Expr): string =>
  printExpr(expr, { now: 'NOW', column: (id) => id, query: () => 'SUBQUERY' });

const columns = (list: readonly Column[]): string =>
  list.map(({ id, expr }) => (text(expr) === id ? id : `${id} := ${text(expr)}`)).join(', ');

const order = (keys: readonly SortKey[]): string =>
  keys
    .map(
      ({ id, descending, nullsFirst }) =>
        `${id}${descending ? ' desc' : ''} nulls ${nullsFirst ? 'first' : 'last'}`,
    )
    .join(', ');
