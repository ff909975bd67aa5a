/** What a command's own thread is for: a stack that deep SQL needs, signals that are heard, memory that ends with a message. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestProject } from './run-seg.ts';

const model = (columns: string): string =>
  `{{ config(materialized='materialized_view') }}\nselect ${columns} as s from {{ ref('numbers') }}\n`;
const project = new TestProject({
  'dbt_project.yml': 'name: deep\nversion: "1.0"\nconfig-version: 2\nprofile: deep\n',
  'profiles.yml': 'deep:\n  target: dev\n  outputs:\n    dev:\n      type: pglite\n      path: data\n',
  'seeds/numbers.csv': 'n\n1\n3\n',
  'models/terms.sql': model(Array(5000).fill('n').join(' + ')),
  'models/calls.sql': model(`${'coalesce('.repeat(1000)}n${', 0)'.repeat(1000)}`),
});
afterAll(() => project.remove());
/** Starts `seg` and, once it has said `after`, sends the signals. */
async function seg(
  args: readonly string[],
  { signals = [], env = {} }: { signals?: readonly NodeJS.Signals[]; env?: NodeJS.ProcessEnv } = {},
) {
  const child = project.start(args, { env });
  const [stdout, log] = [text(child.stdout), text(child.stderr)];
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  for (const signal of signals) {
    await busy(child.pid!);
    child.kill(signal);
  }
  const [status] = await ended;
  return { status, stdout: await stdout, log: await log };
}

/** Waits until the process has the data directory open. */
async function busy(pid: number): Promise<void> {
  const lock = join(project.root, 'data.lock');
  await expect
    .poll(() => existsSync(lock) && readFileSync(lock, 'utf8'), { timeout: 60_000 })
    .toContain(String(pid));
}

const ENDLESS = 'select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b';

beforeAll(async () => {
  expect(await seg(['seed'])).toMatchObject({ status: 0 });
});

it('maintains an expression of 5,000 terms, and one of 1,000 calls within one another', async () => {
  expect(await seg(['run'])).toMatchObject({ status: 0 });
  const { stdout } = await seg([
    'show',
    '--output',
    'json',
    '--inline',
    `select (select sum(s) from {{ ref('terms') }}) as terms, (select sum(s) from {{ ref('calls') }}) as calls`,
  ]);
  expect(JSON.parse(stdout)).toMatchObject({ show: [{ terms: 20000, calls: 4 }] });
});

it.each<[string, string]>([
  ['JSON', `select repeat('[', 1000000)::jsonb`],
  ['parentheses', `select to_tsquery(repeat('(', 100000))`],
])('%s that are deeper than the stack are an error', async (_, sql) => {
  const { status, log } = await seg(['show', '--inline', sql]);
  expect({ status, log }).toMatchObject({
    status: 1,
    log: expect.stringContaining('stack depth limit exceeded') as string,
  });
});

it.each<NodeJS.Signals>(['SIGINT', 'SIGTERM'])(
  '%s ends a statement that would not end by itself',
  async (signal) => {
    const { status, log } = await seg(['show', '--inline', ENDLESS], { signals: [signal] });
    expect({ status, log }).toMatchObject({
      status: 2,
      log: expect.stringContaining('Interrupted.') as string,
    });
  },
);

it('is gone at once when it is asked twice, and the directory opens again', async () => {
  expect(await seg(['show', '--inline', ENDLESS], { signals: ['SIGINT', 'SIGTERM'] })).toMatchObject({
    status: 2,
  });
  expect(await seg(['show', '--inline', 'select 1 as one'])).toMatchObject({ status: 0 });
});

it('says so when its memory has ended', async () => {
  const { status, log } = await seg(
    ['show', '--limit', '-1', '--inline', `select repeat('x', 1000) as x from generate_series(1, 200000)`],
    { env: { NODE_OPTIONS: '--max-old-space-size=60' } },
  );
  expect({ status, log }).toMatchObject({
    status: 2,
    log: expect.stringMatching(/error SEG844: .*memory/) as string,
  });
  expect(log).not.toMatch(/\n {4}at /);
});

it('refuses by place more levels than can be followed', async () => {
  project.write('models/beyond.sql', model(Array(20_000).fill('n').join(' + ')));
  const { status, log } = await seg(['compile']);
  expect({ status, log }).toMatchObject({
    status: 2,
    log: expect.stringMatching(/models\/beyond\.sql:2:\d+: error SEG\d+: nested more than/) as string,
  });
});
