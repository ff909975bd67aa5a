/** A disk that fills up, or that nobody may write: the whole project on a file system of its own. Mounting one needs root. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServing } from './serving.ts';
import { streamProject } from './stream-project.ts';

const project = streamProject();
const disk = project.root;
const filler = join(disk, 'filler');
const source = 'events.segment_events';
const MEGABYTE = 2 ** 20;
/** Every record that was acknowledged, by its number. */
const acknowledged = new Set<number>();
let mounted = false;

function mount(...args: readonly string[]): void {
  try {
    execFileSync('mount', [...args, disk], { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    throw new Error('this test mounts a small file system, which needs root and the right to mount', {
      cause: error,
    });
  }
}

/** Leaves so many megabytes to seg. */
function fill(megabytes: number): void {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - megabytes * MEGABYTE), 1), { flag: 'a' });
}

const makeRoom = (): void => rmSync(filler);

beforeAll(async () => {
  const files = [
    'dbt_project.yml',
    'profiles.yml',
    'models/schema.yml',
    'models/arrivals.sql',
    'models/by_user.sql',
  ];
  const texts = files.map((file) => [file, project.read(file)] as const);
  mount('-t', 'tmpfs', '-o', 'size=192m', 'tmpfs');
  mounted = true;
  for (const [file, text] of texts) project.write(file, text);
  const { status, log } = await project.seg('run');
  expect({ status, log }).toMatchObject({ status: 0 });
});
afterAll(() => {
  if (mounted) execFileSync('umount', ['--lazy', disk]);
  project.remove();
});

/** Records of 3 kB, told apart by their number, which cannot be stored in less. */
const large = (from: number, count: number): string =>
  Array.from({ length: count }, (_, index) => {
    const event = `00000000-0000-4000-8000-${String(from + index).padStart(12, '0')}`;
    const user = `u${from + index}-${randomBytes(1500).toString('hex')}`;
    return `${JSON.stringify({ event, user, segment: { vendor: 1 } })}\n`;
  }).join('');

/** What there is: all that was acknowledged, each once, and at most `more` besides. The models agree with it. */
async function expectStored(more = 0): Promise<void> {
  const { stdout, log } = await project.seg([
    ...['show', '--output', 'json', '--limit', '-1', '--inline'],
    `select right(event_id::text, 12)::bigint as n from {{ source('events', 'segment_events') }}`,
  ]);
  expect(log).not.toContain('error');
  const numbers = [...stdout.matchAll(/"n": ?(\d+)/g)].map(([, number]) => Number(number));
  expect(new Set(numbers).size).toBe(numbers.length);
  expect([...acknowledged].filter((number) => !numbers.includes(number))).toEqual([]);
  expect(numbers.length - acknowledged.size).toBeLessThanOrEqual(more);
  expect(await project.seg('verify')).toMatchObject({ status: 0 });
}

/** One error in the log, with the path, and no stack. */
function expectFull(log: string): void {
  expect(log.match(/^error .*$/gm)).toEqual([
    expect.stringMatching(new RegExp(`^error SEG841: the disk of "${disk}.*" is full: `)),
  ]);
  expect(log).not.toMatch(/^ +at /m);
}

test('a full disk is told by "seg serve", which reads on, and takes records again when there is room', async () => {
  const serving = await startServing(project);
  try {
    const send = async (from: number): Promise<number> => {
      const { status } = await fetch(`${serving.http}/v1/sources/${source}/records`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: large(from, 100),
      });
      if (status === 200) for (let number = from; number < from + 100; number++) acknowledged.add(number);
      return status;
    };
    fill(62);
    let from = 0;
    await expect
      .poll(() => send((from += 100)), { timeout: 120_000, interval: 0 })
      .toSatisfy((status: number) => status !== 200);
    expect(await send((from += 100))).toBe(507);
    const read = await fetch(`${serving.http}/v1/models/arrivals?limit=1`);
    expect(read.status).toBe(200);
    const beside = await project.seg(`ingest ${source}`, { stdin: large(900_000, 2000) });
    expect(beside.status).toBe(1);
    expectFull(beside.log);
    makeRoom();
    await expect.poll(() => send((from += 100)), { timeout: 60_000, interval: 100 }).toBe(200);
    expect(await serving.stop()).toBe(0);
  } finally {
    serving.child.kill('SIGKILL');
  }
  await expectStored(2000);
});

test('a full disk ends "seg ingest" with one error; it opens and reads on; what it had taken is there', async () => {
  for (let number = 1_000_000; number < 1_000_100; number++) acknowledged.add(number);
  expect(await project.seg(`ingest ${source}`, { stdin: large(1_000_000, 100) })).toMatchObject({
    status: 0,
  });
  fill(40);
  const { status, log } = await project.seg(`ingest ${source}`, { stdin: large(2_000_000, 10_000) });
  expect(status).toBe(1);
  expectFull(log);
  // Somebody else takes the rest.
  fill(0);
  await expectStored(20_000);
  makeRoom();
  for (let number = 3_000_000; number < 3_000_010; number++) acknowledged.add(number);
  expect(await project.seg(`ingest ${source}`, { stdin: large(3_000_000, 10) })).toMatchObject({ status: 0 });
  await expectStored(20_000);
});

test('a disk that nobody may write ends "seg ingest" with one error', async () => {
  mount('-o', 'remount,ro');
  try {
    const { status, log } = await project.seg(`ingest ${source}`, { stdin: large(5_000_000, 10) });
    expect({ status, log }).toMatchObject({ status: 2, log: expect.stringContaining(disk) as string });
    expect(log).toContain('folder that can be written to');
    expect(log).not.toMatch(/SEG999|^ +at /m);
  } finally {
    mount('-o', 'remount,rw');
  }
  expect(await project.seg('verify')).toMatchObject({ status: 0 });
});
