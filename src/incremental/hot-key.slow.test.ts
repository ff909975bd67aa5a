/** The next event of a key with a long history reads a few rows, whatever statistics say: counted, not timed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rowsRead } from '../../tests/rows-read.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { createIncrementalView } from './incremental-view.ts';

const w = 'OVER (PARTITION BY k ORDER BY id)';
const views: Record<string, string> = {
  toggles: `SELECT id, v, before FROM (SELECT id, v, lag(v) ${w} AS before, max(CASE WHEN v > 0 THEN 1 ELSE 0 END) OVER (
      PARTITION BY k ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS added FROM e) AS f WHERE added = 1 AND v <> before`,
  numbered: `SELECT id, row_number() ${w} AS n, sum(v) ${w} AS total, first_value(v) ${w} AS f, rank() ${w} AS r FROM e`,
  around: `SELECT id, lead(v, 2) ${w} AS next, sum(v) OVER (PARTITION BY k ORDER BY id ROWS BETWEEN 3 PRECEDING AND 1 FOLLOWING) AS s FROM e`,
  sessions: `SELECT k, number, t FROM (SELECT k, t, sum(starts) OVER (PARTITION BY k ORDER BY t, id ROWS UNBOUNDED PRECEDING) AS number FROM (
      SELECT *, CASE WHEN t <= lag(t) OVER (PARTITION BY k ORDER BY t, id) + interval '5 minutes' THEN 0 ELSE 1 END AS starts FROM e) AS f) AS n`,
  latest: 'SELECT DISTINCT ON (k) k, id, v FROM e ORDER BY k, id DESC',
  top: 'SELECT id, k FROM (SELECT id, k, row_number() OVER (PARTITION BY k ORDER BY id DESC) AS n FROM e) AS f WHERE n <= 3',
  whole: `SELECT id, row_number() OVER o AS n, sum(v) OVER o AS total, lag(v) OVER o AS before, lead(v) OVER o AS next FROM e WINDOW o AS (ORDER BY t, id)`,
  records:
    'SELECT id, t FROM (SELECT id, t, max(t) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS last FROM e) AS f WHERE t < last',
};
const ROWS = 10_000;

describe.each(['never analysed', 'analysed while empty', 'analysed'] as const)('%s', (when) => {
  let db: PGliteDatabase;
  beforeAll(async () => {
    db = await openMemoryDatabase();
    await db.exec('CREATE TABLE e (id int PRIMARY KEY, k int NOT NULL, v int, t timestamptz NOT NULL)');
    for (const [name, query] of Object.entries(views)) await createIncrementalView(db, name, query);
    if (when === 'analysed while empty') await db.exec('ANALYZE');
    await db.exec("INSERT INTO e VALUES (0, 0, 0, '2024-01-01')");
    await db.exec(`INSERT INTO e SELECT i, CASE WHEN i % 50 = 0 THEN i ELSE 1 END, i % 3,
      timestamptz '2024-01-01' + i * interval '1 minute' + i / 7 * interval '1 hour' FROM generate_series(1, ${ROWS}) AS i`);
    if (when === 'analysed') await db.exec('ANALYZE');
  });
  afterAll(() => db.close());

  test.each([
    ['an insert at the end', `INSERT INTO e VALUES (${ROWS + 2}, 1, 0, '2034-01-01')`],
    ['an update near the end', `UPDATE e SET v = 7 WHERE id = ${ROWS - 1}`],
    ['a delete near the end', `DELETE FROM e WHERE id = ${ROWS - 2}`],
  ])('%s reads a few rows', async (_, statement) => {
    const read = await rowsRead(db, statement);
    const sum = read.reduce((total, { rows }) => total + rows, 0);
    expect(sum).toBeGreaterThan(0);
    expect(sum, JSON.stringify(read)).toBeLessThan(300);
  });

  test('and every view is right', async () => {
    for (const [name, query] of Object.entries(views)) {
      const { rows } = await db.query(
        `(SELECT * FROM ${name} EXCEPT ALL (${query})) UNION ALL ((${query}) EXCEPT ALL SELECT * FROM ${name})`,
      );
      expect(rows, name).toEqual([]);
    }
  });
});
