import { beforeAll, expect, test } from 'vitest';
import { loadSqlParser, parseStatements } from '../../sql/parse.ts';
import { walkExpr } from '../relation/expression.ts';
import { Unsupported } from '../relation/ir.ts';
import type { Expr } from '../relation/ir.ts';
import { reachOf } from './suffix-functions.ts';

beforeAll(() => loadSqlParser());

function callIn(text: string): Expr {
  let call: Expr | undefined;
  walkExpr(parseStatements(`SELECT ${text}`)[0]!.node, (node) => {
    if ('FuncCall' in node) call ??= node['FuncCall'] as Expr;
  });
  return call!;
}

test.each([
  ['lag(x) OVER (ORDER BY o)', 1, 0, null, true],
  ['lag(x, 3) OVER (ORDER BY o)', 3, 0, null, true],
  ['lead(x, 2) OVER (ORDER BY o)', 0, 2, null, true],
  ['row_number() OVER (ORDER BY o)', 0, 0, 'number', true],
  ['rank() OVER (ORDER BY o)', 0, 0, 'rank', false],
  ['sum(x) OVER (ORDER BY o)', 0, 0, 'sum', false],
  ['sum(x) OVER (ORDER BY o ROWS UNBOUNDED PRECEDING)', 0, 0, 'sum', true],
  ['max(x) OVER (ORDER BY o ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING)', 2, 0, 'max', true],
  ['avg(x) OVER (ORDER BY o ROWS BETWEEN 2 PRECEDING AND 4 FOLLOWING)', 2, 4, null, true],
  ['avg(x) OVER (ORDER BY o ROWS BETWEEN CURRENT ROW AND 4 FOLLOWING)', 0, 4, null, true],
  ['first_value(x) OVER (ORDER BY o)', 0, 0, 'first', true],
  ['count(*) OVER (ORDER BY o RANGE BETWEEN CURRENT ROW AND CURRENT ROW)', 0, 0, null, false],
] as const)('%s', (text, behind, ahead, carry, needsTotalOrder) => {
  expect(reachOf(callIn(text))).toEqual({ behind, ahead, carry, needsTotalOrder });
});

test.each([
  ['ntile(4) OVER (ORDER BY o)', 'how many rows'],
  ['lag(x, n) OVER (ORDER BY o)', 'no constant'],
  ['lag(x, 1000) OVER (ORDER BY o)', 'more than 100'],
  ['avg(x) OVER (ORDER BY o)', 'avg() over all rows so far'],
  ['sum(x) OVER (ORDER BY o ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)', 'the end of the partition'],
  ['sum(x) OVER (ORDER BY o ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING)', 'beyond the current one'],
  ['sum(x) OVER (ORDER BY o RANGE BETWEEN 1 PRECEDING AND CURRENT ROW)', 'an offset'],
  ['sum(x) OVER (ORDER BY o ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW)', 'EXCLUDE'],
])('%s is recomputed', (text, why) => {
  expect(() => reachOf(callIn(text))).toThrow(Unsupported);
  expect(() => reachOf(callIn(text))).toThrow(why);
});
