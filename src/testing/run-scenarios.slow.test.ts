import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { checkScenarios, runScenarios, writeUpdates, type RunScenariosOptions } from './run-scenarios.ts';
import { testProject, type TestProject } from './test-project.ts';
import type { TestResult } from './test-result.ts';

let current: TestProject | undefined;
afterEach(async () => current?.remove());

async function run(
  yaml: string,
  options: RunScenariosOptions = {},
  files: Record<string, string> = {},
): Promise<TestResult[]> {
  current = await testProject({ 'tests/s.yml': yaml, ...files });
  return runScenarios(
    current.load,
    current.project,
    Object.values(current.project.manifest.scenarios),
    options,
  );
}

it('runs scenarios on the real project', async () => {
  const heard: string[] = [];
  const results = await run(
    `scenarios:
  - name: a day in the shop
    at: 2024-01-01T10:00:00Z
    verify: each_step
    steps:
      - ingest: till.orders
        records:
          - {id: 1, customer: ann, amount: 10, at: 2024-01-01T10:00:00Z, extra: {a: [1]}}
          - {id: 2, customer: ann, amount: 120.5, at: "2024-01-01 09:00"}
          - {id: 2, customer: eve}
          - {id: three, customer: bob}
          - {id: 4}
        accepted: 2
        duplicate: 1
        rejected: [{line: 4, reason: id}, {line: 5, reason: customer}]
        expect:
          totals: [{customer: ann, total: 261, orders: 2, last_at: 2024-01-01T11:00:00+01:00}]
          big_customers: [{customer: ann}]
          recent: [{customer: ann}]
          report: [{customers: 0}]
          prices: {rows: "name,price\\nblue,2.00\\nred,1.5", ordered: price desc}
        changes: {totals: [{op: insert, customer: ann}], recent: {count: 1}}
      - run: true
        expect: {report: [{customers: 1}]}
      - kill: true
        file: ../data/more.csv
        ingest: orders
        changes: {totals: [{op: update, orders: 3, before: {orders: 2}}, {op: insert, customer: "b,b"}]}
      - expect: {no_negative_orders: [{id: 6, amount: -1}]}
        changes: {no_negative_orders: {count: 1}}
      - restart: true
        advance: 1 day
        expect: {recent: []}
        changes: {recent: [{op: delete, customer: ann}]}
      - sql: |
          {% set table = source('till', 'orders') %}
          delete from {{ table }} where id = 6; truncate {{ table }}
        changes: {totals: {count: 2}}
        verify: [totals]
      - sql: insert into {{ ref('totals') }} (customer) values ('x')
        error: maintained by seg
      - seed: prices
        records: [{name: green, price: 3}]
        expect: {prices: [{name: green, price: 3}]}
  - name: another rate
    vars: {rate: 10}
    steps:
      - ingest: orders
        records: '{"id": 1, "customer": "ann", "amount": 1}'
        expect: {totals: [{customer: ann, total: 10}]}
      - expect: orders
        rows: [{id: 1, customer: ann}]
  - name: order does not matter
    orders: 2
    steps:
      - ingest: orders
        any_order: true
        records: [{id: 1, customer: a, amount: 1}, {id: 2, customer: b, amount: 2}, {id: 3, customer: a, amount: 3}]
        expect: {totals: [{customer: a, orders: 2}, {customer: b, orders: 1}]}
`,
    { onResult: ({ name }) => heard.push(name) },
    { 'data/more.csv': 'id,customer,amount\n5,ann,1\n6,"b,b",-1\n' },
  );
  expect(results.map(({ name, status, detail }) => [name, status, detail])).toEqual([
    ['a day in the shop', 'pass', undefined],
    ['another rate', 'pass', undefined],
    ['order does not matter', 'pass', undefined],
  ]);
  expect(heard).toHaveLength(3);
});

it('shows what is wrong', async () => {
  const results = await run(`scenarios:
  - name: wrong total
    at: 2024-01-01T10:00:00Z
    steps:
      - ingest: orders
        records: [{id: 1, customer: ann, amount: 10}, {id: 2, customer: bob, amount: 1}]
      - name: totals
        advance: 2 hours
        expect: totals
        rows: [{customer: ann, total: 10, orders: 1}, {customer: cyd, orders: 1}]
      - expect: totals
        rows: []
  - name: order matters
    orders: {count: 30, seed: 2}
    steps:
      - ingest: orders
        any_order: true
        records: [{id: 1, customer: a}, {id: 2, customer: b}]
        expect: {orders: [{position: 1, id: 1}, {position: 2, id: 2}]}
  - name: no such model
    steps: [{expect: totls, rows: []}]
  - name: an ephemeral model
    steps: [{expect: big_orders, rows: []}]
  - name: changes of a view
    steps: [{changes: big_customers, rows: []}]
  - name: back in time
    at: 2024-01-01
    steps: [{at: 2023-01-01}]
  - name: a broken rate
    vars: {rate: "nonsense"}
    steps: [{verify: true}]
  - name: an unknown seed
    steps: [{seed: prizes}]
  - name: a wrong seed
    steps: [{seed: prices, rows: [{name: a, price: dear}]}]
  - name: an unknown stream
    steps: [{ingest: orders, generate: {stream: segment_event}}]
  - name: a template error
    steps: [{sql: "select * from {{ ref('totls') }}"}]
  - name: a later step
    steps: [{verify: true}, {changes: totls, rows: []}]
  - name: a start
    at: noonish
    steps: [{verify: true}]
`);
  const [wrong, ordered, ...others] = results;
  expect(wrong).toMatchObject({
    status: 'fail',
    failures: 3,
    at: { file: 'tests/s.yml', line: 10, column: 15 },
  });
  expect(wrong!.detail).toBe(`tests/s.yml:10:15: step 2 "totals", clock 2024-01-01T12:00:00Z
  model "totals": 3 rows differ: 1 changed, 1 missing, 1 unexpected (0 as expected)
      customer | total   | orders
    ~ ann      | 10 → 20 | 1
    - cyd      | NULL    | 1
    + bob      | 2       | 1`);
  expect(ordered!.status).toBe('fail');
  expect(ordered!.detail).toMatch(
    /with the records of "any_order" steps in random order \d+ of 30 \(seed 2\)/,
  );
  expect(others.map(({ name, status, message }) => `${name}: ${status}: ${message}`)).toEqual([
    'no such model: error: step 1 (expect totls): unknown model, seed or source "totls"',
    'an ephemeral model: error: step 1 (expect big_orders): model "big_orders" has no rows of its own',
    'changes of a view: error: step 1 (changes big_customers): "big_customers" is not deployed as a maintained model, so it has no change feed',
    'back in time: error: step 1 (at 2023-01-01): the clock stands at 2024-01-01 00:00:00+00 and cannot go back to 2023-01-01',
    expect.stringMatching(
      /^a broken rate: error: the project cannot be deployed: .*column "nonsense" does not exist/,
    ),
    'an unknown seed: error: step 1 (seed prizes): unknown seed "prizes"',
    expect.stringMatching(
      /^a wrong seed: error: step 1 \(seed prices\): seed "prices": row 1: .*invalid input syntax/,
    ),
    'an unknown stream: error: step 1 (ingest orders): unknown stream "segment_event"',
    expect.stringMatching(/^a template error: error: step 1 \(sql\): .*unknown model "totls"/),
    'a later step: error: step 2 (changes totls): unknown model, seed or source "totls"',
    expect.stringMatching(/^a start: error: the start: .*noonish/),
  ]);
  expect(others[0]!.detail).toContain('hint: Did you mean "totals"?');
});

it('tells all mistakes of the files before anything runs', async () => {
  current = await testProject({
    'tests/a.yml': 'scenarios:\n  - name: x\n    steps: [{expct: a}]\n',
    'tests/b.yml': 'scenarios:\n  - name: y\n    steps: [{verify: maybe}]\n',
  });
  const { project } = current;
  expect(() => checkScenarios(project, Object.values(project.manifest.scenarios))).toThrow(
    expect.objectContaining({
      exitCode: 2,
      diagnostics: [
        expect.objectContaining({
          code: 'SEG612',
          at: expect.objectContaining({ file: 'tests/a.yml', line: 3, column: 14 }) as unknown,
        }),
        expect.objectContaining({
          at: expect.objectContaining({ file: 'tests/b.yml', line: 3, column: 22 }) as unknown,
        }),
      ],
    }),
  );
});

it('rewrites expectations in the file', async () => {
  const yaml = `scenarios:
  - name: x
    steps:
      - ingest: orders
        records: [{id: 1, customer: "o'neil, \\"x\\"", amount: 1}]
        expect: {totals: [{customer: nobody, orders: 7}]} # to be updated
        changes: {totals: []}
`;
  const results = await run(yaml, { update: true });
  expect(results[0]!.status).toBe('pass');
  const file = path.join(current!.project.root, 'tests/s.yml');
  expect(await writeUpdates(current!.project.root, results)).toEqual(new Map([['tests/s.yml', 2]]));
  const updated = await readFile(file, 'utf8');
  expect(updated).toContain(`expect: {totals: [{customer: "o'neil, \\"x\\"", orders: 1}]} # to be updated`);
  const { loadProject } = await import('../project/load.ts');
  const again = await loadProject(current!.load);
  const [result] = await runScenarios(current!.load, again, Object.values(again.manifest.scenarios));
  expect(result).toMatchObject({ status: 'pass' });
  expect(result!.detail).toBeUndefined();
});
