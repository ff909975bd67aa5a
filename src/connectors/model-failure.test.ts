/** A record on which a model fails: named, and put aside where the source says so. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { createIncrementalView } from '../incremental/incremental-view.ts';
import { ingest, ingestRecords } from './ingest.ts';
import { createSource, testSource } from './test-source.ts';

const db = await openMemoryDatabase();
afterAll(() => db.close());

const columns = [
  { name: 'id', data_type: 'integer' },
  { name: 'amount', data_type: 'integer' },
];
const failing = testSource('orders', columns, { key: ['id'] });
const patient = testSource('orders', columns, { key: ['id'], on_error: 'quarantine' });
const failingView = `view "public"."rates": division by zero`;

beforeEach(async () => {
  await db.exec(
    'DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA IF EXISTS s CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public',
  );
  await createSource(db, failing);
  await createIncrementalView(db, 'rates', 'SELECT id, 100 / amount AS rate FROM s.orders');
  await createIncrementalView(db, 'doubled', 'SELECT id, rate * 2 AS rate FROM rates');
});

const stored = async () => (await db.query(`SELECT count(*)::int AS n FROM s.orders`)).rows[0]!['n'];
const rates = async () => (await db.query('SELECT count(*)::int AS n FROM doubled')).rows[0]!['n'];
const rejected = async () =>
  (await db.query('SELECT origin, line::int AS line, reason FROM s.orders__rejected ORDER BY line')).rows;
const orders = (count: number, zeros: readonly number[]) =>
  Array.from({ length: count }, (_, id) => ({ id, amount: zeros.includes(id) ? 0 : 1 }));
const lines = (records: readonly object[]) => records.map((record) => `${JSON.stringify(record)}\n`);

describe.each([10, 3000])('among %i records', (count) => {
  it('a source that says nothing fails, with the record and the model, and keeps nothing of the batch', async () => {
    const input = lines([...orders(count, [7]), { id: 'no number' }]);
    await expect(
      ingest(db, failing, input, { format: 'json', origin: 'orders.ndjson' }),
    ).rejects.toMatchObject({
      diagnostics: [{ code: 'SEG506', message: `orders.ndjson, line 8: ${failingView}` }],
    });
    expect([await stored(), await rates(), await rejected()]).toEqual([0, 0, []]);
  });

  it('quarantine puts the record aside and takes the rest in', async () => {
    const input = lines([...orders(count, [3, 7]), { id: 'no number' }]);
    const summary = await ingest(db, patient, input, { format: 'json', origin: 'orders.ndjson' });
    expect(summary).toMatchObject({ accepted: count - 2, duplicate: 0, rejected: 3 });
    expect([await stored(), await rates()]).toEqual([count - 2, count - 2]);
    expect(await rejected()).toMatchObject([
      { origin: 'orders.ndjson', line: 4, reason: failingView },
      { origin: 'orders.ndjson', line: 8, reason: failingView },
      { line: count + 1 },
    ]);
  });
});

it('quarantine goes on when every record is bad', async () => {
  const records = orders(100, [...Array(100).keys()]);
  expect(await ingestRecords(db, patient, records, 'test')).toMatchObject({ accepted: 0, rejected: 100 });
});

it('a model that is broken whatever the record holds is no reason to put records aside', async () => {
  await db.exec('ALTER TABLE s.orders DROP COLUMN amount CASCADE');
  await db.exec('ALTER TABLE s.orders ADD COLUMN amount text');
  await expect(ingestRecords(db, patient, orders(2, []), 'test')).rejects.toMatchObject({
    diagnostics: [{ code: 'SEG506', message: expect.stringContaining('view "public"."rates": ') as string }],
  });
  expect(await rejected()).toEqual([]);
});

it('any other writer is told the model, by the SQLSTATE of the error itself', async () => {
  const error = await db
    .query('INSERT INTO s.orders VALUES (1, 1), (2, 0)')
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    sqlstate: '22012',
    message: failingView,
    schema: 'public',
    table: 'rates',
    detail: expect.stringContaining('nothing of the statement was kept') as string,
    hint: expect.stringContaining('nullif') as string,
  });
  expect(await stored()).toBe(0);
});

it('the model is named also when the whole view is refreshed', async () => {
  await db.exec('INSERT INTO s.orders SELECT i, 1 FROM generate_series(1, 3000) AS i');
  await expect(
    db.exec('INSERT INTO s.orders SELECT i, 0 FROM generate_series(3001, 9000) AS i'),
  ).rejects.toThrow(failingView);
});
