/** Receivers of each kind. Salesforce and HubSpot are local stand-ins that speak the documented API. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { JsonRow, JsonValue } from '../../changelog/change.ts';
import type { PGliteDatabase } from '../../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../../engines/pglite/memory.ts';
import { deployWith, status, syncOnce, TestReceiver } from '../fixture.ts';
import { failureOf, retryAfter } from './http.ts';

let db: PGliteDatabase;
const receiver = new TestReceiver();
let folder: string;
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
  folder = mkdtempSync(path.join(tmpdir(), 'seg-sink-'));
  await db.exec('DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA IF EXISTS app CASCADE');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function order(id: number, customer: string | null, amount: number): Promise<void> {
  await db.query('INSERT INTO app.orders (id, customer, amount) VALUES ($1, $2, $3)', [id, customer, amount]);
}

const rejections = async (): Promise<unknown[]> =>
  (await db.query('SELECT key, reason, status FROM _seg.sink_rejections ORDER BY id')).rows;

test('what an answer means', () => {
  expect([200, 302, 400, 401, 404, 408, 409, 413, 422, 425, 429, 500, 503].map(failureOf)).toEqual([
    'down',
    'down',
    'refused',
    'down',
    'down',
    'again',
    'refused',
    'refused',
    'refused',
    'again',
    'again',
    'again',
    'again',
  ]);
  expect(retryAfter('2')).toBe(2000);
  expect(retryAfter('Thu, 01 Jan 1970 00:00:10 GMT', 4000)).toBe(6000);
  expect(retryAfter('soon')).toBeUndefined();
});

describe('file', () => {
  function files(): Record<string, string> {
    return Object.fromEntries(
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => {
          const file = path.join(entry.parentPath, entry.name);
          const bytes = readFileSync(file);
          return [
            path.relative(folder, file),
            (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'),
          ];
        }),
    );
  }

  test('a lake of a source: one line a record, in partitions, names made of positions', async () => {
    const project = await deployWith(
      db,
      `  - {name: lake, from: orders, type: file, columns: [id, customer], config: {path: "${folder}", partition_by: customer, partition_time: {}}}\n`,
    );
    await order(1, 'a/b=..%', 1);
    await order(2, null, 1);
    await order(3, '..', 1);
    await syncOnce(db, project);
    await order(4, 'ann', 1);
    await syncOnce(db, project);
    const found = files();
    const hour = new Date().toISOString();
    const time = `utc_date=${hour.slice(0, 10)}`;
    expect(
      Object.keys(found)
        .map((name) => name.split('/').slice(0, 2).join('/'))
        .sort(),
    ).toEqual(
      [
        `customer=%2E%2E/${time}`,
        `customer=__HIVE_DEFAULT_PARTITION__/${time}`,
        `customer=a%2Fb%3D..%25/${time}`,
        `customer=ann/${time}`,
      ].sort(),
    );
    expect(
      Object.keys(found).every((name) =>
        /utc_hour=\d\d\/\d{12}-\d{12}\.\d+-[0-9a-f]{8}\.ndjson\.gz$/.test(name),
      ),
    ).toBe(true);
    const lines = Object.values(found)
      .join('')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as JsonRow);
    expect(lines.sort((a, b) => Number(a['id']) - Number(b['id']))).toEqual([
      { id: 1, customer: 'a/b=..%' },
      { id: 2, customer: null },
      { id: 3, customer: '..' },
      { id: 4, customer: 'ann' },
    ]);
  });

  test('CSV of changes', async () => {
    const project = await deployWith(
      db,
      `  - {name: csv, from: totals, type: file, config: {path: "${folder}", format: csv, compress: none}}\n`,
    );
    await order(1, 'ann "a", b', 1);
    await syncOnce(db, project);
    const [text] = Object.values(files());
    expect(text).toMatch(
      /^_op,_position,_at,customer,orders,total\ninsert,e[0-9a-f]{12},[^,]+,"ann ""a"", b",1,1\n$/,
    );
  });

  test('a folder that cannot be written fails the sink, and everything is there when it can', async () => {
    const project = await deployWith(
      db,
      `  - {name: lake, from: orders, type: file, config: {path: "${folder}/taken/lake"}}\n`,
    );
    // A file where a folder should be.
    writeFileSync(path.join(folder, 'taken'), '');
    await order(1, 'ann', 1);
    const { summaries } = await syncOnce(db, project);
    expect(summaries['lake']).toMatchObject({ status: 'failing', sent: 0 });
    const mended = await deployWith(
      db,
      `  - {name: lake, from: orders, type: file, config: {path: "${folder}"}}\n`,
    );
    expect((await syncOnce(db, mended)).summaries['lake']).toMatchObject({ status: 'ok', sent: 1 });
  });

  test('a partition by what is not there is a mistake', async () => {
    const project = await deployWith(
      db,
      `  - {name: lake, from: orders, type: file, config: {path: "${folder}", partition_by: custommer}}\n`,
    );
    expect((await syncOnce(db, project)).summaries['lake']!.diagnostics).toMatchObject([
      { code: 'SEG728', hint: 'Did you mean "customer"?' },
    ]);
  });
});

test('slack: one message for many changes, markup escaped', async () => {
  const project = await deployWith(
    db,
    `  - {name: alerts, from: totals, type: slack, backfill: true, config: {url: "{{ env_var('SLACK_URL') }}"}}\n`,
    { env: { SLACK_URL: `${receiver.url}/services/T/B/x` } },
  );
  await order(1, '<ann>', 1);
  await order(2, 'bob', 1);
  await syncOnce(db, project);
  expect(receiver.requests).toHaveLength(1);
  const { text } = receiver.requests[0]!.body as { text: string };
  expect(text).toContain('*alerts*\n• new: {"customer":"&lt;ann&gt;","orders":1,"total":1}');
});

test('a secret reaches neither the log, nor the tables, nor the manifest', async () => {
  const project = await deployWith(
    db,
    `  - {name: hook, from: totals, type: webhook, backfill: true, config: {url: "${receiver.url}", headers: {authorization: "Bearer {{ env_var('SEG_SECRET_T') }}"}}}\n`,
    { env: { SEG_SECRET_T: 'very-hidden-word' } },
  );
  await order(1, 'ann', 1);
  receiver.answer = (request, response) =>
    status(response, 400, {}, `bad header ${String(request.headers.authorization)}`);
  const { events } = await syncOnce(db, project);
  expect(receiver.requests[0]!.headers.authorization).toBe('Bearer very-hidden-word');
  const everything = JSON.stringify([
    events,
    project.manifest,
    await rejections(),
    (await db.query('SELECT * FROM _seg.sink_runs')).rows,
  ]);
  expect(everything).not.toContain('very-hidden-word');
  expect(everything).toContain('*****');
});

describe('salesforce', () => {
  const sink = (more = '', config = ''): string =>
    `  - {name: crm, from: totals, type: salesforce${more}, mapping: {Email__c: customer, Orders__c: orders}, config: {instance_url: "${receiver.url}", object: Lead, external_id: Email__c, client_id: me, client_secret: "{{ env_var('SF') }}"${config}}}\n`;
  /** A stand-in for an org: what the REST API guide says of collections, composite batches, jobs and tokens. */
  function org(): { records: Map<string, JsonRow>; calls: string[] } {
    const records = new Map<string, JsonRow>();
    const calls: string[] = [];
    let csv = '';
    let tokens = 0;
    const save = (record: JsonRow): JsonValue => {
      const { attributes: _, ...fields } = record;
      const key = fields['Email__c'] as string;
      if (key.includes('bad')) {
        return {
          success: false,
          errors: [
            { statusCode: 'INVALID_EMAIL_ADDRESS', message: `${key} is no address`, fields: ['Email__c'] },
          ],
        };
      }
      const created = !records.has(key);
      records.set(key, { ...records.get(key), ...fields });
      return { id: '00Q', success: true, errors: [], created };
    };
    receiver.answer = ({ method, path: url, headers, body, text }, response) => {
      calls.push(`${method} ${url}`);
      const json = (value: JsonValue): void =>
        status(response, 200, { 'content-type': 'application/json' }, JSON.stringify(value));
      if (url === '/services/oauth2/token') {
        tokens++;
        return json({ access_token: `t${tokens}`, instance_url: receiver.url });
      }
      if (headers.authorization === 'Bearer t1' && calls.length > 4 && tokens === 1)
        return status(response, 401, {}, '[{"errorCode":"INVALID_SESSION_ID"}]');
      if (url.endsWith('/composite/sobjects/Lead/Email__c'))
        return json((body as { records: JsonRow[] }).records.map(save));
      if (url.endsWith('/composite/batch')) {
        const { batchRequests } = body as {
          batchRequests: { method: string; url: string; richInput?: JsonRow }[];
        };
        return json({
          hasErrors: false,
          results: batchRequests.map((each) => {
            const key = decodeURIComponent(/Email__c\/([^?]*)/.exec(each.url)![1]!);
            if (!records.has(key))
              return { statusCode: 404, result: [{ errorCode: 'NOT_FOUND', message: 'no such record' }] };
            if (each.method === 'DELETE') records.delete(key);
            else records.set(key, { ...records.get(key), ...each.richInput });
            return { statusCode: 204, result: null };
          }),
        });
      }
      if (method === 'POST' && url.endsWith('/jobs/ingest')) return json({ id: 'J1', state: 'Open' });
      if (method === 'PUT') {
        csv = text;
        return status(response, 201);
      }
      if (method === 'PATCH') return json({ id: 'J1', state: 'UploadComplete' });
      if (url.endsWith('/failedResults')) {
        const [head, ...lines] = csv.trim().split('\n');
        const failed: string[] = [];
        for (const line of lines) {
          const [email, orders] = line.split(',');
          const result = save({ Email__c: email!, Orders__c: Number(orders) }) as JsonRow;
          if (result['success'] !== true)
            failed.push(`"","INVALID_EMAIL_ADDRESS:${email} is no address:--",${line}`);
        }
        return status(response, 200, {}, [`"sf__Id","sf__Error",${head}`, ...failed].join('\n'));
      }
      return json({ id: 'J1', state: 'JobComplete' });
    };
    return { records, calls };
  }

  test('upserts by external id, parks what is refused with its reason, deletes what is gone, renews its session', async () => {
    const { records, calls } = org();
    const project = await deployWith(db, sink(', mode: mirror'), { env: { SF: 'secret' } });
    await order(1, 'ann@x.io', 1);
    await order(2, 'bad', 1);
    const { summaries } = await syncOnce(db, project);
    expect(summaries['crm']).toMatchObject({ status: 'ok', sent: 1, rejected: 1 });
    expect(await rejections()).toEqual([
      { key: '["bad"]', reason: 'INVALID_EMAIL_ADDRESS: bad is no address', status: null },
    ]);
    await order(3, 'ann@x.io', 1);
    await syncOnce(db, project);
    expect([...records.values()]).toEqual([{ Email__c: 'ann@x.io', Orders__c: 2 }]);
    await db.exec('DELETE FROM app.orders');
    await syncOnce(db, project);
    expect(records.size).toBe(0);
    expect(calls.filter((call) => call.endsWith('/token')).length).toBeGreaterThan(1);
  });

  test('uses the bulk API where many records come at once', async () => {
    const { records, calls } = org();
    const project = await deployWith(db, sink('', ', bulk_from: 10'), { env: { SF: 'secret' } });
    await db.exec(
      `INSERT INTO app.orders (id, customer, amount) SELECT n, 'u' || n || '@x.io', 1 FROM generate_series(1, 20) AS n`,
    );
    await order(100, 'bad@', 1);
    const { summaries } = await syncOnce(db, project);
    expect(summaries['crm']).toMatchObject({ status: 'ok', sent: 20, rejected: 1, batches: 1 });
    expect(records.size).toBe(20);
    expect(calls.some((call) => call.includes('/jobs/ingest/J1/batches'))).toBe(true);
    expect(await rejections()).toMatchObject([{ reason: 'INVALID_EMAIL_ADDRESS: bad@ is no address' }]);
  });

  test('update_only never adds a record', async () => {
    const { records } = org();
    records.set('ann@x.io', { Email__c: 'ann@x.io' });
    const project = await deployWith(db, sink(', mode: update_only'), { env: { SF: 'secret' } });
    await order(1, 'ann@x.io', 1);
    await order(2, 'bob@x.io', 1);
    const { summaries } = await syncOnce(db, project);
    expect(summaries['crm']).toMatchObject({ sent: 1, rejected: 1 });
    expect([...records.values()]).toEqual([{ Email__c: 'ann@x.io', Orders__c: 1 }]);
  });

  test('must be keyed by its external id', async () => {
    const project = await deployWith(db, sink(', primary_key: Orders__c'), { env: { SF: 'secret' } });
    expect((await syncOnce(db, project)).summaries['crm']!.diagnostics).toMatchObject([{ code: 'SEG730' }]);
  });
});

test('hubspot: upserts in batches, reads its errors, archives what is gone', async () => {
  const records = new Map<string, JsonRow>();
  receiver.answer = ({ path: url, body }, response) => {
    const { inputs } = body as { inputs: { id: string; objectWriteTraceId: string; properties: JsonRow }[] };
    const answer = (code: number, value: JsonValue): void =>
      status(response, code, {}, JSON.stringify(value));
    if (url.endsWith('/batch/upsert')) {
      const bad = inputs.filter(({ id }) => id === 'bad');
      for (const { id, properties } of inputs) if (id !== 'bad') records.set(id, properties);
      return answer(bad.length > 0 ? 207 : 200, {
        results: inputs.map(({ id }) => ({ id })),
        errors: bad.map((each) => ({
          status: 'error',
          category: 'VALIDATION_ERROR',
          message: 'Property values were not valid',
          context: { objectWriteTraceId: [each.objectWriteTraceId] },
        })),
      });
    }
    if (url.endsWith('/batch/read'))
      return answer(200, {
        results: inputs.filter(({ id }) => records.has(id)).map(({ id }) => ({ id: `h-${id}` })),
      });
    for (const { id } of inputs) records.delete(id.slice(2));
    return status(response, 204);
  };
  const project = await deployWith(
    db,
    `  - {name: hub, from: totals, type: hubspot, mode: mirror, mapping: {email: customer, orders: orders}, config: {token: "{{ env_var('HS') }}", base_url: "${receiver.url}"}}\n`,
    { env: { HS: 'pat-na1' } },
  );
  await order(1, 'ann@x.io', 1);
  await order(2, 'bad', 1);
  await syncOnce(db, project);
  expect([...records]).toEqual([['ann@x.io', { email: 'ann@x.io', orders: '1' }]]);
  expect(receiver.requests[0]!.headers.authorization).toBe('Bearer pat-na1');
  expect(await rejections()).toEqual([
    { key: '["bad"]', reason: 'VALIDATION_ERROR: Property values were not valid', status: 207 },
  ]);
  await db.exec('DELETE FROM app.orders WHERE id = 1');
  await syncOnce(db, project);
  expect(records.size).toBe(0);
});
