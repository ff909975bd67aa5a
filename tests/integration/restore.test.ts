/** A database that has moved: dumped and restored under another name and owner, or its folder copied. Feeds and sinks go on where they were. */
import { cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { events, streamProject } from '../cli/stream-project.ts';
import type { TestProject } from '../cli/run-seg.ts';
import { run } from './clients/toolchains.ts';
import { onServer, postgresProject, serverUrl } from './postgres-project.ts';

const SINK = `sinks:
  - name: copies
    from: ref('by_user')
    type: file
    mode: changes
    backfill: true
    primary_key: [user_id]
    config: {path: "out/", format: ndjson}
`;

const cleanUp: (() => unknown)[] = [];
afterAll(async () => {
  for (const each of cleanUp.reverse()) await each();
});

/** What a project has when it is moved: rows, a sink that has sent, a reader's position. */
async function used(project: TestProject): Promise<string> {
  project.write('models/sinks.yml', SINK);
  expect(await project.seg('run')).toMatchObject({ status: 0 });
  // Switches the feed on.
  expect(await project.seg('subscribe by_user --no-follow')).toMatchObject({ status: 0 });
  expect(await project.seg('ingest segment_events -', { stdin: events(1, 21) })).toMatchObject({ status: 0 });
  expect(await project.seg('sync copies')).toMatchObject({ status: 0 });
  const { stdout } = await project.seg('subscribe by_user --no-follow');
  return (JSON.parse(stdout.trim().split('\n').at(-1)!) as { position: string }).position;
}

/** Goes on in the moved database from a reader's position. */
async function goesOn(project: TestProject, position: string): Promise<void> {
  const again = await project.seg('run');
  expect(again.log).toMatch(/WARN=0 ERROR=0/);
  expect(await project.seg('ingest segment_events -', { stdin: events(15, 14) })).toMatchObject({
    status: 0,
  });
  const { stdout, status, log } = await project.seg(`subscribe by_user --no-follow --from ${position}`);
  expect({ status, log }).toMatchObject({ status: 0 });
  const changes = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { op: string; row: { events: number } });
  expect(changes.map(({ op, row }) => `${op} ${row.events}`)).toEqual(Array(7).fill('update 4'));
  expect(await project.seg('sync copies')).toMatchObject({ status: 0, log: 'Sink copies: 7 sent\n' });
  expect(await project.seg('verify')).toMatchObject({ status: 0 });
}

it('PostgreSQL: another name, owner and OIDs', async () => {
  const original = await postgresProject('seg_test_dumped');
  const { project } = original;
  cleanUp.push(() => original.remove());
  const position = await used(project);
  const bin = dirname(process.env['SEG_TEST_PSQL']!);
  const address = (database: string) => {
    const url = new URL(serverUrl());
    url.pathname = `/${database}`;
    return url;
  };
  const dump = join(project.root, 'dump.sql');
  await run(join(bin, 'pg_dump'), [
    '--no-owner',
    '--no-privileges',
    '-f',
    dump,
    address('seg_test_dumped').href,
  ]);
  await onServer(
    `DO $$ BEGIN CREATE ROLE seg_restorer LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
  );
  await onServer('DROP DATABASE IF EXISTS seg_test_restored WITH (FORCE)');
  await onServer('CREATE DATABASE seg_test_restored OWNER seg_restorer');
  cleanUp.push(() => onServer('DROP DATABASE IF EXISTS seg_test_restored WITH (FORCE)'));
  const into = address('seg_test_restored');
  into.username = 'seg_restorer';
  // The dump of a superuser has event triggers, which another role cannot make: psql goes on without.
  await run(process.env['SEG_TEST_PSQL']!, ['-Xq', '-f', dump, into.href]);
  original.profile({ dbname: 'seg_test_restored', user: 'seg_restorer' });
  await goesOn(project, position);
});

it('the embedded database: its folder copied to another project', async () => {
  const project = streamProject();
  cleanUp.push(() => project.remove());
  const position = await used(project);
  const copy = streamProject();
  cleanUp.push(() => copy.remove());
  copy.write('models/sinks.yml', SINK);
  cpSync(join(project.root, '.seg', 'data'), join(copy.root, '.seg', 'data'), { recursive: true });
  await goesOn(copy, position);
});
