/** Scenarios that say what sinks have sent. */
import { afterEach, expect, it } from 'vitest';
import { checkScenarioFiles } from '../checks/check-scenarios.ts';
import { runScenarios } from './run-scenarios.ts';
import { testProject, type TestProject } from './test-project.ts';

let current: TestProject | undefined;
afterEach(async () => current?.remove());

// No variable of these is set: a scenario needs neither addresses nor secrets.
const sinks = `sinks:
  - name: alerts
    from: ref('totals')
    type: webhook
    config:
      url: "{{ env_var('SHOP_URL') }}"
      secret: "{{ env_var('SEG_SECRET_SHOP') }}"
      per: change
      body: {text: "{{ op }} {{ record.customer }}", total: "{{ row.total if row else none }}"}
  - {name: crm, from: totals, type: hubspot, mode: mirror, mapping: {email: customer, n: orders}, config: {token: "{{ env_var('SEG_SECRET_HS') }}"}}
  - {name: copy, from: totals, type: postgres, columns: [customer, orders], config: {connection: "{{ env_var('SHOP_PG') }}", table: totals}}
  - {name: lake, from: till.orders, type: file, columns: [id, customer], config: {path: lake}}
  - {name: failed, from: no_negative_orders, type: stdout}
`;

async function run(yaml: string) {
  current = await testProject({ 'models/sinks.yml': sinks, 'tests/s.yml': `scenarios:\n${yaml}` });
  const { load, project } = current;
  return runScenarios(load, project, Object.values(project.manifest.scenarios), {});
}

it('of every type, since the scenario asked before', async () => {
  const results = await run(`
  - name: sent
    steps:
      - ingest: orders
        records: [{id: 1, customer: ann, amount: 1}, {id: 2, customer: 'b"ö', amount: 2}]
        expect_sink:
          alerts:
            - {text: 'insert b"ö', total: 4}
            - {text: {matches: "ann$"}}
          crm: [{inputs: [{properties: {email: ann, n: "1"}}, {properties: {n: {any: true}}}]}]
          copy: [{customer: ann, orders: 1}, {customer: 'b"ö'}]
          lake: [{id: 1, customer: ann}, {id: 2}]
          failed: []
      - restart: true
        expect_sink: {alerts: [], lake: {count: 0}}
      - sql: delete from shop.orders where id = 1
        ingest: orders
        records: [{id: 3, customer: cid, amount: -1}]
        expect_sink:
          alerts: {bodies: [{text: delete ann, total: null}], contains: true, count: 2}
          crm: {count: 3}
          failed: [{sink: failed, op: insert, row: {id: 3}}]
`);
  expect(results.map(({ status, detail }) => [status, detail])).toEqual([['pass', undefined]]);
});

it('say what is missing, and what nobody has expected', async () => {
  const [result] = await run(`
  - name: sent
    steps:
      - ingest: orders
        records: [{id: 1, customer: ann, amount: 1}]
        expect_sink:
          alerts: [{text: insert bob}]
`);
  expect(result).toMatchObject({ status: 'fail', at: { file: 'tests/s.yml', line: 8 } });
  expect(result!.detail).toContain('sink "alerts": 1 body missing, 1 body not expected');
  expect(result!.detail).toContain('- {"text":"insert bob"}');
  expect(result!.detail).toContain('+ {"text":"insert ann","total":2.00}');
});

it('mistakes are found before anything runs, with the nearest name', async () => {
  current = await testProject({
    'models/sinks.yml': sinks,
    'tests/s.yml': `scenarios:
  - name: a
    steps:
      - expect_sink: {alertz: []}
  - name: b
    steps:
      - expect_snk: {alerts: []}
  - name: c
    steps:
      - expect_sink: {alerts: {bodys: []}}
`,
  });
  const found = await checkScenarioFiles(
    current.project,
    { columns: new Map() } as unknown as Parameters<typeof checkScenarioFiles>[1],
    ['tests/s.yml'],
  );
  expect(found.map(({ code, message, at, hint }) => [at?.line, at?.column, code, message, hint])).toEqual([
    [7, 9, 'SEG612', expect.stringContaining('"expect_snk"'), expect.stringContaining('expect_sink')],
    [10, 32, 'SEG612', expect.stringContaining('"bodys"'), expect.stringContaining('bodies')],
    [4, 23, 'SEG319', 'unknown sink "alertz"', 'Did you mean "alerts"?'],
  ]);
});
