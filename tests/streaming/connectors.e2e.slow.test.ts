/** Sources that an engine's own connector fills, and sink models: what is made, altered and rebuilt, and where secrets are not. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { TestProject } from '../cli/run-seg.ts';
import type { SegResult } from '../cli/run-seg.ts';
import type { StreamingEngine } from '../../src/streaming/dialect.ts';
import { materializeParser } from './materialize-parser.ts';
import { startWireEngine } from './wire-engine.ts';
import type { WireEngine } from './wire-engine.ts';

const SECRET = "gehe'im-42";

const columns = `        columns:
          - {name: id, data_type: bigint}
          - {name: amount, data_type: "numeric(10, 2)", path: order.amount}
          - {name: "at", data_type: timestamptz, not_null: true}
          - {name: paid, data_type: boolean}
          - {name: payload, data_type: jsonb, path: $}
`;

const kafka = (extra: string): string => `sources:
  - name: shop
    tables:
      - name: orders
        config: {key: id, on_conflict: upsert}
        connector:
          type: kafka
          brokers: [a:9092, b:9092]
          topic: orders
          username: seg
          password: "{{ env_var('SEG_SECRET_KAFKA') }}"
${extra}${columns}`;

let wire: WireEngine | undefined;
let project: TestProject | undefined;
afterEach(async () => {
  await wire?.close();
  project?.remove();
  wire = project = undefined;
});

async function start(engine: StreamingEngine, files: Record<string, string>): Promise<void> {
  wire = await startWireEngine(engine);
  project = new TestProject({
    'package.json': '{"name": "shop", "seg": {"name": "shop", "profile": "shop"}}',
    'profiles.yml': `shop:
  target: live
  outputs:
    live: {type: ${engine}, host: 127.0.0.1, port: ${wire.port}, user: root, dbname: dev, schema: shop, retries: 0${engine === 'materialize' ? ', cluster: quickstart' : ''}}
    lite: {type: pglite, path: memory, schema: shop}
`,
    ...files,
  });
}

async function seg(args: string, status = 0, secret = SECRET): Promise<SegResult> {
  const result = await project!.seg(args, { env: { SEG_SECRET_KAFKA: secret } });
  expect(result.status, `${result.log}\n${result.stdout}`).toBe(status);
  return result;
}

function sent(pattern: RegExp): string[] {
  return wire!.sent.map(({ sql }) => sql).filter((sql) => pattern.test(sql));
}

/** Every file below a folder, as one text. */
function everything(folder: string): string {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .map((path) => (statSync(path).isDirectory() ? everything(path) : readFileSync(path, 'utf8')))
    .join('\n');
}

const models = {
  'models/paid.sql': `{{ config(materialized='materialized_view') }}
select id, amount from {{ source('shop', 'orders') }} where paid
`,
};

it.each(['risingwave', 'materialize'] as const)('kafka on %s', { timeout: 240_000 }, async (engine) => {
  await start(engine, { 'models/sources.yml': kafka(''), ...models });
  await seg('run');
  const raw = engine === 'risingwave' ? 'payload' : 'data';
  const record = (text: string, offset: number): Promise<void> =>
    wire!.db.exec(
      `INSERT INTO shop.orders__raw (${raw}, "partition", "offset", arrived_at) VALUES ('${text}', '3', '${offset}', '2026-01-01')`,
    );
  await record('{"id": 1, "order": {"amount": 9.5}, "at": "2026-01-01T10:00:00Z", "paid": "no"}', 1);
  await record('{"id": 1, "order": {"amount": "10.25"}, "at": "2026-01-01T11:00:00", "paid": true}', 2);
  await record('{"id": "x", "at": "2026-01-01T10:00:00Z"}', 3);
  await record('{"id": 2, "at": "2026-02-30T10:00:00Z"}', 4);
  await record('{"id": 3, "order": 5, "at": "2024-02-29 23:59:59.123+02:00", "paid": 1}', 5);
  await record('[1]', 6);
  const shown = JSON.parse((await seg('show source:shop.orders --output json --quiet')).stdout) as {
    show: { id: number; amount: number | null; at: string; paid: boolean | null }[];
  };
  expect(shown.show.map(({ id, amount, paid }) => [Number(id), amount, paid]).sort()).toEqual([
    [1, 10.25, true],
    [3, null, true],
  ]);
  const { rows } = await wire!.db.query<{ reason: string }>(
    'SELECT reason FROM shop.orders__rejected ORDER BY reason',
  );
  expect(rows.map(({ reason }) => reason)).toEqual([
    'expected bigint at id',
    'expected timestamp with time zone at at',
    'missing value at id',
  ]);
  // Nothing to do, and nothing said of the secret anywhere but to the engine.
  const before = wire!.sent.length;
  await seg('run');
  expect(
    sent(/^(CREATE (?!SCHEMA)|ALTER|DROP)/).filter((sql) =>
      wire!.sent.slice(before).some((one) => one.sql === sql),
    ),
  ).toEqual([]);
  expect(sent(/gehe''im-42/).length).toBe(1);
  await seg('compile');
  expect(everything(project!.root)).not.toContain('im-42');
  const { rows: stored } = await wire!.db.query<{ node: string }>('SELECT node FROM _seg.node');
  expect(JSON.stringify(stored)).not.toContain('im-42');
  if (engine === 'materialize') {
    const parse = await materializeParser();
    for (const sql of sent(/^(CREATE|ALTER|DROP)/)) parse(sql);
  }
  // A new password is altered in place; another topic is another relation, and everything that reads it is made again.
  await seg('run', 0, 'another-secret');
  expect(sent(/another-secret/)).toEqual([
    engine === 'risingwave'
      ? `ALTER TABLE "shop"."orders__raw" CONNECTOR WITH (properties.sasl.password = 'another-secret')`
      : `ALTER SECRET "shop"."orders__password" AS 'another-secret'`,
  ]);
  project!.write(
    'models/sources.yml',
    project!.read('models/sources.yml').replace('topic: orders', 'topic: orders2'),
  );
  const { log } = await seg('run', 0, 'another-secret');
  expect(log).toContain('model "paid" followed');
  expect((await wire!.db.query('SELECT * FROM shop.paid')).rows).toEqual([]);
  if (engine === 'materialize') {
    const parse = await materializeParser();
    for (const sql of sent(/^(CREATE|ALTER|DROP)/)) parse(sql);
    project!.write('models/sources.yml', project!.read('models/sources.yml').replace('b:9092', 'c:9092'));
    await seg('run', 0, 'another-secret');
    expect(sent(/^ALTER CONNECTION/)).toEqual([
      `ALTER CONNECTION "shop"."orders__connection" SET (BROKERS = ('a:9092', 'c:9092'))`,
    ]);
  }
  expect(
    (await project!.seg('ingest orders -', { stdin: '{}', env: { SEG_SECRET_KAFKA: SECRET } })).log,
  ).toMatch(/SEG520: .*"kafka" connector/);
  expect(
    (
      await wire!.db.query<{ n: number }>(
        `SELECT count(*)::integer AS n FROM pg_class WHERE relname LIKE '%\\_\\_seg\\_%'`,
      )
    ).rows,
  ).toEqual([{ n: 0 }]);
});

it.each(['risingwave', 'materialize'] as const)(
  'a sink model on %s',
  { timeout: 240_000 },
  async (engine) => {
    await start(engine, {
      'models/sources.yml': kafka(''),
      ...models,
      'models/out.sql': `select id, amount from {{ ref('paid') }}`,
      'models/out.yml': `models:
  - name: out
    config:
      materialized: sink
      unique_key: id
      connector: {type: kafka, brokers: a:9092, topic: paid, username: u, password: "{{ env_var('SEG_SECRET_KAFKA') }}"}
`,
    });
    expect((await seg('run')).log).toMatch(/CREATE SINK/);
    project!.write('models/paid.sql', `${models['models/paid.sql']} and amount > 1\n`);
    await seg('run --select paid');
    const { rows } = await wire!.db.query<{ text: string }>(
      `SELECT pg_get_viewdef('shop.out'::regclass) AS text`,
    );
    expect(rows[0]!.text).toContain(engine === 'risingwave' ? 'shop.paid' : 'shop.out__rows');
    expect(rows[0]!.text).not.toContain('__seg_');
    if (engine === 'materialize') {
      expect(sent(/^ALTER SINK/)).toEqual(['ALTER SINK "shop"."out" SET FROM "shop"."out__rows"']);
      const parse = await materializeParser();
      for (const sql of sent(/^(CREATE|ALTER|DROP)/)) parse(sql);
    }
    const { rows: left } = await wire!.db.query<{ relname: string }>(
      `SELECT relname FROM pg_class WHERE relname LIKE '%\\_\\_seg\\_%'`,
    );
    expect(left).toEqual([]);
    expect((await seg('clean --database')).log).toContain('Nothing of seg is left');
    const { rows: standing } = await wire!.db.query<{ relname: string }>(
      `SELECT relname FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace WHERE nspname IN ('shop', '_seg')`,
    );
    expect(standing).toEqual([]);
    expect(sent(/^CREATE SINK/)[0]).toMatchSnapshot();
  },
);

it(
  'says where a connector is not available, and runs without it where the files say so',
  { timeout: 120_000 },
  async () => {
    await start('risingwave', { 'models/sources.yml': kafka(''), ...models });
    expect((await seg('run --target lite', 2)).log).toMatch(
      /SEG139: source "shop.orders" has a kafka connector, which pglite has not/,
    );
    project!.write(
      'models/sources.yml',
      project!
        .read('models/sources.yml')
        .replace(
          /connector:\n([\s\S]*?)( {8}columns:)/,
          (_, inner: string, rest: string) =>
            `connector:\n          risingwave:\n${inner.replace(/^/gm, '  ').trimEnd()}\n${rest}`,
        ),
    );
    await seg('run --target lite');
    await seg('run');
  },
);
