import { describe, expect, it } from 'vitest';
import { parseScenarios } from './parse-scenario.ts';

const errorsOf = (text: string): string[] =>
  parseScenarios('tests/a.yml', text).errors.map(
    ({ at, code, message, hint }) =>
      `${at!.line}:${at!.column} ${code} ${message}${hint === undefined ? '' : ` | ${hint}`}`,
  );

describe('parseScenarios', () => {
  it('reads every kind of step', () => {
    const { scenarios, errors } = parseScenarios(
      'tests/a.yml',
      `scenarios:
  - name: "it's \\"ünï\\" 名"
    at: 2021-03-19T17:00:00Z
    vars: {x: [20]}
    verify: each_step
    orders: {count: 3, seed: 7}
    steps:
      - name: add
        ingest: segment.events
        any_order: true
        records: [{event: 1}]
        duplicate: 1
        rejected: [{line: 2, reason: bad}]
      - expect: m
        rows: []
        where: {a: 1}
        ordered: [a desc, b]
      - expect: {m: [{a: 1}], n: {count: 3}, o: "a,b\\n1,2"}
        changes: {m: []}
      - advance: 30 minutes
        kill: true
        verify: [m]
      - sql: delete from x
        error: denied
      - seed: s
        rows: "a\\n1"
`,
    );
    expect(errors).toEqual([]);
    const [scenario] = scenarios;
    expect(scenario).toMatchObject({
      name: `it's "ünï" 名`,
      at: '2021-03-19T17:00:00Z',
      verifyEachStep: true,
      orders: { count: 3, seed: 7 },
    });
    const steps = scenario!.steps;
    expect(steps[0]!.ingest).toMatchObject({
      source: 'segment.events',
      anyOrder: true,
      duplicate: 1,
      accepted: null,
    });
    expect(steps[1]!.expect[0]).toMatchObject({
      model: 'm',
      ordered: 'a desc, b',
      where: { a: 1 },
      count: null,
    });
    expect(steps[2]!.expect.map(({ model }) => model)).toEqual(['m', 'n', 'o']);
    expect(scenario!.locate(steps[2]!.expect[0]!.rows!.path)).toMatchObject({ line: 18, column: 21 });
    expect(steps[2]!.changes[0]!.rows).toMatchObject({ rows: [] });
    expect(steps[3]).toMatchObject({ advance: '30 minutes', restart: 'kill', verify: ['m'] });
    expect(steps[4]!.sql).toMatchObject({ error: 'denied' });
    expect(steps[5]!.seed!.rows).toMatchObject({ rows: 'a\n1' });
  });

  it('takes empty files and files without scenarios', () => {
    for (const text of ['', '# nothing\n', 'models: []\n', 'scenarios:\n', 'scenarios: []\n']) {
      expect(parseScenarios('tests/a.yml', text)).toEqual({ scenarios: [], errors: [] });
    }
  });

  it('points at unknown keys with the nearest name', () => {
    expect(
      errorsOf(`scenarios:
  - name: a
    stepz: []
    steps:
      - expct: m
        rows: []
      - ingest: s
        records: [{a: 1}]
        rejected: [{line: 1, raeson: x}]
`),
    ).toEqual([
      '3:5 SEG612 unknown key "stepz" in a scenario | Did you mean "steps"?',
      '5:9 SEG612 unknown key "expct" in step 1 | Did you mean "expect"?',
      '9:30 SEG612 unknown key "raeson" in item 1 of "rejected" of step 2 | Did you mean "reason"?',
    ]);
  });

  it('points at values of a wrong type', () => {
    expect(
      errorsOf(`scenarios:
  - name: 7
    steps:
      - expect: m
        rows: 3
      - ingest: s
        records: [1, 2]
        accepted: many
      - restart: false
      - verify: [m, 3]
`),
    ).toEqual([
      '2:11 SEG612 "name" must be text, not a whole number',
      '5:15 SEG612 "rows" of step 1 must be a list or text, not a whole number',
      '7:19 SEG612 item 1 of "records" of step 2 must be a mapping, not a whole number',
      '7:22 SEG612 item 2 of "records" of step 2 must be a mapping, not a whole number',
      '8:19 SEG612 "accepted" of step 2 must be a whole number, not text',
      '9:18 SEG612 "restart" of step 3 must be true, not false',
      '10:21 SEG612 item 2 of "verify" of step 4 must be text, not a whole number',
    ]);
  });

  it('points at keys that do not go together', () => {
    expect(
      errorsOf(`scenarios:
  - name: a
    orders: 3
    steps:
      - name: nothing
      - at: 2021-01-01
        advance: 1 day
      - ingest: s
        rows: [{a: 1}]
      - expect: m
      - expect: m
        changes: m
        rows: []
      - changes: m
        rows: []
        where: a = 1
      - sql: select 1
        accepted: 1
  - name: a
    steps: [{verify: true}]
  - name: a
    steps: [{verify: true}]
`),
    ).toEqual([
      '5:9 SEG614 step 1 does nothing | Give it one of at, advance, restart, kill, seed, run, sql, ingest, expect, changes, expect_sink, verify.',
      '7:9 SEG614 step 2 has both "at" and "advance" | Use two steps.',
      '9:9 SEG614 "rows" of step 3 belongs to an "expect" or "changes" with a model\'s name, which is absent | Records to ingest are given as "records".',
      '8:9 SEG614 "ingest" of step 3 has no records | Give "records" (a list, CSV or NDJSON text), "file" or "generate".',
      '10:9 SEG614 nothing is expected of "m" | Give "rows" (a list of mappings, CSV or NDJSON text; [] for none), "contains", "file" or "count".',
      '12:9 SEG614 step 5 has both "expect" and "changes" with a name only | Write them as mappings, "expect: {model: rows}", or use two steps.',
      '16:9 SEG614 "where" does not go with "changes" | Changes of one batch have no order; expect the model for this.',
      '18:9 SEG614 "accepted" of step 7 belongs to "ingest", which is absent',
      '3:5 SEG614 "orders" without a step that says "any_order: true" | Mark the ingest steps whose order must not matter.',
      '19:11 SEG613 two scenarios have the name "a" | Rename one of the two.',
      '21:11 SEG613 two scenarios have the name "a" | Rename one of the two.',
    ]);
  });

  it('gives YAML errors a place', () => {
    expect(errorsOf('scenarios:\n  - name: a\n   steps: []\n')[0]).toMatch(/^[23]:\d+ SEG101 invalid YAML/);
    expect(errorsOf('scenarios: {a: 1}\n')).toEqual(['1:12 SEG611 "scenarios" must be a list']);
  });
});
