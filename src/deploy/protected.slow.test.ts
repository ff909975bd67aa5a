/** What models read is protected; a deployment changes it all the same when the project says so. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SegError } from '../diagnostics/seg-error.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { loadFiles, show } from '../project/fixture.ts';
import { verify } from '../verify/verify.ts';
import { Deployer } from './deployer.ts';
import { isDeployable } from './spec.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
});
afterAll(() => db.close());
beforeEach(() => db.exec('DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA IF EXISTS app CASCADE'));

const sources = (...columns: string[]): string => `
sources:
  - name: shop
    tables:
      - name: orders
        config: {key: id}
        columns:
          - {name: id, data_type: integer}
${columns.map((column) => `          - {${column}}`).join('\n')}
`;
const base = sources('name: customer, data_type: text', 'name: amount, data_type: integer');
const model = (sql: string): string => `{{ config(materialized='materialized_view') }}\n${sql}`;
const totals = model(
  `select customer, sum(amount) as total from {{ source('shop', 'orders') }} group by customer`,
);
const big = model(`select customer from {{ ref('totals') }} where total > 10`);

/** @returns the errors of nodes, as file:line:column CODE message | hint */
async function deploy(files: Record<string, string>, prune = false): Promise<string[]> {
  const project = await loadFiles(files);
  const errors: string[] = [];
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof SegError)) throw error;
      errors.push(...error.diagnostics.map(show));
    }
  };
  await db
    .transaction(async (tx) => {
      const deployer = await Deployer.begin(tx, project);
      for (const source of Object.values(project.manifest.sources))
        await attempt(() => deployer.deploy(source));
      for (const id of project.graph.order()) {
        const node = project.manifest.nodes[id];
        if (node === undefined || !isDeployable(node) || node.resource_type === 'seed') continue;
        await attempt(() => deployer.deploy(node));
      }
      await deployer.finish({ prune });
    })
    .catch((error: unknown) => {
      if (!(error instanceof SegError)) throw error;
      errors.push(...error.diagnostics.map(show));
    });
  return errors;
}

async function expectVerified(): Promise<void> {
  for (const { name, missing, extra } of await verify(db))
    expect({ name, missing, extra }).toEqual({ name, missing: 0, extra: 0 });
}

const guards = async (): Promise<unknown[]> =>
  (
    await db.query<{ name: string }>(
      `SELECT relname::text AS name FROM pg_class WHERE relnamespace = '_seg'::regnamespace AND relkind = 'v' AND relname <> 'changed_family' ORDER BY 1`,
    )
  ).rows.map(({ name }) => name);

const project = { 'models/s.yml': base, 'models/totals.sql': totals, 'models/big.sql': big };

describe('by hand', () => {
  beforeEach(async () => {
    expect(await deploy(project)).toEqual([]);
  });

  test.each([
    [
      'ALTER TABLE app.orders DROP COLUMN amount',
      'view _seg."model app.totals" depends on column amount of table app.orders',
    ],
    ['DROP TABLE app.orders', 'view _seg."model app.totals" depends on table app.orders'],
    ['DROP VIEW app.totals', 'view _seg."model app.big" depends on view app.totals'],
    [
      'ALTER TABLE app.orders ALTER customer TYPE varchar(9)',
      'rule _RETURN on view _seg."model app.totals" depends on column "customer"',
    ],
  ])('%s', async (sql, detail) => {
    await expect(db.exec(sql)).rejects.toMatchObject({ detail });
  });

  test('a column is not renamed', async () => {
    await expect(db.exec('ALTER TABLE app.orders RENAME COLUMN amount TO sum')).rejects.toThrow(
      'column amount of app.orders cannot be renamed: it is read by model "totals" (app.totals, models/totals.sql)',
    );
  });
});

describe('by the project', () => {
  beforeEach(async () => {
    expect(await deploy(project)).toEqual([]);
  });

  test('a source with rows is not changed under its readers, which are named', async () => {
    await db.exec(`INSERT INTO app.orders VALUES (1, 'a', 11)`);
    const errors = await deploy({ ...project, 'models/s.yml': sources('name: customer, data_type: text') });
    expect(errors[0]).toContain(
      'column "amount" is gone, and it is read by model "totals" (app.totals, models/totals.sql)',
    );
    await expectVerified();
  });

  test('a column that a deployed model reads does not go from an empty source', async () => {
    const errors = await deploy({ ...project, 'models/s.yml': sources('name: customer, data_type: text') });
    expect(errors.join('\n')).toContain('model "totals": column "amount" does not exist');
    expect(errors.join('\n')).toContain('models/totals.sql:2:');
  });

  test('it goes with its last reader, and everything is protected again', async () => {
    const files = {
      'models/s.yml': sources('name: customer, data_type: text'),
      'models/totals.sql': model(
        `select customer, count(*) as total from {{ source('shop', 'orders') }} group by customer`,
      ),
      'models/big.sql': big,
    };
    expect(await deploy(files)).toEqual([]);
    expect(await guards()).toEqual(['model app.big', 'model app.totals']);
    await db.exec(`INSERT INTO app.orders SELECT i, 'a' FROM generate_series(1, 20) AS i`);
    await expectVerified();
    await expect(db.exec('ALTER TABLE app.orders DROP COLUMN customer')).rejects.toThrow(
      'cannot drop column',
    );
  });

  test('a model with other columns, another name, another kind; and what is pruned leaves no guard', async () => {
    const wider = model(
      `select customer, customer as who, sum(amount) as total from {{ source('shop', 'orders') }} group by customer`,
    );
    expect(await deploy({ ...project, 'models/totals.sql': wider })).toEqual([]);
    expect(await deploy({ ...project, 'models/totals.sql': `{{ config(alias='sums') }}${wider}` })).toEqual(
      [],
    );
    expect(await guards()).toEqual(['model app.big', 'model app.sums']);
    expect(
      await deploy({
        ...project,
        'models/totals.sql': `{{ config(materialized='table') }}${totals.split('\n')[1]!}`,
      }),
    ).toEqual([]);
    expect(await guards()).toEqual(['model app.big']);
    expect(await deploy(project)).toEqual([]);
    await db.exec(`INSERT INTO app.orders VALUES (1, 'a', 11)`);
    await expectVerified();
    expect(await deploy({ 'models/s.yml': base }, true)).toEqual([]);
    expect(await guards()).toEqual([]);
    await db.exec('ALTER TABLE app.orders RENAME COLUMN amount TO sum');
  });

  test('through a plain view', async () => {
    const files = {
      'models/s.yml': base,
      'models/plain.sql': `{{ config(materialized='view') }} select id, customer, amount from {{ source('shop', 'orders') }}`,
      'models/totals.sql': model(
        `select customer, sum(amount) as total from {{ ref('plain') }} group by customer`,
      ),
    };
    expect(await deploy(files)).toEqual([]);
    await expect(db.exec('ALTER TABLE app.orders RENAME COLUMN amount TO sum')).rejects.toThrow(
      'model "totals"',
    );
    const narrower = {
      ...files,
      'models/plain.sql': `{{ config(materialized='view') }} select customer, amount from {{ source('shop', 'orders') }}`,
    };
    expect(await deploy(narrower)).toEqual([]);
    await db.exec(`INSERT INTO app.orders VALUES (1, 'a', 11)`);
    await expectVerified();
  });
});

describe('a model that cannot be kept is refused with its place', () => {
  test.each([
    [
      `select id, shop.wrap(amount) as a from {{ source('shop', 'orders') }}`,
      'models/m.sql:2:12 SEG404 model "m" calls the volatile function shop.wrap(integer)',
    ],
    [
      `select id,\n random() as a from {{ source('shop', 'orders') }}`,
      'models/m.sql:3:2 SEG404 model "m" calls the volatile function random()',
    ],
    [
      `select id, amount::text::json as a from {{ source('shop', 'orders') }}`,
      'SEG405 column "a" of model "m" has type json, whose values cannot be compared | Use jsonb',
    ],
    [
      `select id, amount as id from {{ source('shop', 'orders') }}`,
      'SEG407 model "m": column "id" specified more than once | Give every column',
    ],
    [`select id from app.m`, 'SEG415 model "m" reads itself'],
  ])('%s', async (sql, message) => {
    await db.exec(`DROP SCHEMA IF EXISTS shop CASCADE; CREATE SCHEMA shop;
      CREATE FUNCTION shop.wrap(int) RETURNS int LANGUAGE sql AS 'SELECT (random() * $1)::int'`);
    const errors = await deploy({ 'models/s.yml': base, 'models/m.sql': model(sql) });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(message);
    expect((await db.query(`SELECT to_regclass('app.m') AS there`)).rows).toEqual([{ there: null }]);
  });
});
