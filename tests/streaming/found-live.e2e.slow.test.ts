/** What a live RisingWave 2.8 was found to do, through the command line against the stand-in, which answers as that server did. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatabaseError } from '../../src/engines/connection.ts';
import { TestProject } from '../cli/run-seg.ts';
import type { SegResult } from '../cli/run-seg.ts';
import { startWireEngine } from './wire-engine.ts';
import type { WireEngine } from './wire-engine.ts';

const files = {
  'dbt_project.yml': 'name: tiny\nprofile: tiny\nmodels: {+materialized: materialized_view}\n',
  'profiles.yml': `tiny:
  target: rw
  outputs:
    rw: {type: risingwave, host: 127.0.0.1, port: "{{ env_var('PORT') | int }}", user: root, dbname: dev, schema: tiny, recovery_timeout: 2}
`,
  'models/sources.yml': `sources:
  - name: shop
    schema: tiny
    tables:
      - name: orders
        config: {key: id}
        columns:
          - {name: id, data_type: bigint}
          - {name: product, data_type: text}
          - {name: price, data_type: "numeric(6, 2)"}
          - {name: at, data_type: timestamptz}
          - {name: position, data_type: bigint, generated: position}
models:
  - name: revenue
    config: {unique_key: product, retain_history: 2 hours}
`,
  'models/revenue.sql':
    "select product, sum(price) as total from {{ source('shop', 'orders') }} group by product\n",
  'tests/named.sql': "select product from {{ ref('top') }} where product is null\n",
  'models/top.sql': "select product from {{ ref('revenue') }} where total > 10\n",
};

describe('RisingWave', { timeout: 600_000 }, () => {
  let wire: WireEngine;
  let project: TestProject;
  beforeAll(async () => {
    wire = await startWireEngine('risingwave');
    project = new TestProject(files);
  });
  afterAll(async () => {
    await wire.close();
    project.remove();
  });

  async function seg(args: string, status = 0, stdin = ''): Promise<SegResult> {
    const result = await project.seg(args, { stdin, env: { PORT: String(wire.port) } });
    expect(result.status, `seg ${args}\n${result.log}${result.stdout}`).toBe(status);
    return result;
  }

  it('says in one line that what a test reads is not deployed', async () => {
    wire.before = (sql) => {
      if (/is null/.test(sql) && /top/.test(sql))
        throw new DatabaseError(
          'Failed to run the query\n\nCaused by these errors (recent errors listed first):\n  1: Catalog error\n  2: table or source not found: top',
          { sqlstate: 'XX000' },
        );
    };
    const { log } = await seg('test', 1);
    wire.before = () => {};
    expect(log).toContain('SEG407: test "named": RisingWave knows no "top"');
    expect(log).toContain('Run "seg build" first.');
    expect(log).not.toContain('Caused by');
    expect(log).not.toContain('Failed to run');
  });

  it('plans what run does, and writes nothing', async () => {
    wire.sent.length = 0;
    const { stdout, log } = await seg('plan --output json');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { action: string }).action),
    ).toContain('created');
    expect(log).toContain('to create');
    expect(wire.sent.filter(({ sql }) => /^(CREATE|INSERT|DROP|ALTER|UPDATE|DELETE)/.test(sql))).toEqual([]);
    await seg('run');
    expect((await seg('plan')).log).toContain('0 to create, 0 to change, 0 to follow');
  });

  it('takes in values as the embedded engine does', async () => {
    const records = [
      { id: 1, product: 'a', price: '12.345', at: '2024-01-01T24:00:00Z' },
      { id: 2, product: 'b', price: '123456.5', at: '2024-01-01T00:00:00Z' },
      { id: 3, product: 'c', price: '5', at: '99999-01-01' },
    ];
    const { log } = await seg('ingest orders', 0, records.map((record) => JSON.stringify(record)).join('\n'));
    expect(log).toMatch(/2 rejected|rejected.*2/);
    const { rows } = await wire.db.query('select price::text as price, at::text as at from tiny.orders');
    expect(rows).toEqual([{ price: '12.35', at: '2024-01-02 00:00:00+00' }]);
    const rejected = await wire.db.query<{ reason: string }>(
      'select reason from tiny.orders__rejected order by line',
    );
    expect(rejected.rows.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^column "price": numeric field overflow/),
      expect.stringMatching(/^column "at": RisingWave reads no year beyond 9999/),
    ]);
  });

  it('names what the engine refuses before anything is sent, with its place', async () => {
    project.write(
      'models/bad.sql',
      "select product,\n  width_bucket(total, 0, 1, 2) as b from {{ ref('revenue') }}\n",
    );
    wire.sent.length = 0;
    const { log } = await seg('run --select bad', 1);
    expect(log).toMatch(/bad\.sql:2:3/);
    expect(log).toContain('SEG433');
    expect(wire.sent.some(({ sql }) => sql.includes('width_bucket'))).toBe(false);
    project.write('models/bad.sql', "select product from {{ ref('revenue') }} where total > 1\n");
  });

  it('waits while the cluster recovers, and ends with a reason when it does not', async () => {
    let refusals = 2;
    wire.before = (sql) => {
      if (/^CREATE MATERIALIZED VIEW/.test(sql) && refusals-- > 0)
        throw new DatabaseError(
          'Failed to run the query\n\nCaused by:\n  The cluster is recovering: streaming job id not found: 953',
          { sqlstate: 'XX000' },
        );
    };
    expect((await seg('run --select bad')).log).toContain('is recovering');
    wire.before = () => {};
  });

  it('tells a reader that its model was rebuilt, and alters the retention', async () => {
    await seg('subscribe revenue --no-follow');
    project.write('models/sources.yml', project.read('models/sources.yml').replace('2 hours', '5 minutes'));
    await seg('run');
    expect(wire.sent.some(({ sql }) => sql.includes("retention = '5 minutes'"))).toBe(true);
    expect((await seg('run')).log).not.toContain('REPLACE');
    project.write('models/sources.yml', project.read('models/sources.yml').replace('5 minutes', 'soon'));
    expect((await seg('run', 2)).log).toContain('retain_history');
    project.write('models/sources.yml', project.read('models/sources.yml').replace('soon', '5 minutes'));
  });

  it('drops the feed of a model that becomes a view, and says so', async () => {
    project.write('models/revenue.sql', `{{ config(materialized='view') }}\n${files['models/revenue.sql']}`);
    expect((await seg('run')).log).toContain('dropped the change feed of model "revenue"');
    project.write('models/revenue.sql', files['models/revenue.sql']);
    await seg('run');
  });

  it('removes what a killed run has left, too', async () => {
    await wire.db.exec('CREATE VIEW tiny.revenue__seg_468e5e18 AS SELECT * FROM tiny.orders');
    await wire.db.exec(
      `INSERT INTO rw_catalog.made VALUES ('tiny.revenue__seg_468e5e18'::regclass, 'materialized view')`,
    );
    await seg('clean --database --drop-sources');
    const { rows } = await wire.db.query(
      `SELECT relname FROM pg_class WHERE relnamespace = 'tiny'::regnamespace`,
    );
    expect(rows).toEqual([]);
  });
});
