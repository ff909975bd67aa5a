import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acquireLock, lockPath, READER_COMMAND, readOwner } from './lock.ts';

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

  test('is waited for when a reader holds it, which is soon done', async () => {
    const directory = join(root, 'read');
    const reader = await acquireLock(directory, READER_COMMAND);
    const waiting = acquireLock(directory, 'seg run');
    expect(await Promise.race([waiting, sleep(200, 'waits')])).toBe('waits');
    await reader.release();
    const lock = await waiting;
    expect(await readOwner(directory)).toMatchObject({ command: 'seg run' });
    await lock.release();
  });

  test('has one new owner when many find that the old one is gone', async () => {
    const directory = join(root, 'stale');
    const old = await acquireLock(directory, 'seg run');
    const owner = (await readOwner(directory))!;
    await old.release();
    // A number that was given out again to a process that started later; where that is not told, one nobody has.
    const gone = owner.started === null ? { ...owner, pid: 2 ** 30 } : { ...owner, started: '1' };
    await writeFile(lockPath(directory), JSON.stringify(gone));
    expect(await readOwner(directory)).toBeUndefined();
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => acquireLock(directory, 'seg run')));
    const winners = all.filter((each) => each.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    await winners[0]!.value.release();
  });

  test.each([
    '',
    'null',
    '0',
    '[]',
    '{}',
    '{"pid":"x","host":"y"}',
    '{"pid":-1,"host":"y"}',
    'no JSON \u0000',
  ])('is free when its lock is none (%j)', async (text) => {
    const directory = join(root, 'garbage');
    await writeFile(lockPath(directory), text);
    expect(await readOwner(directory)).toBeUndefined();
    const lock = await acquireLock(directory, 'seg run');
    expect(await readOwner(directory)).toMatchObject({ pid: process.pid });
    await lock.release();
  });

  test('that was copied with its lock is free, and the original is not', async () => {
    const original = join(root, 'project');
    await mkdir(join(original, 'data'), { recursive: true });
    const lock = await acquireLock(join(original, 'data'), 'seg serve');
    await lock.announce({ port: 1, token: 'secret' });
    const copied = join(root, 'copied');
    await cp(original, copied, { recursive: true });
    expect(await readOwner(join(copied, 'data'))).toBeUndefined();
    const second = await acquireLock(join(copied, 'data'), 'seg ingest');
    expect(await readOwner(join(original, 'data'))).toMatchObject({ address: { token: 'secret' } });
    await second.release();
    await expect(acquireLock(join(original, 'data'), 'seg run')).rejects.toMatchObject({
      diagnostics: [{ code: 'SEG801' }],
    });
    await lock.release();
  });

  test.skipIf(process.platform === 'win32')('has one lock whatever links lead to it', async () => {
    const directory = join(root, 'linked');
    await mkdir(directory);
    await symlink(directory, join(root, 'link'));
    const lock = await acquireLock(join(root, 'link'), 'seg run');
    await expect(acquireLock(directory, 'seg test')).rejects.toMatchObject({
      diagnostics: [{ code: 'SEG801' }],
    });
    await lock.release();
    expect(existsSync(`${directory}.lock`)).toBe(false);
  });

  test('held on another host says how to take it when that host is gone', async () => {
    const directory = join(root, 'elsewhere');
    const old = await acquireLock(directory, 'seg serve');
    const owner = (await readOwner(directory))!;
    await old.release();
    await writeFile(lockPath(directory), JSON.stringify({ ...owner, host: 'another-container' }));
    await expect(acquireLock(directory, 'seg run')).rejects.toMatchObject({
      diagnostics: [
        { code: 'SEG801', hint: expect.stringContaining(`remove "${lockPath(directory)}"`) as string },
      ],
    });
  });
});
