/** Lists of JSON that are edited in their place. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { createIncrementalView } from './incremental-view.ts';

const query = `SELECT k, jsonb_agg(jsonb_build_object('id', id, 'v', v) ORDER BY v DESC NULLS LAST, id) AS list, count(*) AS n, max(v) AS most
  FROM e GROUP BY k`;
const ties = 'SELECT k, jsonb_agg(w ORDER BY w) AS list FROM e GROUP BY k';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
  await db.exec('CREATE TABLE e (id int PRIMARY KEY, k text, v numeric, w text)');
  const view = await createIncrementalView(db, 'lists', query, { changes: true });
  expect(view.stages.map(({ strategy }) => strategy)).toEqual(['merge']);
  await createIncrementalView(db, 'ties', ties);
});
afterAll(() => db.close());

test.each([
  ['with a DISTINCT aggregate beside it', 'count(DISTINCT v) AS d, jsonb_agg(w ORDER BY id) AS list', ''],
  ['with a condition over it', 'jsonb_agg(w ORDER BY id) AS list', 'HAVING count(*) > 1'],
  ['with something computed of it', "coalesce(jsonb_agg(w ORDER BY id), '[]') AS list", ''],
])('a list %s is made again', async (name, aggregates, having) => {
  const sql = `SELECT k, ${aggregates} FROM e GROUP BY k ${having}`;
  const view = await createIncrementalView(db, name, sql);
  expect(view.stages.at(-1)!.strategy).toBe('rekey');
  await db.exec("INSERT INTO e VALUES (1, 'c', 1, 'x'), (2, 'c', 1, 'y')");
  await db.exec("INSERT INTO e VALUES (3, 'c', 2, NULL); DELETE FROM e WHERE id = 1");
  expect(await lists(`SELECT * FROM "${name}"`)).toEqual(await lists(sql));
  await db.exec("DELETE FROM e WHERE k = 'c'");
});

const lists = async (sql: string): Promise<unknown[]> =>
  (await db.query(`SELECT * FROM (${sql}) AS q ORDER BY k`)).rows;

test.each([
  ['the first of a group', "INSERT INTO e VALUES (10, 'a', 5, 'x')"],
  ['before it', "INSERT INTO e VALUES (11, 'a', 9, 'x')"],
  ['after it', "INSERT INTO e VALUES (12, 'a', 1, NULL)"],
  ['in the middle', "INSERT INTO e VALUES (13, 'a', 3, 'y')"],
  ['with NULL in its order', "INSERT INTO e VALUES (14, 'a', NULL, NULL)"],
  ['a group whose key is NULL', "INSERT INTO e VALUES (20, NULL, 7, 'z'), (21, 'b', 1, 'z')"],
  ['several at once', "INSERT INTO e VALUES (15, 'a', 4, 'x'), (16, 'a', 4, 'x'), (22, NULL, 8, 'z')"],
  ['one that stays in its place', "UPDATE e SET w = 'q' WHERE id = 13"],
  ['one that moves', 'UPDATE e SET v = 100 WHERE id = 12'],
  ['one that goes to another group', "UPDATE e SET k = 'b' WHERE id = 13"],
  ['the middle one goes', 'DELETE FROM e WHERE id = 15'],
  ['the first one goes', 'DELETE FROM e WHERE id = 12'],
  ['the last one goes', 'DELETE FROM e WHERE id = 14'],
  [
    'one goes and one comes',
    "WITH d AS (DELETE FROM e WHERE id = 10) INSERT INTO e VALUES (17, 'a', 6, 'x')",
  ],
  [
    'an upsert of both kinds',
    "INSERT INTO e VALUES (17, 'a', 2, 'x'), (18, 'a', 2, 'x') ON CONFLICT (id) DO UPDATE SET v = 77",
  ],
  ['the group goes', "DELETE FROM e WHERE k = 'a'"],
  ['and comes again', "INSERT INTO e VALUES (19, 'a', 0, 'x')"],
])('%s', async (_, statement) => {
  await db.exec(statement);
  expect(await lists('SELECT * FROM lists')).toEqual(await lists(query));
  expect(await lists('SELECT * FROM ties')).toEqual(await lists(ties));
});
