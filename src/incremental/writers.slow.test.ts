/** Every writer, chains of views, NULLs and duplicates, and the change log: with the planned strategies, and recomputed. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { createIncrementalView } from './incremental-view.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
});
afterAll(() => db.close());

const views = [
  { name: 'bag', query: 'SELECT k, v FROM t.events WHERE v IS NULL OR v >= 0', columns: ['k', 'v'] },
  {
    name: 'sums',
    query: 'SELECT k, count(*) AS n, sum(v) AS total FROM t.bag GROUP BY k',
    columns: ['k', 'n', 'total'],
  },
  {
    name: 'both',
    query:
      'SELECT s.k, s.n, b.copies FROM t.sums s JOIN (SELECT k, count(*) AS copies FROM t.bag GROUP BY k) b ON s.k IS NOT DISTINCT FROM b.k',
    columns: ['k', 'n', 'copies'],
  },
];

/** No view differs from its query, no step records a change that cancels, and the changes add up to the view. */
async function check(): Promise<void> {
  for (const { name, query, columns } of views) {
    const { rows } = await db.query(
      `(SELECT * FROM t.${name} EXCEPT ALL ${query}) UNION ALL (${query} EXCEPT ALL SELECT * FROM t.${name})`,
    );
    expect(rows).toEqual([]);
    const list = columns.map((column) => `'${column}', x.${column}`).join(', ');
    const feed = await db.query(
      `SELECT "row", sum(w) FROM (
         SELECT "row", weight AS w FROM _seg.changelog WHERE node = (SELECT node FROM _seg.plan WHERE view = '"t"."${name}"')
         UNION ALL SELECT jsonb_build_object(${list}), -1 FROM t.${name} x) u
       GROUP BY "row" HAVING sum(w) <> 0`,
    );
    expect(feed.rows).toEqual([]);
  }
  const doubled = await db.query(
    'SELECT node, epoch, "row" FROM _seg.changelog GROUP BY 1, 2, 3 HAVING bool_or(weight = 0)',
  );
  expect(doubled.rows).toEqual([]);
}

describe.each(['auto', 'recompute'] as const)('maintenance: %s', (maintenance) => {
  beforeEach(async () => {
    await db.exec('DROP SCHEMA IF EXISTS t CASCADE; DROP SCHEMA IF EXISTS _seg CASCADE; CREATE SCHEMA t');
    await db.exec('CREATE TABLE t.events (id int PRIMARY KEY, k text, v numeric)');
    for (const { name, query } of views) {
      await createIncrementalView(db, name, query, {
        schema: 't',
        changes: true,
        maintenance,
        searchPath: ['t', 'pg_catalog'],
      });
    }
  });

  describe('every writer', () => {
    test.each([
      ['INSERT', "INSERT INTO t.events VALUES (10, 'x', 1), (11, 'x', 1), (12, NULL, NULL)"],
      ['UPDATE', 'UPDATE t.events SET v = v + 1'],
      ['UPDATE across a predicate', 'UPDATE t.events SET v = -v'],
      ['DELETE', "DELETE FROM t.events WHERE k = 'a'"],
      ['TRUNCATE', 'TRUNCATE t.events'],
      [
        'ON CONFLICT DO NOTHING',
        "INSERT INTO t.events VALUES (1, 'z', 9), (20, 'z', 9) ON CONFLICT DO NOTHING",
      ],
      [
        'ON CONFLICT DO UPDATE',
        "INSERT INTO t.events VALUES (1, 'z', 9), (20, 'z', 9) ON CONFLICT (id) DO UPDATE SET v = excluded.v, k = excluded.k",
      ],
      [
        'MERGE',
        `MERGE INTO t.events e USING (VALUES (1, 'm', 5), (2, 'm', 5), (30, 'm', 5)) AS s (id, k, v) ON e.id = s.id
       WHEN MATCHED AND s.id = 2 THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v, k = s.k
       WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.k, s.v)`,
      ],
      [
        'a data-modifying CTE',
        'WITH gone AS (DELETE FROM t.events WHERE id < 3 RETURNING *) INSERT INTO t.events SELECT id + 100, k, v FROM gone',
      ],
    ])('%s', async (_, statement) => {
      await db.exec(
        "INSERT INTO t.events VALUES (1, 'a', 1), (2, 'a', 1), (3, 'b', -1), (4, NULL, 2), (5, NULL, 2)",
      );
      await check();
      await db.exec(statement);
      await check();
    });

    test('COPY', async () => {
      await db.copyFrom('t.events', ['id', 'k', 'v'], '1\ta\t1\n2\t\\N\t\\N\n3\ta\t1\n');
      await check();
    });

    test('a rolled back savepoint leaves no trace', async () => {
      await db.transaction(async (tx) => {
        await tx.exec("INSERT INTO t.events VALUES (1, 'a', 1)");
        await tx
          .transaction(async (inner) => {
            await inner.exec("INSERT INTO t.events VALUES (2, 'a', 1)");
            throw new Error('undo');
          })
          .catch(() => {});
        await tx.exec("INSERT INTO t.events VALUES (3, 'b', 1)");
      });
      await check();
      const { rows } = await db.query('SELECT count(DISTINCT epoch) AS epochs FROM _seg.changelog');
      expect(rows).toEqual([{ epochs: 1 }]);
    });

    test('a statement that changes nothing records nothing and takes no step', async () => {
      await db.exec("INSERT INTO t.events VALUES (1, 'a', 1)");
      const before = await db.query('SELECT epoch FROM _seg.epoch');
      await db.exec("INSERT INTO t.events VALUES (1, 'a', 1) ON CONFLICT DO NOTHING");
      await db.exec('DELETE FROM t.events WHERE id = 99; UPDATE t.events SET v = v WHERE id = 99');
      expect((await db.query('SELECT epoch FROM _seg.epoch')).rows).toEqual(before.rows);
    });

    test("a writer's search_path and time zone do not matter", async () => {
      await db.exec("SET search_path = nowhere; SET TimeZone = 'Asia/Tokyo'");
      await db.exec("INSERT INTO t.events VALUES (1, 'a', 1)");
      await db.exec("RESET search_path; SET TimeZone = 'UTC'");
      await check();
    });
  });

  test('any history of statements keeps every view and its feed right', async () => {
    const key = fc.constantFrom("'a'", "'b'", 'NULL');
    const value = fc.constantFrom('1', '1.0', '2', '-3', 'NULL');
    const id = fc.integer({ min: 1, max: 8 });
    const statement = fc.oneof(
      fc
        .tuple(id, key, value)
        .map(([i, k, v]) => `INSERT INTO t.events VALUES (${i}, ${k}, ${v}) ON CONFLICT DO NOTHING`),
      fc
        .tuple(id, key, value)
        .map(
          ([i, k, v]) =>
            `INSERT INTO t.events VALUES (${i}, ${k}, ${v}) ON CONFLICT (id) DO UPDATE SET k = ${k}, v = ${v}`,
        ),
      fc.tuple(id, value).map(([i, v]) => `UPDATE t.events SET v = ${v} WHERE id <= ${i}`),
      fc.tuple(key, key).map(([a, b]) => `UPDATE t.events SET k = ${a} WHERE k IS NOT DISTINCT FROM ${b}`),
      id.map((i) => `DELETE FROM t.events WHERE id >= ${i}`),
      fc.constant('TRUNCATE t.events'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(statement, { minLength: 1, maxLength: 8 }), async (history) => {
        await db.exec('TRUNCATE t.events');
        for (const text of history) {
          await db.exec(text);
          await check();
        }
      }),
      { numRuns: Number(process.env['SEG_RUNS'] ?? 40) },
    );
  });
});
