import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { explainIncrementalView } from './explain-view.ts';
import { explanationText } from './explanation-text.ts';
import { createIncrementalView, dropIncrementalView } from './incremental-view.ts';
import { readChanges } from './read-changes.ts';

const db = await openMemoryDatabase();
afterAll(() => db.close());
beforeEach(() =>
  db.exec(`DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;
    CREATE TABLE orders (id int PRIMARY KEY, customer text, amount int)`),
);

const objects = async (): Promise<unknown> =>
  (
    await db.query(
      `SELECT relname::text AS name FROM pg_class WHERE relnamespace IN ('public'::regnamespace, to_regnamespace('_seg')) AND relname NOT LIKE 'pg_%'
       UNION ALL SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal
       UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = to_regnamespace('_seg') ORDER BY 1`,
    )
  ).rows;

describe('an incremental view', () => {
  it('follows its tables, and views on views follow it; its feed says what changed', async () => {
    await createIncrementalView(
      db,
      'totals',
      'SELECT customer, sum(amount) AS total FROM orders GROUP BY customer',
      {
        changes: true,
      },
    );
    await createIncrementalView(db, 'big', 'SELECT customer FROM totals WHERE total > 10');
    await db.exec(`INSERT INTO orders VALUES (1, 'a', 5), (2, 'a', 7), (3, 'b', 1)`);
    await db.exec(`UPDATE orders SET customer = 'b' WHERE id = 2`);
    expect((await db.query('SELECT * FROM totals ORDER BY 1')).rows).toEqual([
      { customer: 'a', total: 5 },
      { customer: 'b', total: 8 },
    ]);
    expect((await db.query('SELECT * FROM big')).rows).toEqual([]);
    const changes = await readChanges(db, 'totals');
    const inStepTwo = changes.filter(({ epoch }) => epoch === '2');
    expect(
      inStepTwo.map(({ epoch, weight, row }) => [epoch, weight, row['customer'], row['total']]).sort(),
    ).toEqual([
      ['2', -1, 'a', 12],
      ['2', -1, 'b', 1],
      ['2', 1, 'a', 5],
      ['2', 1, 'b', 8],
    ]);
    expect(await readChanges(db, 'totals', { after: '2' })).toEqual([]);
  });

  it('leaves nothing behind when it is dropped, and is not dropped while another reads it', async () => {
    await createIncrementalView(db, 'all_orders', 'SELECT id, amount FROM orders');
    const before = await objects();
    await createIncrementalView(
      db,
      'totals',
      'SELECT customer, sum(amount) AS total FROM orders GROUP BY customer',
    );
    await createIncrementalView(db, 'big', 'SELECT customer FROM totals WHERE total > 10');
    await expect(dropIncrementalView(db, 'totals')).rejects.toThrow('is read by');
    await dropIncrementalView(db, 'big');
    await dropIncrementalView(db, 'totals');
    expect(await objects()).toEqual(before);
  });

  it('explains itself', async () => {
    await createIncrementalView(db, 'counts', 'SELECT customer, count(*) AS n FROM orders GROUP BY customer');
    const explained = await explainIncrementalView(db, 'counts');
    expect(explanationText(explained!)).toContain('merge: what is kept of each group (counts)');
    expect(explained!.indexes).toEqual([]);
    await createIncrementalView(
      db,
      'shares',
      'SELECT id, amount, (SELECT sum(amount) FROM orders) AS total FROM orders WHERE id IN (SELECT id FROM counts, orders)',
    );
    const shares = explanationText((await explainIncrementalView(db, 'shares'))!);
    expect(shares.match(/intermediate result #\d+$/gm)?.length).toBeGreaterThan(0);
    expect(shares).toContain('└─ "public"."orders"');
    expect(shares).toContain('merge: what is kept of all rows');
    expect(await explainIncrementalView(db, 'nothing')).toBeUndefined();
  });

  it('can be told to recompute, and says so where it must', async () => {
    const asked = await createIncrementalView(db, 'asked', 'SELECT id FROM orders', {
      maintenance: 'recompute',
    });
    expect(asked.stages.map(({ strategy }) => strategy)).toEqual(['recompute']);
    const must = await createIncrementalView(
      db,
      'must',
      'WITH RECURSIVE r(n) AS (SELECT count(*) FROM orders UNION ALL SELECT n - 1 FROM r WHERE n > 0) SELECT n FROM r',
    );
    expect(must.stages[0]).toMatchObject({ strategy: 'recompute', reason: 'WITH RECURSIVE' });
    await db.exec(`INSERT INTO orders VALUES (1, 'a', 5), (2, 'a', 7)`);
    expect((await db.query('SELECT count(*) AS n FROM must')).rows).toEqual([{ n: 3 }]);
  });

  it('keeps string constants as they are written', async () => {
    const sql = `SELECT id, customer || E'\n  x\n' AS c FROM orders`;
    await createIncrementalView(db, 'lines', sql);
    await db.exec(`INSERT INTO orders VALUES (1, 'a', 5)`);
    expect((await db.query('SELECT * FROM lines')).rows).toEqual((await db.query(sql)).rows);
  });

  it('is refused when its answer would change by itself, or cannot be followed', async () => {
    await expect(createIncrementalView(db, 'v', 'SELECT id, random() AS r FROM orders')).rejects.toThrow(
      'random()',
    );
    await expect(createIncrementalView(db, 'v', 'SELECT id, now() AS r FROM orders')).rejects.toThrow(
      'now()',
    );
    await expect(createIncrementalView(db, 'v', 'SELECT relname FROM pg_class')).rejects.toThrow('pg_class');
    expect((await db.query(`SELECT to_regclass('public.v') AS v`)).rows).toEqual([{ v: null }]);
  });
});
