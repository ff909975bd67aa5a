/** Tables of somebody else's as sources: an application's live tables, written to by roles that know nothing of seg. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestProject } from '../cli/run-seg.ts';
import { onServer, serverUrl } from './postgres-project.ts';

const DATABASE = 'seg_existing';
let project: TestProject;
let owner: pg.Client;
const server = new URL(serverUrl());

async function connect(user = server.username): Promise<pg.Client> {
  const client = new pg.Client({
    host: server.hostname,
    port: Number(server.port),
    user,
    database: DATABASE,
  });
  await client.connect();
  return client;
}

function profile(fields: Readonly<Record<string, string | number>> = {}): void {
  const output = {
    ...{ type: 'postgres', host: server.hostname, port: Number(server.port), user: server.username },
    ...{ dbname: DATABASE, schema: 'marts', threads: 1, ...fields },
  };
  const lines = Object.entries(output).map(([key, value]) => `      ${key}: ${JSON.stringify(value)}\n`);
  project.write('profiles.yml', `shop:\n  target: dev\n  outputs:\n    dev:\n${lines.join('')}`);
}

/** The source `shop` with tables as given: YAML of each behind `- `. */
function sources(...tables: string[]): void {
  project.write(
    'models/sources.yml',
    `sources:\n  - name: shop\n    schema: Läden "1"\n    tables:\n${tables.map((table) => `      - ${table}\n`).join('')}`,
  );
}

const ORDERS =
  '{name: orders, identifier: "Ord\'ers", config: {existing: true, install: [triggers, indexes]}}';

async function seg(args: string | readonly string[], status = 0): Promise<string> {
  const result = await project.seg(args);
  expect(result.status, result.log).toBe(status);
  return result.log;
}

const rows = async (sql: string): Promise<unknown[]> => (await owner.query<object>(sql)).rows;

/** What seg has put on the tables of the shop. */
const traces = (): Promise<unknown[]> =>
  rows(`SELECT tgname::text AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = '"Läden ""1"""'::regnamespace AND NOT tgisinternal
        UNION ALL SELECT indexname::text FROM pg_indexes WHERE schemaname = 'Läden "1"' AND indexname LIKE 'seg\\_%' ORDER BY 1`);

const MODEL = `{{ config(materialized='materialized_view', unique_key='customer') }}
select customer, count(*) as orders, sum(amount) as amount from {{ source('shop', 'orders') }} group by customer
`;

beforeAll(async () => {
  await onServer(`DROP DATABASE IF EXISTS "${DATABASE}" WITH (FORCE)`);
  await onServer(`CREATE DATABASE "${DATABASE}"`);
  await onServer('DROP ROLE IF EXISTS app; CREATE ROLE app LOGIN');
  owner = await connect();
  await owner.query(`
    CREATE SCHEMA "Läden ""1"""; GRANT USAGE ON SCHEMA "Läden ""1""" TO app;
    CREATE TABLE "Läden ""1"""."Ord'ers" (customer text, amount numeric(12, 2), doc json, spot point,
      taxed numeric(12, 2) GENERATED ALWAYS AS (amount * 1.2) STORED);
    GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON "Läden ""1"""."Ord'ers" TO app;
    INSERT INTO "Läden ""1"""."Ord'ers" (customer, amount, doc) SELECT 'c' || i % 5, i, '{}' FROM generate_series(1, 100) AS i`);
  project = new TestProject({
    'package.json': '{"name": "shop", "seg": {"name": "shop", "profile": "shop"}}',
    'models/by_customer.sql': MODEL,
  });
  profile();
  sources(ORDERS);
});
afterAll(async () => {
  await owner.end();
  project.remove();
  await onServer(`DROP DATABASE IF EXISTS "${DATABASE}" WITH (FORCE)`);
  await onServer('DROP ROLE IF EXISTS app');
});

describe('a table with live data', () => {
  test('is followed from the rows that are there on, while its writers write', async () => {
    const writers = await Promise.all(Array.from({ length: 6 }, () => connect('app')));
    let writing = true;
    let written = 0;
    let followed = false;
    const table = `"Läden ""1"""."Ord'ers"`;
    const write = async (client: pg.Client, w: number, i: number): Promise<void> => {
      await client.query('BEGIN');
      await client.query(`INSERT INTO ${table} (customer, amount) VALUES ($1, $2), ($3, 1)`, [
        `c${(w + i) % 5}`,
        i,
        `c${i % 5}`,
      ]);
      if (i % 3 === 0)
        await client.query(`UPDATE ${table} SET amount = amount + 1 WHERE customer = $1`, [`c${w % 5}`]);
      else if (i % 7 === 1)
        await client.query(`DELETE FROM ${table} WHERE customer = $1 AND amount > 50`, [`c${i % 5}`]);
      await client.query(i % 5 === 4 ? 'ROLLBACK' : 'COMMIT');
      written++;
    };
    const work = writers.map(async (client, w) => {
      for (let i = 0; writing; i++) {
        const before = followed;
        try {
          await write(client, w, i);
        } catch (error) {
          // By themselves the application's writers may deadlock; once they take turns they cannot.
          if ((error as { code?: string }).code !== '40P01' || before) throw error;
          await client.query('ROLLBACK');
        }
      }
    });
    try {
      while (written < 20) await new Promise((resolve) => setTimeout(resolve, 10));
      await seg('run');
      followed = true;
      const before = written;
      while (written < before + 30) await new Promise((resolve) => setTimeout(resolve, 10));
      project.write(
        'models/big.sql',
        `{{ config(materialized='materialized_view') }}
select customer, amount, taxed, doc::jsonb as doc from {{ source('shop', 'orders') }} where amount > 40
`,
      );
      await seg('run');
      const then = written;
      while (written < then + 30) await new Promise((resolve) => setTimeout(resolve, 10));
    } finally {
      writing = false;
      await Promise.allSettled(work);
      await Promise.all(writers.map((client) => client.end()));
    }
    await Promise.all(work);
    await seg('verify');
    expect(
      await rows(`SELECT customer, count(*) AS orders, sum(amount) AS amount FROM "Läden ""1"""."Ord'ers" GROUP BY 1
      EXCEPT ALL SELECT * FROM marts.by_customer`),
    ).toEqual([]);
    expect((await seg('run')).replace(/\s+/g, ' ')).toContain('NO-OP=2');
    expect(await traces()).toHaveLength(8);
  });

  test('is not written to, and models that need nothing of seg read it without triggers', async () => {
    const { status, log } = await project.seg('ingest shop.orders -', { stdin: '{"customer": "x"}\n' });
    expect({ status, log }).toMatchObject({
      status: 2,
      log: expect.stringContaining('error SEG520:') as string,
    });
    sources(`{name: orders, identifier: "Ord'ers", config: {existing: true}}`);
    expect(await seg('run', 1)).toMatch(
      /error SEG438: model "by_customer" is maintained and reads source "orders", an existing table on which seg may put no triggers/,
    );
    expect(await traces()).toHaveLength(8);
    for (const [name, kind] of [
      ['by_customer', 'view'],
      ['big', 'table'],
    ] as const)
      project.write(
        `models/${name}.sql`,
        project.read(`models/${name}.sql`).replace('materialized_view', kind),
      );
    await seg('run');
    expect(await traces()).toEqual([]);
    for (const [name, kind] of [
      ['by_customer', 'view'],
      ['big', 'table'],
    ] as const)
      project.write(
        `models/${name}.sql`,
        project.read(`models/${name}.sql`).replace(`'${kind}'`, "'materialized_view'"),
      );
    sources(ORDERS);
    await seg('run');
    expect(await traces()).toHaveLength(8);
  });

  test('that its owner changes meanwhile is read as it is then', async () => {
    const table = `"Läden ""1"""."Ord'ers"`;
    await owner.query(
      `ALTER TABLE ${table} DISABLE TRIGGER USER; INSERT INTO ${table} (customer, amount) VALUES ('unseen', 99)`,
    );
    expect((await project.seg('verify')).status).toBe(1);
    await seg('run');
    expect(await rows(`SELECT customer FROM marts.big WHERE customer = 'unseen'`)).toHaveLength(1);
    await owner.query(
      `INSERT INTO ${table} (customer, amount) VALUES ('seen', 99); ALTER TABLE ${table} ADD COLUMN note text`,
    );
    await expect(owner.query(`ALTER TABLE ${table} DROP COLUMN amount`)).rejects.toThrow(/depend/);
    await seg('verify');
    await owner.query(`DROP TABLE ${table} CASCADE; CREATE TABLE ${table} (customer text, amount numeric(12, 2), taxed int, doc json);
      GRANT ALL ON ${table} TO app; INSERT INTO ${table} VALUES ('new', 50, 1, '[]')`);
    await seg('run');
    await owner.query(`INSERT INTO ${table} VALUES ('newer', 60, 2, '[]')`);
    expect(await rows('SELECT customer, taxed FROM marts.big ORDER BY 1')).toEqual([
      { customer: 'new', taxed: 1 },
      { customer: 'newer', taxed: 2 },
    ]);
    await seg('verify');
  });

  test('is let go when the source goes, with its rows', async () => {
    project.write('models/sources.yml', 'sources: []\n');
    for (const name of ['by_customer', 'big']) project.write(`models/${name}.sql`, 'select 1 as one');
    expect(await seg('run')).toContain(
      'released source "orders", which is gone from the project: its table stays',
    );
    expect(await traces()).toEqual([]);
    expect(await rows(`SELECT FROM "Läden ""1"""."Ord'ers"`)).toHaveLength(2);
    project.write('models/by_customer.sql', MODEL);
    sources(ORDERS);
    await seg('run');
  });
});

/** A model on a table of the shop that seg is to follow: what `seg run` says. */
async function followed(identifier: string, table: string, status = 1): Promise<string> {
  sources(`{name: t, identifier: ${JSON.stringify(identifier)}, ${table}}`);
  project.write(
    'models/by_customer.sql',
    `{{ config(materialized='materialized_view') }}\nselect count(*) as n from {{ source('shop', 't') }}\n`,
  );
  return seg('run', status);
}
const FOLLOW = 'config: {existing: true, install: triggers}';

describe('what cannot be followed is refused, and nothing is changed', () => {
  beforeAll(async () => {
    await owner.query(`SET search_path = "Läden ""1""";
      CREATE VIEW v AS SELECT 1 AS a; CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
      CREATE TABLE parted (a int) PARTITION BY LIST (a); CREATE UNLOGGED TABLE part PARTITION OF parted FOR VALUES IN (1);
      CREATE TABLE parent (a int); CREATE UNLOGGED TABLE child (b int) INHERITS (parent);
      CREATE UNLOGGED TABLE fleeting (a int);
      CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER far FOREIGN DATA WRAPPER nothing; CREATE FOREIGN TABLE remote (a int) SERVER far;
      CREATE SEQUENCE s; RESET search_path`);
  });
  test.each([
    ['v', 'is a view', 'Declare the tables that it reads as sources'],
    ['m', 'is a materialized view', 'Declare the tables that it reads as sources'],
    ['parted', 'has partitions, parents or children of which one, .*part, is foreign', 'DETACH PARTITION'],
    ['parent', 'has partitions, parents or children of which one, .*child, is foreign', 'NO INHERIT'],
    ['fleeting', 'is unlogged', 'SET LOGGED'],
    ['remote', 'is a foreign table', 'Run seg where the table is'],
  ])('%s', async (name, problem, remedy) => {
    const log = await followed(name, FOLLOW);
    expect(log).toMatch(
      new RegExp(`error SEG436: source "t" cannot be followed by triggers: "Läden "1".${name}" ${problem}`),
    );
    expect(log).toContain(remedy);
    expect(log).toContain('models/sources.yml:5');
    expect(await rows(`SELECT FROM marts.by_customer`)).not.toHaveLength(0);
    // Read without triggers all of them can be.
    project.write('models/by_customer.sql', `select * from {{ source('shop', 't') }}\n`);
    sources(`{name: t, identifier: ${name}, config: {existing: true}}`);
    expect(await seg('compile')).not.toContain('error');
  });

  test('a name, a column or a type that is wrong', async () => {
    expect(await followed('Orders', FOLLOW)).toMatch(
      /error SEG435: source "t" is declared as existing, but there is no "Läden "1"\.Orders"[^]*did you mean "Ord'ers"/i,
    );
    expect(await followed('s', FOLLOW)).toContain('error SEG435');
    expect(await followed("Ord'ers", `${FOLLOW}, columns: [{name: customr}]`)).toMatch(
      /error SEG437: source "t" declares column "customr", which [^]*did you mean "customer"/i,
    );
    expect(await followed("Ord'ers", `${FOLLOW}, columns: [{name: amount, data_type: bigint}]`)).toMatch(
      /error SEG437: .* column "amount" as bigint, and in .* it is numeric\(12,2\)[^]*data_type: numeric\(12,2\)/,
    );
    expect(await followed("Ord'ers", `${FOLLOW}, columns: [{name: amount, data_type: wurst}]`)).toContain(
      'error SEG417',
    );
    expect(await followed("Ord'ers", 'config: {existing: true, install: rules}', 2)).toContain(
      'error SEG135',
    );
    expect(
      await followed("Ord'ers", `${FOLLOW}, columns: [{name: position, generated: position}]`, 2),
    ).toContain('error SEG134');
  });
});

describe('a role that is not the owner', () => {
  const table = `"Läden ""1"""."Ord'ers"`;
  const asWatcher = { user: 'watcher', schema: 'watched', state_schema: '_watched' };
  beforeAll(async () => {
    await owner.query(
      `DROP ROLE IF EXISTS watcher; CREATE ROLE watcher LOGIN; GRANT CREATE ON DATABASE "${DATABASE}" TO watcher`,
    );
    profile(asWatcher);
  });
  afterAll(async () => {
    profile();
    await owner.query('DROP OWNED BY watcher CASCADE; DROP ROLE watcher');
  });

  test('is told all that it lacks in one message, and lets go of what it has put there', async () => {
    const lacking = await followed("Ord'ers", FOLLOW);
    expect(lacking).toMatch(
      /error SEG840: source "t": user "watcher" lacks USAGE on the schema, SELECT, TRIGGER, (UPDATE|MAINTAIN) on /,
    );
    const grants = /run: (.*?;)(?: \(UPDATE|$)/m.exec(lacking)![1]!;
    await owner.query(grants);
    const before = await traces();
    await followed("Ord'ers", FOLLOW, 0);
    expect((await traces()).length).toBe(before.length + 8);
    // Two projects follow one table, and the application knows of neither.
    const app = await connect('app');
    await app.query(`INSERT INTO ${table} (customer, amount) VALUES ('both', 70)`);
    await app.query(`TRUNCATE ${table}`);
    await app.query(`INSERT INTO ${table} (customer, amount) VALUES ('after', 80)`);
    await app.end();
    const [{ n }] = (await rows(`SELECT count(*) AS n FROM ${table}`)) as [{ n: string }];
    expect(await rows('SELECT n FROM watched.by_customer')).toEqual([{ n }]);
    await seg('verify');
    project.write('models/by_customer.sql', 'select 1 as one');
    project.write('models/sources.yml', 'sources: []\n');
    expect(await seg('run')).toContain('released source "t"');
    expect(await traces()).toEqual(before);
    profile();
    project.write('models/by_customer.sql', MODEL);
    sources(ORDERS);
    await seg('run');
    await seg('verify');
    profile(asWatcher);
  });

  test('from whom rows are hidden', async () => {
    await owner.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
    expect(await followed("Ord'ers", FOLLOW)).toMatch(/error SEG436: .* has row-level security[^]*BYPASSRLS/);
    await owner.query(`ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`);
  });

  test('is told the indexes that the owner may make', async () => {
    sources('{name: t, identifier: "Ord\'ers", config: {existing: true, install: triggers}}');
    project.write(
      'models/by_customer.sql',
      `{{ config(materialized='materialized_view') }}
select a.customer, b.amount from {{ source('shop', 't') }} a join {{ source('shop', 't') }} b on a.amount = b.taxed
`,
    );
    const log = await seg('run');
    expect(log).toMatch(/an existing table as a whole, until its owner makes an index/);
    const statements = [...log.matchAll(/^ +(CREATE INDEX CONCURRENTLY .*;)$/gm)].map(([, text]) => text!);
    expect(statements.length).toBeGreaterThan(0);
    for (const statement of statements) await owner.query(statement);
    await seg('run --full-refresh');
    expect(await seg('run --full-refresh')).not.toContain('CREATE INDEX');
    await seg('verify');
  });
});

test('seg clean --database leaves the application alone with its tables', async () => {
  project.write('models/by_customer.sql', MODEL);
  project.write('models/own.sql', `select * from {{ source('own', 'visits') }}\n`);
  sources(ORDERS);
  project.write(
    'models/own.yml',
    `sources: [{name: own, tables: [{name: visits, columns: [{name: id, data_type: bigint}]}]}]\n`,
  );
  await seg('run');
  expect((await project.seg('ingest own.visits -', { stdin: '{"id": 1}\n' })).status).toBe(0);
  expect(await seg('clean --database', 1)).toMatch(/error SEG921: source "visits" holds ingested rows/);
  expect(await traces()).not.toEqual([]);
  const log = await seg('clean --database --drop-sources');
  expect(log).toContain('Released source "orders": its table stays');
  expect(log).toContain('Dropped source "visits"');
  expect(await traces()).toEqual([]);
  expect(
    await rows(`SELECT nspname::text, relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                WHERE nspname IN ('_seg', 'marts', 'watched') UNION ALL SELECT evtname::text, '' FROM pg_event_trigger`),
  ).toEqual([]);
  expect(await rows(`SELECT FROM "Läden ""1"""."Ord'ers"`)).not.toEqual([]);
  expect(await seg('clean --database')).toContain('Nothing is deployed.');
  await seg('run');
});
