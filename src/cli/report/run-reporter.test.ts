import { describe, expect, it } from 'vitest';
import { Logger } from '../../log/logger.ts';
import type { GraphNode } from '../../project/nodes.ts';
import type { NodeResult, NodeStatus } from '../../run/events.ts';
import { SourceTexts } from '../source-texts.ts';
import { RunReporter } from './run-reporter.ts';

function node(resource_type: string, name: string, more: object = {}): GraphNode {
  const file = resource_type === 'seed' ? `seeds/${name}.csv` : 'models/schema.yml';
  return {
    resource_type,
    name,
    unique_id: `${resource_type}.proj.${name}`,
    path: file,
    original_file_path: file,
    schema: 'dev',
    alias: name,
    config: {},
    ...more,
  } as unknown as GraphNode;
}

function result(
  of: GraphNode,
  status: NodeStatus,
  seconds: number,
  more: Partial<NodeResult> = {},
): NodeResult {
  return {
    node: of,
    status,
    message: null,
    rows: null,
    failures: null,
    seconds,
    startedAt: '',
    completedAt: '',
    diagnostics: [],
    details: null,
    compiledPath: null,
    failuresRelation: null,
    ...more,
  };
}

/** The log of a run of these results, one after the other. */
function report(results: readonly NodeResult[], seconds: number): string[] {
  let text = '';
  const log = new Logger({ write: (part) => (text += part), now: () => new Date('2026-01-01T12:00:00Z') });
  const reporter = new RunReporter({ log, sources: new SourceTexts('/nowhere'), width: 80 });
  const total = results.length;
  reporter.listen({ kind: 'runStart', total, threads: 4, target: 'dev' });
  results.forEach((each, index) => {
    reporter.listen({ kind: 'nodeStart', index: index + 1, total, node: each.node });
    reporter.listen({ kind: 'nodeFinish', index: index + 1, total, result: each });
  });
  reporter.listen({ kind: 'runFinish', result: { results, seconds, stopped: null } });
  return text.trimEnd().split('\n');
}

describe('RunReporter', () => {
  it("writes dbt's lines letter by letter", () => {
    const compiled = 'target/compiled/proj/models/schema.yml';
    const unique = node('test', 'unique_orders_order_id');
    const related = node('test', 'relationships_orders_customer_id__id__ref_customers_');
    const lines = report(
      [
        result(node('seed', 'raw_orders'), 'success', 0.05, { message: 'INSERT 99' }),
        result(node('model', 'stg_orders', { config: { materialized: 'view' } }), 'success', 0.04, {
          message: 'CREATE VIEW',
        }),
        result(node('model', 'orders', { config: { materialized: 'table' } }), 'success', 0.06, {
          message: 'SELECT 99',
        }),
        result(node('test', 'not_null_orders_order_id'), 'pass', 0.02, { failures: 0 }),
        result(unique, 'fail', 0.02, {
          failures: 3,
          message: 'Got 3 results, configured to fail if != 0',
          compiledPath: `${compiled}/unique_orders_order_id.sql`,
          failuresRelation: '"db"."dev_dbt_test__audit"."unique_orders_order_id"',
        }),
        result(related, 'warn', 0.02, {
          failures: 1,
          message: 'Got 1 result, configured to warn if != 0',
          compiledPath: `${compiled}/relationships_orders_customer_id__id__ref_customers_.sql`,
        }),
      ],
      0.61,
    );
    expect(lines).toEqual(
      `12:00:00  
12:00:00  Concurrency: 4 threads (target='dev')
12:00:00  
12:00:00  1 of 6 START seed file dev.raw_orders .......................................... [RUN]
12:00:00  1 of 6 OK loaded seed file dev.raw_orders ...................................... [INSERT 99 in 0.05s]
12:00:00  2 of 6 START sql view model dev.stg_orders ..................................... [RUN]
12:00:00  2 of 6 OK created sql view model dev.stg_orders ................................ [CREATE VIEW in 0.04s]
12:00:00  3 of 6 START sql table model dev.orders ........................................ [RUN]
12:00:00  3 of 6 OK created sql table model dev.orders ................................... [SELECT 99 in 0.06s]
12:00:00  4 of 6 START test not_null_orders_order_id ..................................... [RUN]
12:00:00  4 of 6 PASS not_null_orders_order_id ........................................... [PASS in 0.02s]
12:00:00  5 of 6 START test unique_orders_order_id ....................................... [RUN]
12:00:00  5 of 6 FAIL 3 unique_orders_order_id ........................................... [FAIL 3 in 0.02s]
12:00:00  6 of 6 START test relationships_orders_customer_id__id__ref_customers_ ......... [RUN]
12:00:00  6 of 6 WARN 1 relationships_orders_customer_id__id__ref_customers_ ............. [WARN 1 in 0.02s]
12:00:00  
12:00:00  Finished running 1 seed, 1 table model, 3 data tests, 1 view model in 0 hours 0 minutes and 0.61 seconds (0.61s).
12:00:00  
12:00:00  Completed with 1 error, 0 partial successes, and 1 warning:
12:00:00  
12:00:00  Failure in test unique_orders_order_id (models/schema.yml)
12:00:00    Got 3 results, configured to fail if != 0
12:00:00  
12:00:00    compiled code at target/compiled/proj/models/schema.yml/unique_orders_order_id.sql
12:00:00  
12:00:00    See test failures:
  -----------------------------------------------------------------
  select * from "db"."dev_dbt_test__audit"."unique_orders_order_id"
  -----------------------------------------------------------------
12:00:00  
12:00:00  Warning in test relationships_orders_customer_id__id__ref_customers_ (models/schema.yml)
12:00:00  Got 1 result, configured to warn if != 0
12:00:00  
12:00:00    compiled code at target/compiled/proj/models/schema.yml/relationships_orders_customer_id__id__ref_customers_.sql
12:00:00  
12:00:00  Ran 3 tests, 1 passed, 1 failed, 1 warned
12:00:00  Done. PASS=4 WARN=1 ERROR=1 SKIP=0 NO-OP=0 TOTAL=6`.split('\n'),
    );
  });

  it('counts what had nothing to do instead of listing it', () => {
    const view = { config: { materialized: 'view' } };
    const lines = report(
      [
        result(node('model', 'a', view), 'no-op', 0.01, { message: 'unchanged' }),
        result(node('model', 'b', view), 'success', 0.01, { message: 'CREATE VIEW' }),
        result(node('model', 'c', view), 'no-op', 0.01, { message: 'unchanged' }),
      ],
      0.1,
    );
    const text = lines.map((line) => line.replace(/^12:00:00 {2}/, ''));
    expect(text.slice(3, 7)).toEqual([
      '2 of 3 START sql view model dev.b .............................................. [RUN]',
      '2 of 3 OK created sql view model dev.b ......................................... [CREATE VIEW in 0.01s]',
      '2 nodes unchanged: nothing to do there',
      '',
    ]);
    expect(text.at(-1)).toBe('Done. PASS=1 WARN=0 ERROR=0 SKIP=0 NO-OP=2 TOTAL=3');
  });

  it('writes errors with their diagnostics, and what was skipped for them', () => {
    const broken = node('model', 'orders', { config: { materialized: 'materialized_view' } });
    const lines = report(
      [
        result(broken, 'error', 0.03, {
          diagnostics: [{ severity: 'error', code: 'SEG407', message: 'column "x" does not exist' }],
        }),
        result(node('model', 'customers', { config: { materialized: 'view' } }), 'skipped', 0),
        result(node('test', 'not_null_orders_order_id'), 'skipped', 0),
        result(node('unit_test', 'adds_up', { model: 'orders' }), 'pass', 1),
      ],
      3723.5,
    );
    const text = lines.map((line) => line.replace(/^12:00:00 {2}/, ''));
    expect(text).toEqual(
      expect.arrayContaining([
        '1 of 4 ERROR creating sql materialized_view model dev.orders ................... [ERROR in 0.03s]',
        '2 of 4 SKIP relation dev.customers ............................................. [SKIP]',
        '3 of 4 SKIP test not_null_orders_order_id ...................................... [SKIP]',
        '4 of 4 PASS orders::adds_up .................................................... [PASS in 1.00s]',
        'Finished running 1 materialized view model, 1 test, 1 unit test, 1 view model in 1 hours 2 minutes and 3.50 seconds (3723.50s).',
        'Completed with 1 error, 0 partial successes, and 0 warnings:',
        'Failure in model orders (models/schema.yml)',
        'error SEG407: column "x" does not exist',
        'Done. PASS=1 WARN=0 ERROR=1 SKIP=2 NO-OP=0 TOTAL=4',
      ]),
    );
  });
});
