import { mkdtemp, rm } from 'node:fs/promises';
import { chmodSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EngineFailure } from './failure.ts';
import { openMemoryDatabase } from './memory.ts';
import { openDirectoryDatabase } from './open.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'seg-engine-'));
});
afterAll(() => rm(root, { recursive: true }));

const nested = (count: number, open: string, inside: string, close: string): string =>
  open.repeat(count) + inside + close.repeat(count);

/** More of V8's stack than there is; PostgreSQL's own limit stands before some of them. */
const deep: readonly (readonly [string, string])[] = [
  ['json', `SELECT '${'['.repeat(40_000)}'::json`],
  ['jsonb', `SELECT '${nested(40_000, '[', '', ']')}'::jsonb`],
  ['tsquery', `SELECT to_tsquery('${nested(40_000, '(', 'a', ')')}')`],
  ['terms', `SELECT ${Array(5000).fill('1').join('+')}`],
  ['calls', `SELECT ${nested(3000, 'abs(', '1', ')')}`],
  ['regular expression', `SELECT 'a' ~ '${nested(50_000, '(', 'a', ')')}'`],
];

/** Ends the server whatever the stack: PGlite's device throws through it. */
const FATAL = `COPY t FROM '/dev/blob'`;

describe('a statement that is too deep for the engine', () => {
  test('fails, and what was committed is there for the next one', async () => {
    const directory = join(root, 'deep');
    const db = await openDirectoryDatabase(directory, { command: 'seg test' });
    try {
      await db.exec('CREATE TABLE t (n integer)');
      let restarts = 0;
      db.onRestart(() => restarts++);
      for (const [index, [name, sql]] of deep.entries()) {
        await db.query('INSERT INTO t VALUES ($1)', [index]);
        await expect(db.query(sql), name).rejects.toMatchObject({ sqlstate: '54001' });
        const { rows } = await db.query<{ n: number }>('SELECT count(*)::integer AS n FROM t');
        expect(rows, name).toEqual([{ n: index + 1 }]);
      }
      await expect(db.exec(FATAL.replace('t ', 't (n) '))).rejects.toBeInstanceOf(EngineFailure);
      expect((await db.query('SELECT 1 FROM t')).rows).toHaveLength(deep.length);
      expect(restarts).toBeGreaterThan(0);
    } finally {
      await db.close();
    }
  }, 300_000);

  test('undoes the transaction that it stands in, whoever catches its error', async () => {
    const db = await openDirectoryDatabase(join(root, 'transaction'), { command: 'seg test' });
    try {
      await db.exec('CREATE TABLE t (n integer)');
      const transaction = db.transaction(async (tx) => {
        await tx.exec('INSERT INTO t VALUES (1)');
        await tx.transaction((inner) => inner.exec(FATAL)).catch(() => {});
        await tx.exec('INSERT INTO t VALUES (2)');
      });
      await expect(transaction).rejects.toBeInstanceOf(EngineFailure);
      expect((await db.query('SELECT * FROM t')).rows).toEqual([]);
    } finally {
      await db.close();
    }
  }, 300_000);

  test('is the end of a database in memory: nothing answers any more, wrongly least of all', async () => {
    const db = await openMemoryDatabase();
    await db.exec('CREATE TABLE t (n integer)');
    await expect(db.exec(FATAL)).rejects.toBeInstanceOf(EngineFailure);
    await expect(db.query('SELECT 1')).rejects.toBeInstanceOf(EngineFailure);
    await db.close();
  }, 300_000);
});

const openToOthers = (directory: string): string[] =>
  [
    directory,
    ...readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => join(directory, name)),
  ].filter((path) => (statSync(path).mode & 0o077) !== 0);

test.skipIf(process.platform === 'win32')(
  "a data directory is its owner's alone, also one that was not",
  async () => {
    const directory = join(root, 'private');
    await (await openDirectoryDatabase(directory, { command: 'seg test' })).close();
    expect(openToOthers(directory)).toEqual([]);
    chmodSync(directory, 0o755);
    chmodSync(join(directory, 'base'), 0o755);
    chmodSync(join(directory, 'PG_VERSION'), 0o644);
    await (await openDirectoryDatabase(directory, { command: 'seg test' })).close();
    expect(openToOthers(directory)).toEqual([]);
  },
  300_000,
);
