/** Keys that do not follow from a model's query are watched as rows change; what is proven costs nothing. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { currentPosition, readChanges, readSnapshot } from '../feeds/feed.ts';
import { deployWith, syncOnce, TestReceiver } from '../sinks/fixture.ts';
import { ambiguousKeys, verifyKeys } from '../verify/unique-keys.ts';

let db: PGliteDatabase;
const receiver = new TestReceiver();
beforeAll(async () => {
  db = await openMemoryDatabase();
  await receiver.start();
}, 120_000);
afterAll(async () => {
  await receiver.stop();
  await db.close();
});
beforeEach(async () => {
  receiver.reset();
  await db.exec('DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA IF EXISTS app CASCADE');
});

const source = `
sources:
  - name: shop
    tables:
      - name: users
        config: {key: id}
        columns:
          - {name: position, data_type: bigint, generated: position}
          - {name: id, data_type: integer}
          - {name: email, data_type: text}
          - {name: tenant, data_type: integer}
          - {name: doc, data_type: bit(8)}
`;
const view = (key: string, query: string, materialized = 'materialized_view'): string =>
  `{{ config(materialized='${materialized}', unique_key=${key}, changelog=${materialized === 'materialized_view' ? 'true' : 'false'}) }}\n${query.replaceAll('users', "{{ source('shop', 'users') }}")}`;
const deploy = (files: Record<string, string>, sinks = '  []\n') =>
  deployWith(db, sinks, {
    files: {
      'models/sources.yml': source,
      'models/totals.sql': 'select 1 as one',
      'models/big.sql': 'select 1 as one',
      'tests/none_free.sql': 'select 1 where false',
      ...files,
    },
  });
const user = (id: number, email: string | null, tenant: number | null = 1): Promise<unknown> =>
  db.query('INSERT INTO app.users (id, email, tenant) VALUES ($1, $2, $3)', [id, email, tenant]);
const now = async (): Promise<string[]> =>
  (await ambiguousKeys(db, '_seg', new Set()))
    .map(({ name, count, samples }) => `${name} ${count} ${samples.join(' ')}`)
    .sort();

test('a key that no column has is refused by name', async () => {
  await expect(
    deploy({ 'models/wrong.sql': view("'emial'", 'select id, email from users') }),
  ).rejects.toThrow(/unknown column "emial" in the unique_key of model "wrong"/);
});

describe('a key', () => {
  test('that the plan proves is not watched', async () => {
    await deploy({
      'models/kept.sql': view("'id'", 'select id, email from users where tenant > 0'),
      'models/grouped.sql': view(
        "['tenant', 'email']",
        'select tenant, email, count(*) as n from users group by 1, 2',
      ),
      'models/once.sql': view("'email'", 'select distinct email from users'),
      'models/newest.sql': view(
        "'tenant'",
        'select distinct on (tenant) tenant, id from users order by tenant, id desc',
      ),
      'models/joined.sql': view(
        "'id'",
        'select a.id, b.email from users as a join users as b on b.id = a.tenant',
      ),
    });
    expect((await db.query('SELECT node FROM _seg.watched_key')).rows).toEqual([]);
  });

  test('is watched as rows come, change and go', async () => {
    await deploy({
      'models/people.sql': view("'email'", 'select email, id, tenant from users'),
      'models/pairs.sql': view("['tenant', 'email']", 'select email, id, tenant from users'),
      'models/docs.sql': view("'doc'", 'select doc, id from users'),
      'models/asked.sql': `{{ config(materialized='materialized_view', unique_key='email', maintenance='recompute') }} select email, id from {{ source('shop', 'users') }}`,
    });
    await user(1, 'a');
    await user(2, 'b');
    expect(await now()).toEqual(['docs 1 {"doc":null}']);
    await db.exec(`UPDATE app.users SET doc = id::bit(8)`);
    expect(await now()).toEqual([]);
    await user(3, 'a', 2);
    await db.exec(`UPDATE app.users SET doc = 3::bit(8) WHERE id = 3`);
    expect(await now()).toEqual(['asked 1 {"email":"a"}', 'people 1 {"email":"a"}']);
    await user(4, null, null);
    await db.exec(`UPDATE app.users SET doc = 4::bit(8) WHERE id = 4`);
    await db.exec(
      `INSERT INTO app.users (id, email, doc) VALUES (5, NULL, 5::bit(8)), (6, 'b', 6::bit(8)), (7, 'b', 7::bit(8))`,
    );
    expect(await now()).toEqual([
      'asked 3 {"email":"a"} {"email":"b"} {"email":null}',
      'pairs 2 {"tenant":null,"email":"b"} {"tenant":null,"email":null}',
      'people 3 {"email":"a"} {"email":"b"} {"email":null}',
    ]);
    expect((await verifyKeys(db)).map(({ name, count }) => `${name} ${count}`).sort()).toEqual([
      'asked 3',
      'pairs 2',
      'people 3',
    ]);
    await db.exec(
      `UPDATE app.users SET email = email || id WHERE id > 1; DELETE FROM app.users WHERE id = 5`,
    );
    expect(await now()).toEqual([]);
    await db.exec(`INSERT INTO app.users (id, email, doc) VALUES (8, 'a', 8::bit(8))`);
    expect(await now()).toHaveLength(2);
    await db.exec('TRUNCATE app.users');
    expect(await now()).toEqual([]);
  });

  test('is known when it is declared on rows that are there, and forgotten with its model', async () => {
    const people = (key: string) => ({ 'models/people.sql': view(key, 'select email, id from users') });
    await deploy(people("'id'"));
    await user(1, 'a');
    await user(2, 'a');
    expect(await now()).toEqual([]);
    await deploy(people("'email'"));
    expect(await now()).toEqual(['people 1 {"email":"a"}']);
    await deploy(people("'id'"));
    expect(await now()).toEqual([]);
    expect((await db.query('SELECT node FROM _seg.watched_key')).rows).toEqual([]);
  });

  test('of views and tables is read when it is verified, or built', async () => {
    const project = await deploy({
      'models/plain.sql': view("'email'", 'select email, id from users', 'view'),
      'models/copied.sql': view(
        "'email'",
        "select email, id from users union all select 'x', n from generate_series(1, 2) as n",
        'table',
      ),
    });
    await user(1, 'a');
    await user(2, 'a');
    expect((await verifyKeys(db)).map(({ message }) => message)).toEqual([
      'the unique_key of model "copied" (email) is not unique: one value stands in several rows ({"email":"x"})',
      'the unique_key of model "plain" (email) is not unique: one value stands in several rows ({"email":"a"})',
    ]);
    const built = await ambiguousKeys(db, '_seg', new Set([`model.${project.name}.plain`]));
    expect(built.map(({ name }) => name)).toEqual(['plain']);
  });
});

test('a feed by a key that is not unique says so, and goes on behind it', async () => {
  const project = await deploy({ 'models/people.sql': view("'email'", 'select email, id from users') });
  const model = `model.${project.name}.people`;
  const start = await currentPosition(db);
  await user(1, 'a');
  const unique = await currentPosition(db);
  await user(2, 'a');
  await expect(readChanges(db, model, start)).rejects.toThrow(
    /unique_key of model "people" \(email\) is not unique/,
  );
  await expect(readSnapshot(db, model)).rejects.toMatchObject({ diagnostics: [{ code: 'SEG717' }] });
  expect(await readChanges(db, model, start, { until: unique })).toHaveLength(1);
  await db.exec('DELETE FROM app.users WHERE id = 1');
  const mended = await readSnapshot(db, model);
  expect(mended.rows).toEqual([{ email: 'a', id: 2 }]);
  await user(3, 'b');
  expect(await readChanges(db, model, mended.position)).toHaveLength(1);
  await expect(readChanges(db, model, start)).rejects.toMatchObject({ diagnostics: [{ code: 'SEG717' }] });
});

describe('a sink', () => {
  const hook = (more: string): string =>
    `  - {name: hook, from: people${more}, type: webhook, config: {url: "${receiver.url}/in"}}\n`;

  test.each([
    ['by the unique_key', "'email'", ', mode: mirror'],
    ['by a key of its own', "'id'", ', mode: mirror, primary_key: [email]'],
    ['of rows without a key', 'none', ', mode: upsert, primary_key: [email]'],
    ['with a condition', "'email'", ', mode: mirror, where: "id > 0"'],
  ])('%s is broken while two rows have one key, and loses none', async (_, key, more) => {
    const people = view(key, 'select email, id from users');
    const project = await deploy({ 'models/people.sql': people }, hook(more));
    await user(1, 'a');
    expect((await syncOnce(db, project)).summaries['hook']).toMatchObject({ status: 'ok', sent: 1 });
    await user(2, 'a');
    await user(3, 'b');
    const broken = await syncOnce(db, project);
    expect(broken.summaries['hook']).toMatchObject({ status: 'broken', sent: 0 });
    expect(broken.summaries['hook']!.message).toMatch(
      /the key of sink "hook" \(email\) is not unique: one value stands/,
    );
    await db.exec('DELETE FROM app.users WHERE id = 1');
    expect((await syncOnce(db, project)).summaries['hook']).toMatchObject({ status: 'ok', sent: 2 });
    expect(receiver.changes().map(({ row }) => row)).toEqual(
      expect.arrayContaining([
        { email: 'a', id: 1 },
        { email: 'a', id: 2 },
        { email: 'b', id: 3 },
      ]),
    );
    await db.exec(
      "DELETE FROM app.users WHERE email = 'b'; INSERT INTO app.users (id, email) VALUES (4, 'b')",
    );
    await db.exec("DELETE FROM app.users WHERE email = 'a'");
    await syncOnce(db, project);
    await user(5, 'a');
    expect((await syncOnce(db, project)).summaries['hook']).toMatchObject({ status: 'ok', sent: 1 });
  });

  test('that begins with two rows of one key is broken', async () => {
    for (const [key, more] of [
      ["'email'", ', mode: mirror'],
      ['none', ', mode: mirror, primary_key: [email]'],
    ] as const) {
      await db.exec('DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA IF EXISTS app CASCADE');
      const project = await deploy(
        { 'models/people.sql': view(key, 'select email, id from users') },
        hook(more),
      );
      await user(1, 'a');
      await user(2, 'a');
      expect((await syncOnce(db, project)).summaries['hook']).toMatchObject({ status: 'broken', sent: 0 });
    }
    expect(receiver.requests).toEqual([]);
  });
});
