/** A database that a newer seg has deployed to: this one writes nothing there, whatever it is asked to do. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDirectoryDatabase } from '../../src/engines/pglite/open.ts';
import { events, streamProject } from './stream-project.ts';

const project = streamProject();
beforeAll(async () => {
  const { status, log } = await project.seg('run');
  expect({ status, log }).toMatchObject({ status: 0 });
  const db = await openDirectoryDatabase(`${project.root}/.seg/data`, { command: 'seg test' });
  await db.exec('INSERT INTO _seg.migration (version) SELECT max(version) + 1 FROM _seg.migration');
  await db.close();
}, 120_000);
afterAll(() => project.remove());

it.each([
  'run',
  'ingest events.segment_events',
  'verify',
  'serve --port 0 --pg-port 0',
  'subscribe arrivals',
])(
  '"seg %s" says so and ends',
  async (command) => {
    const { status, log } = await project.seg(command, { stdin: events(1, 1) });
    expect({ status, log }).toMatchObject({ log: expect.stringContaining('SEG806') as string });
    expect(status).not.toBe(0);
  },
  120_000,
);

it('"seg debug" says it', async () => {
  const { log, stdout } = await project.seg('debug');
  expect(log + stdout).toContain('newer version of seg');
}, 120_000);
