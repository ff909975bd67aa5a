/** Sinks at work, against receivers that behave and receivers that do not. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Webhook } from 'standardwebhooks';
import type { JsonRow } from '../changelog/change.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { pruneChanges } from '../feeds/retention.ts';
import { deployWith, status, syncOnce, TestReceiver } from './fixture.ts';
import { previewSink } from './preview.ts';
import { readSinkRuns, readSinkStatus } from './status.ts';

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

async function order(id: number, customer: string, amount: number | string): Promise<void> {
  await db.query('INSERT INTO app.orders (id, customer, amount) VALUES ($1, $2, $3)', [id, customer, amount]);
}

async function orders(from: number, count: number): Promise<void> {
  await db.exec(
    `INSERT INTO app.orders (id, customer, amount) SELECT n, 'c' || lpad(n::text, 5, '0'), 1 FROM generate_series(${from}, ${from + count - 1}) AS n`,
  );
}

const hook = (more = '', config = ''): string =>
  `  - {name: hook, from: totals, type: webhook${more}, config: {url: "${receiver.url}/in"${config}}}\n`;

const rejections = async (): Promise<unknown[]> =>
  (await db.query('SELECT key, op, reason, status, attempts FROM _seg.sink_rejections ORDER BY id')).rows;

describe('changes that a sink has not taken', () => {
  const files = {
    'models/totals.sql': `{{ config(materialized='materialized_view', unique_key='customer', retain_changes=1) }}
select customer, count(*) as orders from {{ source('shop', 'orders') }} group by customer`,
  };

  test('are kept for it, and not for one that is gone from the project', async () => {
    const project = await deployWith(db, hook(), { files });
    await syncOnce(db, project);
    for (let id = 1; id <= 4; id++) await order(id, `c${id}`, 1);
    expect(await pruneChanges(db, project)).toBe(0);
    const { summaries } = await syncOnce(db, project);
    expect(summaries['hook']).toMatchObject({ status: 'ok', sent: 4 });
    expect(await pruneChanges(db, project)).toBe(3);
    for (let id = 5; id <= 7; id++) await order(id, `c${id}`, 1);
    const without = { ...project, manifest: { ...project.manifest, sinks: {} } };
    expect(await pruneChanges(db, without)).toBe(3);
  });

  test('for longer than they are kept break it, until it is told to begin again', async () => {
    const project = await deployWith(db, hook(), { files });
    await syncOnce(db, project);
    for (let id = 1; id <= 4; id++) await order(id, `c${id}`, 1);
    await db.exec(`UPDATE _seg.step SET at = at - interval '31 days'`);
    expect(await pruneChanges(db, project)).toBe(4);
    await order(5, 'c5', 1);
    const { summaries } = await syncOnce(db, project);
    expect(summaries['hook']).toMatchObject({ status: 'broken', diagnostics: [{ code: 'SEG719' }] });
    expect(receiver.requests).toEqual([]);
    expect(await readSinkStatus(db, project)).toMatchObject([{ sink: 'hook', state: 'broken' }]);
    const again = await syncOnce(db, project, { fullResync: true, confirm: true });
    expect(again.summaries['hook']).toMatchObject({ status: 'ok', sent: 5 });
    await order(6, 'c6', 1);
    expect((await syncOnce(db, project)).summaries['hook']).toMatchObject({ status: 'ok', sent: 1 });
  });
});

describe('changes to a webhook', () => {
  test('begin when the sink begins, and are sent once, signed', async () => {
    const secret = `whsec_${Buffer.from('a secret of 24 bytes....').toString('base64')}`;
    const project = await deployWith(db, hook('', ', secret: "{{ env_var(\'HOOK\') }}"'), {
      env: { HOOK: secret },
    });
    await order(1, 'ann', 5);
    await syncOnce(db, project);
    expect(receiver.requests).toEqual([]);
    await order(2, 'ann', '0.10');
    await order(3, 'bob', 7);
    const { summaries } = await syncOnce(db, project);
    expect(summaries['hook']).toMatchObject({ status: 'ok', sent: 2, batches: 1 });
    expect(receiver.changes()).toMatchObject([
      {
        op: 'update',
        key: { customer: 'ann' },
        row: { customer: 'ann', orders: 2, total: 5.1 },
        before: { customer: 'ann', orders: 1, total: 5 },
      },
      { op: 'insert', key: { customer: 'bob' }, row: { customer: 'bob', orders: 1, total: 7 }, before: null },
    ]);
    const { headers, text } = receiver.requests[0]!;
    expect(headers['webhook-id']).toBe((receiver.requests[0]!.body as JsonRow)['id']);
    new Webhook(secret).verify(text, headers as Record<string, string>);
    // Numbers are PostgreSQL's, digit by digit.
    expect(text).toContain('"total":5.10');
    await syncOnce(db, project);
    expect(receiver.requests).toHaveLength(1);
  });

  test('of one key are rolled up; what has come and gone is not sent', async () => {
    const project = await deployWith(db, hook());
    await syncOnce(db, project);
    await order(1, 'ann', 1);
    await syncOnce(db, project);
    for (let id = 2; id < 6; id++) await order(id, 'ann', 1);
    await order(10, 'bob', 1);
    await db.exec('DELETE FROM app.orders WHERE id = 10');
    await syncOnce(db, project);
    expect(receiver.changes()).toMatchObject([
      { op: 'insert' },
      { op: 'update', row: { orders: 5 }, before: { orders: 1 } },
    ]);
    await db.exec(`DELETE FROM app.orders`);
    await syncOnce(db, project);
    expect(receiver.changes().at(-1)).toMatchObject({
      op: 'delete',
      key: { customer: 'ann' },
      row: null,
      before: { orders: 5 },
    });
  });

  test('of a model without a key, of a test and of a source are single events', async () => {
    const project = await deployWith(
      db,
      `  - {name: big, from: big, type: webhook, config: {url: "${receiver.url}/big"}}
  - {name: failures, from: none_free, type: webhook, config: {url: "${receiver.url}/failures", per: change}}
  - {name: lake, from: orders, type: webhook, backfill: true, config: {url: "${receiver.url}/lake"}}
`,
    );
    await order(1, 'ann', 100);
    await syncOnce(db, project);
    await db.exec(
      `INSERT INTO app.orders (id, customer, amount) VALUES (2, 'ann', 200), (3, 'ann', 200), (4, 'bob', 0)`,
    );
    await syncOnce(db, project);
    const at = (path: string) => receiver.requests.filter((request) => request.path === path);
    expect(at('/big').flatMap(({ body }) => (body as JsonRow)['changes'])).toMatchObject([
      { op: 'insert', key: null, row: { customer: 'ann', amount: 200 } },
      { op: 'insert', key: null, row: { customer: 'ann', amount: 200 } },
    ]);
    expect(at('/failures').map(({ body }) => body)).toMatchObject([{ op: 'insert', row: { id: 4 } }]);
    expect(
      at('/lake').flatMap(({ body }) => (body as { changes: JsonRow[] }).changes.map((each) => each['row'])),
    ).toMatchObject([{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }]);
  });

  test('go through where, mapping and a template of the body', async () => {
    const project = await deployWith(
      db,
      `  - name: hook
    from: totals
    type: webhook
    where: orders >= 2
    mapping: {Who: "upper(customer)", n: orders}
    primary_key: Who
    config:
      url: ${receiver.url}
      per: change
      body: {text: "{{ record.Who }} {{ 'left' if op == 'delete' else 'has ' ~ row.n }}", id: "{{ id }}", n: "{{ record.n }}"}
`,
    );
    await syncOnce(db, project);
    await order(1, 'ann', 1);
    await syncOnce(db, project);
    await order(2, 'ann', 1);
    await syncOnce(db, project);
    await db.exec('DELETE FROM app.orders WHERE id = 2');
    await syncOnce(db, project);
    expect(await rejections()).toEqual([]);
    expect(receiver.requests.map(({ body }) => body)).toMatchObject([
      { text: 'ANN has 2', n: 2 },
      { text: 'ANN left' },
    ]);
    expect(receiver.requests[0]!.headers['webhook-id']).toBe((receiver.requests[0]!.body as JsonRow)['id']);
  });

  test('are grouped: who has entered and left what', async () => {
    const project = await deployWith(
      db,
      `  - name: hook
    from: members
    type: webhook
    config:
      url: ${receiver.url}
      per: change
      group_by: {column: customer, collect: level, entered: in_segments, left: out_segments}
`,
      {
        files: {
          'models/members.sql': `{{ config(materialized='materialized_view', unique_key=['customer', 'level']) }}
select customer, 'level ' || count(*) as level from {{ source('shop', 'orders') }} group by customer
union all select distinct customer, 'buyer' from {{ source('shop', 'orders') }}`,
        },
      },
    );
    await syncOnce(db, project);
    await order(1, 'ann', 1);
    await syncOnce(db, project);
    await order(2, 'ann', 1);
    await syncOnce(db, project);
    expect(receiver.requests.map(({ body }) => body)).toEqual([
      {
        customer: 'ann',
        in_segments: expect.arrayContaining(['buyer', 'level 1']) as unknown,
        out_segments: [],
      },
      { customer: 'ann', in_segments: ['level 2'], out_segments: ['level 1'] },
    ]);
  });
});

describe('a receiver that', () => {
  test.each([500, 503, 429, 408])('answers %i is tried again, with the same id', async (code) => {
    const project = await deployWith(db, hook());
    await syncOnce(db, project);
    await order(1, 'ann', 1);
    receiver.answer = (_, response, number) => status(response, number < 3 ? code : 200);
    const { summaries } = await syncOnce(db, project);
    expect(summaries['hook']).toMatchObject({ status: 'ok', sent: 1, retries: 2 });
    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  test('says when to come again is not asked before', async () => {
    const project = await deployWith(db, hook());
    await syncOnce(db, project);
    await order(1, 'ann', 1);
    receiver.answer = (_, response, number) =>
      number === 1 ? status(response, 429, { 'retry-after': '1' }) : status(response, 200);
    const { events } = await syncOnce(db, project);
    const retry = events.find((event) => event.kind === 'retry');
    expect(retry?.delayMs).toBeGreaterThanOrEqual(1000);
  });

  test('drops connections, or does not answer in time, is tried again', async () => {
    const project = await deployWith(db, hook('', ', timeout: 0.2'));
    await syncOnce(db, project);
    await order(1, 'ann', 1);
    receiver.answer = (_, response, number) => {
      if (number === 1) response.destroy();
      else if (number === 3) response.end();
    };
    const { summaries, events } = await syncOnce(db, project);
    expect(summaries['hook']).toMatchObject({ status: 'ok', sent: 1, retries: 2 });
    expect(
      events.filter(({ kind }) => kind === 'retry').map((event) => ('reason' in event ? event.reason : '')),
    ).toEqual([expect.stringMatching(/socket|closed|reset/), 'no answer within 0.2 s']);
  });

  test('answers twice, or with a very long text, is understood', async () => {
    const project = await deployWith(db, hook());
    await syncOnce(db, project);
    await order(1, 'ann', 1);
    receiver.answer = (_, response) => {
      response.socket?.write(
        'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n',
      );
    };
    expect((await syncOnce(db, project)).summaries['hook']).toMatchObject({ status: 'ok', sent: 1 });
    await order(2, 'ann', 1);
    receiver.answer = (_, response) => void response.end('x'.repeat(8_000_000));
    expect((await syncOnce(db, project)).summaries['hook']).toMatchObject({ status: 'ok', sent: 1 });
  });

  test('stays away fails the run, keeps its batch, and gets it under the same id later', async () => {
    const project = await deployWith(db, hook('', ', max_attempts: 2'));
    await syncOnce(db, project);
    await order(1, 'ann', 1);
    receiver.answer = (_, response) => status(response, 502, {}, 'bad gateway');
    const { summaries, events } = await syncOnce(db, project);
    expect(summaries['hook']).toMatchObject({ status: 'failing', message: 'HTTP 502: bad gateway', sent: 0 });
    expect(events.filter(({ kind }) => kind === 'state')).toMatchObject([{ state: 'failing', before: 'ok' }]);
    const again = await syncOnce(db, project);
    expect(again.events.filter(({ kind }) => kind === 'state')).toEqual([]);
    await order(2, 'ann', 1);
    receiver.answer = undefined;
    const { events: after } = await syncOnce(db, project);
    expect(after.filter(({ kind }) => kind === 'state')).toMatchObject([{ state: 'ok', before: 'failing' }]);
    const ids = receiver.requests.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids.slice(0, 5)).size).toBe(1);
    // The batch that was on its way is what it was; what came meanwhile is another.
    expect(
      receiver.requests.slice(-2).map(({ body }) => (body as { changes: JsonRow[] }).changes),
    ).toMatchObject([
      [{ op: 'insert', row: { orders: 1 } }],
      [{ op: 'update', row: { orders: 2 }, before: { orders: 1 } }],
    ]);
  });

  test.each([401, 403, 404, 410, 302])(
    'answers %i stops the run: its address or credentials are wrong',
    async (code) => {
      const project = await deployWith(db, hook());
      await syncOnce(db, project);
      await order(1, 'ann', 1);
      receiver.answer = (_, response) => status(response, code, { location: 'http://elsewhere' });
      const { summaries } = await syncOnce(db, project);
      expect(summaries['hook']).toMatchObject({ status: 'failing', retries: 0, rejected: 0 });
      expect(receiver.requests).toHaveLength(1);
    },
  );

  test('refuses one record of a batch gets the others; that one is parked, and passes when it is accepted', async () => {
    const project = await deployWith(db, hook('', ', concurrency: 1'));
    await syncOnce(db, project);
    await orders(1, 20);
    receiver.answer = (request, response) =>
      request.text.includes('c00013') ? status(response, 400, {}, 'no thirteen') : status(response, 200);
    const { summaries } = await syncOnce(db, project);
    expect(summaries['hook']).toMatchObject({ status: 'ok', sent: 19, rejected: 1 });
    expect(await rejections()).toEqual([
      { key: '["c00013"]', op: 'insert', reason: 'HTTP 400: no thirteen', status: 400, attempts: 1 },
    ]);
    await syncOnce(db, project);
    expect(await rejections()).toMatchObject([{ attempts: 2 }]);
    await order(100, 'c00013', 1);
    receiver.answer = undefined;
    receiver.requests.length = 0;
    await syncOnce(db, project, { onlyRejected: true });
    expect(receiver.changes()).toMatchObject([{ op: 'insert', row: { customer: 'c00013', orders: 1 } }]);
    expect(await rejections()).toEqual([]);
    await syncOnce(db, project);
    expect(receiver.changes()).toMatchObject([{}, { op: 'update', row: { orders: 2 } }]);
  });
});

describe('a copy', () => {
  const copy = (more = ''): string => hook(`, mode: mirror${more}`).replace(/^/, '');

  test('begins with what is there, sends what differs, and deletes only what it has sent', async () => {
    const project = await deployWith(db, copy());
    await order(1, 'ann', 1);
    await order(2, 'bob', 1);
    await syncOnce(db, project);
    expect(receiver.changes()).toMatchObject([{ op: 'insert' }, { op: 'insert' }]);
    receiver.reset();
    await order(3, 'bob', 1);
    await db.exec('DELETE FROM app.orders WHERE id = 3');
    const { summaries } = await syncOnce(db, project);
    expect(receiver.requests).toEqual([]);
    expect(summaries['hook']).toMatchObject({ sent: 0 });
    await db.exec('DELETE FROM app.orders WHERE id = 2');
    await order(4, 'cyd', 1);
    await db.exec('DELETE FROM app.orders WHERE id = 4');
    await syncOnce(db, project);
    expect(receiver.changes()).toMatchObject([{ op: 'delete', key: { customer: 'bob' }, row: null }]);
  });

  test('with other fields is sent again where records differ', async () => {
    await deployWith(db, copy());
    await order(1, 'ann', 1);
    await syncOnce(db, await deployWith(db, copy()));
    receiver.reset();
    const project = await deployWith(db, copy(', columns: [customer, orders]'));
    await syncOnce(db, project);
    expect(receiver.changes()).toMatchObject([{ op: 'update', row: { customer: 'ann', orders: 1 } }]);
    await order(2, 'ann', 0);
    await syncOnce(db, project, { fullResync: true });
    expect(receiver.changes()).toHaveLength(2);
    await syncOnce(db, project, { fullResync: true });
    expect(receiver.changes()).toHaveLength(3);
  });

  test('a step that deletes too much is held until it is confirmed', async () => {
    const project = await deployWith(db, copy());
    await orders(1, 400);
    await syncOnce(db, project);
    receiver.reset();
    await db.exec('DELETE FROM app.orders WHERE id <= 101');
    const { summaries, events } = await syncOnce(db, project);
    expect(summaries['hook']).toMatchObject({
      status: 'held',
      message: 'it would delete 101 of 400 records (25 %, the guard allows 25 %)',
    });
    expect(events.filter(({ kind }) => kind === 'state')).toMatchObject([{ state: 'held' }]);
    const preview = await previewSink(db, project, project.manifest.sinks['sink.shop.hook']!, {
      fullResync: false,
    });
    expect(preview).toMatchObject({
      adds: 0,
      changes: 0,
      removes: 101,
      held: expect.stringContaining('101') as unknown,
    });
    expect(receiver.requests).toEqual([]);
    const confirmed = await syncOnce(db, project, { confirm: true });
    expect(confirmed.summaries['hook']).toMatchObject({ status: 'ok', sent: 101 });
    expect(receiver.changes().every(({ op }) => op === 'delete')).toBe(true);
  });

  test('insert_only sends a key once; update_only never adds', async () => {
    const project = await deployWith(
      db,
      `  - {name: adds, from: totals, type: webhook, mode: insert_only, config: {url: "${receiver.url}"}}\n`,
    );
    await order(1, 'ann', 1);
    await syncOnce(db, project);
    await order(2, 'ann', 1);
    const { summaries } = await syncOnce(db, project);
    expect(summaries['adds']).toMatchObject({ sent: 0, unchanged: 1 });
    expect(receiver.changes()).toHaveLength(1);
  });
});

describe('one sink', () => {
  test('that is sick does not slow another, and its definition is its own trouble', async () => {
    const project = await deployWith(
      db,
      hook('', ', max_attempts: 2') +
        `  - {name: good, from: totals, type: webhook, config: {url: "${receiver.url}/good"}}
  - {name: lost, from: totals, type: webhook, config: {url: "{{ env_var('NOT_SET') }}"}}
  - {name: wrong, from: totals, type: webhook, where: custommer = 'x', config: {url: "${receiver.url}"}}
`,
    );
    await syncOnce(db, project);
    await order(1, 'ann', 1);
    receiver.answer = (request, response) => status(response, request.path === '/good' ? 200 : 500);
    const { summaries } = await syncOnce(db, project);
    expect(summaries['good']).toMatchObject({ status: 'ok', sent: 1 });
    expect(summaries['hook']).toMatchObject({ status: 'failing' });
    expect(summaries['lost']).toMatchObject({
      status: 'broken',
      message: expect.stringContaining('NOT_SET') as unknown,
    });
    expect(summaries['wrong']!.diagnostics).toMatchObject([
      { code: 'SEG723', at: { file: 'models/sinks.yml' } },
    ]);
    expect((await readSinkStatus(db, project)).map(({ sink, state }) => [sink, state])).toEqual([
      ['good', 'ok'],
      ['hook', 'failing'],
    ]);
    const runs = await readSinkRuns(db, project, { limit: 3, sinks: new Set(['good']) });
    expect(runs.map((run) => [run.status, run.sent])).toEqual([
      ['ok', 1],
      ['ok', 0],
    ]);
  });

  test('follows: what is committed is sent, until it is told to stop', async () => {
    const project = await deployWith(db, hook());
    const stop = new AbortController();
    const running = syncOnce(db, project, { follow: true, signal: stop.signal });
    await until(async () => (await readSinkStatus(db, project)).length === 1);
    for (let id = 1; id <= 5; id++) {
      await order(id, `c${id}`, 1);
      await until(() => receiver.changes().length === id);
    }
    stop.abort();
    expect((await running).summaries['hook']).toMatchObject({ status: 'ok', sent: 5 });
  });

  test('with a slow receiver sends fewer, larger, rolled-up batches', async () => {
    const project = await deployWith(db, hook('', ', concurrency: 1'));
    await syncOnce(db, project);
    const stop = new AbortController();
    receiver.answer = (_, response) => void setTimeout(() => response.end(), 400);
    const running = syncOnce(db, project, { follow: true, signal: stop.signal });
    for (let id = 1; id <= 60; id++) await order(id, `c${id % 3}`, 1);
    await until(() => {
      const last = receiver
        .changes()
        .filter(({ key }) => (key as JsonRow)['customer'] === 'c0')
        .at(-1);
      return (last?.['row'] as JsonRow | undefined)?.['orders'] === 20;
    });
    stop.abort();
    await running;
    expect(receiver.changes().length).toBeLessThan(30);
  });
});

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 20));
}
