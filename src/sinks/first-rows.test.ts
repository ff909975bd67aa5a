/** The rows that are there when a sink first runs: taken in in short steps, while others write, and over the end of a process. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { JsonRow } from '../changelog/change.ts';
import type { Connection } from '../engines/connection.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { changesOf, deployWith, models, syncOnce, TestReceiver } from './fixture.ts';
import { beginSink } from './begin.ts';
import { boundBatches, takeBatches } from './queue.ts';
import { sinksOf } from './run-sinks.ts';
import { settleSome, unsettled } from './settle.ts';
import type { Answered } from './settle.ts';
import { shapeOf } from './shape.ts';
import { prepareSink } from './sink.ts';
import { giveUpScans } from './table-scan.ts';

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
beforeEach(async () => {
  receiver.reset();
  await db.exec('DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA IF EXISTS app CASCADE');
});

const ROWS = 600;
/** Large rows, so that few of them are many pages. */
const fill = `INSERT INTO app.orders (id, customer, amount) SELECT n, 'c' || n || repeat('x', 100), 100 + n FROM generate_series(1, ${ROWS}) AS n`;

/** Another writer: changes, brings and takes rows, all over the table, some of them twice or back to what they were. */
function writer(seed: number): () => Promise<void> {
  let at = seed;
  const next = (below: number): number => {
    at = (at * 1103515245 + 12345) % 2147483648;
    return Math.floor((at / 2147483648) * below);
  };
  let id = 1_000_000;
  return async () => {
    const one = 1 + next(ROWS);
    const writes = [
      `UPDATE app.orders SET amount = amount + 1 WHERE id IN (${one}, ${1 + next(ROWS)})`,
      `DELETE FROM app.orders WHERE id = ${one}`,
      `INSERT INTO app.orders (id, customer, amount) VALUES (${++id}, 'c${one}' || repeat('x', 100), 200)`,
      `UPDATE app.orders SET amount = amount + 5 WHERE id = ${one}; UPDATE app.orders SET amount = amount - 5 WHERE id = ${one}`,
    ];
    await db.exec(writes[next(writes.length)]!);
  };
}

class Killed extends Error {}

/** Writes between two transactions, notes how many rows a statement has had, and ends when so many more changes have arrived. */
function watched(seen: { most: number }, write: () => Promise<void>, ends = Infinity): Connection {
  const most = receiver.changes().length + ends;
  let transactions = 0;
  const noting = (tx: Connection): Connection => ({
    ...tx,
    query: async <R>(sql: string, params?: readonly unknown[]) => {
      const result = await tx.query<R>(sql, params);
      seen.most = Math.max(seen.most, result.rowCount, result.rows.length);
      return result;
    },
    exec: (sql) => tx.exec(sql),
    transaction: (work) => tx.transaction((inner) => work(noting(inner))),
    copyFrom: (target, columns, lines) => tx.copyFrom(target, columns, lines),
  });
  return {
    ...noting(db),
    transaction: async (work) => {
      if (receiver.changes().length >= most) throw new Killed('killed');
      const result = await db.transaction((tx) => work(noting(tx)));
      if (++transactions % 3 === 0) await write();
      return result;
    },
  };
}

/** What a receiver makes of the requests, which says so when a change does not follow from what it has. */
function replay(): string[] {
  const [held, ids]: [string[], Set<unknown>] = [[], new Set()];
  for (const { headers, body } of receiver.requests) {
    // The same request again, whose answer was lost.
    if (ids.has(headers['webhook-id'])) continue;
    ids.add(headers['webhook-id']);
    for (const change of changesOf(body)) {
      const { op, key, row, before } = change as {
        op: string;
        key: JsonRow | null;
        row: unknown;
        before: unknown;
      };
      if (key !== null && op === 'insert')
        expect(
          held.filter((each) => sameKey(each, key)),
          JSON.stringify(change),
        ).toEqual([]);
      if (before !== null) {
        const place = held.indexOf(JSON.stringify(before));
        expect(place, `${JSON.stringify(change)} of a row that is not there`).toBeGreaterThanOrEqual(0);
        held.splice(place, 1);
      } else if (key !== null) {
        const place = held.findIndex((each) => sameKey(each, key));
        if (place >= 0) held.splice(place, 1);
      }
      if (row !== null) held.push(JSON.stringify(row));
    }
  }
  return held.sort();
}

function sameKey(row: string, key: JsonRow): boolean {
  return Object.entries(key).every(([name, value]) => (JSON.parse(row) as JsonRow)[name] === value);
}

async function there(relation: string): Promise<string[]> {
  const { rows } = await db.query<{ row: string }>(
    `SELECT to_json(t)::text AS row FROM app.${relation} AS t`,
  );
  return rows.map(({ row }) => JSON.stringify(JSON.parse(row))).sort();
}

const config = (): string => `{url: "${receiver.url}", batch_size: 50, concurrency: 1}`;

const each = `{{ config(materialized='materialized_view', unique_key='id') }}
select id, customer, amount from {{ source('shop', 'orders') }}`;

test.each([
  ['of a model by its key', 'each'],
  ['of groups', 'totals'],
  ['of a model without a key', 'big'],
])('%s: every row first as it was, then its changes, in statements of few rows', async (_, model) => {
  const hook = `  - {name: hook, from: ${model}, type: webhook, backfill: true, config: ${config()}}\n`;
  const project = await deployWith(db, hook, { files: { ...models, 'models/each.sql': each } });
  await db.exec(fill);
  const write = writer(model.length);
  const seen = { most: 0 };
  for (const _ of ['once', 'twice']) {
    const { summaries } = await syncOnce(watched(seen, write, 100), project);
    expect(summaries['hook']).toMatchObject({ status: 'broken', message: 'killed' });
  }
  const { summaries } = await syncOnce(watched(seen, write), project);
  expect(summaries['hook']).toMatchObject({ status: 'ok', message: null });
  // A change that was committed after the last look is for the next run.
  await syncOnce(db, project);
  expect(replay()).toEqual(await there(model));
  expect(seen.most).toBeLessThanOrEqual(400);
  expect(await left()).toEqual([]);
});

test('a sink that is gone from the project sets nothing aside; when it comes back everything is compared', async () => {
  const hook = `  - {name: hook, from: each, type: webhook, mode: mirror, backfill: true, config: ${config()}}\n`;
  const project = await deployWith(db, hook, { files: { ...models, 'models/each.sql': each } });
  await db.exec(fill);
  const write = writer(1);
  await syncOnce(watched({ most: 0 }, write, 100), project);
  await giveUpScans(db, project);
  expect(await left()).toContainEqual({ what: 'a scan' });
  await giveUpScans(db, { ...project, manifest: { ...project.manifest, sinks: {} } });
  expect(await left()).toEqual([{ what: 'a scan' }]);
  await write();
  await syncOnce(db, project);
  expect(replay()).toEqual(await there('each'));
  expect(await left()).toEqual([]);
});

test('a large batch is settled in parts, over the end of a process, with what was refused of it', async () => {
  const hook = `  - {name: hook, from: each, type: webhook, mode: mirror, backfill: true, config: ${config()}}\n`;
  const project = await deployWith(db, hook, { files: { ...models, 'models/each.sql': each } });
  await db.exec(fill);
  const sink = prepareSink(project, sinksOf(project)[0]!);
  const shape = await shapeOf(db, sink);
  await db.transaction(async (tx) => {
    const { place } = await beginSink(tx, project, sink, shape, { fullResync: false, confirm: true });
    const limits = { batches: 1, records: ROWS, wholeLanes: false };
    const [delivery] = (await takeBatches(tx, sink, place, limits)).batches;
    const refused = [5, 450].map((n) => ({ record: delivery!.records[n]!, reason: 'no\0', status: 400 }));
    const counts = [];
    for (let answers: readonly Answered[] = [{ delivery: delivery!, refused }]; answers.length > 0;) {
      const { left: rest, ...settled } = await settleSome(tx, sink, place, answers, 250);
      counts.push(settled);
      answers = await unsettled(tx, sink, place);
      expect(answers.map((each) => each.delivery)).toEqual(rest.map((each) => each.delivery));
      expect(await boundBatches(tx, sink, place)).toEqual([]);
    }
    expect(counts).toEqual([
      { records: 250, rejected: 1, batches: 0 },
      { records: 250, rejected: 1, batches: 0 },
      { records: 100, rejected: 0, batches: 1 },
    ]);
  });
  const { rows } = await db.query('SELECT reason, status FROM _seg.sink_rejections');
  expect(rows).toEqual([
    { reason: 'no', status: 400 },
    { reason: 'no', status: 400 },
  ]);
  const { rows: held } = await db.query('SELECT FROM _seg.sink_record');
  expect(held).toHaveLength(ROWS - 2);
  expect(await left()).toEqual([]);
});

/** What is left of scans and of batches that are settled in parts. */
async function left(): Promise<unknown[]> {
  const { rows } = await db.query(`SELECT tgname AS what FROM pg_trigger WHERE tgname LIKE 'seg sink%'
    UNION ALL SELECT proname FROM pg_proc WHERE proname LIKE 'set aside%'
    UNION ALL SELECT 'a scan' FROM _seg.sink_scan UNION ALL SELECT 'a row' FROM _seg.sink_scan_row
    UNION ALL SELECT 'a batch' FROM _seg.sink_settling`);
  return rows;
}
