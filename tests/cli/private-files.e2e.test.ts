import { chmodSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { streamProject } from './stream-project.ts';

const project = streamProject();
afterAll(() => project.remove());

/** What others of the machine may do with anything that seg has made. */
const open = (folder: string): string[] =>
  readdirSync(join(project.root, folder), { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .concat(join(project.root, folder))
    .filter((path) => (statSync(path).mode & 0o077) !== 0);

it('keeps data, logs and artifacts from other users of the machine, also logs that an earlier version left open', async () => {
  project.write('logs/seg.log', '');
  chmodSync(join(project.root, 'logs'), 0o700);
  const { status, log } = await project.seg('compile');
  expect({ status, log }).toMatchObject({ status: 0 });
  for (const folder of ['logs', 'target']) expect(open(folder), folder).toEqual([]);
});
