import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { analysisText } from './analysis.ts';
import { explainIncrementalView } from './explain-view.ts';
import { createIncrementalView } from './incremental-view.ts';
import { readChanges } from './read-changes.ts';

const db = await openMemoryDatabase();
afterAll(() => db.close());
beforeEach(async () => {
  await db.exec(`DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;
    CREATE TABLE orders (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, customer text, amount int, double int GENERATED ALWAYS AS (amount * 2) STORED);
    CREATE TABLE people (name text)`);
  await createIncrementalView(
    db,
    'totals',
    'SELECT customer, sum(double) AS total FROM orders GROUP BY customer',
    {
      changes: true,
    },
  );
  await createIncrementalView(
    db,
    'big',
    'SELECT t.customer FROM totals t JOIN people p ON p.name = t.customer WHERE total > 10',
  );
  await createIncrementalView(db, 'other', 'SELECT id FROM orders');
  await db.exec(`INSERT INTO orders (customer, amount) SELECT 'c' || i % 7, i FROM generate_series(1, 400) AS i;
    INSERT INTO people VALUES ('c1'), ('c2')`);
});

const everything = async (): Promise<unknown> => [
  (await db.query('SELECT * FROM orders ORDER BY id')).rows,
  (await db.query('SELECT * FROM totals ORDER BY 1')).rows,
  (await db.query('SELECT * FROM _seg.epoch')).rows,
  (await readChanges(db, 'totals')).length,
  (await db.query(`SELECT prosrc FROM pg_proc WHERE pronamespace = '_seg'::regnamespace ORDER BY 1`)).rows,
];

describe('explain with analyze', () => {
  it('measures the steps of a view and of those it reads, and leaves no trace', async () => {
    const before = await everything();
    const { analysis } = (await explainIncrementalView(db, 'big', { analyze: true }))!;
    expect(await everything()).toEqual(before);
    const orders = analysis!.batches.filter(({ input }) => input === '"public"."orders"');
    expect(orders.map(({ statement, rows }) => [statement, rows])).toEqual([
      ['INSERT', 1],
      ['DELETE', 1],
      ['INSERT', 100],
      ['DELETE', 100],
      ['INSERT', 400],
      ['DELETE', 400],
    ]);
    const [one, , hundred] = orders as [(typeof orders)[number], unknown, (typeof orders)[number]];
    expect(one.steps.map(({ view, rowsIn, rowsOut }) => [view, rowsIn, rowsOut])).toEqual([
      ['"public"."totals"', 1, 2],
      ['"public"."big"', 2, 0],
    ]);
    expect(one.others.steps).toBe(1);
    expect(hundred.steps[0]).toMatchObject({ rowsIn: 100 });
    expect(analysis!.batches.some(({ input }) => input === '"public"."people"')).toBe(true);
    await db.exec(`INSERT INTO orders (customer, amount) VALUES ('c1', 1)`);
  });

  it('says so when there is nothing to replay, or it may not be replayed', async () => {
    await db.exec(
      'DELETE FROM people; CREATE TABLE lines (id int REFERENCES orders); INSERT INTO lines VALUES (400)',
    );
    const { analysis } = (await explainIncrementalView(db, 'big', { analyze: true }))!;
    expect(analysis!.batches).toEqual([]);
    expect(analysis!.notes.join('\n')).toContain('"public"."people" is empty');
    expect(analysis!.notes.join('\n')).toContain(
      '"public"."orders" could not be measured: update or delete on table "orders"',
    );
  });

  it('prints aligned tables', () => {
    const step = {
      view: '"a"."b"',
      number: '1',
      rowsIn: 1,
      rowsOut: 2,
      meanMs: 0.5,
      lastMs: 1.25,
      strategy: 'rekey',
      share: 0.25,
    };
    const text = analysisText({
      batches: [
        {
          input: '"a"."t"',
          statement: 'INSERT',
          rows: 1,
          runs: 9,
          statementMs: 2,
          steps: [step, { ...step, number: null, rowsIn: null }],
          others: { steps: 3, meanMs: 1 },
        },
      ],
      notes: [],
    });
    expect(text.split('\n').slice(2)).toEqual([
      'INSERT of 1 row into "a"."t": 2.00 ms (mean of 9), of which 1.00 ms for the steps of this view and of those it reads',
      '  step                   strategy  rows in  rows out    ms  share',
      '  "a"."b" #1             rekey           1         2  0.50   25 %',
      '  "a"."b"                refresh       all         2  0.50   25 %',
      '  other views (3 steps)                               1.00   50 %',
    ]);
  });
});
