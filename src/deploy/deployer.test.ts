/** What a redeployment changes, keeps and records; on the embedded engine, with real projects. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { JsonValue } from '../changelog/change.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { currentPosition, readChanges, readSnapshot } from '../feeds/feed.ts';
import { loadFiles } from '../project/fixture.ts';
import type { Project } from '../project/load.ts';
import { verify } from '../verify/verify.ts';
import { Deployer } from './deployer.ts';
import { keepChangelog } from './keep-changes.ts';
import type { NodeOutcome } from './outcome.ts';
import { isDeployable } from './spec.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
});
afterAll(() => db.close());
beforeEach(() => db.exec('DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA IF EXISTS app CASCADE'));

const sources = `
sources:
  - name: shop
    tables:
      - name: orders
        config: {key: id}
        columns:
          - {name: id, data_type: integer}
          - {name: customer, data_type: text}
          - {name: amount, data_type: numeric}
`;
const totals = `{{ config(materialized='materialized_view', unique_key='customer', changelog=true) }}
select customer, count(*) as orders, sum(amount) as total from {{ source('shop', 'orders') }} group by customer`;
const base = { 'models/sources.yml': sources, 'models/totals.sql': totals };

/** Deploys the nodes of a project (all, or those named), as `seg run` would; a failing node is undone alone. */
async function deploy(
  files: Record<string, string>,
  options: { only?: string[]; prune?: boolean } = {},
): Promise<{ outcomes: Record<string, NodeOutcome>; errors: Record<string, string>; project: Project }> {
  const project = await loadFiles(files);
  const outcomes: Record<string, NodeOutcome> = {};
  const errors: Record<string, string> = {};
  await db.transaction(async (tx) => {
    const deployer = await Deployer.begin(tx, project);
    for (const source of Object.values(project.manifest.sources)) await deployer.deploy(source);
    for (const id of project.graph.order()) {
      const node = project.manifest.nodes[id];
      if (node === undefined || !isDeployable(node) || node.resource_type === 'seed') continue;
      if (options.only !== undefined && !options.only.includes(node.name)) continue;
      try {
        outcomes[node.name] = await deployer.deploy(node);
      } catch (error) {
        if (!(error instanceof SegError)) throw error;
        errors[node.name] = error.message;
      }
    }
    for (const outcome of await deployer.finish(options))
      outcomes[outcome.uniqueId.split('.').at(-1)!] ??= outcome;
  });
  return { outcomes, errors, project };
}

async function rows(relation: string): Promise<unknown[]> {
  return (await db.query(`SELECT * FROM app.${relation} ORDER BY 1`)).rows;
}

async function order(id: number, customer: string, amount: number): Promise<void> {
  await db.query('INSERT INTO app.orders (id, customer, amount) VALUES ($1, $2, $3)', [id, customer, amount]);
}

async function expectVerified(): Promise<void> {
  for (const { name, missing, extra } of await verify(db))
    expect({ name, missing, extra }).toEqual({ name, missing: 0, extra: 0 });
}

describe('a model that is the same', () => {
  test('is left alone', async () => {
    await deploy(base);
    const { outcomes } = await deploy(base);
    expect(outcomes['totals']!.action).toBe('unchanged');
  });

  test("is maintained in the writer's transaction and refuses writes of its own", async () => {
    await deploy(base);
    await order(1, 'ann', 5);
    await order(2, 'ann', 7);
    expect(await rows('totals')).toEqual([{ customer: 'ann', orders: 2, total: '12' }]);
    await expect(db.exec('DELETE FROM app.totals')).rejects.toThrow('is maintained by seg');
  });
});

describe('a model with another definition', () => {
  const positive = { ...base, 'models/totals.sql': totals.replace('group by', 'where amount > 5 group by') };

  test('moves by the difference, and so does its change feed', async () => {
    await deploy(base);
    await order(1, 'ann', 5);
    await order(2, 'ann', 7);
    await order(3, 'bob', 1);
    const from = await currentPosition(db);
    const { outcomes } = await deploy(positive);
    expect(outcomes['totals']).toMatchObject({ action: 'changed', inserted: 1, deleted: 2, reshaped: false });
    const batches = await readChanges(db, 'model.shop.totals', from);
    expect(batches.map(({ changes }) => changes)).toEqual([
      [
        {
          op: 'delete',
          key: { customer: 'bob' },
          row: null,
          before: { customer: 'bob', orders: 1, total: 1 },
        },
        {
          op: 'update',
          key: { customer: 'ann' },
          row: { customer: 'ann', orders: 1, total: 7 },
          before: { customer: 'ann', orders: 2, total: 12 },
        },
      ],
    ]);
    await order(4, 'bob', 9);
    expect(await rows('totals')).toEqual([
      { customer: 'ann', orders: 1, total: '7' },
      { customer: 'bob', orders: 1, total: '9' },
    ]);
    await expectVerified();
  });

  test('and other columns is put in the place of the old one; the feed goes from old rows to new ones', async () => {
    await deploy(base);
    await order(1, 'ann', 5);
    const from = await currentPosition(db);
    const wider = {
      ...base,
      'models/totals.sql': totals.replace('count(*) as orders', 'count(*) as orders, max(amount) as biggest'),
    };
    const { outcomes } = await deploy(wider);
    expect(outcomes['totals']).toMatchObject({ action: 'changed', reshaped: true, rows: 1 });
    expect((await readChanges(db, 'model.shop.totals', from))[0]!.changes).toEqual([
      {
        op: 'update',
        key: { customer: 'ann' },
        row: { customer: 'ann', orders: 1, biggest: 5, total: 5 },
        before: { customer: 'ann', orders: 1, total: 5 },
      },
    ]);
    await order(2, 'ann', 9);
    expect(await rows('totals')).toEqual([{ customer: 'ann', orders: 2, biggest: '9', total: '14' }]);
    await expectVerified();
  });

  test('that fails leaves the old one, still maintained', async () => {
    await deploy(base);
    await order(1, 'ann', 5);
    const broken = { ...base, 'models/totals.sql': totals.replace('sum(amount)', 'sum(amount) / 0') };
    const { errors } = await deploy(broken);
    expect(errors).toEqual({ totals: 'model "totals": division by zero' });
    await order(2, 'ann', 9);
    expect(await rows('totals')).toEqual([{ customer: 'ann', orders: 2, total: '14' }]);
  });
});

describe('what reads a changed model', () => {
  const chain = {
    ...base,
    'models/stg.sql':
      "{{ config(materialized='view') }} select * from {{ source('shop', 'orders') }} where amount > 0",
    'models/outer_view.sql': "{{ config(materialized='view') }} select * from {{ ref('stg') }}",
    'models/big.sql': `{{ config(materialized='materialized_view') }} select * from {{ ref('outer_view') }} where amount >= 10`,
  };

  test('through views follows when only the rows differ, also when it was not selected', async () => {
    await deploy(chain);
    await order(1, 'ann', 15);
    await order(2, 'bob', 30);
    const narrower = { ...chain, 'models/stg.sql': chain['models/stg.sql'].replace('> 0', '> 20') };
    const { outcomes } = await deploy(narrower, { only: ['stg'] });
    expect(outcomes['big']).toMatchObject({ action: 'refreshed', inserted: 0, deleted: 1 });
    expect(await rows('big')).toEqual([{ id: 2, customer: 'bob', amount: '30' }]);
    await order(3, 'eve', 50);
    expect(await rows('big')).toHaveLength(2);
    await expectVerified();
  });

  test('through views follows when the columns differ', async () => {
    await deploy(chain);
    await order(1, 'ann', 15);
    const renamed = {
      ...chain,
      'models/stg.sql': chain['models/stg.sql'].replace(
        'select *',
        'select id, amount, upper(customer) as who',
      ),
    };
    await deploy(renamed, { only: ['stg'] });
    expect(await rows('big')).toEqual([{ id: 1, amount: '15', who: 'ANN' }]);
    expect(await rows('outer_view')).toEqual([{ id: 1, amount: '15', who: 'ANN' }]);
    await order(2, 'bob', 30);
    expect(await rows('big')).toHaveLength(2);
    await expectVerified();
  });

  test('and would break stops the whole run, and nothing is changed', async () => {
    await deploy(chain);
    await order(1, 'ann', 15);
    const without = {
      ...chain,
      'models/stg.sql': chain['models/stg.sql'].replace('select *', 'select id, customer'),
    };
    await expect(deploy(without, { only: ['stg'] })).rejects.toThrow('column "amount" does not exist');
    await order(2, 'bob', 30);
    expect(await rows('big')).toHaveLength(2);
    await expectVerified();
  });
});

describe('sources', () => {
  test('grow columns, and keep their rows', async () => {
    await deploy(base);
    await order(1, 'ann', 5);
    const grown = { ...base, 'models/sources.yml': `${sources}          - {name: note, data_type: text}\n` };
    await deploy(grown);
    expect(await rows('orders')).toEqual([{ id: 1, customer: 'ann', amount: '5', note: null }]);
  });

  test('that hold rows do not lose or change a column', async () => {
    await deploy(base);
    await order(1, 'ann', 5);
    const changed = {
      ...base,
      'models/sources.yml': sources.replace('data_type: numeric', 'data_type: text'),
    };
    await expect(deploy(changed)).rejects.toThrow('column "amount" was numeric and is now text');
  });

  test('an upstream shape change reaches a view and a maintained model that were not selected', async () => {
    await deploy({ ...base, 'models/v.sql': "select * from {{ source('shop', 'orders') }}" });
    const changed = {
      ...base,
      'models/v.sql': "select * from {{ source('shop', 'orders') }}",
      'models/sources.yml': sources.replace('data_type: numeric', 'data_type: bigint'),
    };
    await deploy(changed, { only: [] });
    await order(1, 'ann', 5);
    expect(await rows('v')).toEqual([{ id: 1, customer: 'ann', amount: 5 }]);
    expect(await rows('totals')).toEqual([{ customer: 'ann', orders: 1, total: '5' }]);
    await expectVerified();
  });
});

describe('what is gone from the project', () => {
  test('is reported, and dropped with prune, triggers and programs too', async () => {
    await deploy(base);
    const { 'models/totals.sql': _, ...rest } = base;
    expect((await deploy(rest)).outcomes['totals']!.action).toBe('orphaned');
    await order(1, 'ann', 5);
    expect(await rows('totals')).toHaveLength(1);
    expect((await deploy(rest, { prune: true })).outcomes['totals']!.action).toBe('dropped');
    await order(2, 'ann', 5);
    const { rows: left } = await db.query(
      "SELECT count(*) AS programs, (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'seg\\_%') AS triggers FROM _seg.program",
    );
    expect(left).toEqual([{ programs: 0, triggers: 0 }]);
  });
});

test('a source that is gone keeps its rows, also with prune; an empty one goes', async () => {
  const two = `${sources}      - name: notes\n        columns: [{name: id, data_type: integer}]\n`;
  await deploy({ 'models/sources.yml': two });
  await order(1, 'ann', 5);
  const { outcomes } = await deploy({ 'models/sources.yml': 'version: 2\n' }, { prune: true });
  expect(outcomes['orders']!.action).toBe('orphaned');
  expect(outcomes['notes']!.action).toBe('dropped');
  expect(await rows('orders')).toHaveLength(1);
});

describe('feeds', () => {
  test('can be switched on without a rebuild; positions before that are refused', async () => {
    const quiet = { ...base, 'models/totals.sql': totals.replace(', changelog=true', '') };
    const { project } = await deploy(quiet);
    const early = await currentPosition(db);
    await order(1, 'ann', 5);
    await keepChangelog(db, project, ['model.shop.totals']);
    const { position, rows: snapshot } = await readSnapshot(db, 'model.shop.totals');
    expect(snapshot).toEqual([{ customer: 'ann', orders: 1, total: 5 }]);
    await db.transaction(async (tx) => {
      await tx.exec(
        "INSERT INTO app.orders VALUES (2, 'bob', 1); INSERT INTO app.orders VALUES (3, 'bob', 1)",
      );
      await tx.exec('DELETE FROM app.orders WHERE id = 3');
    });
    const changes: JsonValue = (await readChanges(db, 'model.shop.totals', position)).map(
      (batch) => batch.changes,
    ) as unknown as JsonValue;
    expect(changes).toEqual([
      [
        {
          op: 'insert',
          key: { customer: 'bob' },
          row: { customer: 'bob', orders: 1, total: 1 },
          before: null,
        },
      ],
    ]);
    await expect(readChanges(db, 'model.shop.totals', early)).rejects.toThrow('are not kept');
    // Still on after another deployment.
    await deploy({
      ...quiet,
      'models/totals.sql': quiet['models/totals.sql'].replace('count(*)', 'count(id)'),
    });
    await order(9, 'zoe', 1);
    expect(await readChanges(db, 'model.shop.totals', position)).toHaveLength(2);
  });
});

test('the kind of a model may change', async () => {
  await deploy({
    ...base,
    'models/down.sql':
      "{{ config(materialized='materialized_view') }} select customer from {{ ref('totals') }}",
  });
  await order(1, 'ann', 5);
  for (const kind of ['view', 'table', 'materialized_view', 'table', 'view', 'materialized_view']) {
    const files = {
      ...base,
      'models/totals.sql': totals.replace('materialized_view', kind),
      'models/down.sql':
        "{{ config(materialized='materialized_view') }} select customer from {{ ref('totals') }}",
    };
    await deploy(files);
    expect(await rows('totals')).toEqual([{ customer: 'ann', orders: 1, total: '5' }]);
    await expectVerified();
  }
  await order(2, 'bob', 5);
  expect(await rows('down')).toHaveLength(2);
  await expectVerified();
});

test('names may hold quotes, blanks, capitals, and be longer than PostgreSQL takes', async () => {
  const odd = `We"ird' Näme ${'x'.repeat(60)}`.slice(0, 50);
  const files = {
    ...base,
    'models/totals.sql': totals.replace(
      "unique_key='customer'",
      `unique_key='customer', alias="${odd.replaceAll('"', '\\"')}"`,
    ),
    [`models/${'long_'.repeat(12)}a.sql`]: `{{ config(materialized='materialized_view') }} select customer as "Cu""st", amount as "select" from {{ source('shop', 'orders') }}`,
  };
  const { errors } = await deploy(files);
  expect(errors).toEqual({});
  await order(1, 'ann', 5);
  await expectVerified();
  expect(await rows(`"${odd.replaceAll('"', '""')}"`)).toHaveLength(1);
});
