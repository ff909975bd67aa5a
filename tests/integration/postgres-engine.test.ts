/** A whole project on a PostgreSQL server: commands, many writers, and servers that cannot be used. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { events } from '../cli/stream-project.ts';
import { postgresProject, serverUrl } from './postgres-project.ts';
import type { PostgresProject } from './postgres-project.ts';
import { startTransactionPooler } from './transaction-pooler.ts';

let on: PostgresProject;
let session: pg.Client;
beforeAll(async () => {
  on = await postgresProject('seg_engine');
  session = await on.connect();
  const { status, log } = await on.project.seg('run');
  expect({ status, log }).toMatchObject({ status: 0 });
});
afterAll(async () => {
  await session.end();
  await on.remove();
});

const count = async (sql: string): Promise<number> =>
  Number((await session.query<{ n: string }>(sql)).rows[0]!.n);

async function expectVerified(): Promise<void> {
  const { status, log } = await on.project.seg('verify');
  expect({ status, log }).toMatchObject({ status: 0 });
}

describe('the commands', () => {
  test('ingest, show, verify and plan', async () => {
    expect((await on.project.seg('ingest segment_events -', { stdin: events(1, 700) })).log).toContain(
      '700 accepted, 0 duplicate, 0 rejected',
    );
    expect((await on.project.seg('ingest segment_events -', { stdin: events(691, 10) })).log).toContain(
      '0 accepted, 10 duplicate',
    );
    const { stdout } = await on.project.seg([
      ...['show', '-q', '-o', 'csv', '--inline'],
      `select * from {{ ref('by_user') }} order by user_id limit 1`,
    ]);
    expect(stdout).toBe('user_id,events\nuser-0,100\n');
    await expectVerified();
    expect((await on.project.seg('run')).log).toContain('NO-OP=2');
  });

  test('a follower in another process hears of what any writer commits', async () => {
    const follower = on.project.start('subscribe by_user --no-snapshot');
    let seen = '';
    follower.stdout.setEncoding('utf8').on('data', (text: string) => (seen += text));
    // The feed is kept from the moment the follower has switched it on.
    while ((await count(`SELECT count(*) AS n FROM _seg.node WHERE name = 'by_user' AND keep_changes`)) === 0)
      await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await session.query(
      `INSERT INTO stream.segment_events (event_id, user_id, vendor) VALUES (gen_random_uuid(), 'somebody else', 1)`,
    );
    while (!seen.includes('\n')) await new Promise((resolve) => setTimeout(resolve, 20));
    follower.kill('SIGINT');
    await once(follower, 'close');
    expect(JSON.parse(seen)).toMatchObject({
      op: 'insert',
      key: { user_id: 'somebody else' },
      row: { user_id: 'somebody else', events: 1 },
      last: true,
    });
  });
});

describe('sixteen writers at once', () => {
  const isolation = ['READ COMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'];

  /** One transaction of two statements on rows that others write too; answers its SQLSTATE when it is refused. */
  async function write(client: pg.Client, level: string, a: number, b: number): Promise<string> {
    const id = (n: number): string => `00000000-0000-4000-9000-${String(n).padStart(12, '0')}`;
    try {
      await client.query(`BEGIN ISOLATION LEVEL ${level}`);
      for (const n of [a, b]) {
        await client.query(
          `INSERT INTO stream.segment_events (event_id, user_id, vendor) VALUES ($1, $2, 1)
           ON CONFLICT (event_id) DO UPDATE SET user_id = excluded.user_id, vendor = segment_events.vendor + 1`,
          [id(n), `writer-${(a + b) % 5}`],
        );
      }
      await client.query('COMMIT');
      return 'committed';
    } catch (error) {
      await client.query('ROLLBACK');
      return (error as { code: string }).code;
    }
  }

  test('no deadlock, no lost update, and who cannot see the others is refused', async () => {
    const clients = await Promise.all(Array.from({ length: 16 }, () => on.connect()));
    const outcomes = new Map<string, number>();
    let committed = 0;
    try {
      await Promise.all(
        clients.map(async (client, w) => {
          for (let i = 0; i < 30; i++) {
            const level = isolation[w % isolation.length]!;
            // Opposite orders of the same rows: what deadlocks without turns.
            const [a, b] = w % 2 === 0 ? [i, i + 1] : [i + 1, i];
            const outcome = await write(client, level, a, b);
            outcomes.set(`${level}: ${outcome}`, (outcomes.get(`${level}: ${outcome}`) ?? 0) + 1);
            if (outcome === 'committed') committed++;
          }
        }),
      );
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
    expect(Object.fromEntries(outcomes)).toMatchObject({ 'READ COMMITTED: committed': 240 });
    for (const outcome of outcomes.keys()) expect(outcome).toMatch(/: (committed|40001)$/);
    // Every committed upsert counted: a first insert sets 1, each later one adds 1.
    expect(
      await count(`SELECT sum(vendor) AS n FROM stream.segment_events WHERE event_id::text LIKE '%-9000-%'`),
    ).toBe(2 * committed);
    await expectVerified();
  });

  test('a deployment in the middle of it waits for them, and misses nothing', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => on.connect()));
    let writing = true;
    try {
      const writers = clients.map(async (client, w) => {
        for (let i = 0; writing; i++) {
          const outcome = await write(client, 'READ COMMITTED', (i * 8 + w) % 400, (i * 8 + w + 7) % 400);
          expect(outcome).toBe('committed');
        }
      });
      for (const [i, model] of ['first', 'second', 'third'].entries()) {
        on.project.write(
          `models/${model}.sql`,
          `{{ config(materialized='materialized_view') }}
           select vendor, count(*) as events, ${i} as which from {{ source('events', 'segment_events') }} group by vendor`,
        );
        const { status, log } = await on.project.seg('run');
        expect({ status, log }).toMatchObject({ status: 0 });
      }
      writing = false;
      await Promise.all(writers);
    } finally {
      writing = false;
      await Promise.all(clients.map((client) => client.end()));
    }
    await expectVerified();
  });
});

describe('a server that cannot be used', () => {
  const run = async (fields: Readonly<Record<string, string | number>>) => {
    on.profile({ ...fields, retries: 0 });
    const { status, log } = await on.project.seg('show by_user');
    on.profile({});
    return { status, log };
  };

  test('is unreachable', async () => {
    const { status, log } = await run({ port: 1 });
    expect(status).toBe(1);
    expect(log).toMatch(
      /error SEG811: cannot reach target "dev" \(127\.0\.0\.1:1\/seg_engine as seg\): nothing listens there/,
    );
  });

  test('knows no such user or database', async () => {
    expect((await run({ user: 'nobody' })).log).toMatch(
      /error SEG812: the server refused the login .*role "nobody" does not exist/,
    );
    expect((await run({ dbname: 'nowhere' })).log).toMatch(/error SEG813: database "nowhere" does not exist/);
  });

  test('has no TLS where it is asked for', async () => {
    expect((await run({ sslmode: 'require' })).log).toMatch(
      /error SEG814: no TLS connection .*does not support SSL/,
    );
    expect((await run({ sslmode: 'always' })).log).toMatch(/error SEG814: unknown sslmode "always"/);
  });

  test('accepts the connection and says nothing', async () => {
    const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { status, log } = await run({ port: (silent.address() as AddressInfo).port, connect_timeout: 1 });
    silent.close();
    expect(status).toBe(1);
    expect(log).toMatch(/error SEG811: cannot reach/);
  });

  test('is behind a pooler in transaction mode', async () => {
    const pooler = await startTransactionPooler(new URL(serverUrl()));
    const { status, log } = await run({ port: pooler.port });
    pooler.close();
    expect(status).toBe(1);
    expect(log).toMatch(/error SEG842: target "dev" .* is reached through a pooler in transaction mode/);
    expect(log).toMatch(/hint: .*pool_mode = session/);
  });

  test('is read-only for the role, or knows a password that is another one', async () => {
    await session.query(
      'DROP ROLE IF EXISTS tourist; CREATE ROLE tourist LOGIN; ALTER ROLE tourist SET default_transaction_read_only = on',
    );
    expect((await run({ user: 'tourist' })).log).toMatch(/error SEG817: .* is read-only/);
    await session.query('DROP ROLE tourist');
  });

  test('has something else where seg puts its things', async () => {
    await session.query(`CREATE TABLE stream.taken (a int); CREATE VIEW stream.seen AS SELECT 1 AS a`);
    for (const [name, kind] of [
      ['taken', 'table'],
      ['seen', 'view'],
    ] as const) {
      on.project.write(
        `models/${name}.sql`,
        `{{ config(materialized='materialized_view') }}\nselect vendor from {{ source('events', 'segment_events') }}\n`,
      );
      const { status, log } = await on.project.seg(`run --select ${name}`);
      expect(status).toBe(1);
      expect(log).toContain(
        `error SEG410: model "${name}" cannot be created: there is a ${kind} "stream.${name}" that seg did not make`,
      );
    }
    await session.query('DROP TABLE stream.taken; DROP VIEW stream.seen');
    for (const name of ['taken', 'seen'])
      on.project.write(`models/${name}.sql`, `{{ config(enabled=false) }}\nselect 1 as a`);
  });

  test('gives the user no right to create', async () => {
    await session.query('DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN');
    on.profile({ user: 'reader', schema: 'elsewhere', state_schema: '_seg_reader' });
    const { status, log } = await on.project.seg('run');
    on.profile({});
    expect(status).toBe(1);
    expect(log).toMatch(/error SEG\d+: .*permission denied for database seg_engine/);
    expect(log).toMatch(/hint: .*GRANT CREATE/);
  });

  test('ends the session in the middle of a command, which ends with a message and nothing half done', async () => {
    const before = await count('SELECT count(*) AS n FROM stream.segment_events');
    const owner = on.project.start('ingest segment_events -');
    let log = '';
    owner.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
    owner.stdin.on('error', () => undefined);
    owner.stdin.write(events(5_000_000, 10));
    while ((await count('SELECT count(*) AS n FROM stream.segment_events')) === before)
      await new Promise((resolve) => setTimeout(resolve, 50));
    await session.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'seg ingest' AND datname = current_database()`,
    );
    // The next batch finds its session gone, and takes another.
    owner.stdin.end(events(5_000_010, 10));
    const [status] = (await once(owner, 'close')) as [number];
    expect({ status, log }).toMatchObject({ status: 0 });
    expect(await count('SELECT count(*) AS n FROM stream.segment_events')).toBe(before + 20);
    await expectVerified();
  });
});
