/** The program of an input table, run by PostgreSQL: every writer, bags, NULLs, chains of views, the change log. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openMemoryDatabase } from '../../engines/pglite/memory.ts';
import type { PGliteDatabase } from '../../engines/pglite/connection.ts';
import { ensureState } from '../../state/schema.ts';
import { differenceSql } from '../strategies/recompute.ts';
import { compileProgram } from './program.ts';
import type { MaintainedView } from './program.ts';
import { emitFunction, emitTriggers } from './emit.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
  await db.transaction((tx) => ensureState(tx, '_seg'));
});
afterAll(() => db.close());

function view(id: string, columns: string[], query: string, reads: string[], node: number): MaintainedView {
  return {
    id,
    label: id,
    stored: {
      table: { schema: 't', name: id },
      columns: columns.map((name) => ({ name, hashable: true })),
      query,
    },
    reads,
    changelog: { table: { schema: '_seg', name: 'changelog' }, node },
  };
}

const views = [
  view('bag', ['k', 'v'], 'SELECT k, v FROM t.events WHERE v IS NULL OR v >= 0', ['events'], 1),
  view(
    'sums',
    ['k', 'n', 'total'],
    'SELECT k, count(*) AS n, sum(v) AS total FROM t.bag GROUP BY k',
    ['bag'],
    2,
  ),
  view(
    'both',
    ['k', 'n', 'copies'],
    'SELECT s.k, s.n, b.c FROM t.sums s JOIN (SELECT k, count(*) c FROM t.bag GROUP BY k) b ON s.k IS NOT DISTINCT FROM b.k',
    ['bag', 'sums'],
    3,
  ),
];

beforeEach(async () => {
  await db.exec('DROP SCHEMA IF EXISTS t CASCADE; CREATE SCHEMA t; TRUNCATE _seg.changelog, _seg.step');
  await db.exec(`CREATE TABLE t.events (id int PRIMARY KEY, k text, v numeric);
    CREATE TABLE t.bag (k text, v numeric); CREATE TABLE t.sums (k text, n bigint, total numeric);
    CREATE TABLE t.both (k text, n bigint, copies bigint)`);
  const program = compileProgram({ id: 'events', label: 'events' }, views);
  const name = { schema: '_seg', name: 'maintain t.events' };
  await db.exec(emitFunction(program, name, { stateSchema: '_seg', searchPath: ['t', 'pg_catalog'] }));
  for (const statement of emitTriggers({ schema: 't', name: 'events' }, name)) await db.exec(statement);
});

/** No view differs from its query, no step records a change that cancels, and the changes add up to the view. */
async function check(): Promise<void> {
  for (const { stored, changelog } of views) {
    const { rows } = await db.query(differenceSql(stored));
    expect(rows).toEqual([]);
    const list = stored.columns.map((column) => `'${column.name}', x.${column.name}`).join(', ');
    const feed = await db.query(
      `SELECT "row", sum(w) FROM (
         SELECT "row", weight AS w FROM _seg.changelog WHERE node = ${changelog!.node}
         UNION ALL SELECT jsonb_build_object(${list}), -1 FROM t.${stored.table.name} x) u
       GROUP BY "row" HAVING sum(w) <> 0`,
    );
    expect(feed.rows).toEqual([]);
  }
  const doubled = await db.query(
    'SELECT node, epoch, "row" FROM _seg.changelog GROUP BY 1, 2, 3 HAVING count(*) > 1 OR bool_or(weight = 0)',
  );
  expect(doubled.rows).toEqual([]);
}

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
      await db.exec('TRUNCATE t.events, t.bag, t.sums, t.both, _seg.changelog, _seg.step');
      for (const text of history) {
        await db.exec(text);
        await check();
      }
    }),
    { numRuns: Number(process.env['SEG_RUNS'] ?? 40) },
  );
});
