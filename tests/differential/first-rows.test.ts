/** ORDER BY texts of any length, LIMIT n: the first rows are found by an index that holds what fits into it. */
import { afterAll, expect, it } from 'vitest';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { runCase } from './trace-runner.ts';

const db = await openMemoryDatabase({ size: 'large' });
afterAll(() => db.close());

const long = (seed: string): string =>
  `(SELECT string_agg(md5(${seed} || i), '') FROM generate_series(1, 200) AS i)`;

const schema = [
  `CREATE COLLATION en (provider = icu, locale = 'en')`,
  `CREATE TABLE t (id int PRIMARY KEY, a text, c text COLLATE "C", i varchar COLLATE en, b bytea, p char(3000), k int, j int[])`,
];

const history = [
  `INSERT INTO t SELECT n, chr(97 + n * 7 % 26), chr(65 + n * 5 % 26), chr(97 + n * 3 % 26) || n, chr(97 + n % 26)::bytea, chr(97 + n % 5), n % 4, ARRAY[n]
     FROM generate_series(1, 60) AS n`,
  `INSERT INTO t (id, a, c, i, b, k) VALUES (100, ${long(`'x'`)}, ${long(`'y'`)}, ${long(`'z'`)}, ${long(`'b'`)}::bytea, 1)`,
  `UPDATE t SET a = 'a' || ${long(`id::text`)} WHERE id IN (3, 4, 5)`,
  `INSERT INTO t (id, k) VALUES (101, 1), (102, 2)`,
  `UPDATE t SET a = NULL, c = '', i = 'É', k = NULL WHERE id IN (6, 7)`,
  'DELETE FROM t WHERE id IN (3, 100)',
  `UPDATE t SET a = upper(a), i = 'e' WHERE id % 10 = 0`,
  'DELETE FROM t WHERE a IS NULL',
  `INSERT INTO t (id, a, c) SELECT n, ${long('n::text')}, ${long('n::text')} FROM generate_series(200, 205) AS n`,
  'DELETE FROM t WHERE length(a) < 2000',
  'TRUNCATE t',
  `INSERT INTO t (id, a) VALUES (1, 'z')`,
];

const views = [
  'SELECT id, a FROM t ORDER BY a, id LIMIT 3',
  'SELECT id, a FROM t ORDER BY a DESC, id LIMIT 3',
  'SELECT id FROM t ORDER BY a DESC NULLS LAST, id DESC OFFSET 2 LIMIT 4',
  'SELECT id, c FROM t ORDER BY c NULLS FIRST, a, id LIMIT 5 OFFSET 1',
  'SELECT id, i FROM t ORDER BY i, c DESC, id FETCH FIRST 4 ROWS ONLY',
  'SELECT c FROM t ORDER BY c FETCH FIRST 3 ROWS WITH TIES',
  'SELECT id, b FROM t ORDER BY b DESC, id LIMIT 2',
  'SELECT id FROM t ORDER BY p, id LIMIT 2',
  'SELECT id, upper(c) AS u FROM t WHERE k > 0 ORDER BY upper(c), id LIMIT 3',
  'SELECT id, a COLLATE "C" AS x FROM t ORDER BY x DESC, id LIMIT 3',
  'SELECT a, sum(k) AS s FROM t GROUP BY a ORDER BY sum(k) DESC NULLS LAST, a LIMIT 5',
  'SELECT a, count(*) AS n FROM t GROUP BY a ORDER BY a LIMIT 5',
  'SELECT count(*) AS n, max(q.id) AS m FROM (SELECT id, a FROM t ORDER BY a, id LIMIT 7) AS q',
  'SELECT t.id, x.id AS other FROM t JOIN (SELECT id, c FROM t ORDER BY c, id LIMIT 4) AS x ON x.c = t.c',
].map((sql, i) => ({ name: `v${i}`, sql }));

it('the first rows by a text, of any length and collation', async () => {
  const { mismatch, refused, created } = await runCase(db, { schema, views, history });
  expect(mismatch).toBeNull();
  expect(refused).toEqual([]);
  const recomputed = created.flatMap(({ stages }) =>
    stages.filter(({ strategy }) => strategy === 'recompute').map(({ reason }) => reason),
  );
  expect(recomputed).toEqual([]);
});

it('a row that comes or goes costs the rows that are asked for', async () => {
  const sql = 'SELECT id, a FROM t ORDER BY a, id LIMIT 3';
  const { mismatch } = await runCase(db, {
    schema,
    views: [{ name: 'v', sql }],
    history: history.slice(0, 3),
  });
  expect(mismatch).toBeNull();
  await db.exec(`INSERT INTO t (id, a) SELECT n, md5(n::text) FROM generate_series(1000, 6000) AS n`);
  const read = async (): Promise<number> => {
    await db.query('SELECT pg_stat_force_next_flush()');
    const { rows } = await db.query<{ n: number }>(
      `SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::integer AS n FROM pg_stat_user_tables WHERE relname = 't'`,
    );
    return rows[0]!.n;
  };
  const before = await read();
  await db.exec(`INSERT INTO t (id, a) VALUES (7000, '0')`);
  expect((await read()) - before).toBeLessThan(50);
});

it('an order that no index holds is recomputed, and says so', async () => {
  const sql = 'SELECT id FROM t ORDER BY j, id LIMIT 2';
  const { mismatch, created } = await runCase(db, { schema, views: [{ name: 'v', sql }], history });
  expect(mismatch).toBeNull();
  expect(created[0]!.stages.at(-1)!.reason).toBe(
    'ORDER BY ... LIMIT by a value of type integer[], which no index holds at any length',
  );
});

it('an array of texts is no text', async () => {
  const { mismatch } = await runCase(db, {
    schema: ['CREATE TABLE w (id integer, words text[])'],
    views: [{ name: 'v', sql: 'SELECT id, words FROM w ORDER BY words, id LIMIT 2' }],
    history: [`INSERT INTO w VALUES (1, '{b}'), (2, '{a,c}'), (3, NULL)`, 'DELETE FROM w WHERE id = 2'],
  });
  expect(mismatch).toBeNull();
});
