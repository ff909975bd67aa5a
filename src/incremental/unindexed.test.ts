/** Where an expression can be in no index, the columns beside it are; where nothing can, the explanation says so. */
import { afterAll, expect, test } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { explainIncrementalView } from './explain-view.ts';
import { explanationText } from './explanation-text.ts';
import { createIncrementalView } from './incremental-view.ts';

const db = await openMemoryDatabase();
await db.exec(`CREATE TABLE l (id int PRIMARY KEY, name text, at timestamptz);
  CREATE TABLE r (id int PRIMARY KEY, name text, stamp text)`);
afterAll(() => db.close());

test('one of several equalities is not immutable: the index is on the others', async () => {
  const made = await createIncrementalView(
    db,
    'some',
    'SELECT l.id, r.id AS other FROM l JOIN r ON l.name = r.name AND l.at::text = r.stamp',
  );
  expect(made.indexes.filter((text) => text.includes('"l"'))).toEqual(['"public"."l" hash ("name")']);
  expect((await explainIncrementalView(db, 'some'))!.unindexed).toEqual([]);
});

test('no index can be made: the explanation names what is read as a whole', async () => {
  await createIncrementalView(db, 'none', 'SELECT l.id, r.id AS other FROM l JOIN r ON l.at::text = r.stamp');
  const explained = (await explainIncrementalView(db, 'none'))!;
  expect(explained.unindexed).toEqual(['"public"."l" (("at")::"text")']);
  expect(explanationText(explained)).toContain(`read as a whole by some step, since no index can be made on`);
});
