/** Names of up to 63 bytes, in whatever script: those that seg makes of them keep apart what the names keep apart. */
import { afterAll, expect, test } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { createIncrementalView } from './incremental-view.ts';

const db = await openMemoryDatabase();
afterAll(() => db.close());

test.each(['a', 'ü', '日', '🦭'])('columns of 62 bytes of %s and a digit', async (character) => {
  const long = character.repeat(Math.floor(62 / Buffer.byteLength(character)));
  await db.exec(`DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS "_seg" CASCADE; CREATE SCHEMA public;
    CREATE TABLE t ("${long}1" text, "${long}2" text, n integer, PRIMARY KEY ("${long}1", "${long}2"));
    CREATE TABLE u ("${long}1" text, "${long}2" text, n integer)`);
  const queries = [
    `SELECT t.n AS a, u.n AS b FROM t LEFT JOIN u USING ("${long}1", "${long}2")`,
    `SELECT n, "${long}1", "${long}2", count(*) AS c, max(n) AS m FROM u GROUP BY GROUPING SETS ((1, 2, 3), (2), (3))`,
    `SELECT "${long}2" AS "${long}1", row_number() OVER (PARTITION BY "${long}1" ORDER BY "${long}2", n) AS "${long}2" FROM u`,
    `SELECT x."${long}2", y."${long}2" AS other FROM t x FULL JOIN u y ON x."${long}1" = y."${long}1"`,
    `SELECT "${long}1" FROM t WHERE EXISTS (SELECT FROM u WHERE u."${long}2" = t."${long}2")`,
    `SELECT "${long}1", "${long}2" FROM t EXCEPT SELECT "${long}2", "${long}1" FROM u`,
  ];
  for (const [i, sql] of queries.entries()) await createIncrementalView(db, `v${i}`, sql);
  const steps = [
    "INSERT INTO t VALUES ('a', 'b', 1), ('b', 'a', 2), ('c', 'c', 3)",
    "INSERT INTO u VALUES ('a', 'b', 1), ('a', 'c', 2), ('c', 'c', 1), ('c', 'c', 2)",
    `UPDATE u SET "${long}1" = "${long}2" WHERE n = 2`,
    `DELETE FROM t WHERE "${long}2" = 'c'`,
  ];
  for (const step of steps) {
    await db.exec(step);
    for (const [i, sql] of queries.entries()) {
      const { rows } = await db.query(
        `(SELECT * FROM v${i} EXCEPT ALL ${sql}) UNION ALL ((${sql}) EXCEPT ALL SELECT * FROM v${i})`,
      );
      expect(rows, `${step}: ${sql}`).toEqual([]);
    }
  }
});
