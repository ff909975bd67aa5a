/** Mistakes in SQL, as a user meets them: the message, the place in the TEMPLATE, the remedy, and a database as before. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestProject } from './run-seg.ts';

const view = "{{ config(materialized='materialized_view') }}";
const project = new TestProject({
  'dbt_project.yml': 'name: p\nprofile: p\n',
  'profiles.yml': 'p:\n  target: dev\n  outputs:\n    dev: {type: pglite, path: data, schema: app}\n',
  'models/s.yml': `
sources:
  - name: s
    tables:
      - name: ev
        config: {key: id}
        columns:
          - {name: id, data_type: bigint}
          - {name: u, data_type: text}
`,
  'models/agg.sql': `${view} select u, count(*) as total from {{ source('s', 'ev') }} group by u`,
  'e.ndjson': '{"id": 1, "u": "a"}\n{"id": 2, "u": "a"}\n',
});
beforeAll(async () => {
  expect(await project.seg('run')).toMatchObject({ status: 0 });
  expect(await project.seg('ingest s.ev e.ndjson')).toMatchObject({ status: 0 });
}, 60_000);
afterAll(() => project.remove());

describe('SQL that does not parse', () => {
  it('stops before anything is done, at its place behind generated lines and wide characters', async () => {
    project.write(
      'models/bad.sql',
      "{% for i in range(3) %}\n-- Zeile {{ i }} äöü\n{% endfor %}\nselect 'ü🎉' as a,\n   1 + * 3\nfrom {{ ref('agg') }}\n",
    );
    const { status, log } = await project.seg('run');
    expect(status).toBe(2);
    expect(log).toContain('models/bad.sql:5:8: error SEG401: syntax error at or near "*" in model "bad"');
  });
});

describe('SQL that the database refuses', () => {
  it('is shown where it stands, in a macro with its caller; in a test of seg with its YAML', async () => {
    project.write('macros/cols.sql', '{% macro cols() %}u,\n  totl\n{% endmacro %}');
    project.write('models/bad.sql', "select 'ü' as x, {{ cols() }} from {{ ref('agg') }}");
    project.write('models/twice.sql', `${view} select 1 as a, 2 as a`);
    project.write('models/nowhere.sql', 'select 1 as x from nowhere');
    project.write('models/after.sql', "select * from {{ ref('bad') }}");
    project.write(
      'models/t.yml',
      "models:\n  - name: agg\n    columns:\n      - name: nope\n        data_tests: [not_null]\n      - name: u\n        data_tests: [{unique: {config: {where: 'uu > 1'}}}]\n",
    );
    const { status, log } = await project.seg('run');
    expect(status).toBe(1);
    expect(log).toContain(
      'macros/cols.sql:2:3: error SEG407: model "bad": column "totl" does not exist\n    2 |   totl\n      |   ~~~~\n' +
        '  note: models/bad.sql:1:21: in macro "cols" (macros/cols.sql:1:1), called from models/bad.sql:1:21\n',
    );
    expect(log).toContain('hint: Perhaps you meant to reference the column "agg.total".');
    expect(log).toContain('hint: Give every column a name of its own: select ... as name.');
    expect(log).toContain(
      'models/nowhere.sql:1:20: error SEG407: model "nowhere": relation "nowhere" does not exist',
    );
    expect(log).toContain("hint: Read a model with ref() and a table of somebody else's with source().");
    expect(log).toContain('Done. PASS=0 WARN=0 ERROR=3 SKIP=1 NO-OP=1 TOTAL=5');
    const tests = await project.seg('test');
    expect(tests.status).toBe(1);
    expect(tests.log).toContain(
      'models/t.yml:5:22: error SEG407: test "not_null_agg_nope": column "nope" does not exist',
    );
    expect(tests.log).toContain(
      'models/t.yml:7:22: error SEG407: test "unique_agg_u": column "uu" does not exist',
    );
    expect(tests.log).not.toContain('builtin/');
    // Each of them left what was there alone.
    expect((await project.seg('show -q -s agg --output csv')).stdout).toBe('u,total\na,2\n');
    expect(await project.seg('verify')).toMatchObject({ status: 0 });
  }, 60_000);

  it('in a condition that does not parse, too', async () => {
    project.write(
      'models/t.yml',
      "models:\n  - name: agg\n    columns:\n      - name: u\n        data_tests: [{unique: {config: {where: 'u = ('}}}]\n",
    );
    const { status, log } = await project.seg('ls');
    expect(status).toBe(2);
    expect(log).toContain(
      'models/t.yml:5:22: error SEG401: syntax error at or near ")" in test "unique_agg_u"',
    );
  });
});
