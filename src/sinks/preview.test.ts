/** What a dry run shows: the very bodies that a run then sends, without secrets, and without sending anything. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import type { Project } from '../project/load.ts';
import { deployWith, status, syncOnce, TestReceiver } from './fixture.ts';
import { previewSink } from './preview.ts';
import type { SinkPreview } from './preview.ts';
import type { Outgoing } from './receivers/receiver.ts';

let db: PGliteDatabase;
let folder: string;
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
  folder = mkdtempSync(path.join(tmpdir(), 'seg-preview-'));
  await db.exec('DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA IF EXISTS app CASCADE');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function orders(...customers: (string | null)[]): Promise<void> {
  for (const customer of customers) {
    await db.query(
      'INSERT INTO app.orders (id, customer, amount) SELECT coalesce(max(id), 0) + 1, $1, 9007199254740993 FROM app.orders',
      [customer],
    );
  }
}

async function preview(project: Project, name = 'out'): Promise<SinkPreview> {
  const before = await state();
  const found = await previewSink(db, project, project.manifest.sinks[`sink.${project.name}.${name}`]!, {
    fullResync: false,
  });
  expect(await state()).toEqual(before);
  expect(receiver.requests).toEqual([]);
  return found;
}

/** Rows of all of seg's tables about sinks. */
async function state(): Promise<unknown> {
  const { rows } = await db.query<{ there: boolean }>(
    "SELECT to_regclass('_seg.sink_queue') IS NOT NULL AS there",
  );
  if (!rows[0]!.there) return [];
  const tables = ['sink', 'sink_queue', 'sink_record', 'sink_rejections', 'sink_runs'];
  return Promise.all(
    tables.map(
      async (table) => (await db.query(`SELECT to_jsonb(t) FROM _seg.${table} AS t ORDER BY 1`)).rows,
    ),
  );
}

const sent = ({ sends }: SinkPreview): Outgoing[] => sends as Outgoing[];

test.each([
  ['a batch', ''],
  ['one change each', ', per: change'],
  [
    'templates',
    ', per: change, body: {who: "{{ record.customer }}", n: "{{ row.total if row else 0 }}", op: "{{ op }}"}',
  ],
  ['groups', ', group_by: {column: customer, collect: total, entered: came, left: went}'],
])('webhook, %s: what is shown is what then comes', async (_, config) => {
  const project = await deployWith(
    db,
    `  - {name: out, from: totals, type: webhook, config: {url: "${receiver.url}/in"${config}}}\n`,
  );
  await syncOnce(db, project);
  await orders('ann', 'b"ö\n', null);
  await syncOnce(db, project);
  receiver.requests.length = 0;
  await orders('ann', 'cid');
  await db.exec("DELETE FROM app.orders WHERE customer IS NULL OR customer = 'nobody'");
  const found = await preview(project);
  expect(found).toMatchObject({ adds: 1, changes: 1, removes: 1 });
  await syncOnce(db, project);
  const came = receiver.requests.map(({ text, headers }) => [headers['webhook-id'], text]);
  expect(
    sent(found)
      .map(({ headers, body }) => [headers!['webhook-id'], body])
      .sort(),
  ).toEqual(came.sort());
  expect(sent(found)[0]!.to).toBe(`POST ${receiver.url}/in`);
  expect(
    sent(found)
      .map(({ body }) => body)
      .join(''),
  ).toContain('18014398509481986');
});

test('no secret is shown: of headers, signatures, addresses, and of the templates themselves', async () => {
  const word = 'very-hidden"w\\ord';
  const project = await deployWith(
    db,
    `  - name: out
    from: totals
    type: webhook
    backfill: true
    config:
      url: "${receiver.url}/in?token={{ env_var('SEG_SECRET_Q') }}"
      secret: "{{ env_var('SEG_SECRET_SIGN') }}"
      headers: {authorization: "Bearer {{ env_var('SEG_SECRET_T') }}", x-team: blue}
      body: {routing_key: "{{ env_var(\\"SEG_SECRET_BODY\\") }}", n: "{{ changes | length }}"}
`,
    {
      env: {
        SEG_SECRET_Q: 'query-hidden',
        SEG_SECRET_SIGN: `whsec_${Buffer.from('signing-hidden').toString('base64')}`,
        SEG_SECRET_T: 'bearer-hidden',
        SEG_SECRET_BODY: word,
      },
    },
  );
  await orders('ann');
  const found = await preview(project);
  const text = JSON.stringify(found);
  expect(text).not.toMatch(/hidden/);
  expect(sent(found)[0]!.headers).toMatchObject({
    authorization: '*****',
    'webhook-signature': '*****',
    'x-team': 'blue',
  });
  expect(JSON.parse(sent(found)[0]!.body!)).toEqual({ routing_key: '*****', n: 1 });
  await syncOnce(db, project);
  expect(receiver.requests[0]!.body).toEqual({ routing_key: word, n: 1 });
});

test('a template that fails on a record is told', async () => {
  const project = await deployWith(
    db,
    `  - {name: out, from: totals, type: webhook, backfill: true, config: {url: "${receiver.url}", per: change, body: {n: "{{ 1 // (record.orders - 1) }}"}}}\n`,
  );
  await orders('ann', 'ann', 'bob');
  const found = await preview(project);
  expect(found.sends).toHaveLength(2);
  expect(found.sends.filter((each) => 'error' in each)).toEqual([
    { error: expect.stringContaining('zero') as string },
  ]);
});

test('slack, stdout and files', async () => {
  const project = await deployWith(
    db,
    `  - {name: alerts, from: totals, type: slack, backfill: true, config: {url: "{{ env_var('SLACK_URL') }}", text: "{{ changes | length }} new"}}
  - {name: lines, from: totals, type: stdout}
  - {name: lake, from: orders, type: file, columns: [id, customer], config: {path: "${folder}", partition_by: customer}}
`,
    { env: { SLACK_URL: `${receiver.url}/services/T/B/x` } },
  );
  await orders('ann', 'b/c');
  expect(sent(await preview(project, 'alerts'))).toMatchObject([
    { to: 'POST *****', body: '{"text":"2 new"}' },
  ]);
  const lines = sent(await preview(project, 'lines'));
  expect(readdirSync(folder)).toEqual([]);
  const files = sent(await preview(project, 'lake'));
  expect(files.map(({ body }) => body)).toEqual([
    '{"id":1,"customer":"ann"}\n',
    '{"id":2,"customer":"b/c"}\n',
  ]);
  expect(files[1]!.to).toContain(`${folder}/customer=b%2Fc/`);
  expect(readdirSync(folder)).toEqual([]);
  let out = '';
  await syncOnce(db, project, { sink: 'lines', writeOut: async (text) => void (out += text) });
  // What is there when a sink first runs is dated by that run.
  const undated = (text: string): string => text.replaceAll(/"at":"[^"]*"/g, '');
  expect(lines.map(({ to, body }) => [to, undated(body!)])).toEqual([['standard output', undated(out)]]);
  await syncOnce(db, project, { sink: 'lake' });
  expect(
    readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith('.gz')),
  ).toHaveLength(2);
});

test('the systems with an interface of their own: HubSpot, Salesforce, PostgreSQL, Kafka', async () => {
  const project = await deployWith(
    db,
    `  - {name: hub, from: totals, type: hubspot, mode: mirror, mapping: {email: customer, orders: orders}, config: {token: "{{ env_var('HS') }}", base_url: "${receiver.url}"}}
  - {name: sf, from: totals, type: salesforce, mapping: {Email__c: customer, Orders__c: orders}, config: {instance_url: "${receiver.url}", object: Lead, external_id: Email__c, access_token: "{{ env_var('HS') }}"}}
  - {name: bulk, from: totals, type: salesforce, mapping: {Email__c: customer, Orders__c: orders}, config: {instance_url: "${receiver.url}", object: Lead, external_id: Email__c, access_token: "{{ env_var('HS') }}", bulk_from: 1}}
  - {name: pg, from: totals, type: postgres, config: {connection: "postgresql://u:{{ env_var('HS') }}@127.0.0.1:1/x", table: totals}}
  - {name: log, from: totals, type: kafka, config: {brokers: ["127.0.0.1:1"], topic: totals}}
`,
    { env: { HS: 'pat-hidden' } },
  );
  await orders('ann');
  const all = await Promise.all(
    ['hub', 'sf', 'bulk', 'pg', 'log'].map(
      async (name) => [name, sent(await preview(project, name))] as const,
    ),
  );
  expect(JSON.stringify(all)).not.toContain('hidden');
  const [hub, sf, bulk, pg, log] = all.map(([, sends]) => sends);
  expect(hub).toMatchObject([
    {
      to: `POST ${receiver.url}/crm/v3/objects/contacts/batch/upsert`,
      headers: { authorization: '*****' },
      body: expect.stringContaining('"properties":{"email":"ann","orders":"1"}') as string,
    },
  ]);
  expect(sf).toMatchObject([
    {
      to: `PATCH ${receiver.url}/services/data/v62.0/composite/sobjects/Lead/Email__c`,
      body: '{"allOrNone":false,"records":[{"attributes":{"type":"Lead"},"Email__c":"ann","Orders__c":1}]}',
    },
  ]);
  expect(bulk!.map(({ body }) => body)[1]).toBe('Email__c,Orders__c\nann,1\n');
  expect(pg).toMatchObject([
    { body: expect.stringContaining('_seg_sink_progress') as string },
    {
      to: 'table "public"."totals"',
      body: expect.stringContaining('INSERT INTO "public"."totals"') as string,
      parameters: [expect.stringContaining('"customer": "ann"') as string],
    },
  ]);
  expect(log).toMatchObject([
    {
      to: 'topic totals',
      headers: { 'seg-op': 'insert' },
      key: '{"customer":"ann"}',
      body: '{"customer":"ann","orders":1,"total":9007199254740993}',
    },
  ]);
  receiver.answer = (_, response) =>
    status(response, 200, { 'content-type': 'application/json' }, '[{"success":true}]');
  await syncOnce(db, project, { sink: 'sf' });
  expect(receiver.requests.map(({ text }) => text)).toEqual([sf![0]!.body]);
});

test('of many records a few of each kind are shown, and all are counted', async () => {
  const project = await deployWith(
    db,
    `  - {name: out, from: orders, type: webhook, backfill: true, config: {url: "${receiver.url}"}}\n`,
  );
  await db.exec(
    "INSERT INTO app.orders (id, customer, amount) SELECT n, 'c', 1 FROM generate_series(1, 12000) AS n",
  );
  const found = await preview(project);
  expect(found).toMatchObject({ adds: 12000, changes: 0, removes: 0 });
  expect(found.samples).toHaveLength(3);
  expect(found.sends).toHaveLength(1);
});
