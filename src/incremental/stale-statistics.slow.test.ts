/** Statistics that are absent, or of tables that were empty, do not change what an event costs: counted in rows read. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rowsRead } from '../../tests/rows-read.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { createIncrementalView } from './incremental-view.ts';

const views = {
  join_: 'SELECT e.id, u.name FROM e JOIN u ON u.k = e.k',
  three: 'SELECT e.id, u.name, c.label FROM e JOIN u ON u.k = e.k JOIN c ON c.id = u.c',
  grouped: 'SELECT k, count(*) AS n, sum(v) AS total, max(v) AS most FROM e GROUP BY k',
  listed: 'SELECT k, array_agg(v ORDER BY id) AS all_values FROM e GROUP BY k',
  joined_groups: 'SELECT u.name, g.n FROM u JOIN (SELECT k, count(*) AS n FROM e GROUP BY k) g ON g.k = u.k',
  distinct_: 'SELECT DISTINCT k, v FROM e',
  windowed: 'SELECT id, lag(v) OVER (PARTITION BY k ORDER BY id) AS before FROM e',
  latest: 'SELECT DISTINCT ON (k) k, id, v FROM e ORDER BY k, id DESC',
  semi: 'SELECT u.k FROM u WHERE EXISTS (SELECT FROM e WHERE e.k = u.k AND e.v > 3)',
  anti: 'SELECT u.k FROM u WHERE NOT EXISTS (SELECT FROM e WHERE e.k = u.k AND e.v > 3)',
  outer_: 'SELECT e.id, u.name FROM e LEFT JOIN u ON u.k = e.k',
  above: 'SELECT n, count(*) AS keys FROM grouped GROUP BY n',
};
const ROWS = 20_000;
/** Of 20,000: the 10 rows of a key, some times over, for each view. */
const MOST = 2000;

describe.each(['never analysed', 'analysed while empty', 'analysed'] as const)('%s', (when) => {
  let db: PGliteDatabase;
  beforeAll(async () => {
    db = await openMemoryDatabase();
    await db.exec(`
      CREATE TABLE e (id int PRIMARY KEY, k int NOT NULL, v int);
      CREATE TABLE u (k int PRIMARY KEY, name text, c int);
      CREATE TABLE c (id int PRIMARY KEY, label text)`);
    for (const [name, query] of Object.entries(views)) await createIncrementalView(db, name, query);
    if (when === 'analysed while empty') await db.exec('ANALYZE');
    // A session that has planned everything on empty tables.
    await db.exec(
      "INSERT INTO c VALUES (0, 'c'); INSERT INTO u VALUES (0, 'u', 0); INSERT INTO e VALUES (0, 0, 0)",
    );
    await db.exec(`
      INSERT INTO c SELECT i, 'c' || i FROM generate_series(1, 200) i;
      INSERT INTO u SELECT i, 'u' || i, i % 200 FROM generate_series(1, 2000) i;
      INSERT INTO e SELECT i, i % 2000, i % 7 FROM generate_series(1, ${ROWS}) i`);
    if (when === 'analysed') await db.exec('ANALYZE');
  });
  afterAll(() => db.close());

  test.each([
    ['an insert', `INSERT INTO e VALUES (${ROWS + 1}, 77, 9)`],
    ['an update', 'UPDATE e SET v = v + 1 WHERE id = 5077'],
    ['a delete', 'DELETE FROM e WHERE id = 9077'],
  ])('%s reads a few rows', async (_, statement) => {
    const read = await rowsRead(db, statement);
    const sum = read.reduce((total, { rows }) => total + rows, 0);
    expect(sum).toBeGreaterThan(0);
    expect(sum, JSON.stringify(read)).toBeLessThan(MOST);
  });
});
