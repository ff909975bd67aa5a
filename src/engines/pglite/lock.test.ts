import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acquireLock, readOwner } from './lock.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'seg-lock-'));
  await writeFile(join(root, 'file'), '');
});
afterAll(() => rm(root, { recursive: true }));

describe('a data directory', () => {
  test('may lie in folders that are not there yet', async () => {
    const directory = join(root, 'a', 'b', 'data');
    const lock = await acquireLock(directory, 'seg run');
    expect(await readOwner(directory)).toMatchObject({ pid: process.pid, command: 'seg run' });
    await expect(acquireLock(directory, 'seg test')).rejects.toMatchObject({
      exitCode: 2,
      diagnostics: [{ code: 'SEG801' }],
    });
    await lock.release();
    expect(existsSync(lock.path)).toBe(false);
  });

  // In /proc no folder can be made, and Node's own mkdir -p would try for ever.
  test.each(['file/data', 'file/a/data', ...(process.platform === 'linux' ? ['/proc/none/data'] : [])])(
    'where none can be made (%s) is refused with a place and a remedy',
    async (path) => {
      const directory = path.startsWith('/') ? path : join(root, path);
      await expect(acquireLock(directory, 'seg run')).rejects.toMatchObject({
        exitCode: 2,
        diagnostics: [
          { code: 'SEG802', message: expect.stringContaining(`cannot create "${directory}.lock"`) as string },
        ],
      });
    },
  );
});
