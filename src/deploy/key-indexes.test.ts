/** A row is found by its key at the cost of one row, however the model is kept and whatever the key's types are. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Connection } from '../engines/connection.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { readRow } from '../serve/read-model.ts';
import { deployWith } from '../sinks/fixture.ts';
import { readDeployedNode } from '../state/nodes.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
}, 120_000);
afterAll(() => db.close());

const rows = 3000;
const source = `
sources:
  - name: shop
    tables:
      - name: users
        config: {key: id}
        columns:
          - {name: id, data_type: bigint}
          - {name: email, data_type: text}
          - {name: code, data_type: varchar(6)}
          - {name: tenant, data_type: integer}
          - {name: amount, data_type: numeric}
          - {name: flags, data_type: bit(16)}
          - {name: soft, data_type: soft_text}
`;
const view = (key: string, query: string): string =>
  `{{ config(materialized='materialized_view', unique_key=${key}) }}\n${query.replaceAll('users', "{{ source('shop', 'users') }}")}`;

/** Of each model its key of row 7, as a URL has it. */
const models: Readonly<Record<string, readonly [sql: string, ...key: string[]]>> = {
  kept: [view("'id'", 'select id, email from users where tenant >= 0'), '7'],
  two_columns: [view("['id', 'tenant']", 'select tenant, id from users'), '7', '7'],
  watched: [view("'email'", 'select id, email from users'), 'user7@example.com'],
  watched_short: [view("'code'", 'select id, code from users'), 'c7'],
  watched_bits: [view("'flags'", 'select id, flags from users'), '0000000000000111'],
  watched_soft: [view("'soft'", 'select id, soft from users'), 'soft7'],
  grouped: [view("'email'", 'select email, count(*) as n from users group by email'), 'user7@example.com'],
  grouped_by_two: [
    view("['email', 'amount']", 'select amount, email, count(*) as n from users group by amount, email'),
    'user7@example.com',
    '7.5',
  ],
  recomputed: [
    view("['email', 'amount']", 'select distinct on (email) email, amount, id from users order by email, id'),
    'user7@example.com',
    '7.50',
  ],
};

async function deploy(files: Readonly<Record<string, string>>): Promise<void> {
  await deployWith(db, '  []\n', {
    files: {
      'models/sources.yml': source,
      'models/totals.sql': 'select 1 as one',
      'models/big.sql': 'select 1 as one',
      'tests/none_free.sql': 'select 1 where false',
      ...files,
    },
  });
}

/** What a read by key answers, and how it was executed. */
async function find(
  model: string,
  key: readonly string[],
): Promise<{ row: string | undefined; plan: string }> {
  const node = (await readDeployedNode(
    db,
    '_seg',
    [...(await ids())].find((id) => id.endsWith(`.${model}`))!,
  ))!;
  let plan = '';
  const watched: Connection = {
    ...({} as Connection),
    query: async (sql: string, params?: readonly unknown[]) => {
      const explained = await db.query<Record<string, string>>(`EXPLAIN ${sql}`, params);
      plan = explained.rows.map((line) => Object.values(line)[0]).join('\n');
      return db.query(sql, params) as never;
    },
  };
  return { row: await readRow(watched, node, key), plan };
}

async function ids(): Promise<string[]> {
  return (await db.query<{ id: string }>('SELECT unique_id AS id FROM _seg.node')).rows.map(({ id }) => id);
}

test('by an index', async () => {
  await db.exec(
    "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false); CREATE DOMAIN soft_text AS text COLLATE loose",
  );
  await deploy(
    Object.fromEntries(Object.entries(models).map(([name, [sql]]) => [`models/${name}.sql`, sql])),
  );
  await db.exec(
    `INSERT INTO app.users SELECT n, 'user' || n || '@example.com', 'c' || n, n, n + 0.5, n::bit(16), 'soft' || n FROM generate_series(1, ${rows}) AS n;
     ANALYZE`,
  );
  for (const [model, [, ...key]] of Object.entries(models)) {
    const { row, plan } = await find(model, key);
    expect(row ?? '', `${model}\n${plan}`).toMatch(/7/);
    expect(plan, `${model}\n${plan}`).toMatch(/Index/);
    expect(plan, `${model}\n${plan}`).not.toMatch(/Seq Scan/);
  }
});

test('no row is found by a longer value than the column takes', async () => {
  expect((await find('watched_short', ['c77777'])).row).toBeUndefined();
  await db.exec("UPDATE app.users SET code = 'abcdef' WHERE id = 1");
  expect((await find('watched_short', ['abcdef'])).row).toContain('"id": 1'.replace(' ', ''));
  expect((await find('watched_short', ['abcdefg'])).row).toBeUndefined();
});

test('a value that no index entry could hold does not stop its writer', async () => {
  const random = "(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 500) AS n)";
  await db.exec(
    `INSERT INTO app.users (id, email, amount) VALUES (0, ${random}, ('9' || repeat('1234567', 3000))::numeric)`,
  );
  const { rows: found } = await db.query<{ email: string }>('SELECT email FROM app.users WHERE id = 0');
  expect((await find('watched', [found[0]!.email])).row).toContain('"id":0');
  expect((await find('grouped', [found[0]!.email])).row).toContain('"n":1');
});

test('one that is declared serves, and an index that is not needed any more goes', async () => {
  const names = async (): Promise<string[]> =>
    (
      await db.query<{ name: string }>(
        "SELECT indexname AS name FROM pg_indexes WHERE schemaname = '_seg' AND indexname LIKE 'seg find%kept%'",
      )
    ).rows.map(({ name }) => name);
  expect(await names()).toHaveLength(1);
  await deploy({
    ...Object.fromEntries(Object.entries(models).map(([name, [sql]]) => [`models/${name}.sql`, sql])),
    'models/kept.sql': models['kept']![0].replace(
      "unique_key='id'",
      "unique_key='id', indexes=[{'columns': ['id']}]",
    ),
  });
  expect(await names()).toEqual([]);
  expect((await find('kept', ['7'])).plan).toMatch(/Index/);
});
