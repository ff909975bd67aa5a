/** Rows of many columns: more than an index of PostgreSQL can hash, and more aggregates than a statement can add up beside each other. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { HASHED_COLUMNS } from '../ivm/relation/row-hash.ts';
import { createIncrementalView } from './incremental-view.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
});
afterAll(() => db.close());

const numbered = (n: number, text: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => text(i)).join(', ');

/** Rows that came, changed and went leave the view as its query is. */
async function follows(view: string, query: string, statements: readonly string[]): Promise<void> {
  for (const statement of statements) {
    await db.exec(statement);
    const { rows } = await db.query(
      `SELECT FROM ((SELECT * FROM ${view} EXCEPT ALL (${query})) UNION ALL ((${query}) EXCEPT ALL SELECT * FROM ${view})) AS d`,
    );
    expect(rows, statement).toEqual([]);
  }
}

test('of so many columns that not all are hashed', { timeout: 240_000 }, async () => {
  const last = HASHED_COLUMNS + 30;
  await db.exec(`CREATE TABLE wide (${numbered(last + 1, (i) => `c${i} int`)})`);
  const query = `SELECT ${numbered(last + 1, (i) => `c${i}`)} FROM wide WHERE c0 > 0`;
  await createIncrementalView(db, 'wide_rows', query);
  const { rows } = await db.query<{ definition: string }>(
    `SELECT pg_get_indexdef(indexrelid) AS definition FROM pg_index WHERE indrelid = (SELECT oid FROM pg_class WHERE relname = 'wide_rows' AND relkind = 'r')`,
  );
  expect(rows.every(({ definition }) => !definition.includes(`c${HASHED_COLUMNS}`))).toBe(true);
  await follows('wide_rows', query, [
    `INSERT INTO wide (c0, c1, c${last}) VALUES (1, 1, 1), (1, 1, 2), (1, 1, 2), (1, 1, NULL), (0, 1, 1)`,
    `UPDATE wide SET c${last} = 3 WHERE c${last} = 1`,
    `DELETE FROM wide WHERE c${last} IS NULL`,
    `DELETE FROM wide WHERE ctid IN (SELECT ctid FROM wide WHERE c${last} = 2 LIMIT 1)`,
  ]);
});

test('of so many sums that their change does not fit beside them', { timeout: 240_000 }, async () => {
  const n = 210;
  await db.exec(`CREATE TABLE many (g int, ${numbered(n, (i) => `c${i} numeric`)})`);
  const query = `SELECT g, ${numbered(n, (i) => `sum(c${i}) AS s${i}`)} FROM many GROUP BY g`;
  const view = await createIncrementalView(db, 'many_sums', query);
  expect(view.stages.map(({ strategy, reason }) => `${strategy}: ${reason}`)).toEqual([
    `rekey: rows are put together by g, and a row of ${n} aggregates needs all of them`,
  ]);
  await follows('many_sums', query, [
    'INSERT INTO many (g, c0, c209) VALUES (1, 2, 1.50), (1, 3, NULL), (2, 5, 1), (NULL, 1, 1)',
    'UPDATE many SET c1 = 4, c0 = c0 + 1 WHERE g = 1',
    'DELETE FROM many WHERE c0 = 3',
    'DELETE FROM many WHERE g = 2',
  ]);
});
