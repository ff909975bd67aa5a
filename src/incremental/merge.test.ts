/** Groups that are added to: which aggregates are, that they come out to the last digit, and what leaves no trace. */
import { afterAll, beforeEach, expect, test } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { createIncrementalView } from './incremental-view.ts';

const db = await openMemoryDatabase({ size: 'large' });
afterAll(() => db.close());
beforeEach(async () => {
  await db.exec(
    'DROP SCHEMA IF EXISTS public CASCADE; DROP SCHEMA IF EXISTS _seg CASCADE; CREATE SCHEMA public',
  );
  await db.exec(
    'CREATE TABLE t (id int PRIMARY KEY, k int, n int, b bigint, x numeric, y numeric(10, 2), i interval, f float8, s text, note text)',
  );
});

async function stagesOf(sql: string): Promise<string[]> {
  const { stages } = await createIncrementalView(db, `v${Math.random()}`, sql);
  return stages.map(({ strategy, reason }) => (strategy === 'rekey' ? `${strategy}: ${reason}` : strategy));
}

/** Rows as text, so that 3.00 and 3 differ. */
async function texts(from: string): Promise<string[]> {
  const { rows } = await db.query<{ text: string }>(`SELECT v::text AS text FROM (${from}) AS v ORDER BY 1`);
  return rows.map(({ text }) => text);
}

test.each([
  [
    'SELECT k, count(*), count(n) AS c, sum(n), avg(b), sum(x) AS sx, sum(i) AS si FROM t GROUP BY k',
    ['merge'],
  ],
  [
    'SELECT k, min(f), max(s), bool_or(n > 1), stddev(n), variance(x), bit_xor(n) FROM t GROUP BY k',
    ['merge'],
  ],
  ['SELECT count(*) FROM t', ['merge']],
  ['SELECT DISTINCT k, s FROM t', ['merge']],
  ['SELECT k FROM t UNION SELECT n FROM t', ['merge']],
  ['SELECT k, count(DISTINCT n) FROM t GROUP BY k', ['merge', 'merge']],
  ['SELECT k, sum(n) FROM t GROUP BY k HAVING count(*) > 1', ['merge', 'linear']],
  ['SELECT k, (array_agg(s ORDER BY id DESC))[1] FROM t GROUP BY k', ['merge']],
  [
    'SELECT k, sum(f) FROM t GROUP BY k',
    ['rekey: rows are put together by k, and sum(double precision) needs all of them'],
  ],
  [
    'SELECT k, count(*), array_agg(s ORDER BY id) FROM t GROUP BY k',
    ['rekey: rows are put together by k, and array_agg() needs all of them'],
  ],
  [
    'SELECT k, avg(f) FILTER (WHERE f > 1) FROM t GROUP BY k',
    ['rekey: rows are put together by k, and avg(double precision) needs all of them'],
  ],
])('%s', async (sql, strategies) => {
  expect(await stagesOf(sql)).toEqual(strategies);
});

test('what is computed from sums has the digits of a recomputation', async () => {
  const views = {
    sums: 'SELECT k, sum(x) AS s, avg(x) AS a, sum(y) AS sy, avg(n) AS an, avg(b) AS ab, sum(b) AS sb FROM t GROUP BY k',
    spread:
      'SELECT k, variance(n) AS v, var_pop(x) AS vp, stddev(n) AS s, stddev(x) AS sx, stddev_pop(b) AS sp, variance(y) AS vy FROM t GROUP BY k',
    all: 'SELECT sum(x) AS s, stddev_samp(x) AS d, avg(DISTINCT x) AS ad, sum(i) AS i, avg(i) AS ai FROM t',
  };
  for (const [name, sql] of Object.entries(views)) await createIncrementalView(db, name, sql);
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
  const pick = <T>(...of: T[]): T => of[random(of.length)]!;
  for (let step = 0; step < 120; step++) {
    const row = `${random(40)}, ${random(3)}, ${random(2000) - 1000}, ${random(1e9)} * 1000000007::bigint,
      ${pick('NULL', '1', '1.00', '0.10', '3.14159265358979', '-7.5', '123456789012.000001', '1e-20', "'NaN'", '1e30')},
      ${random(100000)} / 100.0, ${pick("'1 mon'", "'30 days'", "'1 day 02:03:04'", "'-5 min'", 'NULL')}::interval`;
    await db.exec(
      random(3) === 0
        ? `DELETE FROM t WHERE id = ${random(40)} OR (x = 'NaN' AND ${random(2) === 0})`
        : `INSERT INTO t (id, k, n, b, x, y, i) VALUES (${row}) ON CONFLICT (id) DO UPDATE SET k = excluded.k, x = excluded.x, i = excluded.i`,
    );
    for (const [name, sql] of Object.entries(views)) {
      expect({ step, rows: await texts(`SELECT * FROM "${name}"`) }).toEqual({
        step,
        rows: await texts(sql),
      });
    }
  }
});

test('what changes nothing that is seen leaves no trace', async () => {
  await db.exec("INSERT INTO t (id, k, n, s) SELECT i, i % 2, i, 's' || i FROM generate_series(1, 6) AS i");
  await createIncrementalView(
    db,
    'v',
    'SELECT k, max(n) AS m, (array_agg(s ORDER BY id DESC))[1] AS s FROM t GROUP BY k',
    {
      changes: true,
    },
  );
  const log = async (): Promise<unknown> =>
    (await db.query('SELECT weight, "row" FROM _seg.changelog ORDER BY 2, 1')).rows;
  const place = async (): Promise<unknown> =>
    (await db.query('SELECT ctid, k FROM _seg."public.v" ORDER BY k')).rows;
  const before = await place();
  await db.exec("UPDATE t SET note = 'x'");
  await db.exec('INSERT INTO t (id, k, n) VALUES (0, 0, 0)');
  await db.exec('DELETE FROM t WHERE id IN (0, 1)');
  await db.exec('BEGIN; UPDATE t SET n = 9 WHERE id = 6; UPDATE t SET n = 6 WHERE id = 6; COMMIT');
  expect(await log()).toEqual([
    { weight: -1, row: { k: 0, m: 6, s: 's6' } },
    { weight: 1, row: { k: 0, m: 6, s: 's6' } },
    { weight: -1, row: { k: 0, m: 9, s: 's6' } },
    { weight: 1, row: { k: 0, m: 9, s: 's6' } },
  ]);
  await db.exec('TRUNCATE _seg.changelog; DELETE FROM t WHERE id = 6');
  expect(await log()).toEqual([
    { weight: 1, row: { k: 0, m: 4, s: 's4' } },
    { weight: -1, row: { k: 0, m: 6, s: 's6' } },
  ]);
  await db.exec('TRUNCATE _seg.changelog; TRUNCATE t');
  expect(await log()).toHaveLength(2);
  expect(before).toHaveLength(2);
});

test('one statement with two triggers, of which one makes a group be read again', async () => {
  const sql = 'SELECT k, count(*) AS c, sum(n) AS s, max(n) AS m FROM t GROUP BY k';
  await createIncrementalView(db, 'v', sql);
  await db.exec('INSERT INTO t (id, k, n) SELECT i, 0, i FROM generate_series(1, 6) AS i');
  for (const statement of [
    'INSERT INTO t (id, k, n) VALUES (6, 0, 0), (7, 0, 3), (8, 1, 1) ON CONFLICT (id) DO UPDATE SET n = excluded.n',
    `MERGE INTO t USING (VALUES (5, 0), (9, 9), (7, 7)) AS s (id, n) ON t.id = s.id
     WHEN MATCHED AND s.id = 5 THEN DELETE WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED THEN INSERT (id, k, n) VALUES (s.id, 0, s.n)`,
    'BEGIN; INSERT INTO t (id, k, n) VALUES (9, 0, -1), (10, 0, 5) ON CONFLICT (id) DO UPDATE SET n = excluded.n; INSERT INTO t (id, k, n) VALUES (11, 0, 4); COMMIT',
  ]) {
    await db.exec(statement);
    expect(await texts('SELECT * FROM v')).toEqual(await texts(sql));
  }
});
