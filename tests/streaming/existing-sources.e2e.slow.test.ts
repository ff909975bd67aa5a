/** Sources that somebody else makes: a connector of the engine fills them, seg reads them. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestProject } from '../cli/run-seg.ts';
import type { SegResult } from '../cli/run-seg.ts';
import { startWireEngine } from './wire-engine.ts';
import type { WireEngine } from './wire-engine.ts';

let wire: WireEngine;
let project: TestProject;
beforeEach(async () => {
  wire = await startWireEngine('risingwave');
  project = new TestProject({
    'package.json': '{"name": "shop", "seg": {"name": "shop", "profile": "shop"}}',
    'profiles.yml': `shop:
  target: rw
  outputs:
    rw: {type: risingwave, host: 127.0.0.1, port: ${wire.port}, user: root, dbname: dev, schema: shop, retries: 0}
    lite: {type: pglite, path: memory, schema: shop}
`,
    'models/sources.yml': `sources:
  - name: kafka
    tables:
      - name: orders
        config: {existing: "{{ target.type == 'risingwave' }}"}
        columns:
          - {name: id, data_type: integer}
`,
    'models/counted.sql': `{{ config(materialized='materialized_view') }}
select count(*) as orders from {{ source('kafka', 'orders') }}
`,
  });
});
afterEach(async () => {
  await wire.close();
  project.remove();
});

async function seg(args: string, status: number): Promise<SegResult> {
  const result = await project.seg(args);
  expect(result.status, result.log).toBe(status);
  return result;
}

it('reads what is there, and neither makes, fills nor drops it', { timeout: 120_000 }, async () => {
  expect((await seg('run', 1)).log).toMatch(
    /SEG435: source "kafka.orders" is declared as existing, but there is no "shop.orders"/,
  );
  await wire.db.exec(
    'CREATE SCHEMA IF NOT EXISTS shop; CREATE TABLE shop.orders (id integer); INSERT INTO shop.orders VALUES (1), (2)',
  );
  await seg('run', 0);
  expect((await seg('show counted --output csv', 0)).stdout).toContain('2');
  expect((await seg('show source:kafka.orders --output csv', 0)).stdout).toContain('id');
  const refused = await project.seg('ingest orders -', { stdin: '{"id": 3}\n' });
  expect(refused.log).toMatch(/SEG520: /);
  await seg('run --prune --full-refresh', 0);
  const touched = wire.sent.filter(
    ({ sql }) => /"orders"/.test(sql) && /^(CREATE TABLE|DROP|ALTER|INSERT|DELETE)/.test(sql),
  );
  expect(touched).toEqual([]);
});

it(
  "stands in the way of nothing on the embedded engine, where such a table is somebody else's",
  { timeout: 60_000 },
  async () => {
    await seg('run --target lite', 0);
    project.write(
      'models/sources.yml',
      project.read('models/sources.yml').replace(/existing: "[^"]*"/, 'existing: true'),
    );
    expect((await seg('run --target lite', 1)).log).toMatch(/models\/sources.yml:\d+:\d+: error SEG435: /);
  },
);
