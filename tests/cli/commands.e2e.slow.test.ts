import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/program.ts';
import { events, streamProject } from './stream-project.ts';

const project = streamProject();
const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');

beforeAll(async () => {
  project.write('macros/nothing.sql', `{% macro nothing() %}select 1{% endmacro %}`);
  const { status, log } = await project.seg('build');
  expect({ status, log }).toMatchObject({ status: 0 });
});
afterAll(() => project.remove());

/** The least each command can be asked for. */
const MINIMAL: Record<string, string[]> = {
  init: ['init', 'another'],
  debug: ['debug'],
  list: ['ls'],
  compile: ['compile'],
  show: ['show', 'by_user'],
  explain: ['explain', 'by_user'],
  parse: ['parse'],
  build: ['build'],
  run: ['run'],
  seed: ['seed'],
  test: ['test'],
  plan: ['plan'],
  retry: ['retry'],
  'run-operation': ['run-operation', 'nothing'],
  ingest: ['ingest', 'segment_events'],
  rejected: ['rejected'],
  generate: ['generate', 'segment_events', '--count', '3'],
  subscribe: ['subscribe', 'by_user', '--no-follow'],
  clock: ['clock'],
  verify: ['verify'],
  sync: ['sync', '--once'],
  clean: ['clean'],
};

describe('every command', () => {
  it('is tried here', () => {
    // The server ends when it is told to: serve.e2e.slow.test.ts.
    expect([...Object.keys(MINIMAL), 'serve'].sort()).toEqual(COMMANDS.map(({ name }) => name).sort());
  });

  it.each(Object.entries(MINIMAL))('%s runs, and reads only flags it has', async (_, line) => {
    const { status, log } = await project.seg(line);
    expect({ status, log }).toMatchObject({ status: 0 });
    expect(log).not.toContain('SEG999');
  });

  it('takes nodes as arguments where nodes are looked at', async () => {
    const shown = await project.seg('show by_user arrivals --limit 1 --output csv');
    expect(shown.status).toBe(0);
    expect(shown.log).toContain(`Previewing node 'by_user':`);
    expect(shown.log).toContain(`Previewing node 'arrivals':`);
    const compiled = await project.seg('compile by_user -q');
    expect(compiled.stdout).toContain('group by user_id');
    expect((await project.seg('show by_usr')).log).toContain('Did you mean "by_user"?');
    expect((await project.seg('run by_user')).log).toContain('Nodes are named with --select.');
  });

  it('ends quietly when nobody reads on', async () => {
    await project.seg('ingest segment_events', { stdin: events(1, 3000) });
    const commands = [
      'subscribe arrivals',
      'ls',
      'show arrivals --limit -1 -q',
      'generate segment_events --count 100000',
    ];
    for (const command of commands) {
      const line = `set -o pipefail; "${process.execPath}" "${MAIN}" ${command} | head -1`;
      const { status, stdout, stderr } = spawnSync('bash', ['-c', line], {
        cwd: project.root,
        encoding: 'utf8',
        timeout: 30_000,
      });
      expect({ command, status, stderr }).toEqual({ command, status: 0, stderr: '' });
      expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    }
    // A snapshot that fits into the pipe: the next change finds that nobody reads.
    const idle = spawn(
      'bash',
      ['-c', `set -o pipefail; "${process.execPath}" "${MAIN}" subscribe by_user | head -1`],
      {
        cwd: project.root,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    await once(idle.stdout, 'data');
    await project.seg('ingest segment_events', { stdin: events(5000, 1) });
    expect(idle.exitCode ?? ((await once(idle, 'close')) as [number])[0]).toBe(0);
  });
});

describe('flags of the project file', () => {
  const file = project.read('dbt_project.yml');
  afterAll(() => project.write('dbt_project.yml', file));

  it('stand behind the command line and the environment', async () => {
    project.write('dbt_project.yml', `${file}flags:\n  log_format: json\n  partial_parse: false\n`);
    const json = await project.seg('run');
    expect(JSON.parse(json.log.split('\n')[0]!)).toMatchObject({ info: { name: 'MainReportVersion' } });
    expect(json.log).not.toContain('has no effect');
    expect((await project.seg('run --log-format text')).log).toContain('Running with seg=');
    expect((await project.seg('run', { env: { DBT_LOG_FORMAT: 'text' } })).log).toContain('\nFound ');
  });

  it('are checked, with their place', async () => {
    project.write('dbt_project.yml', `${file}flags:\n  fail_fsat: true\n  require_something: true\n`);
    const { status, log } = await project.seg('ls');
    expect(status).toBe(0);
    expect(log).toContain('dbt_project.yml:6:3: warning SEG919: unknown flag "fail_fsat"');
    expect(log).toContain('Did you mean "fail_fast"?');
    expect(log).not.toContain('require_something');
    expect((await project.seg('ls --warn-error')).status).toBe(2);
    project.write('dbt_project.yml', `${file}flags:\n  printer_width: wide\n`);
    const wrong = await project.seg('ls');
    expect(wrong.status).toBe(2);
    expect(wrong.log).toContain('wrong value "wide" for "printer_width" under "flags:" in dbt_project.yml');
  });
});

describe('seg test', () => {
  it('names compiled SQL where it is', async () => {
    project.write('tests/wrong.sql', `select * from {{ ref('by_user') }}\n`);
    const { status, log } = await project.seg('test --target-path elsewhere/artifacts');
    expect(status).toBe(1);
    expect(log).toContain('compiled code at elsewhere/artifacts/compiled/stream/tests/wrong.sql');
    expect(project.read('elsewhere/artifacts/compiled/stream/tests/wrong.sql')).toContain('"by_user"');
    project.write('tests/wrong.sql', `select * from {{ ref('by_user') }} where events < 0\n`);
  });

  it('rewrites what scenarios expect, and lists their steps', async () => {
    const scenario = (rows: string) =>
      [
        'scenarios:',
        '  - name: one_arrives',
        '    steps:',
        '      - name: somebody comes',
        '        ingest: segment_events',
        '        records:',
        '          - {event: 00000000-0000-4000-8000-000000000001, user: alice, segment: {vendor: 1}}',
        '        expect:',
        `          by_user: ${rows}`,
        '',
      ].join('\n');
    project.write('tests/arrivals.yml', scenario('[{user_id: bob, events: 2}] # who is here'));
    const failed = await project.seg('test -s one_arrives');
    expect(failed.status).toBe(1);
    const updated = await project.seg('test -s one_arrives --update');
    expect(updated).toMatchObject({ status: 0 });
    expect(updated.log).toContain('Updated 1 expectation in tests/arrivals.yml');
    expect(project.read('tests/arrivals.yml')).toBe(scenario('[{user_id: alice, events: 1}] # who is here'));
    const passed = await project.seg('test -s one_arrives -v');
    expect(passed.status).toBe(0);
    expect(passed.log).toMatch(
      /\n {4}pass {2}\d\.\d\ds {2}step 1 "somebody comes" · segment_events: 1 accepted, .* · model "by_user": 1 row\n/,
    );
    expect(passed.log.trimEnd().split('\n').slice(-5)).toEqual([
      '',
      'Completed successfully',
      '',
      'Ran 1 test, 1 passed, 0 failed',
      'Done. PASS=1 WARN=0 ERROR=0 SKIP=0 NO-OP=0 TOTAL=1',
    ]);
  });
});
