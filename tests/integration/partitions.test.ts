/** Partitioned tables and inheritance on a server: beside other sessions, by roles of others, and as a project's sources. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createIncrementalView } from '../../src/incremental/incremental-view.ts';
import { TestProject } from '../cli/run-seg.ts';
import { onServer, serverUrl } from './postgres-project.ts';

const DATABASE = 'seg_partitions';
const server = new URL(serverUrl());
let clients: pg.Client[] = [];
let db: pg.Client;

async function connect(user = server.username): Promise<pg.Client> {
  const client = new pg.Client({
    host: server.hostname,
    port: Number(server.port),
    user,
    database: DATABASE,
  });
  await client.connect();
  clients.push(client);
  return client;
}

beforeAll(async () => {
  await onServer(`DROP DATABASE IF EXISTS "${DATABASE}" WITH (FORCE)`);
  await onServer(`CREATE DATABASE "${DATABASE}"`);
  await onServer('DROP ROLE IF EXISTS tenant; CREATE ROLE tenant LOGIN');
  db = await connect();
  await db.query(`
    GRANT CREATE ON DATABASE "${DATABASE}" TO tenant; GRANT CREATE ON SCHEMA public TO tenant;
    CREATE TABLE p (id int, g int NOT NULL, v int) PARTITION BY LIST (g);
    CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
    CREATE TABLE p3 (v int, g int NOT NULL, id int); INSERT INTO p3 SELECT i, 3, i FROM generate_series(1, 9) AS i;
    CREATE TABLE u (id int PRIMARY KEY, g int); INSERT INTO u SELECT i, i % 3 FROM generate_series(1, 20) AS i;
    CREATE TABLE fk (id int REFERENCES u ON DELETE CASCADE ON UPDATE CASCADE, g int) PARTITION BY LIST (g);
    CREATE TABLE fk0 PARTITION OF fk FOR VALUES IN (0); CREATE TABLE fk1 PARTITION OF fk DEFAULT; INSERT INTO fk SELECT id, g FROM u;
    CREATE TABLE h (id int, v int); CREATE TABLE h1 (extra text) INHERITS (h); INSERT INTO h1 VALUES (1, 1, 'x')`);
});
afterAll(async () => {
  for (const client of clients) await client.end();
  clients = [];
  await onServer(`DROP DATABASE IF EXISTS "${DATABASE}" WITH (FORCE)`);
  await onServer('DROP ROLE IF EXISTS tenant');
});

const views: Record<string, string> = {
  sums: 'SELECT g, count(*) AS n, sum(v) AS total FROM p GROUP BY g',
  joined: 'SELECT p.id, p.v, u.g FROM p JOIN u ON p.id = u.id',
  leaf: 'SELECT id, v FROM p1',
  referring: 'SELECT g, count(*) AS n FROM fk GROUP BY g',
  inherited: 'SELECT id, v FROM h',
};

async function expectRight(after: string): Promise<void> {
  for (const [name, query] of Object.entries(views)) {
    const { rows } = await db.query<object>(
      `WITH wanted AS (${query}) (TABLE ${name} EXCEPT ALL TABLE wanted) UNION ALL (TABLE wanted EXCEPT ALL TABLE ${name})`,
    );
    expect({ after, name, rows }).toEqual({ after, name, rows: [] });
  }
}

test('statements, COPY, cascades, and partitions that come and go', async () => {
  for (const [name, query] of Object.entries(views))
    await createIncrementalView(db, name, query, { changes: name === 'joined' });
  for (const text of [
    'INSERT INTO p SELECT i, i % 2 + 1, i FROM generate_series(1, 20) AS i',
    'UPDATE p SET g = 3 - g WHERE id < 9',
    'UPDATE p1 SET v = v + 1',
    'DELETE FROM u WHERE id IN (1, 3)',
    'UPDATE u SET id = id + 100 WHERE id IN (4, 6)',
    'ALTER TABLE p ATTACH PARTITION p3 FOR VALUES IN (3)',
    'MERGE INTO p USING u ON p.id = u.id WHEN MATCHED AND u.id < 9 THEN DELETE WHEN MATCHED THEN UPDATE SET g = 3 WHEN NOT MATCHED THEN INSERT VALUES (u.id, 2, 0)',
    "COPY p (id, g, v) FROM PROGRAM 'echo 31,1,5' (FORMAT csv)",
    "COPY p1 (id, g, v) FROM PROGRAM 'echo 32,1,5' (FORMAT csv)",
    'TRUNCATE p2',
    'ALTER TABLE p DETACH PARTITION p2 CONCURRENTLY',
    'INSERT INTO p2 VALUES (5, 2, 5)',
    'ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2)',
    'DROP TABLE p3',
    'UPDATE h SET v = v + 1',
    "INSERT INTO h1 VALUES (2, 2, 'y')",
    'CREATE TABLE h2 () INHERITS (h); INSERT INTO h2 VALUES (3, 3)',
    'ALTER TABLE h1 NO INHERIT h',
    'TRUNCATE u CASCADE',
    'TRUNCATE p',
  ]) {
    await db.query(text);
    await expectRight(text);
  }
});

test('partitions come and go beside writers', async () => {
  const writers = [await connect(), await connect(), await connect()];
  let running = true;
  const failures: string[] = [];
  const tolerated = new Set(['23514', '40P01']);
  const note = (error: unknown): void => {
    const { code, message } = error as { code?: string; message: string };
    if (!tolerated.has(code ?? '')) failures.push(`${code}: ${message}`);
  };
  const work = writers.map(async (client, w) => {
    for (let i = 0; running; i++) {
      const text = [
        `INSERT INTO p VALUES (${i % 20}, ${(i % 2) + 1}, ${w})`,
        `UPDATE p SET v = v + 1 WHERE id = ${i % 20}`,
        `INSERT INTO p1 VALUES (${i % 20}, 1, ${w})`,
        `INSERT INTO u VALUES (${i % 20}, ${w}) ON CONFLICT (id) DO UPDATE SET g = u.g + 1`,
        `DELETE FROM p WHERE id = ${(i + 7) % 20}`,
      ][(i + w) % 5]!;
      await client.query(text).catch(note);
    }
  });
  for (let i = 0; i < 8; i++) {
    await db.query(`CREATE TABLE n${i} (LIKE p); INSERT INTO n${i} VALUES (${i}, ${10 + i}, 1)`);
    for (const text of [
      `ALTER TABLE p ATTACH PARTITION n${i} FOR VALUES IN (${10 + i})`,
      `INSERT INTO n${i} VALUES (1, ${10 + i}, 1)`,
      i % 2 === 0 ? `DROP TABLE n${i}` : `ALTER TABLE p DETACH PARTITION n${i}`,
    ])
      await db.query(text).catch(note);
  }
  running = false;
  await Promise.all(work);
  expect(failures).toEqual([]);
  await expectRight('all of it');
});

test('a role that may not create event triggers is told', async () => {
  const tenant = await connect('tenant');
  await tenant.query(
    'CREATE SCHEMA own; CREATE TABLE own.t (id int); CREATE TABLE own.q (id int) PARTITION BY RANGE (id); CREATE TABLE own.q1 PARTITION OF own.q DEFAULT',
  );
  const options = { schema: 'own', stateSchema: 'tenant_seg' };
  await expect(createIncrementalView(tenant, 'w', 'SELECT id FROM own.q', options)).rejects.toThrow(
    'this role may not create the event trigger',
  );
  await createIncrementalView(tenant, 'w', 'SELECT id FROM own.t', options);
  await tenant.query('INSERT INTO own.t VALUES (1)');
  expect((await tenant.query<object>('SELECT id FROM own.w')).rows).toEqual([{ id: 1 }]);
});

test('as sources of a project', async () => {
  await db.query(
    `CREATE SCHEMA shop; CREATE TABLE shop."Ord'ers" (id int, g int) PARTITION BY LIST (g);
     CREATE TABLE shop.o1 PARTITION OF shop."Ord'ers" FOR VALUES IN (1); CREATE TABLE shop.o2 (g int, id int);
     INSERT INTO shop.o2 VALUES (2, 2); INSERT INTO shop."Ord'ers" VALUES (1, 1)`,
  );
  const output = {
    ...{ type: 'postgres', host: server.hostname, port: Number(server.port), user: server.username },
    ...{ dbname: DATABASE, schema: 'marts', threads: 1, state_schema: 'shop_seg' },
  };
  const project = new TestProject({
    'package.json': '{"name": "shop", "seg": {"name": "shop", "profile": "shop"}}',
    'profiles.yml': `shop:\n  target: dev\n  outputs:\n    dev:\n${Object.entries(output)
      .map(([key, value]) => `      ${key}: ${JSON.stringify(value)}\n`)
      .join('')}`,
    'models/sources.yml': `sources:\n  - name: shop\n    schema: shop\n    tables:\n      - {name: orders, identifier: "Ord'ers", config: {existing: true, install: triggers}}\n`,
    'models/counts.sql':
      "{{ config(materialized='materialized_view') }}\nselect g, count(*) as n from {{ source('shop', 'orders') }} group by g\n",
  });
  const seg = async (...args: string[]): Promise<void> => {
    const result = await project.seg(args);
    expect(result.status, result.log).toBe(0);
  };
  try {
    await seg('run');
    const counts = async (): Promise<unknown> =>
      (await db.query<object>('SELECT g, n::int FROM marts.counts ORDER BY 1')).rows;
    await db.query('INSERT INTO shop.o1 VALUES (3, 1)');
    expect(await counts()).toEqual([{ g: 1, n: 2 }]);
    await db.query(`ALTER TABLE shop."Ord'ers" ATTACH PARTITION shop.o2 FOR VALUES IN (2)`);
    await db.query('INSERT INTO shop.o2 VALUES (2, 3)');
    expect(await counts()).toEqual([
      { g: 1, n: 2 },
      { g: 2, n: 2 },
    ]);
    await seg('verify');
    // A trigger that somebody took away is put back, and what it missed is made up for.
    const { rows } = await db.query<{ name: string }>(
      `SELECT tgname AS name FROM pg_trigger WHERE tgrelid = 'shop.o2'::regclass AND tgname LIKE '%\\_insert' AND tgname NOT LIKE '%before%'`,
    );
    expect(rows).toHaveLength(1);
    await db.query(`DROP TRIGGER "${rows[0]!.name}" ON shop.o2`);
    await db.query(
      'ALTER TABLE shop.o2 DISABLE TRIGGER ALL; INSERT INTO shop.o2 VALUES (2, 4); ALTER TABLE shop.o2 ENABLE TRIGGER ALL',
    );
    await seg('run');
    expect(await counts()).toEqual([
      { g: 1, n: 2 },
      { g: 2, n: 3 },
    ]);
    await seg('clean', '--database');
    expect(
      (
        await db.query<object>(
          `SELECT FROM pg_trigger WHERE tgrelid IN ('shop.o2'::regclass, 'shop.o1'::regclass)`,
        )
      ).rows,
    ).toEqual([]);
  } finally {
    project.remove();
  }
});
