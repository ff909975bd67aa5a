/** Nodes that change their place or their name, and what must not be lost by it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SegError } from '../diagnostics/seg-error.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { currentPosition, readChanges } from '../feeds/feed.ts';
import { loadFiles } from '../project/fixture.ts';
import type { Project } from '../project/load.ts';
import { verify } from '../verify/verify.ts';
import { Deployer } from './deployer.ts';
import { isDeployable } from './spec.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
});
afterAll(() => db.close());
beforeEach(() =>
  db.exec(
    'DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA IF EXISTS app CASCADE; DROP SCHEMA IF EXISTS app_mart CASCADE; DROP SCHEMA IF EXISTS raw CASCADE',
  ),
);

const sources = `
sources:
  - name: shop
    tables:
      - name: orders
        config: {key: id}
        columns:
          - {name: position, data_type: bigint, generated: position}
          - {name: id, data_type: integer}
          - {name: amount, data_type: numeric}
`;
const total = `{{ config(materialized='materialized_view', changelog=true) }} select sum(amount) as total from {{ source('shop', 'orders') }}`;
const reader = `{{ config(materialized='materialized_view') }} select total + 1 as more from {{ ref('total') }}`;
const base = {
  'models/sources.yml': sources,
  'models/total.sql': total,
  'models/v.sql': "select * from {{ ref('total') }}",
  'models/reader.sql': reader,
};

async function deploy(
  files: Record<string, string>,
  options: { prune?: boolean; only?: string[]; change?: (project: Project) => Project } = {},
): Promise<{ actions: Record<string, string>; errors: Record<string, SegError> }> {
  const loaded = await loadFiles(files);
  const project = options.change?.(loaded) ?? loaded;
  const actions: Record<string, string> = {};
  const errors: Record<string, SegError> = {};
  await db.transaction(async (tx) => {
    const deployer = await Deployer.begin(tx, project);
    for (const source of Object.values(project.manifest.sources)) await deployer.deploy(source);
    for (const id of project.graph.order()) {
      const node = project.manifest.nodes[id];
      if (node === undefined || !isDeployable(node)) continue;
      if (options.only !== undefined && !options.only.includes(node.name)) continue;
      try {
        actions[node.name] = (await deployer.deploy(node)).action;
      } catch (error) {
        if (!(error instanceof SegError)) throw error;
        errors[node.name] = error;
      }
    }
    for (const { uniqueId, action } of await deployer.finish(options))
      actions[uniqueId.split('.').at(-1)!] ??= action;
  });
  return { actions, errors };
}

async function order(id: number, amount: number, table = 'app.orders'): Promise<void> {
  await db.query(`INSERT INTO ${table} (id, amount) VALUES ($1, $2)`, [id, amount]);
}
async function rows(query: string): Promise<unknown[]> {
  return (await db.query(query)).rows;
}
async function expectVerified(count: number): Promise<void> {
  const results = await verify(db);
  expect(results).toHaveLength(count);
  for (const { name, missing, extra } of results)
    expect({ name, missing, extra }).toEqual({ name, missing: 0, extra: 0 });
}

describe('a source that changes its place', () => {
  test('takes its rows, positions and dead letters along, and stays maintained', async () => {
    await deploy(base);
    await order(1, 5);
    await db.exec(
      "INSERT INTO app.orders__rejected (origin, line, reason, payload) VALUES ('o', 7, 'why', 'p')",
    );
    await deploy({
      ...base,
      'models/sources.yml': sources
        .replace('name: shop', 'name: shop\n    schema: raw')
        .replace('- name: orders', '- name: orders\n        identifier: all_orders'),
    });
    await order(2, 7, 'raw.all_orders');
    expect(await rows('SELECT position::int, id FROM raw.all_orders ORDER BY 1')).toEqual([
      { position: 1, id: 1 },
      { position: 2, id: 2 },
    ]);
    expect(await rows('SELECT line::int FROM raw.all_orders__rejected')).toEqual([{ line: 7 }]);
    expect(
      await rows("SELECT count(*)::int AS left FROM pg_class WHERE relname LIKE 'orders%' AND relkind = 'r'"),
    ).toEqual([{ left: 0 }]);
    expect(await rows('SELECT total, more FROM app.v, app.reader')).toEqual([{ total: '12', more: '13' }]);
    await expectVerified(2);
  });
});

describe('a renamed model', () => {
  const { 'models/total.sql': _, ...others } = base;
  const renamed = (alias: string) => ({
    ...others,
    'models/sum.sql': total.replace('changelog=true', `changelog=true, alias='${alias}'`),
    'models/v.sql': "select * from {{ ref('sum') }}",
    'models/reader.sql': reader.replace("ref('total')", "ref('sum')"),
  });

  test('that keeps its relation takes over what stands there, with its feed', async () => {
    await deploy(base);
    await order(1, 5);
    const from = await currentPosition(db);
    // The readers are not asked for: they read the same relation as before.
    const { errors, actions } = await deploy(renamed('total'), { only: ['sum'] });
    expect({ errors, actions }).toMatchObject({ errors: {}, actions: { sum: 'changed' } });
    await order(2, 7);
    expect(await rows('SELECT total, more FROM app.v, app.reader')).toEqual([{ total: '12', more: '13' }]);
    expect((await readChanges(db, 'model.shop.sum', from)).map(({ changes }) => changes.length)).toEqual([2]);
    await expect(readChanges(db, 'model.shop.sum', 'e0000000000ff')).rejects.toThrow(
      'lies behind the end of the feed',
    );
    expect(Object.values((await deploy(renamed('total'), { prune: true })).actions)).not.toContain('dropped');
    await expectVerified(2);
  });

  test('may stand where a model that moved away has not left yet', async () => {
    await deploy({ ...base, 'models/sum.sql': total });
    const { errors } = await deploy(
      {
        ...base,
        'models/total.sql': total.replace('changelog=true', "changelog=true, alias='elsewhere'"),
        'models/sum.sql': total.replace('changelog=true', "changelog=true, alias='total'"),
      },
      { only: ['sum'] },
    );
    expect(errors['sum']!.diagnostics[0]).toMatchObject({
      code: 'SEG416',
      message: 'model "sum" cannot be created: model "total" is deployed as "app.total"',
      hint: 'Deploy model "total" first, so that it makes room: --select total.',
    });
  });
});

describe('a maintained model that changes its place', () => {
  test('and its definition: the feed goes on with the difference', async () => {
    await deploy(base);
    await order(1, 5);
    const from = await currentPosition(db);
    await deploy({
      ...base,
      'models/total.sql': total
        .replace('changelog=true', "changelog=true, schema='mart', alias='t'")
        .replace('sum(amount)', 'sum(amount) * 2'),
    });
    const batches = await readChanges(db, 'model.shop.total', from);
    expect(batches.flatMap(({ changes }) => changes.map(({ op, row }) => [op, row]))).toEqual([
      ['delete', null],
      ['insert', { total: 10 }],
    ]);
    expect(
      await rows("SELECT relname FROM pg_class WHERE relname LIKE '%total%' AND relkind IN ('r', 'v')"),
    ).toEqual([]);
    await order(2, 1);
    expect(await rows('SELECT total, more FROM app.v, app.reader')).toEqual([{ total: '12', more: '13' }]);
    await expectVerified(2);
  });

  test('to a plain view and back has a feed that begins anew', async () => {
    await deploy(base);
    const from = await currentPosition(db);
    await deploy({ ...base, 'models/total.sql': total.replace('materialized_view', 'view') });
    await order(1, 5);
    await deploy(base);
    await expect(readChanges(db, 'model.shop.total', from)).rejects.toThrow('are not kept');
    await expectVerified(2);
  });
});

describe('mistakes', () => {
  test('a model that reads itself, or what is computed from it', async () => {
    await deploy({ ...base, 'models/plain.sql': 'select * from app.v' });
    const self = await deploy({
      ...base,
      'models/total.sql': `${total} where amount > (select max(more) from app.reader)`,
    });
    expect(self.errors['total']!.diagnostics[0]).toMatchObject({
      code: 'SEG415',
      message: 'model "total" reads model "reader", which is computed from it',
    });
    const direct = await deploy({
      ...base,
      'models/total.sql': `${total} where amount > (select max(total) from {{ this }})`,
    });
    expect(direct.errors['total']!.message).toBe('model "total" reads itself');
    await expectVerified(2);
  });

  test('a reader that breaks is shown in its file', async () => {
    await deploy(base);
    const broken = deploy(
      { ...base, 'models/total.sql': total.replace('as total', 'as sum') },
      { only: ['total'] },
    );
    await expect(broken).rejects.toMatchObject({
      diagnostics: [{ code: 'SEG407', at: { file: 'models/reader.sql', line: 1 } }],
    });
    await expectVerified(2);
  });

  test('a type that does not exist, in a new source and in one that stands', async () => {
    const wrong = {
      ...base,
      'models/sources.yml': sources.replace('data_type: numeric', 'data_type: numerc'),
    };
    const expected = {
      exitCode: 1,
      diagnostics: [
        {
          code: 'SEG417',
          message: 'source "orders": type "numerc" does not exist',
          at: { file: 'models/sources.yml', line: 5 },
          hint: 'Did you mean "numeric"?',
        },
      ],
    };
    await expect(deploy(wrong)).rejects.toMatchObject(expected);
    await deploy(base);
    await expect(deploy(wrong)).rejects.toMatchObject(expected);
    await expectVerified(2);
  });

  test('another target on the same state schema changes nothing', async () => {
    await deploy(base);
    await order(1, 5);
    const other = deploy(base, {
      change: (project) => ({ ...project, target: { ...project.target, name: 'prod', schema: 'live' } }),
    });
    await expect(other).rejects.toMatchObject({
      diagnostics: [
        {
          code: 'SEG808',
          message:
            'the state schema "_seg" belongs to a deployment into schema "app", and target "prod" has schema "live"',
        },
      ],
    });
    expect(await rows('SELECT total FROM app.v')).toEqual([{ total: '5' }]);
  });
});

describe('a model that becomes ephemeral', () => {
  test('is reported, and dropped with prune', async () => {
    await deploy(base);
    const files = { ...base, 'models/total.sql': total.replace('materialized_view', 'ephemeral') };
    expect((await deploy(files)).actions['total']).toBe('orphaned');
    expect((await deploy(files, { prune: true })).actions['total']).toBe('dropped');
    await order(1, 5);
    expect(await rows('SELECT more FROM app.reader')).toEqual([{ more: '6' }]);
    await expectVerified(1);
  });
});
