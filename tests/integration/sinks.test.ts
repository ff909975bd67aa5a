/** Sinks against a real PostgreSQL and a real Kafka, and kills. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { Admin, Consumer, stringDeserializers } from '@platformatic/kafka';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PGliteDatabase } from '../../src/engines/pglite/connection.ts';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { deployWith, syncOnce } from '../../src/sinks/fixture.ts';

const url = process.env.SEG_TEST_POSTGRES!;
const brokers = process.env.SEG_TEST_KAFKA!;
let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
});
afterAll(() => db.close());
beforeEach(() => db.exec('DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA IF EXISTS app CASCADE'));

async function order(id: number, customer: string, amount: number | string): Promise<void> {
  await db.query('INSERT INTO app.orders (id, customer, amount) VALUES ($1, $2, $3)', [id, customer, amount]);
}

describe('postgres', () => {
  const quoted = '"sink ""x"""';
  let client: pg.Client;
  beforeAll(async () => {
    client = new pg.Client({ connectionString: url });
    await client.connect();
  });
  beforeEach(() => client.query(`DROP SCHEMA IF EXISTS ${quoted} CASCADE`));
  afterAll(() => client.end());
  const rows = async (): Promise<unknown[]> =>
    (await client.query<Record<string, unknown>>(`SELECT * FROM ${quoted}.totals ORDER BY 1`)).rows;
  const sink = (more = '', config = ''): string =>
    `  - {name: copy, from: totals, type: postgres${more}, config: {connection: "{{ env_var('PG') }}", schema: 'sink "x"', table: totals${config}}}\n`;
  const env = { PG: url };

  test('makes its table, writes and deletes, and applies a batch once', async () => {
    const project = await deployWith(db, sink(', mode: mirror'), { env });
    await order(1, "o'neil", '12345678901234567890.12');
    await order(2, 'bob', 1);
    expect((await syncOnce(db, project)).summaries['copy']).toMatchObject({ status: 'ok', sent: 2 });
    expect(await rows()).toEqual([
      { customer: 'bob', orders: '1', total: '1' },
      { customer: "o'neil", orders: '1', total: '12345678901234567890.12' },
    ]);
    await db.exec('DELETE FROM app.orders WHERE id = 2');
    // As if the process had been killed between the commit there and the one here.
    await syncOnce(db, project);
    await client.query(`INSERT INTO ${quoted}.totals VALUES ('by hand', 1, 1)`);
    await db.exec(`INSERT INTO _seg.sink_queue (sink, key, lane, "row", first_position, position, at, batch)
      SELECT id, '["late"]', 'late', '{"customer": "late", "orders": 1, "total": 1}', 1, 1, now(), 1 FROM _seg.sink`);
    await syncOnce(db, project);
    expect((await rows()).map((row) => (row as { customer: string }).customer)).toEqual([
      'by hand',
      "o'neil",
    ]);
  });

  test('parks what the table refuses, by name, and takes it when it may', async () => {
    await client.query(`CREATE SCHEMA ${quoted}`);
    await client.query(
      `CREATE TABLE ${quoted}.totals (customer text PRIMARY KEY, orders int CHECK (orders < 3), total numeric, note text)`,
    );
    const project = await deployWith(db, sink(), { env });
    for (let id = 1; id <= 10; id++) await order(id, `c${id % 4}`, 1);
    const { summaries } = await syncOnce(db, project);
    expect(summaries['copy']).toMatchObject({ sent: 2, rejected: 2 });
    const parked = await db.query<{ key: string; reason: string }>(
      'SELECT key, reason FROM _seg.sink_rejections ORDER BY key',
    );
    expect(parked.rows.map(({ key }) => key)).toEqual(['["c1"]', '["c2"]']);
    expect(parked.rows[0]!.reason).toContain('violates check constraint');
    await client.query(`ALTER TABLE ${quoted}.totals DROP CONSTRAINT totals_orders_check`);
    expect((await syncOnce(db, project)).summaries['copy']).toMatchObject({ sent: 2, rejected: 0 });
    expect(await rows()).toHaveLength(4);
  });

  test('sets fields instead of deleting; a wrong address or password fails the sink and nothing else', async () => {
    const project = await deployWith(db, sink(', on_delete: {gone: true}'), { env });
    await order(1, 'ann', 1);
    await syncOnce(db, project);
    await db.exec('DELETE FROM app.orders');
    await syncOnce(db, project);
    expect(await rows()).toEqual([{ customer: 'ann', orders: '1', total: '1', gone: true }]);
    await order(2, 'ann', 5);
    const lost = await deployWith(db, sink(', on_delete: {gone: true}', ', max_attempts: 1'), {
      env: { PG: 'postgres://seg@127.0.0.1:1/none' },
    });
    expect((await syncOnce(db, lost)).summaries['copy']).toMatchObject({ status: 'failing', sent: 0 });
    await syncOnce(db, project);
    expect(await rows()).toEqual([{ customer: 'ann', orders: '1', total: '5', gone: null }]);
  });
});

describe('kafka', () => {
  test.each([false, true])('keyed records and tombstones (transactional: %s)', async (transactional) => {
    const topic = `totals-${transactional}-${process.pid}`;
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: [brokers] });
    await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 });
    await admin.close();
    const project = await deployWith(
      db,
      `  - {name: out, from: totals, type: kafka, config: {brokers: "${brokers}", topic: ${topic}, transactional: ${transactional}}}\n`,
    );
    await order(1, 'ann', 1);
    await order(2, 'bob', 1);
    expect((await syncOnce(db, project)).summaries['out']).toMatchObject({ status: 'ok', sent: 2 });
    await order(3, 'ann', 1);
    await db.exec('DELETE FROM app.orders WHERE id = 2');
    expect((await syncOnce(db, project)).summaries['out']).toMatchObject({
      message: null,
      status: 'ok',
      sent: 2,
    });
    const consumer = new Consumer({
      clientId: 'test',
      groupId: `test-${topic}`,
      bootstrapBrokers: [brokers],
      deserializers: stringDeserializers,
    });
    const seen = new Map<string, unknown[]>();
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'earliest',
      autocommit: false,
      isolationLevel: 1,
    });
    let count = 0;
    for await (const { key, value } of stream) {
      seen.set(key, [
        ...(seen.get(key) ?? []),
        value ? (JSON.parse(value) as { orders: number }).orders : null,
      ]);
      if (++count === 4) break;
    }
    void consumer.close(true);
    expect(Object.fromEntries(seen)).toEqual({
      '{"customer":"ann"}': [1, 2],
      '{"customer":"bob"}': [1, null],
    });
  });
});

test('a few kills of ingest and delivery lose and double nothing', async () => {
  const script = path.join(import.meta.dirname, '../../scripts/chaos/run.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--kills', '12'], {
    env: { ...process.env, SEG_TEST_POSTGRES: url },
  });
  expect(stdout).toContain('all held');
  expect(stdout).not.toContain('FAIL');
});
