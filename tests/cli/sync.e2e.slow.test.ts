/** `seg sync` as a user types it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServing } from './serving.ts';
import { events, streamProject } from './stream-project.ts';
import type { TestProject } from './run-seg.ts';

let project: TestProject;
beforeAll(async () => {
  project = streamProject();
  project.write('models/sinks.yml', 'sinks:\n  - {name: out, from: by_user, type: stdout, backfill: true}\n');
  await project.seg('build --quiet');
  await project.seg('ingest segment_events --quiet', { stdin: events(1, 14) });
});
afterAll(() => project.remove());

test('shows, sends, remembers what it has sent, and tells how it went', async () => {
  const preview = await project.seg('sync --dry-run --output json');
  expect(JSON.parse(preview.stdout)).toMatchObject({
    ...{ sink: 'out', adds: 7, changes: 0, removes: 0 },
    sends: [{ to: 'standard output', body: expect.stringContaining('"op":"insert"') as string }],
  });
  const first = await project.seg('sync out');
  expect(first.status).toBe(0);
  expect(first.stdout.trim().split('\n')).toHaveLength(7);
  expect(first.log).toContain('Sink out: 7 sent');
  expect((await project.seg('sync')).stdout).toBe('');
  const status = await project.seg('sync status --output json');
  expect(JSON.parse(status.stdout)).toMatchObject({
    sinks: [{ sink: 'out', state: 'ok', waiting: 0 }],
    runs: [
      { status: 'ok', sent: 0 },
      { status: 'ok', sent: 7 },
    ],
  });
  expect((await project.seg('ls --select +sink:out --resource-type sink model')).stdout).toBe(
    'sink:stream.out\nstream.arrivals\nstream.by_user\n',
  );
});

test('goes through the server that holds the database, which makes room and then follows again', async () => {
  project.write(
    'models/sinks.yml',
    [
      'sinks:',
      '  - {name: out, from: by_user, type: stdout, backfill: true}',
      '  - {name: lake, from: by_user, type: file, mode: mirror, guard: {deletes: 0.1, at_least: 1}, config: {path: lake, compress: none, max_seconds: 0.2}}',
      '',
    ].join('\n'),
  );
  const serving = await startServing(project);
  const writer = new pg.Client({
    host: '127.0.0.1',
    port: serving.pgPort,
    user: 'seg',
    database: 'postgres',
  });
  const stateOf = async (sink: string): Promise<string | undefined> => {
    const { rows } = await writer.query<{ state: string }>('select state from _seg.sink where name = $1', [
      sink,
    ]);
    return rows[0]?.state;
  };
  try {
    await writer.connect();
    for (const command of ['build', 'test', 'sync --dry-run'])
      expect(await project.seg(command), command).toMatchObject({ status: 0 });
    // The server has sent them all; what goes to the client's terminal is what the client asks for.
    await until(() => existsSync(join(project.root, 'lake')));
    const again = await project.seg('sync out --full-resync');
    expect(again).toMatchObject({ status: 0 });
    expect(again.stdout.trim().split('\n')).toHaveLength(7);
    expect(again.log).toContain('Sink out: 7 sent');
    // A guard that holds in the server is told to let it go from another terminal.
    await writer.query("delete from stream.segment_events where user_id <> 'user-1'");
    await until(async () => (await stateOf('lake')) === 'held');
    const confirmed = await project.seg('sync lake --confirm');
    expect(confirmed).toMatchObject({ status: 0 });
    expect(confirmed.log).toContain('Sink lake: 6 sent');
    await until(async () => (await stateOf('lake')) === 'ok');
    // It follows again: what comes now is sent without being asked for.
    await writer.query(
      "insert into stream.segment_events (event_id, user_id, vendor) values (gen_random_uuid(), 'user-new', 1)",
    );
    await until(() => readdirSync(join(project.root, 'lake'), { recursive: true }).some(isOf('user-new')));
    await writer.end();
  } finally {
    expect(await serving.stop()).toBe(0);
  }
}, 180_000);

function isOf(user: string): (name: string | Buffer) => boolean {
  return (name) => {
    const file = join(project.root, 'lake', String(name));
    return file.endsWith('.ndjson') && readFileSync(file, 'utf8').includes(user);
  };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 100));
}
