import { afterEach, describe, expect, it } from 'vitest';
import { parseScenarios } from './parse-scenario.ts';
import { probeEngine } from './probe-engine.ts';
import { runScenario } from './run-scenario.ts';
import type { ScenarioEngine } from './scenario-engine.ts';
import type { TestResult } from './test-result.ts';

const schema = `
  create table "events" (id int primary key, name text, at timestamptz, price numeric, doc jsonb);
  create table "scores" (id int primary key, name text);
  create view "latest" as select name, max(at) as at, sum(price) as price, count(*) as events from "events" group by name;
  create view "we""ird Näme" as select id, name as "na me ""x""", doc from "events";
`;
const keys = { latest: ['name'], events: ['id'], scores: ['id'], 'we"ird Näme': [] };

let engine: ScenarioEngine | undefined;
afterEach(async () => engine?.close());

async function run(steps: string, more = '', order = 0): Promise<TestResult> {
  engine = await probeEngine(schema, keys);
  const text = `scenarios:\n  - name: s\n    at: 2021-03-19T17:00:00Z\n${more}    steps:\n${steps}`;
  const { scenarios, errors } = parseScenarios('tests/s.yml', text);
  expect(errors).toEqual([]);
  return runScenario(scenarios[0]!, engine, { uniqueId: 'scenario.p.s', root: '/', order });
}

describe('runScenario', () => {
  it('passes when all is as expected, comparing by type', async () => {
    const result = await run(`
      - name: two events
        ingest: events
        records:
          - {id: 1, name: a, at: 2021-03-19T13:00:00-04:00, price: 1.50, doc: {y: 1.0, x: [2]}}
          - {id: 2, name: a, at: 2021-03-19 12:00, price: "2.5"}
      - expect: latest
        rows:
          - {name: a, at: 2021-03-19T13:00:00-04:00, price: 4, events: 2}
        changes: {latest: [{op: insert, name: a}]}
      - expect:
          events:
            rows: |
              id,doc,price
              1,"{""x"": [2], ""y"": 1}",1.5
              2,,2.5
            ordered: id
      - expect: {latest: {contains: [{name: {matches: "^a$"}, events: {approx: 2.1, within: 0.2}}]}, events: {count: 2}}
      - expect: events
        where: {at: 2021-03-19T17:00:00Z}
        rows: [{id: 1}]
      - expect: events
        where: price > 2
        columns: [id, name]
        rows: [{id: 2, name: a}]
      - ingest: events
        records: '{"id": 2}'
        duplicate: 1
      - ingest: events
        records: [{id: x}, {id: 3, name: c}]
        accepted: 1
        rejected: [{line: 1, reason: invalid input syntax}]
        changes: {latest: [{op: insert, name: c, events: 1}]}
      - restart: true
        advance: 30 minutes
      - sql: delete from "events" where id = 1
        changes: {latest: [{op: update, name: a, events: 1, before: {events: 2}}]}
      - sql: insert into "events" values (2)
        error: duplicate key
      - seed: scores
        rows: [{id: 1, name: "ü"}]
        expect: {scores: [{id: 1, name: "ü"}]}
      - ingest: events
        generate: {count: 1}
        changes: {latest: {count: 1}}
`);
    expect(result.detail).toBeUndefined();
    expect(result).toMatchObject({ status: 'pass', failures: 0, message: null, at: { line: 2, column: 11 } });
    expect(result.steps!.map(({ clock }) => clock).at(-1)).toBe('2021-03-19 17:30:00+00');
    expect(result.steps![0]).toMatchObject({
      title: 'step 1 "two events"',
      notes: ['events: 2 accepted, 0 duplicate, 0 rejected'],
    });
  });

  it('shows the rows that differ, with place and clock', async () => {
    const result = await run(`
      - ingest: events
        records: [{id: 1, name: a, price: 1}, {id: 2, name: b, price: 2}, {id: 3, name: c}]
      - advance: 90 seconds
      - name: totals
        expect: latest
        rows:
          - {name: a, price: 1}
          - {name: b, price: 7}
          - {name: "NULL", price: 0}
        changes: {events: []}
`);
    expect(result).toMatchObject({
      status: 'fail',
      failures: 6,
      at: { file: 'tests/s.yml', line: 12, column: 11 },
    });
    expect(result.message).toBe(
      'step 3 "totals": model "latest": 3 rows differ: 1 changed, 1 missing, 1 unexpected (1 as expected) (and 1 more failure)',
    );
    expect(result.detail).toBe(
      `tests/s.yml:12:11: step 3 "totals", clock 2021-03-19 17:01:30+00
  model "latest": 3 rows differ: 1 changed, 1 missing, 1 unexpected (1 as expected)
      name   | price
    ~ b      | 7 → 2
    - "NULL" | 0
    + c      | NULL
  changes of model "events": 3 rows differ: 3 unexpected (0 as expected)
      op     | id | name | at   | price | doc
    + insert | 1  | a    | NULL | 1     | NULL
    + insert | 2  | b    | NULL | 2     | NULL
    + insert | 3  | c    | NULL | NULL  | NULL`,
    );
    expect(result.steps!.map(({ status }) => status)).toEqual(['pass', 'pass', 'fail']);
  });

  it('names rows in odd relations and values', async () => {
    const result = await run(`
      - ingest: events
        records: [{id: 1, name: "it's \\"q\\"\\n", doc: {"k'": "v"}}]
      - expect: we"ird Näme
        rows: [{id: 1, 'na me "x"': "it's \\"q\\"", doc: {"k'": "v"}}]
`);
    expect(result.detail).toBe(`tests/s.yml:9:15: step 2 (expect we"ird Näme), clock 2021-03-19 17:00:00+00
  model "we"ird Näme": 1 row differs: 1 changed (0 as expected)
      id | na me "x"                 | doc
    ~ 1  | it's "q" → "it's \\"q\\"\\n" | {"k'": "v"}`);
  });

  it('fails on duplicates and rejections nobody expects', async () => {
    const result = await run(`
      - ingest: events
        records: [{id: 1}, {id: 1}, {id: x}]
`);
    expect(result.detail).toBe(`tests/s.yml:6:17: step 1 (ingest events), clock 2021-03-19 17:00:00+00
  ingest into "events": 1 record dropped as delivered before
    hint: Say "duplicate: 1" when these are meant to be delivered again.
  ingest into "events": 1 record rejected
    line 3: invalid input syntax for type integer: "x"`);
  });

  it('compares rejections one by one', async () => {
    const result = await run(`
      - ingest: events
        records: [{id: x}, {id: y}]
        rejected: [{line: 1, reason: integer}, {line: 2, reason: uuid}]
`);
    expect(result.detail).toContain(`the rejected records are not those expected
    - line 2: uuid
    + line 2: invalid input syntax for type integer: "y"`);
  });

  it.each<[step: string, place: string, message: string | RegExp, hint?: string]>([
    ['- expect: lates\n        rows: []', '6:9', 'unknown model "lates"', 'hint: Did you mean "latest"?'],
    [
      '- expect: latest\n        rows: [{nam: a}]',
      '7:22',
      'model "latest" has no column "nam"',
      'hint: Did you mean "name"?',
    ],
    [
      '- expect: latest\n        rows: [{name: a}, {events: many}]',
      '7:36',
      'value "many" does not fit column "events" (bigint) of model "latest": invalid input syntax for type bigint: "many"',
    ],
    [
      '- expect: latest\n        rows: [{name: {matches: "("}}]',
      '7:23',
      /"matches" is no regular expression/,
    ],
    [
      '- expect: latest\n        columns: [name]\n        rows: [{events: 1}]',
      '8:25',
      'column "events" is not among the compared "columns"',
    ],
    ['- expect: latest\n        where: nme = 1\n        rows: []', '6:9', 'column "nme" does not exist'],
    [
      '- expect: latest\n        rows: "a,b\\n1"',
      '7:15',
      'a row of the CSV has 1 fields, the header another number at line 2',
    ],
    ['- expect: latest\n        file: nowhere.csv', '7:15', 'cannot read file "nowhere.csv": ENOENT'],
    [
      '- changes: latest\n        rows: [{op: upsert}]',
      '7:21',
      '"op" must be insert, update or delete, not "upsert"',
    ],
    ['- at: 2020-01-01', '6:13', 'time only moves forward', 'hint: Use a later instant.'],
    ['- at: noon-ish', '6:13', '"noon-ish" is no instant'],
    ['- advance: a while', '6:18', '"a while" is no interval'],
    ['- sql: select nothing', '6:14', 'the statement failed: column "nothing" does not exist'],
    ['- ingest: events\n        records: "{"', '6:9', /JSON/],
  ])('a step that cannot run: %s', async (step, place, message, hint) => {
    const result = await run(`\n      ${step}\n`);
    expect(result.status).toBe('error');
    expect(`${result.at.line}:${result.at.column}`).toBe(place);
    if (typeof message === 'string') expect(result.message).toContain(message);
    else expect(result.message).toMatch(message);
    if (hint !== undefined) expect(result.detail).toContain(hint);
  });

  it('fails when a statement does not fail as expected', async () => {
    const wrong = await run('\n      - sql: select 1/0\n        error: denied\n');
    expect(wrong).toMatchObject({ status: 'fail' });
    expect(wrong.detail).toContain('expected: denied\n    actual:   division by zero');
    const none = await run('\n      - sql: select 1\n        error: denied\n');
    expect(none.message).toBe(
      'step 1 (sql): the statement was expected to fail with "denied", but it did not fail',
    );
  });

  it('reports views that differ from their recomputation', async () => {
    const result = await run('\n      - verify: true\n');
    expect(result).toMatchObject({
      status: 'fail',
      failures: 2,
      message:
        'step 1 (verify): model "broken" differs from its recomputation: 0 rows missing, 2 rows too many',
    });
  });

  it('delivers records in other orders, and says which order failed', async () => {
    const steps = `
      - ingest: events
        any_order: true
        records: [{id: 1, name: a}, {id: 2, name: b}, {id: 3, name: c}, {id: 4, name: d}]
      - expect: events
        rows: [{id: 1}, {id: 2}, {id: 3}, {id: 4}]
      - expect: {events: []}
`;
    const result = await run(steps, '    orders: {count: 9, seed: 5}\n', 3);
    expect(result.detail).toContain('with the records of "any_order" steps in random order 3 of 9 (seed 5)');
    expect(result.steps!.map(({ status }) => status)).toEqual(['pass', 'pass', 'fail']);
  });
});
