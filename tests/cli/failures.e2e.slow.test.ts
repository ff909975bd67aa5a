import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { events, streamProject } from './stream-project.ts';

/** What goes wrong in the database, as a person sees it. */
const project = streamProject();
const MODEL = 'models/wrong.sql';
const model = (sql: string) => `{{ config(materialized='materialized_view') }}\n${sql}\n`;

beforeAll(async () => {
  project.write('macros/other.sql', '{% macro other() %}create table "stream"."wrong" (a int){% endmacro %}');
  expect(await project.seg('run')).toMatchObject({ status: 0 });
  await project.seg('ingest segment_events', { stdin: events(1, 1) });
});
afterAll(() => project.remove());

describe('a model that cannot be deployed', () => {
  afterEach(async () => {
    // The others are as they were.
    project.write(MODEL, model(`select 1 as one from {{ ref('by_user') }} where false`));
    expect((await project.seg('ls -q -s wrong')).stdout).toBe('stream.wrong\n');
    expect((await project.seg('show -q -o csv by_user')).stdout).toBe('user_id,events\nuser-1,1\n');
  });

  it('names an unknown column, its place and the nearest one', async () => {
    project.write(MODEL, model(`select\n  usr_id\nfrom {{ ref('by_user') }}`));
    const { status, log } = await project.seg('run');
    expect(status).toBe(1);
    expect(log).toContain(
      [
        'models/wrong.sql:3:3: error SEG407: model "wrong": column "usr_id" does not exist',
        '    3 |   usr_id',
        '      |   ~~~~~~',
        '  hint: Perhaps you meant to reference the column "by_user.user_id".',
      ].join('\n'),
    );
    expect(log).toContain('Done. PASS=0 WARN=0 ERROR=1 SKIP=0 NO-OP=2 TOTAL=3');
  });

  it('says what to do against a division by zero, also of a record that causes it', async () => {
    project.write(MODEL, model(`select 1 / (events - 1) as x from {{ ref('by_user') }}`));
    const { status, log } = await project.seg('run');
    expect(status).toBe(1);
    expect(log).toContain('error SEG407: model "wrong": division by zero');
    expect(log).toContain('  hint: Guard the divisor: a / nullif(b, 0) is NULL where b is 0.');
    project.write(MODEL, model(`select 1 / (events - 2) as x from {{ ref('by_user') }}`));
    expect(await project.seg('run')).toMatchObject({ status: 0 });
    const { status: strict, log: rejected } = await project.seg('ingest segment_events --strict', {
      stdin: events(8, 1),
    });
    expect(strict).toBe(1);
    expect(rejected).toContain(
      'error SEG506: stdin, line 1: model "wrong" (stream.wrong, models/wrong.sql): division by zero',
    );
    expect(rejected).toContain('Nothing of this batch was taken in.');
    project.write(MODEL, model('select 1 as x'));
    await project.seg('run');
  });

  it('does not replace what seg did not make', async () => {
    rmSync(join(project.root, MODEL));
    expect(await project.seg('run --prune')).toMatchObject({ status: 0 });
    expect(await project.seg('run-operation other')).toMatchObject({ status: 0 });
    project.write(MODEL, model(`select 1 as x`));
    const { status, log } = await project.seg('run');
    expect(status).toBe(1);
    expect(log).toContain(
      'error SEG410: model "wrong" cannot be created: there is a table "stream.wrong" that seg did not make',
    );
    expect(log).toContain('  hint: Drop or rename it, or give the node another alias or schema.');
  });
});
