/** Several state schemas on one database, and a project beside views of the library. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { claimState } from '../state/claim.ts';
import { ensureState } from '../state/schema.ts';
import { createIncrementalView, dropIncrementalView } from './incremental-view.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
  await db.exec('CREATE TABLE t (id int PRIMARY KEY, k text); CREATE TABLE u (k text PRIMARY KEY)');
});
afterAll(() => db.close());

const join = 'SELECT t.id, u.k FROM t JOIN u ON u.k = t.k';

test('dropping a view of one state schema leaves the indexes of another', async () => {
  await createIncrementalView(db, 'a', join);
  const indexes = async (): Promise<unknown[]> =>
    (
      await db.query(
        "SELECT indexname FROM pg_indexes WHERE indexname ~ '^seg_' AND tablename = 't' ORDER BY 1",
      )
    ).rows;
  const before = await indexes();
  expect(before.length).toBeGreaterThan(0);
  await createIncrementalView(db, 'b', join, { stateSchema: '_seg2' });
  await dropIncrementalView(db, 'b', { stateSchema: '_seg2' });
  expect(await indexes()).toEqual(before);
});

test('a project does not take over a state schema with views of the library, nor the other way round', async () => {
  const target = { name: 'dev', schema: 'app' };
  await expect(claimState(db, '_seg', target)).rejects.toThrow(
    'holds incremental views that no project made',
  );
  await ensureState(db, '_seg3');
  await claimState(db, '_seg3', target);
  await expect(createIncrementalView(db, 'c', join, { stateSchema: '_seg3' })).rejects.toThrow(
    'belongs to a seg project',
  );
});
