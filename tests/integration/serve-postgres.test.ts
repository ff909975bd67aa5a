/** `seg serve` and its sinks on a PostgreSQL server: restarted in the middle, with two servers on it, and with its own limits. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startPostgres } from '../../scripts/temporary-postgres.mjs';
import type { TestProject } from '../cli/run-seg.ts';
import { sseEvents, startServing } from '../cli/serving.ts';
import type { Serving } from '../cli/serving.ts';
import { events, streamProject } from '../cli/stream-project.ts';

let server: Awaited<ReturnType<typeof startPostgres>>;
let project: TestProject;
let receiver: Server;
/** Webhook changes by user, as they came, with the id of their batch. */
let received: { id: string; user: string; events: number }[] = [];

const SINKS = (url: string, folder: string, copy: string): string => `sinks:
  - {name: hook, from: by_user, type: webhook, backfill: true, config: {url: "${url}"}}
  - {name: lake, from: arrivals, type: file, backfill: true, config: {path: "${folder}", format: ndjson, compress: none, max_seconds: 1}}
  - {name: copy, from: by_user, type: postgres, mode: mirror, config: {connection: "${copy}", schema: copied, table: by_user}}
`;

beforeAll(async () => {
  server = await startPostgres({ quiet: true, settings: { max_connections: 40 } });
  receiver = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      const { id, changes } = JSON.parse(text) as {
        id: string;
        changes: { row: { user_id: string; events: number } }[];
      };
      for (const { row } of changes) received.push({ id, user: row.user_id, events: row.events });
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  receiver.close();
  server.stop();
});

beforeEach(async () => {
  await query(
    'DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA IF EXISTS stream CASCADE; DROP SCHEMA IF EXISTS copied CASCADE',
  );
  received = [];
  project = streamProject();
  mkdirSync(join(project.root, 'lake'));
  profile();
  const { port } = receiver.address() as AddressInfo;
  project.write(
    'models/sinks.yml',
    SINKS(`http://127.0.0.1:${port}/`, join(project.root, 'lake'), server.url),
  );
  expect((await project.seg('run')).status).toBe(0);
});

function profile(fields: Readonly<Record<string, string | number>> = {}): void {
  const { hostname, port, username } = new URL(server.url);
  const output = {
    type: 'postgres',
    host: hostname,
    port: Number(port),
    user: username,
    dbname: 'postgres',
    schema: 'stream',
    threads: 2,
    retries: 0,
    ...fields,
  };
  const lines = Object.entries(output).map(([key, value]) => `      ${key}: ${JSON.stringify(value)}\n`);
  project.write('profiles.yml', `stream:\n  target: dev\n  outputs:\n    dev:\n${lines.join('')}`);
}

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows;
  } finally {
    await client.end();
  }
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 300) throw new Error(`not in time: ${what}`);
    await sleep(100);
  }
}

/** Sends until it is taken, as a client of an HTTP service does; answers how often it was told to come again. */
async function post(serving: Serving, body: string): Promise<number> {
  for (let refused = 0; ; refused++) {
    const response = await fetch(`${serving.http}/v1/sources/segment_events/records`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body,
    });
    const text = await response.text();
    if (response.status === 200) return refused;
    expect(response.status, text).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    await sleep(200);
  }
}

const lake = (): string[] =>
  readdirSync(join(project.root, 'lake'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ndjson'))
    .flatMap((name) =>
      readFileSync(join(project.root, 'lake', name), 'utf8')
        .trim()
        .split('\n'),
    )
    .map((line) => (JSON.parse(line) as { row: { event_id: string } }).row.event_id);

/** What each user's last webhook said. */
const lastReceived = (): [string, unknown][] => [
  ...new Map(received.map(({ user, events: n }) => [user, n])).entries(),
];

async function everythingDelivered(total: number): Promise<void> {
  await until('the views are complete', async () => {
    const [row] = await query('SELECT coalesce(sum(events), 0)::int AS n FROM stream.by_user');
    return row!['n'] === total;
  });
  const states = async (table: string): Promise<string> =>
    JSON.stringify(
      sorted(
        (await query(`SELECT user_id, events::int AS events FROM ${table}`).catch(() => [])).map(
          (row): [string, unknown] => [String(row['user_id']), row['events']],
        ),
      ),
    );
  const wanted = await states('stream.by_user');
  await until('the webhook has the last state', () => JSON.stringify(sorted(lastReceived())) === wanted);
  await until('the copy is complete', async () => (await states('copied.by_user')) === wanted);
  await until('the lake is complete', () => lake().length >= total).catch(async (error: unknown) => {
    const state = await query(
      `SELECT s.name, s.state, s.reason, s.position::text, (SELECT count(*)::int FROM _seg.sink_queue AS q WHERE q.sink = s.id) AS queued FROM _seg.sink AS s`,
    );
    throw new Error(`${lake().length} of ${total} records: ${JSON.stringify(state)}`, { cause: error });
  });
  expect(new Set(lake()).size).toBe(total);
  expect(lake()).toHaveLength(total);
}

const sorted = (states: readonly [string, unknown][]): [string, unknown][] =>
  states.toSorted(([a], [b]) => (a < b ? -1 : 1));

test('records in, reads, feeds, metrics and sinks; what others write into the server is followed too', async () => {
  const serving = await startServing(project, { onServer: true });
  expect(serving.log()).toMatch(
    /applications connect to the server of the target itself: postgres:\/\/127\.0\.0\.1:\d+\/\w+\n/,
  );
  const feed = await fetch(`${serving.http}/v1/changes/by_user`, {
    headers: { accept: 'text/event-stream' },
  });
  const seen: unknown[] = [];
  const following = (async () => {
    for await (const { event, data } of sseEvents(feed)) seen.push([event, data]);
  })().catch(() => undefined);
  await post(serving, events(1, 70));
  await query(
    `INSERT INTO stream.segment_events (event_id, user_id, vendor) VALUES (gen_random_uuid(), 'by hand', 1)`,
  );
  await everythingDelivered(71);
  await until('the feed has seen it', () => JSON.stringify(seen).includes('by hand'));
  const read = await fetch(`${serving.http}/v1/models/by_user/user-3`);
  expect(await read.json()).toMatchObject({ user_id: 'user-3', events: 10 });
  expect(await (await fetch(`${serving.http}/metrics`)).text()).toMatch(/seg_\w*sink\w*/);
  expect(await serving.stop()).toBe(0);
  await following;
  project.write('models/sinks.yml', '');
  const refused = await project.seg('serve --pg-port 5999');
  expect(refused).toMatchObject({ status: 2 });
  expect(refused.log).toMatch(/SEG929: "--pg-port" is for an embedded database.*postgres:\/\/127\.0\.0\.1:/s);
});

test('the server is restarted in the middle: clients are asked to come again, feeds and sinks go on, nothing is lost or doubled', async () => {
  const serving = await startServing(project, { onServer: true });
  let sent = 0;
  let refusals = 0;
  let sending = true;
  const writer = (async () => {
    while (sending) {
      refusals += await post(serving, events(1 + sent, 10));
      sent += 10;
    }
  })();
  for (let restart = 0; restart < 3; restart++) {
    await sleep(700);
    server.halt();
    await sleep(800);
    server.start();
  }
  await until('it takes records again', async () => {
    const before = sent;
    await sleep(300);
    return sent > before;
  });
  sending = false;
  await writer;
  expect(refusals).toBeGreaterThan(0);
  expect((await fetch(`${serving.http}/readyz`)).status).toBe(200);
  await everythingDelivered(sent);
  const idsOfState = new Map<string, string>();
  for (const { id, user, events: n } of received) {
    const state = `${user} ${n}`;
    // A batch that comes twice bears its first id.
    expect(idsOfState.get(state) ?? id).toBe(id);
    idsOfState.set(state, id);
  }
  expect(await serving.stop()).toBe(0);
  const { status, log } = await project.seg('verify');
  expect(status, log).toBe(0);
});

test('two servers on one database: one runs the sinks, the other takes over when it is killed', async () => {
  const [one, two] = [
    await startServing(project, { onServer: true }),
    await startServing(project, { onServer: true }),
  ];
  for (let i = 0; i < 10; i++)
    await Promise.all([post(one, events(1 + i * 20, 10)), post(two, events(11 + i * 20, 10))]);
  await everythingDelivered(200);
  await one.stop('SIGKILL');
  await post(two, events(201, 50));
  await everythingDelivered(250);
  // No state of a key was sent twice by two processes.
  const states = received.map(({ id, user, events: n }) => `${id} ${user} ${n}`);
  expect(new Set(received.map(({ user, events: n }) => `${user} ${n}`)).size).toBe(new Set(states).size);
  expect(await two.stop()).toBe(0);
});

describe('limits of the server', () => {
  test('a statement_timeout ends a statement, undoes it, and says so', async () => {
    await query(
      `CREATE OR REPLACE FUNCTION slow(x bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_sleep(1); RETURN x; END $$`,
    );
    project.write(
      'models/slow.sql',
      `{{ config(materialized='materialized_view') }}\nselect public.slow(position) as p from {{ source('events', 'segment_events') }}\n`,
    );
    profile({ statement_timeout: '300ms' });
    expect((await project.seg('ingest segment_events -', { stdin: events(1, 10) })).status).toBe(0);
    const { status, log } = await project.seg('run');
    expect({ status, log }).toMatchObject({ status: 1 });
    expect(log).toMatch(/canceling statement due to statement timeout/);
    expect(log).toMatch(/statement_timeout/);
    expect(await query(`SELECT to_regclass('stream.slow') IS NULL AS gone`)).toEqual([{ gone: true }]);
    expect((await project.seg('show by_user')).status).toBe(0);
  });

  test('when all connections are used up, that is what is said', async () => {
    const others: pg.Client[] = [];
    for (;;) {
      const client = new pg.Client({ connectionString: server.url });
      client.on('error', () => undefined);
      try {
        await client.connect();
      } catch {
        break;
      }
      others.push(client);
    }
    const { status, log } = await project.seg('show by_user');
    await Promise.all(others.map((client) => client.end()));
    expect(status).toBe(1);
    expect(log).toMatch(/error SEG816: the server takes no more connections/);
  });
});
