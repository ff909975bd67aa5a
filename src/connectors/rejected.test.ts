/** Records that a source has refused: found, ingested again after a correction, dropped. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Connection } from '../engines/connection.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { ingest } from './ingest.ts';
import { dropRejected, readRejected, replayRejected, summarizeRejected } from './rejected.ts';
import { createSource, testSource } from './test-source.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
});
afterAll(() => db.close());
beforeEach(() => db.exec('DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s'));

const strict = testSource(
  'orders "ö"',
  [
    { name: 'id', data_type: 'integer' },
    { name: 'amount', data_type: 'smallint' },
  ],
  { key: ['id'] },
);
/** The same after a correction: amounts may be larger. */
const wide = {
  ...strict,
  columns: { ...strict.columns, amount: { ...strict.columns['amount']!, data_type: 'bigint' } },
};

async function widen(): Promise<void> {
  await db.exec('ALTER TABLE s."orders ""ö""" ALTER amount TYPE bigint');
}

async function take(
  lines: readonly string[],
  origin = 'a.ndjson',
  form: 'json' | 'csv' = 'json',
): Promise<void> {
  await ingest(db, strict, [lines.join('\n')], { format: form, origin });
}

const rows = async (): Promise<unknown[]> =>
  (await db.query('SELECT id, amount FROM s."orders ""ö""" ORDER BY id')).rows;

describe('rejected records', () => {
  beforeEach(() => createSource(db, strict));

  test('are listed and shown by time, reason and origin', async () => {
    expect(await summarizeRejected(db, strict, {})).toMatchObject({ count: 0, oldest: null });
    await take(['{"id":1,"amount":1}', '{"id":2,"amount":100000}', '{"amount":3}', 'nonsense']);
    await take(['{"id":9,"amount":"x"}'], 'b.ndjson');
    expect(await summarizeRejected(db, strict, {})).toMatchObject({ count: 4 });
    expect((await readRejected(db, strict, {})).map(({ origin, line }) => [origin, line])).toEqual([
      ['a.ndjson', 2],
      ['a.ndjson', 3],
      ['a.ndjson', 4],
      ['b.ndjson', 1],
    ]);
    expect(await readRejected(db, strict, { reason: 'NOT json' })).toMatchObject([{ payload: 'nonsense' }]);
    expect(await readRejected(db, strict, { origin: 'b.ndjson' })).toHaveLength(1);
    expect(await readRejected(db, strict, { limit: 2 })).toHaveLength(2);
    expect(await readRejected(db, strict, { since: '2100-01-01' })).toEqual([]);
    expect(await readRejected(db, strict, { until: '2100-01-01' })).toHaveLength(4);
    await expect(readRejected(db, strict, { since: 'soon' })).rejects.toThrow('"soon" is no time');
  });

  test('are ingested again: what is accepted leaves, what is refused stays with the reason of now', async () => {
    await take([
      '{"id":1,"amount":1}',
      '{"id":2,"amount":100000}',
      '{"amount":3}',
      'nonsense',
      '{"id":1,"amount":99999}',
    ]);
    const before = await readRejected(db, strict, {});
    expect(await replayRejected(db, strict, {})).toEqual({ accepted: 0, duplicate: 0, rejected: 4 });
    expect(await readRejected(db, strict, {})).toEqual(before);
    await widen();
    expect(await replayRejected(db, wide, {})).toEqual({ accepted: 1, duplicate: 1, rejected: 2 });
    expect(await rows()).toEqual([
      { id: 1, amount: 1 },
      { id: 2, amount: 100000 },
    ]);
    expect((await readRejected(db, wide, {})).map(({ line, payload }) => [line, payload])).toEqual([
      [3, '{"amount":3}'],
      [4, 'nonsense'],
    ]);
    expect(await replayRejected(db, wide, {})).toEqual({ accepted: 0, duplicate: 0, rejected: 2 });
  });

  test('only those that are meant', async () => {
    await take(['{"id":2,"amount":100000}', '{"id":3,"amount":100000}', '{"id":4,"amount":"many"}']);
    await widen();
    expect(await replayRejected(db, wide, { limit: 1 })).toEqual({ accepted: 1, duplicate: 0, rejected: 0 });
    expect(await dropRejected(db, wide, { reason: 'many' })).toBe(1);
    expect(await dropRejected(db, wide, { limit: 5 })).toBe(1);
    expect(await readRejected(db, wide, {})).toEqual([]);
    expect(await rows()).toEqual([{ id: 2, amount: 100000 }]);
  });

  test('many, in transactions: one that ends in the middle has done all of a batch or nothing of it', async () => {
    await db.exec(
      `INSERT INTO s."orders ""ö""__rejected" (origin, line, reason, payload)
       SELECT 'x', n, 'why', '{"id":' || n || ',"amount":' || CASE WHEN n % 1000 = 0 THEN '"?"' ELSE '70000' END || '}' FROM generate_series(1, 12000) AS n`,
    );
    await widen();
    // The connection is lost as the second batch commits.
    let batches = 0;
    const dying: Connection = {
      query: (sql, params) => db.query(sql, params),
      exec: (sql) => db.exec(sql),
      copyFrom: (target, columns, lines) => db.copyFrom(target, columns, lines),
      transaction: (work) =>
        db.transaction(async (tx) => {
          const answer = await work(tx);
          if (++batches === 2) throw new Error('killed');
          return answer;
        }),
    };
    await expect(replayRejected(dying, wide, {})).rejects.toThrow('killed');
    expect(await rows()).toHaveLength(4995);
    expect(await summarizeRejected(db, wide, {})).toMatchObject({ count: 7005 });
    expect(await replayRejected(db, wide, {})).toEqual({ accepted: 6993, duplicate: 0, rejected: 12 });
    expect(await rows()).toHaveLength(11988);
    expect(await summarizeRejected(db, wide, {})).toMatchObject({ count: 12 });
  });

  test('lines of CSV are read with the header that is given, and left alone without one', async () => {
    await take(['id,amount', '1,70000', '"2",x'], 'a.csv', 'csv');
    await widen();
    const before = await readRejected(db, wide, {});
    expect(before).toHaveLength(2);
    expect(await replayRejected(db, wide, {})).toEqual({ accepted: 0, duplicate: 0, rejected: 2 });
    expect(await readRejected(db, wide, {})).toEqual(before);
    expect(await replayRejected(db, wide, { limit: 10 }, { header: ['id', 'amount'] })).toEqual({
      accepted: 1,
      duplicate: 0,
      rejected: 1,
    });
    expect(await rows()).toEqual([{ id: 1, amount: 70000 }]);
  });
});

test('what cannot be meant is refused: words that are no time, a header without a field of the source', async () => {
  await createSource(db, strict);
  for (const since of ['9', 'yesterday', '2024-02-30', '2024-01-01T25:00:00Z', ''])
    await expect(dropRejected(db, strict, { since })).rejects.toThrow('is no time');
  for (const since of ['2024-01-01', '2024-01-01 12:00', '2024-01-01T12:00:00.5+02:00'])
    expect(await dropRejected(db, strict, { since })).toBe(0);
  await expect(replayRejected(db, strict, {}, { header: [''] })).rejects.toThrow('names no field');
  await expect(replayRejected(db, strict, {}, { header: ['idd', 'b'] })).rejects.toThrow('names no field');
});

test('a source that is not there says so', async () => {
  expect(await summarizeRejected(db, strict, {})).toBeNull();
  await expect(replayRejected(db, strict, {})).rejects.toThrow('is not in the database');
});
