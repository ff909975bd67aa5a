import { afterEach, expect, it } from 'vitest';
import { parseScenarios } from './parse-scenario.ts';
import { probeEngine } from './probe-engine.ts';
import { runScenario } from './run-scenario.ts';
import type { ScenarioEngine } from './scenario-engine.ts';
import { applyEdits } from './update-expectations.ts';

let engine: ScenarioEngine | undefined;
afterEach(async () => engine?.close());

const schema = `create table "events" (id int primary key, name text, doc jsonb, price numeric);`;

async function update(text: string): Promise<string> {
  engine = await probeEngine(schema, { events: ['id'] });
  const { scenarios, errors } = parseScenarios('tests/s.yml', text);
  expect(errors).toEqual([]);
  const result = await runScenario(scenarios[0]!, engine, { uniqueId: 's', root: '/', update: true });
  expect(result.status).toBe('pass');
  return applyEdits(text, result.edits ?? []);
}

it('writes the rows that are there and leaves everything else as it is', async () => {
  const before = `# a comment
scenarios:
  - name:   "s"   # odd spacing
    steps:
      - ingest: events
        records: [{id: 1, name: "yes", price: 1.50}, {id: 2, name: b, doc: {k: [1, "x"]}}, {id: 3, name: "it's: x"}]
        changes:
          events:
            # the first
            - {op: insert, id: 1, name: a}   # wrong
            - {op: insert, id: 9}
      - expect: events
        rows: []
        columns: [id, name, doc, price]
      - expect:
          events: |
            name,id
            b,2
            x,3
      - expect: events
        rows:
          - id: 2
            name: {matches: "^b$"}
          # about three
          - id: 3
            name: wrong
        where: id > 1
      - expect: {events: [{id: 1}, {id: 2}, {id: 4}]}
      - expect: events
        count: 7
      - expect: events
        where: id < 0
        rows:
          - {id: 1}
          - {id: 2}   # gone
`;
  const after = await update(before);
  expect(after).toBe(`# a comment
scenarios:
  - name:   "s"   # odd spacing
    steps:
      - ingest: events
        records: [{id: 1, name: "yes", price: 1.50}, {id: 2, name: b, doc: {k: [1, "x"]}}, {id: 3, name: "it's: x"}]
        changes:
          events:
            # the first
            - {op: insert, id: 1, name: "yes"}
            - {op: insert, id: 2, name: b}
            - {op: insert, id: 3, name: "it's: x"}
      - expect: events
        rows:
          - {id: 1, name: "yes", doc: null, price: 1.5}
          - {id: 2, name: b, doc: {"k": [1, "x"]}, price: null}
          - {id: 3, name: "it's: x", doc: null, price: null}
        columns: [id, name, doc, price]
      - expect:
          events: |
            name,id
            b,2
            it's: x,3
            yes,1
      - expect: events
        rows:
          - id: 2
            name: {matches: "^b$"}
          # about three
          - {id: 3, name: "it's: x"}
        where: id > 1
      - expect: {events: [{id: 1}, {id: 2}, {id: 3}]}
      - expect: events
        count: 3
      - expect: events
        where: id < 0
        rows: []
`);
  expect(await update(after)).toBe(after);
});
