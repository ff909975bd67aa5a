/** Changes that are large beside their table are followed by one set-wise pass; the answers and the feed are the same. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { createIncrementalView } from './incremental-view.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase({ size: 'large' });
  await db.exec('CREATE TABLE events (id bigint PRIMARY KEY, k int, v int)');
  for (const [name, query] of Object.entries(queries)) {
    await createIncrementalView(db, name, query, { changes: true });
  }
});
afterAll(() => db.close());

const queries = {
  positive: 'SELECT id, k, v FROM events WHERE v > 0',
  sums: 'SELECT k, count(*) AS n, sum(v) AS total FROM events GROUP BY k',
  latest: 'SELECT DISTINCT ON (k) k, id, v FROM events ORDER BY k, id DESC',
  above:
    'SELECT e.id, s.total FROM events e JOIN (SELECT k, sum(v) AS total FROM events GROUP BY k) s ON s.k = e.k WHERE s.total > 50',
};

test('in any order with small ones', async () => {
  const rows = (from: number, count: number): string =>
    `INSERT INTO events SELECT i, i % 40, i % 7 - 3 FROM generate_series(${from}, ${from + count - 1}) AS i`;
  for (const statement of [
    rows(1, 2000),
    rows(5000, 3),
    rows(10_000, 600),
    'UPDATE events SET v = v + 1 WHERE id <= 1500',
    'UPDATE events SET k = k + 1 WHERE id <= 4',
    rows(20_000, 501),
    'DELETE FROM events WHERE id BETWEEN 500 AND 1900',
    'DELETE FROM events WHERE id = 5001',
    'DELETE FROM events',
    rows(1, 1),
  ]) {
    await db.exec(statement);
    for (const [name, query] of Object.entries(queries)) {
      const { rows: wrong } = await db.query(
        `(TABLE ${name} EXCEPT ALL (${query})) UNION ALL ((${query}) EXCEPT ALL TABLE ${name})`,
      );
      expect({ statement, name, wrong }).toEqual({ statement, name, wrong: [] });
      const { rows: feed } = await db.query(
        `SELECT "row" FROM (
           SELECT "row", weight AS w FROM _seg.changelog WHERE node = (SELECT node FROM _seg.plan WHERE view = '"public"."${name}"')
           UNION ALL SELECT to_jsonb(x), -1 FROM ${name} x) u GROUP BY "row" HAVING sum(w) <> 0`,
      );
      expect({ statement, name, feed }).toEqual({ statement, name, feed: [] });
    }
  }
});
