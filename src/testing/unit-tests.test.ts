import { afterEach, describe, expect, it } from 'vitest';
import { testProject, type TestProject } from './test-project.ts';
import type { TestResult } from './test-result.ts';
import { runUnitTests } from './unit-tests.ts';

let current: TestProject | undefined;
afterEach(async () => current?.remove());

async function run(tests: string, files: Record<string, string> = {}): Promise<TestResult[]> {
  current = await testProject({ 'models/units.yml': `unit_tests:\n${tests}`, ...files });
  return runUnitTests(current.project, Object.values(current.project.manifest.unit_tests));
}

const outcomes = (results: readonly TestResult[]): string[] =>
  results.map(({ name, status, message, detail }) =>
    [name, status, ...(status === 'pass' ? [] : [message, detail])].join(' | '),
  );

describe('runUnitTests', () => {
  it('passes models of every materialization, with rows of every form', async () => {
    const results = await run(
      `
  - name: dict
    model: totals
    given:
      - input: source('till', 'orders')
        rows:
          - {customer: ann, amount: 1.25, at: 2024-01-01T10:00:00Z, extra: {a: 1}}
          - {customer: ann, at: "2024-01-01 12:00+02"}
    expect:
      rows: [{customer: ann, total: "2.50", orders: 2, last_at: 2024-01-01T11:00:00+01:00}]
  - name: csv
    model: recent
    config: {now: 2024-01-02T10:00:00Z}
    given:
      - input: ref('totals')
        format: csv
        rows: |
          customer,last_at
          ann,2024-01-01T10:00:00Z
          bob,2024-01-01T10:00:01Z
    expect: {format: csv, rows: "customer\\nbob"}
  - name: sql
    model: report
    given:
      - input: ref('totals')
        format: sql
        rows: select 'a' as customer union all select 'b'
    expect: {format: sql, rows: select 2 as customers}
  - name: an ephemeral input and an environment
    model: big_customers
    overrides: {env_vars: {SHOP: corner}}
    given:
      - input: ref('big_orders')
        rows: [{customer: ann}, {customer: ann}]
    expect: {rows: [{customer: ann, shop: corner}]}
  - name: an ephemeral model
    model: big_orders
    given: [{input: "source('till', 'orders')", fixture: some_orders}]
    expect: {rows: [{id: 2, amount: 101}]}
  - name: vars and macros
    model: totals
    overrides: {vars: {rate: 100}}
    given: [{input: "source('till', 'orders')", rows: [{customer: a, amount: 1}]}]
    expect: {rows: [{total: {approx: 100}}]}
  - name: a seed without rows is the file
    model: priced
    given:
      - input: ref('prices')
      - input: this
        rows: [{name: old}]
    overrides: {macros: {is_incremental: true}}
    expect: {rows: [{name: red?}, {name: blue?}, {name: old}]}
  - name: a seed with no rows
    model: priced
    overrides: {macros: {shout: "'!'"}}
    given: [{input: ref('prices'), rows: [{name: green}]}]
    expect: {rows: [{name: green!}]}
  - name: a seed that is empty
    model: priced
    given: [{input: ref('prices'), rows: []}]
    expect: {rows: []}
`,
      {
        'tests/fixtures/some_orders.csv': 'id,customer,amount\n1,a,100\n2,b,101\n',
        'macros/shout.sql': "{% macro shout() %}'?'{% endmacro %}",
        'models/priced.sql':
          "select name || {{ shout() }} as name from {{ ref('prices') }} {% if is_incremental() %} union all select name from {{ this }}{% endif %}",
      },
    );
    expect(outcomes(results)).toEqual([
      'totals::dict | pass',
      'recent::csv | pass',
      'report::sql | pass',
      'big_customers::an ephemeral input and an environment | pass',
      'big_orders::an ephemeral model | pass',
      'totals::vars and macros | pass',
      'priced::a seed without rows is the file | pass',
      'priced::a seed with no rows | pass',
      'priced::a seed that is empty | pass',
    ]);
  });

  it('shows the difference', async () => {
    const results = await run(`
  - name: wrong
    model: totals
    given:
      - input: source('till', 'orders')
        rows: [{customer: ann, amount: 1}, {customer: bob, amount: 1}]
    expect:
      rows: [{customer: ann, orders: 1}, {customer: bob, orders: 3}, {customer: cyd, orders: 1}]
`);
    expect(results[0]).toMatchObject({
      kind: 'unit_test',
      name: 'totals::wrong',
      status: 'fail',
      failures: 2,
      message: 'actual differs from expected: 2 rows differ: 1 changed, 1 missing (1 as expected)',
      detail: ['    customer | orders', '  ~ bob      | 3 → 1', '  - cyd      | 1'].join('\n'),
      at: { file: 'models/units.yml', line: 3, column: 11 },
    });
  });

  it('says what is wrong with a test', async () => {
    const results = await run(`
  - name: not given
    model: totals
    given: []
    expect: {rows: []}
  - name: unknown column
    model: report
    given: [{input: ref('totals'), rows: [{custmer: a}]}]
    expect: {rows: []}
  - name: wrong type
    model: report
    given: [{input: ref('totals'), rows: [{customer: a}, {orders: many}]}]
    expect: {rows: []}
  - name: unknown expected column
    model: report
    given: [{input: ref('totals'), rows: []}]
    expect: {rows: [{custs: 1}]}
  - name: broken csv
    model: report
    given: [{input: ref('totals'), format: csv, rows: "a,b\\n1"}]
    expect: {rows: []}
  - name: broken sql
    model: report
    given: [{input: ref('totals'), format: sql, rows: select from where}]
    expect: {rows: []}
  - name: twice
    model: report
    given: [{input: ref('totals'), rows: []}, {input: ref('totals'), rows: []}]
    expect: {rows: []}
  - name: still works
    model: report
    given: [{input: ref('totals'), rows: []}]
    expect: {rows: [{customers: 0}]}
`);
    expect(results.map(({ status, message }) => `${status}: ${message}`)).toEqual([
      "error: model \"totals\" reads source('till', 'orders'), which is not given",
      "error: input ref('totals'), row 1: input ref('totals') has no column \"custmer\"",
      'error: input ref(\'totals\'), row 2: value "many" does not fit column "orders" (bigint) of input ref(\'totals\'): invalid input syntax for type bigint: "many"',
      'error: model "report" has no column "custs"',
      "error: input ref('totals'): a row of the CSV has 1 fields, the header another number at line 2",
      expect.stringMatching(
        /^error: input ref\('totals'\): the SQL of input ref\('totals'\) failed: syntax error/,
      ),
      "error: input ref('totals') is given twice",
      'pass: null',
    ]);
    expect(results[1]!.detail).toContain('hint: Did you mean "customer"?');
  });
});
