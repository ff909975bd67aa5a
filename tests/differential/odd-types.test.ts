/** Domains, composites, ranges and their arrays are keys like others; a row with a NULL in it is no NULL. */
import { afterAll, expect, it } from 'vitest';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { runCase } from './trace-runner.ts';

const db = await openMemoryDatabase();
afterAll(() => db.close());

const schema = [
  `CREATE DOMAIN posint AS int CHECK (value > 0);
   CREATE DOMAIN narrow AS posint CHECK (value < 1000);
   CREATE DOMAIN list AS int[];
   CREATE TYPE mood AS ENUM ('sad', 'ok');
   CREATE TYPE pair AS (x numeric, y text);
   CREATE DOMAIN twin AS pair;
   CREATE TABLE t (id narrow PRIMARY KEY, m mood, p pair, ps pair[], l list, r int4range, rs int4multirange, w twin, c regclass, i cidr, b bit(2))`,
];

const views = [
  'SELECT p, count(*) AS n, count(p) AS np FROM t GROUP BY p',
  'SELECT m, count(DISTINCT p) AS np, count(DISTINCT w) AS nw, count(p) AS n FROM t GROUP BY m',
  'SELECT ps, l, count(*) AS n FROM t GROUP BY ps, l',
  'SELECT DISTINCT r, rs FROM t',
  'SELECT w, c, array_agg(id ORDER BY id) AS ids FROM t GROUP BY w, c',
  'SELECT a.id, b.id AS other FROM t a LEFT JOIN t b ON b.r = a.r AND b.p = a.p',
  'SELECT i, max(id) AS id FROM t GROUP BY i',
  'SELECT u.x, u.y, t.id FROM t, unnest(t.ps) AS u',
].map((sql, i) => ({ name: `v${i}`, sql }));

const history = [
  `INSERT INTO t SELECT i, (ARRAY['sad', 'ok', NULL])[1 + i % 3]::mood, ROW(i % 2, CASE WHEN i % 4 > 0 THEN 'a' END)::pair,
     ARRAY[ROW(1, NULL)::pair, ROW(i % 2, 'b')::pair], ARRAY[i % 2, NULL], int4range(i % 3, 3), int4multirange(int4range(0, i % 2 + 1)),
     ROW(NULL, 'w')::pair, 't'::regclass, '10.0.0.0/8', (i % 4)::bit(2) FROM generate_series(1, 12) AS i`,
  'UPDATE t SET p = ROW(NULL, NULL)::pair WHERE id % 5 = 0',
  `UPDATE t SET p = ROW(1.00, 'a')::pair, w = NULL WHERE id IN (1, 2)`,
  `UPDATE t SET p = NULL, r = 'empty' WHERE id % 3 = 0`,
  'DELETE FROM t WHERE id % 2 = 0',
  'DELETE FROM t',
];

it('composites, ranges, domains of domains', async () => {
  const trace = await runCase(db, { schema, views, history });
  expect(trace.mismatch).toBeNull();
  const recomputed = trace.created.filter(({ stages }) => stages.some((s) => s.strategy === 'recompute'));
  expect(recomputed.map(({ stages }) => stages)).toEqual([]);
});

it('a type without a hash is recomputed, and right', async () => {
  const sql = 'SELECT b, count(DISTINCT p) AS np, count(*) AS n FROM t GROUP BY b';
  const trace = await runCase(db, { schema, views: [{ name: 'v', sql }], history });
  expect(trace.mismatch).toBeNull();
});
