/** On a database that does one thing at a time a sink that has much to take works in steps of few rows. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonRow } from '../changelog/change.ts';
import type { Connection } from '../engines/connection.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { changesOf, deployWith, syncOnce, TestReceiver } from './fixture.ts';

let db: PGliteDatabase;
const receiver = new TestReceiver();
beforeAll(async () => {
  db = await openMemoryDatabase();
  await receiver.start();
});
afterAll(async () => {
  await receiver.stop();
  await db.close();
});

const ROWS = 1500;

/** Notes how many rows a statement has had, writes a row between two transactions, and ends where one more than `ends` would begin. */
function watched(ends = Infinity) {
  const seen = { most: 0, transactions: 0 };
  const noting = (tx: Connection): Connection => ({
    query: async <R>(sql: string, params?: readonly unknown[]) => {
      const result = await tx.query<R>(sql, params);
      seen.most = Math.max(seen.most, result.rowCount, result.rows.length);
      return result;
    },
    exec: (sql) => tx.exec(sql),
    transaction: (work) => tx.transaction((inner) => work(noting(inner))),
    copyFrom: (target, columns, lines) => tx.copyFrom(target, columns, lines),
  });
  const connection: Connection = {
    ...noting(db),
    transaction: async (work) => {
      if (++seen.transactions > ends) throw new Error('killed');
      const result = await db.transaction((tx) => work(noting(tx)));
      if (seen.transactions % 5 === 0)
        await db.exec(
          `INSERT INTO app.orders (id, customer, amount) SELECT max(id) + 1, 'late', 1 FROM app.orders`,
        );
      return result;
    },
  };
  return { seen, connection };
}

test.each([
  ['of few records a batch', 50],
  ['of many', 1000],
])('%s: each row once and in order, over the ends of processes', async (_, size) => {
  receiver.reset();
  await db.exec('DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA IF EXISTS app CASCADE');
  const config = `{url: "${receiver.url}", batch_size: ${size}, concurrency: 1}`;
  const hook = `  - {name: hook, from: orders, type: webhook, backfill: true, config: ${config}}\n`;
  const project = await deployWith(db, hook);
  await db.exec(
    `INSERT INTO app.orders (id, customer, amount) SELECT n, 'c' || n, n FROM generate_series(1, ${ROWS}) AS n`,
  );
  // However quick the machine, a step takes at most half as much again as the one before.
  for (const ends of [2, 4]) {
    const { summaries } = await syncOnce(watched(ends).connection, project);
    expect(summaries['hook']).toMatchObject({ status: 'broken', message: 'killed' });
  }
  const { connection, seen } = watched();
  expect((await syncOnce(connection, project)).summaries['hook']).toMatchObject({ status: 'ok' });
  await syncOnce(db, project);
  const requests = new Map(receiver.requests.map((request) => [request.headers['webhook-id'], request]));
  const ids = [...requests.values()].flatMap(({ body }) =>
    changesOf(body).map(({ row }) => (row as JsonRow)['id']),
  );
  const { rows } = await db.query<{ id: number }>('SELECT id FROM app.orders ORDER BY position');
  expect(ids).toEqual(rows.map(({ id }) => id));
  expect(Math.max(...receiver.requests.map(({ body }) => changesOf(body).length))).toBeLessThanOrEqual(size);
  // A batch that was answered is settled as a whole.
  expect(seen.most).toBeLessThanOrEqual(Math.max(400, size));
  expect(seen.transactions).toBeGreaterThan(5);
});
