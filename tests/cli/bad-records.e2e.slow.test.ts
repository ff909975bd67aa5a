/** Records that no model or trigger takes, or that end the engine: each is rejected alone, whether a server runs or not. */
import { afterAll, expect, test } from 'vitest';
import { TestProject } from './run-seg.ts';
import { startServing } from './serving.ts';

const project = new TestProject({
  'dbt_project.yml': `name: bad
version: "1.0"
config-version: 2
profile: bad
on-run-end:
  - >-
    create or replace function app.refuse_thirteen() returns trigger language plpgsql as $$
    begin if new.number = 13 then raise exception 'no thirteen'; end if; return new; end $$
  - create or replace trigger refuse before insert on app.letters for each row execute function app.refuse_thirteen()
`,
  'profiles.yml':
    'bad:\n  target: dev\n  outputs:\n    dev: {type: pglite, path: .seg/data, schema: app, threads: 1}\n',
  'models/schema.yml': `sources:
  - name: post
    tables:
      - name: letters
        config: {key: id, on_error: quarantine}
        columns:
          - {name: id, data_type: integer}
          - {name: number, data_type: integer}
          - {name: payload, data_type: text}
`,
  'models/read.sql': `{{ config(materialized='materialized_view', unique_key='id') }}
select id, payload::jsonb ->> 'a' as a from {{ source('post', 'letters') }}
`,
});
afterAll(() => project.remove());

/** 60 records, four of which cannot be taken. */
const letters = (from: number): string =>
  Array.from({ length: 60 }, (_, index) => {
    const [payload, , number] = [
      ['[', 20, 1],
      ['nul', 21, 1],
      ['no json', 40, 1],
      ['ok', 50, 13],
    ].find(([, at]) => at === index) ?? ['ok', 0, 1];
    const texts: Record<string, string> = { '[': '['.repeat(1_000_000), nul: '{"a": "\0"}', 'no json': '{' };
    return `${JSON.stringify({ id: from + index, number, payload: texts[String(payload)] ?? '{"a": 1}' })}\n`;
  }).join('');

/** What is said of the records that were rejected. */
function rejected(log: string): string[] {
  return log.split('\n').filter((line) => line.includes(': rejected: '));
}

test('the others go in, beside a server as without one', async () => {
  const { status, log } = await project.seg('run');
  expect({ status, log }).toMatchObject({ status: 0 });
  const alone = await project.seg('ingest post.letters', { stdin: letters(1) });
  expect(alone).toMatchObject({
    status: 0,
    log: expect.stringContaining('56 accepted, 0 duplicate, 4 rejected') as string,
  });
  expect(rejected(alone.log)).toHaveLength(4);
  const serving = await startServing(project);
  try {
    const beside = await project.seg('ingest post.letters', { stdin: letters(1001) });
    expect(beside).toMatchObject({
      status: 0,
      log: expect.stringContaining('56 accepted, 0 duplicate, 4 rejected') as string,
    });
    expect(rejected(beside.log)).toEqual(rejected(alone.log));
    const answer = await fetch(`${serving.http}/v1/models/read?limit=1`);
    expect(answer.status).toBe(200);
    expect(await serving.stop()).toBe(0);
  } finally {
    serving.child.kill('SIGKILL');
  }
});
