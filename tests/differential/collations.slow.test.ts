/** Columns of different collations in one query, one of which holds 'a' and 'A' for equal. */
import { afterAll, expect, it } from 'vitest';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { runCase } from './trace-runner.ts';

const db = await openMemoryDatabase();
afterAll(() => db.close());

const columns = '(id int PRIMARY KEY, d text, c text COLLATE "C", n text COLLATE ci, k int)';
const schema = [
  `CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
   CREATE TABLE a ${columns}; CREATE TABLE b ${columns}`,
];

const history = [
  `INSERT INTO a VALUES (1, 'x', 'x', 'x', 1), (2, 'X', 'X', 'X', 1), (3, 'y', 'y', 'y', 2), (4, NULL, NULL, NULL, 1)`,
  `INSERT INTO b VALUES (1, 'X', 'X', 'X', 1), (2, 'y', 'y', 'Y', 2)`,
  `UPDATE a SET d = 'Y', n = 'Y' WHERE id = 3`,
  'DELETE FROM b WHERE id = 1',
  'DELETE FROM a WHERE id = 1',
];

// Without feeds: of equal texts a feed may name either.
const views = [
  ...['UNION', 'EXCEPT', 'INTERSECT', 'UNION ALL'].flatMap((word) => [
    `SELECT n FROM a ${word} SELECT d FROM b`,
    `SELECT c COLLATE ci AS n FROM a ${word} SELECT c FROM b`,
  ]),
  'SELECT x.n, count(*) AS k FROM (SELECT n FROM a UNION ALL SELECT d FROM b) AS x GROUP BY x.n',
  'SELECT a.id, b.id AS other FROM a LEFT JOIN b ON a.n = b.d AND a.k = b.k',
  'SELECT a.id FROM a WHERE a.n IN (SELECT d FROM b)',
].map((sql, i) => ({ name: `v${i}`, sql, silent: true }));

it('what is equal by the collation of both sides together', async () => {
  const { mismatch, refused } = await runCase(db, { schema, views, history });
  expect(mismatch).toBeNull();
  expect(refused).toEqual([]);
});
