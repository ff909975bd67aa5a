/** Indexes that maintenance makes on tables of the user's: one serves several views where it can. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { createIncrementalView, dropIncrementalView } from './incremental-view.ts';

const grouped = 'SELECT k, max(v) AS most FROM e GROUP BY k';
const windowed = 'SELECT id, lag(v) OVER (PARTITION BY k ORDER BY id) AS before FROM e';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
  await db.exec('CREATE TABLE e (id int PRIMARY KEY, k int NOT NULL, v int)');
});
afterAll(() => db.close());

async function made(): Promise<string[]> {
  const { rows } = await db.query<{ text: string }>(
    "SELECT regexp_replace(indexdef, '.* USING ', '') AS text FROM pg_indexes WHERE tablename = 'e' AND indexname LIKE 'seg%' ORDER BY 1",
  );
  return rows.map(({ text }) => text);
}

const byKey = 'btree (hash_record_extended(ROW(k), (0)::bigint))';
const byKeyAndOrder = 'btree (hash_record_extended(ROW(k), (0)::bigint), id)';

test('an index that begins with the columns of another takes its place, and stays while either needs it', async () => {
  await createIncrementalView(db, 'grouped', grouped);
  expect(await made()).toEqual([byKey]);
  await createIncrementalView(db, 'windowed', windowed);
  expect(await made()).toEqual([byKeyAndOrder]);
  await dropIncrementalView(db, 'windowed');
  expect(await made()).toEqual([byKeyAndOrder]);
  await dropIncrementalView(db, 'grouped');
  expect(await made()).toEqual([]);
});

test('nothing is made where a longer one is there', async () => {
  await createIncrementalView(db, 'windowed', windowed);
  await createIncrementalView(db, 'grouped', grouped);
  expect(await made()).toEqual([byKeyAndOrder]);
  await dropIncrementalView(db, 'windowed');
  await db.exec('INSERT INTO e VALUES (1, 1, 5), (2, 1, 7); DELETE FROM e WHERE id = 2');
  expect((await db.query('SELECT * FROM grouped')).rows).toEqual([{ k: 1, most: 5 }]);
  await dropIncrementalView(db, 'grouped');
  expect(await made()).toEqual([]);
});
