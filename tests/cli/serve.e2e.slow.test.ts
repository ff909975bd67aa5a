import { gzipSync } from 'node:zlib';
import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { text as streamText } from 'node:stream/consumers';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { startServing, sseEvents } from './serving.ts';
import type { Serving } from './serving.ts';
import { events, streamProject } from './stream-project.ts';

type Paths = Record<
  string,
  Record<string, { summary?: string; responses: Record<string, { content?: object }> }>
>;

const project = streamProject();
let serving: Serving;
const clients: pg.Client[] = [];

beforeAll(async () => {
  const { status, log } = await project.seg('run');
  expect({ status, log }).toMatchObject({ status: 0 });
  serving = await startServing(project, { env: { SEG_SEGMENT_SECRET: 'a shared secret' } });
}, 120_000);
afterAll(async () => {
  await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  serving.child.kill('SIGKILL');
  project.remove();
});

const source = '/v1/sources/events.segment_events/records';

async function post(path: string, type: string, body: string | Buffer, headers: Record<string, string> = {}) {
  const response = await fetch(`${serving.http}${path}`, {
    method: 'POST',
    body: body as string,
    headers: { 'content-type': type, ...headers },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function get(path: string) {
  const response = await fetch(`${serving.http}${path}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const records = (from: number, count: number) => events(from, count).trim().split('\n');

async function client(user = 'seg'): Promise<pg.Client> {
  const made = new pg.Client({ host: '127.0.0.1', port: serving.pgPort, user, database: 'postgres' });
  made.on('error', () => undefined);
  await made.connect();
  clients.push(made);
  return made;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('records over HTTP', () => {
  it('come in one by one, as an array, as NDJSON, and gzipped; an answer means committed', async () => {
    const [one, two, three] = records(1, 3);
    expect(await post(source, 'application/json', one!)).toEqual({
      status: 200,
      body: { accepted: 1, rejected: 0, errors: [] },
    });
    expect((await post(source, 'application/json', `[${two}, ${three}]`)).body).toMatchObject({
      accepted: 2,
    });
    expect((await post(source, 'application/x-ndjson', events(4, 500))).body).toMatchObject({
      accepted: 500,
    });
    const zipped = gzipSync(events(504, 10));
    const headers = { 'content-encoding': 'gzip' };
    expect((await post(source, 'application/x-ndjson', zipped, headers)).body).toMatchObject({
      accepted: 10,
    });
    const { body } = await get('/v1/models/arrivals?limit=10000');
    expect(body['rows']).toHaveLength(513);
  });

  it('are told apart: bad ones with their place and reason, the others are in', async () => {
    const [good] = records(600, 1);
    const mixed = await post(source, 'application/json', `[{"event": "no uuid"}, ${good}, 7]`);
    expect(mixed.status).toBe(207);
    expect(mixed.body).toMatchObject({ accepted: 1, rejected: 2, errors: [{ index: 0 }, { index: 2 }] });
    expect((await post(source, 'application/json', '{"event": 1}')).status).toBe(422);
    const lines = await post(source, 'application/x-ndjson', `\n${good}\nnot json\n`);
    expect(lines).toMatchObject({ status: 207, body: { errors: [{ line: 3 }] } });
    // More than one transaction has; too long; too deep.
    const long = (kilobytes: number): string =>
      `{"event": "no uuid", "user": "${'x'.repeat(kilobytes * 1024)}"}`;
    const deep = `{"a": ${'['.repeat(600)}${']'.repeat(600)}}`;
    const parts = [long(600), long(600), good, long(2048), deep];
    const large = await post(source, 'application/json', `[${parts.join(',')}]`);
    expect(large).toMatchObject({
      status: 207,
      body: {
        accepted: 1,
        rejected: 4,
        errors: [
          { index: 0 },
          { index: 1 },
          { index: 3, reason: 'the record is longer than 2097152 bytes' },
          { index: 4, reason: 'nested deeper than 500 levels' },
        ],
      },
    });
    const line = await post(source, 'application/x-ndjson', `${long(2048)}\n${good}\n`);
    expect(line.body).toMatchObject({
      accepted: 1,
      errors: [{ line: 1, reason: 'the line is longer than 2097152 bytes' }],
    });
  });

  it('are refused as a whole when the body cannot be read', async () => {
    expect((await post(source, 'text/plain', 'x')).status).toBe(415);
    expect((await post(source, 'application/json', '{}', { 'content-encoding': 'br' })).status).toBe(415);
    expect((await post(source, 'application/json', '[{"a": 1}')).status).toBe(400);
    const notZipped = await post(source, 'application/json', '{}', { 'content-encoding': 'gzip' });
    expect(notZipped.status).toBe(400);
    expect((await post('/v1/sources/nothing/records', 'application/json', '{}')).status).toBe(404);
    // Also a small body that becomes a large one.
    const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024, ' '));
    expect((await post(source, 'application/json', bomb, { 'content-encoding': 'gzip' })).status).toBe(413);
    const many = gzipSync(`[${'0,'.repeat(8_000_000)}0]`);
    const refused = await post(source, 'application/json', many, { 'content-encoding': 'gzip' });
    expect(refused).toMatchObject({ status: 413, body: { error: { code: 'SEG831' } } });
  });

  it('of Segment need its signature', async () => {
    const path = '/v1/webhooks/segment/events.segment_events';
    const body = `{"batch": [${records(700, 2).join(',')}]}`;
    const signature = createHmac('sha1', 'a shared secret').update(body).digest('hex');
    const good = await post(path, 'application/json', body, { 'x-signature': signature });
    expect(good).toMatchObject({ status: 200, body: { accepted: 2 } });
    const bad = await post(path, 'application/json', `${body} `, { 'x-signature': signature });
    expect(bad.status).toBe(401);
    // Nor does anybody learn which sources there are.
    const elsewhere = await post('/v1/webhooks/segment/nothing', 'application/json', body);
    expect(elsewhere.body).toEqual(bad.body);
  });

  it('of many clients at once are all in, over WebSocket too', async () => {
    const answers = await Promise.all(
      records(1000, 100).map((record) => post(source, 'application/json', record)),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const socket = new WebSocket(`${serving.http.replace('http', 'ws')}/v1/sources/segment_events/stream`);
    const told: { seq: number; accepted?: number; error?: object }[] = [];
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => {
        for (const record of records(1100, 20)) socket.send(record);
        socket.send('{');
      });
      socket.on('message', (data: Buffer) => {
        told.push(JSON.parse(data.toString()) as { seq: number });
        if (told.length === 21) resolve();
      });
    });
    socket.close();
    expect(told.map(({ seq }) => seq)).toEqual(Array.from({ length: 21 }, (_, at) => at + 1));
    expect(told[20]).toHaveProperty('error');
    const { rows } = await (
      await client()
    ).query<{ n: string }>(
      "select count(*)::int as n from stream.arrivals where event_id >= '00000000-0000-4000-8000-000000001000'",
    );
    expect(rows[0]!.n).toBe(120);
  });
});

describe('rejected records', () => {
  const rejected = '/v1/sources/segment_events/rejected';

  it('are shown, ingested again and dropped, over HTTP and by other commands', async () => {
    // Those of the tests before.
    await fetch(`${serving.http}${rejected}`, { method: 'DELETE' });
    const bad = JSON.stringify({ event: 'no uuid', user: 'ü"' });
    await post(source, 'application/json', `[${bad}]`);
    const writer = await client();
    // As if they had been refused by an earlier definition of the source.
    const [one, two] = records(990_001, 2);
    await writer.query(
      "insert into stream.segment_events__rejected (origin, line, reason, payload) values ('old', 1, 'why', $1), ('old', 2, 'why', $2), ('old', 3, 'why', $1)",
      [one, two],
    );
    expect(await get(`${rejected}?origin=http&reason=UUID`)).toMatchObject({
      status: 200,
      body: { count: 1, records: [{ payload: bad, origin: 'http', line: 1 }] },
    });
    expect((await get(`${rejected}?limits=1`)).body).toMatchObject({ error: { code: 'SEG826' } });
    expect((await get(`${rejected}?since=soon`)).status).toBe(400);
    expect(await get('/v1/sources/none/rejected')).toMatchObject({ status: 404 });
    expect(await post(`${rejected}/replay?limit=1&origin=old`, 'application/json', '')).toEqual({
      status: 200,
      body: { accepted: 1, duplicate: 0, rejected: 0 },
    });
    const replayed = await project.seg('rejected replay segment_events --output json');
    expect(JSON.parse(replayed.stdout)).toEqual({
      replayed: [{ source: 'events.segment_events', accepted: 1, duplicate: 1, rejected: 1 }],
    });
    expect((await get(rejected)).body).toMatchObject({ count: 1, records: [{ payload: bad }] });
    const arrivals = await writer.query('select from stream.arrivals where event_id = any ($1::uuid[])', [
      [one, two].map((text) => (JSON.parse(text!) as { event: string }).event),
    ]);
    expect(arrivals.rowCount).toBe(2);
    const dropped = await fetch(`${serving.http}${rejected}`, { method: 'DELETE' });
    expect(await dropped.json()).toEqual({ dropped: 1 });
    const shown = await project.seg('rejected show segment_events --output csv');
    expect(shown).toMatchObject({ status: 0, stdout: 'source,rejected_at,origin,line,reason,payload\n' });
    const { paths } = (await get('/openapi.json')).body as { paths: Record<string, object> };
    expect(Object.keys(paths['/v1/sources/events.segment_events/rejected']!)).toEqual(['get', 'delete']);
    await writer.query(
      "delete from stream.segment_events where event_id >= '00000000-0000-4000-8000-000000990001'",
    );
  });
});

describe('reads over HTTP', () => {
  it('find a row by its key, and pages of rows by filters', async () => {
    const one = await get('/v1/models/by_user/user-3');
    expect(one).toMatchObject({ status: 200, body: { user_id: 'user-3' } });
    expect((await get('/v1/models/by_user/nobody')).status).toBe(404);
    expect((await get('/v1/models/nothing')).status).toBe(404);
    expect((await get('/v1/models/by_user?nothing=1')).status).toBe(400);
    expect((await get('/v1/models/by_user?events.gt=x')).status).toBe(400);
    expect((await get('/v1/models/by_user?limit=0')).body).toMatchObject({ error: { code: 'SEG826' } });
    const few = await get('/v1/models/by_user?user_id.in=user-1,user-2&events.gte=1');
    expect(few.body['rows']).toHaveLength(2);
    const seen: unknown[] = [];
    let after = '';
    do {
      const page = await get(`/v1/models/by_user?limit=2${after}`);
      seen.push(...(page.body['rows'] as { user_id: string }[]).map(({ user_id }) => user_id));
      after = page.body['next'] === undefined ? '' : `&after=${page.body['next'] as string}`;
    } while (after !== '');
    expect(seen).toEqual(['user-0', 'user-1', 'user-2', 'user-3', 'user-4', 'user-5', 'user-6']);
  });

  it('tell how the server is', async () => {
    expect(await get('/healthz')).toMatchObject({ status: 200 });
    expect(await get('/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
    const { paths } = (await get('/openapi.json')).body as { paths: Paths };
    expect(paths).toHaveProperty(['/v1/models/by_user/{user_id}']);
    for (const [path, item] of Object.entries(paths)) {
      for (const operation of Object.values(item)) {
        expect({ path, operation }).toHaveProperty('operation.summary');
        for (const [status, { content }] of Object.entries(operation.responses)) {
          // 503 of /readyz says in what state it is.
          if (status < '400' || status === '422' || path === '/readyz') continue;
          const schema = { $ref: '#/components/schemas/Error' };
          expect({ path, status, content }).toHaveProperty(['content', 'application/json', 'schema'], schema);
        }
      }
    }
    for (const path of ['/v1/changes/by_user', '/v1/webhooks/segment/events.segment_events', '/metrics'])
      expect(paths).toHaveProperty([path]);
    const metrics = await (await fetch(`${serving.http}/metrics`)).text();
    expect(metrics).toMatch(
      /^seg_ingest_records_total\{source="events.segment_events",outcome="accepted"\} \d+$/m,
    );
  });
});

describe('what is no request for anything', () => {
  it('is answered in the shape of all failures', async () => {
    const shape = { error: { code: expect.any(String) as string, message: expect.any(String) as string } };
    expect(await get('/nothing')).toMatchObject({ status: 404, body: shape });
    expect(await get('/v1/sources/segment_events/stream')).toMatchObject({ status: 426, body: shape });
    expect(await get('/v1/models/by_user/%')).toMatchObject({ status: 400, body: shape });
    expect(await post('/v1/models', 'text/plain', 'x')).toMatchObject({ status: 405, body: shape });
    const query = await fetch(`${serving.http}/v1/models`, { method: 'QUERY' });
    expect([query.status, query.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(await get('/v1/changes/by_user?snapshot=no')).toMatchObject({ status: 400, body: shape });
    for (const text of ['NO HTTP\r\n\r\n', `GET / HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`]) {
      const socket = connect(Number(new URL(serving.http).port), '127.0.0.1');
      socket.end(text);
      const answer = await streamText(socket);
      expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject(shape);
    }
  });
});

describe('change feeds over HTTP', () => {
  it('begin with a snapshot, follow, and go on after Last-Event-ID', async () => {
    const url = `${serving.http}/v1/changes/by_user`;
    const accept = 'text/event-stream';
    const first = await fetch(url, { headers: { accept } });
    const feed = sseEvents(first);
    const snapshot = (await feed.next()).value!;
    expect(snapshot).toMatchObject({ event: 'snapshot', data: { last: true } });
    await post(source, 'application/json', records(2000, 1)[0]!);
    const change = (await feed.next()).value!;
    expect(change).toMatchObject({
      event: 'changes',
      data: { changes: [{ op: 'update', key: { user_id: 'user-5' } }] },
    });
    await feed.return(undefined);
    await post(source, 'application/json', records(2001, 1)[0]!);
    await post(source, 'application/json', records(2002, 1)[0]!);
    const again = sseEvents(await fetch(url, { headers: { accept, 'last-event-id': change.id! } }));
    expect((await again.next()).value!.data).toMatchObject({ changes: [{ key: { user_id: 'user-6' } }] });
    expect((await again.next()).value!.data).toMatchObject({ changes: [{ key: { user_id: 'user-0' } }] });
    await again.return(undefined);
    const poll = await get(`/v1/changes/by_user?from=${change.id}`);
    expect(poll.body['batches']).toHaveLength(2);
    const waiting = get(`/v1/changes/by_user?wait=20&from=${poll.body['position'] as string}`);
    await post(source, 'application/json', records(2003, 1)[0]!);
    expect((await waiting).body).toMatchObject({ batches: [{ changes: [{ key: { user_id: 'user-1' } }] }] });
    expect((await get('/v1/changes/by_user?from=e000000000000')).status).toBe(410);
    expect((await get('/v1/changes/by_user?from=yesterday')).status).toBe(400);
    for (const wrong of ['changes/by_user?columns=a&columns=b', 'changes/by_user?where=1', 'models/%zz'])
      expect(await get(`/v1/${wrong}`), wrong).toMatchObject({
        status: 400,
        body: { error: { code: expect.any(String) as string, message: expect.any(String) as string } },
      });
  });

  it('come over WebSocket, in the columns that were asked for', async () => {
    const url = `${serving.http.replace('http', 'ws')}/v1/changes/by_user?columns=events`;
    const socket = new WebSocket(url);
    const messages: { event: string; rows?: object[]; changes?: object[] }[] = [];
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('message', (data: Buffer) => {
        messages.push(JSON.parse(data.toString()) as { event: string });
        if (messages.length === 1) post(source, 'application/json', records(2100, 1)[0]!).catch(reject);
        else resolve();
      });
    });
    socket.close();
    expect(Object.keys(messages[0]!.rows![0]!)).toEqual(['events']);
    expect(messages[1]).toMatchObject({ event: 'changes', changes: [{ key: { user_id: 'user-0' } }] });
  });
});

describe('clients of the Postgres port', () => {
  it('do not see each other: prepared statements, settings, notifications', async () => {
    const [a, b] = [await client(), await client()];
    const named = (of: pg.Client, n: number) => of.query({ name: 'same', text: `select ${n} as n` });
    const answers = await Promise.all([named(a, 1), named(b, 2), named(a, 1), named(b, 2)]);
    expect(answers.map(({ rows }) => (rows as { n: number }[])[0]!.n)).toEqual([1, 2, 1, 2]);
    await a.query("set search_path = pg_catalog; set my.tenant = 'a'");
    await b.query("set timezone = 'Europe/Vienna'");
    const show = async (of: pg.Client, name: string) =>
      (await of.query<{ v: string | null }>('select current_setting($1, true) as v', [name])).rows[0]!.v;
    expect([await show(a, 'search_path'), await show(b, 'search_path')]).toEqual([
      'pg_catalog',
      'public, "stream"',
    ]);
    expect([await show(a, 'my.tenant'), (await show(b, 'my.tenant')) || null]).toEqual(['a', null]);
    expect([await show(a, 'timezone'), await show(b, 'timezone')]).toEqual(['UTC', 'Europe/Vienna']);
    const heard: string[] = [];
    a.on('notification', () => heard.push('a'));
    b.on('notification', ({ payload }) => heard.push(`b ${payload}`));
    await b.query('listen news');
    await a.query("notify news, 'one'");
    await b.query('select 1');
    expect(heard).toEqual(['b one']);
  });

  it('have transactions of their own, which end with their client', async () => {
    const [a, b] = [await client(), await client()];
    await a.query('begin');
    await a.query('create table public.mine (x int)');
    let answered = false;
    const waiting = b.query("select to_regclass('public.mine') as found").then(({ rows }) => {
      answered = true;
      return rows as { found: string | null }[];
    });
    await a.query('insert into public.mine values (1)');
    expect(answered).toBe(false);
    await a.query('rollback');
    expect((await waiting)[0]!.found).toBeNull();
    await a.query('begin; create table public.mine (x int)');
    (a as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    expect((await b.query('select to_regclass($1) as found', ['public.mine'])).rows).toEqual([
      { found: null },
    ]);
    await expect(b.query('select 1 / 0')).rejects.toMatchObject({ code: '22012' });
    expect((await b.query('select $1::int + 1 as n', [41])).rows).toEqual([{ n: 42 }]);
  });

  it('that read cannot write, nor become the owner', async () => {
    const reader = await client('some_dashboard');
    expect((await reader.query('select count(*)::int as n from stream.by_user')).rows).toEqual([{ n: 7 }]);
    for (const sql of [
      'delete from _seg.changelog',
      'with gone as (delete from _seg.changelog returning 1) select * from gone',
      'create table public.x (a int)',
      'create temp table x (a int)',
      'select 1 as a into public.x',
      'set session authorization postgres',
      'set role postgres',
      'reset role; drop schema _seg cascade',
      "select set_config('session_authorization', 'postgres', false)",
      'do $$ begin reset session authorization; end $$',
      'copy stream.by_user from stdin',
      "copy (select 1) to '/tmp/x'",
      'begin read write',
      'prepare p as delete from _seg.changelog',
      'explain analyze delete from _seg.changelog',
    ]) {
      await expect(reader.query(sql), sql).rejects.toThrow();
    }
    expect((await reader.query('select current_user as u')).rows).toEqual([{ u: 'seg_reader' }]);
    const { rows } = await (
      await client()
    ).query('select current_user as u, count(*) > 0 as kept from _seg.node');
    expect(rows).toEqual([{ u: 'postgres', kept: true }]);
  });

  it('write to sources like everybody else, and followers see it', async () => {
    const writer = await client();
    const before = await get('/v1/changes/by_user?snapshot=false');
    await writer.query(
      "insert into stream.segment_events (event_id, user_id, vendor) values (gen_random_uuid(), 'psql', 1)",
    );
    const after = await get(`/v1/changes/by_user?wait=10&from=${before.body['position'] as string}`);
    expect(after.body).toMatchObject({
      batches: [{ changes: [{ op: 'insert', row: { user_id: 'psql', events: 1 } }] }],
    });
    await writer.query("delete from stream.segment_events where user_id = 'psql'");
  });
});

describe('query builders and tools', () => {
  it('find relations by introspection and read them by name: Kysely', async () => {
    interface Stream {
      by_user: { user_id: string; events: string };
      segment_events: { event_id: string; user_id: string; vendor: number };
    }
    const pool = new pg.Pool({ host: '127.0.0.1', port: serving.pgPort, user: 'seg', database: 'postgres' });
    const kysely = new Kysely<Stream>({ dialect: new PostgresDialect({ pool }) });
    try {
      const tables = await kysely.introspection.getTables();
      const found = tables.find(({ schema, name }) => schema === 'stream' && name === 'by_user');
      expect(found).toMatchObject({ isView: true });
      expect(found!.columns.map(({ name }) => name)).toEqual(['user_id', 'events']);
      const of = kysely.withSchema('stream');
      const one = of.selectFrom('by_user').selectAll().where('user_id', '=', 'user-3');
      expect(await one.executeTakeFirst()).toMatchObject({ user_id: 'user-3' });
      const [many, none] = await Promise.all([
        of
          .selectFrom('by_user')
          .select(({ fn }) => fn.countAll<string>().as('n'))
          .executeTakeFirstOrThrow(),
        of.selectFrom('by_user').selectAll().where('user_id', '=', 'kysely').execute(),
      ]);
      expect([Number(many.n), none]).toEqual([7, []]);
      const event_id = '00000000-0000-4000-8000-00000000beef';
      const rolledBack = kysely.transaction().execute(async (tx) => {
        await tx
          .withSchema('stream')
          .insertInto('segment_events')
          .values({ event_id, user_id: 'kysely', vendor: 1 })
          .execute();
        const seen = await tx
          .withSchema('stream')
          .selectFrom('by_user')
          .selectAll()
          .where('user_id', '=', 'kysely')
          .execute();
        throw new Error(`seen ${seen.length}`);
      });
      await expect(rolledBack).rejects.toThrow('seen 1');
      expect(await of.selectFrom('by_user').selectAll().where('user_id', '=', 'kysely').execute()).toEqual(
        [],
      );
    } finally {
      await kysely.destroy();
    }
  });

  it('copy out and read what does not fit into the memory that answers are given', async () => {
    const reader = await client('some_dashboard');
    const sql = "select n, repeat('x', 100) as text from generate_series(1, 200000) as n";
    let lines = 0;
    for await (const chunk of reader.query(copyTo(`COPY (${sql}) TO STDOUT`)) as AsyncIterable<Buffer>)
      for (const byte of chunk) if (byte === 10) lines++;
    expect(lines).toBe(200_000);
    const { rows } = await reader.query<{ n: number }>(sql);
    expect([rows.length, rows.at(-1)!.n]).toEqual([200_000, 200_000]);
    expect((await reader.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});

describe('other commands', () => {
  it('go through the server', async () => {
    const ingested = await project.seg('ingest segment_events -', { stdin: events(3000, 30) });
    expect(ingested).toMatchObject({ status: 0 });
    expect(ingested.log).toContain('30 accepted');
    const shown = await project.seg(['show', '-q', '-o', 'csv', '--inline', 'select 1 as one']);
    expect(shown).toMatchObject({ status: 0, stdout: 'one\n1\n' });
    const followed = await project.seg('subscribe by_user --no-follow -o csv --columns events');
    expect(followed.stdout.split('\n')[0]).toBe('position,at,op,events');
    const filtered = await project.seg([
      'subscribe',
      'by_user',
      '--no-follow',
      '--where',
      "user_id = 'user-1'",
    ]);
    expect(filtered.stdout.trim().split('\n')).toHaveLength(1);
    const query = [
      'subscribe',
      '--inline',
      "select count(*) as n from {{ ref('by_user') }} where events > 0",
      '--no-follow',
    ];
    const inline = await project.seg(query);
    expect(
      inline.stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { row: object }).row),
    ).toEqual([{ n: 7 }]);
    expect(await project.seg('verify')).toMatchObject({ status: 0 });
    const second = await project.seg('serve --port 0 --pg-port 0');
    expect(second).toMatchObject({ status: 2 });
    expect(second.log).toContain('SEG801');
  }, 120_000);
});

describe('a run beside the server', () => {
  it('says how records are read from then on, and the server reads them so', async () => {
    const declared = project.read('models/schema.yml');
    project.write('models/schema.yml', declared.replace('path: segment.vendor', 'path: seller'));
    const before = serving.log().length;
    const { status, log } = await project.seg('run');
    expect({ status, log }).toMatchObject({
      status: 0,
      log: expect.stringContaining(
        'source "segment_events": column "vendor" is read from "seller", no more from "segment.vendor"',
      ) as string,
    });
    await until(() => serving.log().slice(before).includes('its files are read again'));
    const event = '00000000-0000-4000-8000-00000000000a';
    expect((await post(source, 'application/json', JSON.stringify({ event, seller: 7 }))).status).toBe(200);
    const { body } = await get(`/v1/models/segment_events?event_id=${event}`);
    expect(body['rows']).toMatchObject([{ vendor: 7 }]);
  }, 120_000);
});

describe('the server', () => {
  it('ends with 0, followers get the last change first; nothing acknowledged is lost by a kill', async () => {
    const feed = sseEvents(
      await fetch(`${serving.http}/v1/changes/by_user?snapshot=false`, {
        headers: { accept: 'text/event-stream' },
      }),
    );
    await post(source, 'application/json', records(4000, 1)[0]!);
    const stopped = serving.stop();
    expect((await feed.next()).value!.data).toMatchObject({ changes: [{ op: 'update' }] });
    expect((await feed.next()).done).toBe(true);
    expect(await stopped).toBe(0);
    expect(serving.log()).toContain('Stopped');

    serving = await startServing(project);
    let acknowledged = 0;
    const sending = (async () => {
      for (const record of records(5000, 2000)) {
        if ((await post(source, 'application/json', record)).status === 200) acknowledged++;
      }
    })().catch(() => undefined);
    while (acknowledged < 20) await new Promise((resolve) => setTimeout(resolve, 20));
    await serving.stop('SIGKILL');
    await sending;
    serving = await startServing(project);
    const { rows } = await (
      await client()
    ).query<{ n: number }>(
      "select count(*)::int as n from stream.arrivals where event_id >= '00000000-0000-4000-8000-000000005000'",
    );
    expect(rows[0]!.n).toBeGreaterThanOrEqual(acknowledged);
    expect(rows[0]!.n).toBeLessThanOrEqual(acknowledged + 1);
  }, 120_000);

  it('asks for tokens where they are set, and beyond loopback always', async () => {
    await serving.stop();
    serving = await startServing(project, {
      env: {
        SEG_HTTP_TOKENS: 'writer-token=ingest narrow-token=ingest:events.segment_events operator-token',
      },
    });
    const as = async (token: string | undefined, path: string) =>
      (
        await fetch(
          `${serving.http}${path}`,
          token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
        )
      ).status;
    expect(await as(undefined, '/v1/models')).toBe(401);
    expect(await as('guessed-token', '/v1/models')).toBe(401);
    expect(await as('writer-token', '/v1/models')).toBe(403);
    expect(await as('operator-token', '/v1/models')).toBe(200);
    expect(await as(undefined, '/healthz')).toBe(200);
    const headers = { authorization: 'Bearer writer-token' };
    expect((await post(source, 'application/json', records(8000, 1)[0]!, headers)).status).toBe(200);
    // A source goes by its short name too, and what a token allows is the same.
    const narrow = { authorization: 'Bearer narrow-token' };
    const short = '/v1/sources/segment_events/records';
    expect((await post(short, 'application/json', records(8001, 1)[0]!, narrow)).status).toBe(200);
    expect((await post('/v1/sources/other/records', 'application/json', '{}', narrow)).status).toBe(403);
    const open = await project.seg('serve --host 0.0.0.0 --port 0');
    expect(open.log).toContain('SEG828');
    expect(open.status).toBe(2);
  }, 60_000);
});
