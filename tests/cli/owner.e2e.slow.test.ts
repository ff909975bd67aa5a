import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { events, streamProject } from './stream-project.ts';

const project = streamProject();
const lock = join(project.root, '.seg/data.lock');

beforeAll(async () => {
  const { status, log } = await project.seg('run');
  expect({ status, log }).toMatchObject({ status: 0 });
});
afterAll(() => project.remove());

/** `seg ingest` that has written `count` records from its pipe and waits for more. */
async function waitingOwner(from: number, count: number) {
  const owner = project.start('ingest segment_events -');
  let log = '';
  owner.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  owner.stdin.on('error', () => undefined);
  owner.stdin.write(events(from, count));
  // The lock names the port once the database is open; then the batch needs a moment.
  while (!existsSync(lock) || !readFileSync(lock, 'utf8').includes('"port"')) {
    if (owner.exitCode !== null) throw new Error(`the owner ended: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return owner;
}

async function rows(): Promise<number> {
  const { stdout, log } = await project.seg([
    'show',
    '-q',
    '-o',
    'csv',
    '--inline',
    `select count(*) as n from {{ source('events', 'segment_events') }}`,
  ]);
  const count = Number(stdout.split('\n')[1]);
  if (Number.isNaN(count)) throw new Error(log);
  return count;
}

describe('a data directory', () => {
  it('belongs to one process; others are told whose it is', async () => {
    const owner = await waitingOwner(1, 10);
    for (const command of ['run', 'show by_user']) {
      const { status, stdout, log } = await project.seg(command);
      expect({ command, status, stdout }).toEqual({ command, status: 2, stdout: '' });
      expect(log).toMatch(
        new RegExp(
          `error SEG801: the data directory ".*" is held by "seg ingest" \\(process ${owner.pid} on .*, since .*\\)\n` +
            ' {2}hint: An embedded database belongs to one process at a time: wait for it to end, or stop it.\n$',
        ),
      );
      expect(log.match(/SEG801/g)).toHaveLength(1);
    }
    owner.stdin.end();
    expect(await once(owner, 'close')).toEqual([0, null]);
    expect(existsSync(lock)).toBe(false);
    expect(await rows()).toBe(10);
  }, 60_000);

  it('is taken over from a process that was killed, with all that was committed', async () => {
    const owner = await waitingOwner(11, 10);
    owner.kill('SIGKILL');
    await once(owner, 'close');
    expect(existsSync(lock)).toBe(true);
    expect(await rows()).toBe(20);
    expect(existsSync(lock)).toBe(false);
    expect(await project.seg('verify')).toMatchObject({ status: 0 });
  }, 60_000);

  it('is closed on Ctrl-C, with all that was committed', async () => {
    const owner = await waitingOwner(21, 10);
    owner.kill('SIGINT');
    expect(((await once(owner, 'close')) as [number])[0]).toBeLessThan(3);
    expect(existsSync(lock)).toBe(false);
    expect(await rows()).toBe(30);
  }, 60_000);
});

/** Kills a command after a random part of the time it takes. */
async function killed(args: string, milliseconds: number): Promise<void> {
  const child = project.start(args);
  child.stdin.end();
  child.stdout.resume();
  child.stderr.resume();
  const closed = once(child, 'close');
  const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
  await closed;
  clearTimeout(timer);
}

describe('kill -9', () => {
  it('in the middle of an ingestion loses and doubles nothing', async () => {
    const total = 60_000;
    project.write('events.ndjson', events(1_000_000, total));
    const before = await rows();
    for (const part of [0.35, 0.6, 0.85])
      await killed('ingest segment_events events.ndjson --batch-size 2000', 1500 + part * 3000);
    const there = await rows();
    const again = await project.seg('ingest segment_events events.ndjson');
    expect(again.status).toBe(0);
    const [, accepted, duplicate] = /: ([\d,]+) accepted, ([\d,]+) duplicate, 0 rejected/.exec(again.log)!;
    const number = (text: string) => Number(text.replaceAll(',', ''));
    expect(number(duplicate!)).toBe(there - before);
    expect(number(accepted!) + number(duplicate!)).toBe(total);
    expect(await rows()).toBe(before + total);
    expect(await project.seg('verify')).toMatchObject({ status: 0 });
  }, 120_000);

  it('in the middle of seed and run leaves what was there, and the next run goes on', async () => {
    const rowsOf = (count: number, factor: number) =>
      Array.from({ length: count }, (_, n) => `user-${n},${n * factor}`).join('\n');
    project.write('seeds/weights.csv', `user_id,weight\n${rowsOf(5, 1)}\n`);
    project.write(
      'models/weighted.sql',
      `{{ config(materialized='materialized_view') }}
select user_id, events * weight as score from {{ ref('by_user') }} join {{ ref('weights') }} using (user_id)
`,
    );
    expect((await project.seg('build')).status).toBe(0);
    const size = async () =>
      (
        await project.seg([
          'show',
          '-q',
          '-o',
          'csv',
          '--inline',
          `select count(*) from {{ ref('weights') }}`,
        ])
      ).stdout.split('\n')[1];
    project.write('seeds/weights.csv', `user_id,weight\n${rowsOf(40_000, 2)}\n`);
    for (const wait of [1300, 2300]) {
      await killed('seed', wait);
      // All or nothing.
      expect(['5', '40000']).toContain(await size());
    }
    project.write(
      'models/weighted.sql',
      project.read('models/weighted.sql').replace('events * weight', 'events * weight + 1'),
    );
    await killed('run', 1500);
    const built = await project.seg('build');
    expect(built).toMatchObject({ status: 0 });
    expect(await size()).toBe('40000');
    expect(await project.seg('verify')).toMatchObject({ status: 0 });
    expect((await project.seg('build')).log).toContain('NO-OP=4');
  }, 120_000);
});
