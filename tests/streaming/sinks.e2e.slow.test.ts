/** `seg sync` on the streaming engines: sinks work on a copy that the engine's feeds keep up to date. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import { TestProject } from '../cli/run-seg.ts';
import type { SegResult } from '../cli/run-seg.ts';
import type { StreamingEngine } from '../../src/streaming/dialect.ts';
import { startWireEngine } from './wire-engine.ts';
import type { WireEngine } from './wire-engine.ts';

let wire: WireEngine | undefined;
let project: TestProject | undefined;
afterEach(async () => {
  await wire?.close();
  project?.remove();
  wire = project = undefined;
});

async function start(engine: StreamingEngine): Promise<void> {
  wire = await startWireEngine(engine);
  project = new TestProject({
    'package.json': '{"name": "shop", "seg": {"name": "shop", "profile": "shop"}}',
    'profiles.yml': `shop:
  target: live
  outputs:
    live: {type: ${engine}, host: 127.0.0.1, port: ${wire.port}, user: root, dbname: dev, schema: shop, retries: 0}
`,
    'models/sources.yml': `sources:
  - name: shop
    tables:
      - name: orders
        config: {key: id, on_conflict: upsert}
        columns:
          - {name: id, data_type: integer}
          - {name: amount, data_type: "numeric(10, 2)"}
          - {name: ordered_at, data_type: timestamptz}
          - {name: note, data_type: jsonb}
      - name: clicks
        columns:
          - {name: id, data_type: integer}
          - {name: position, data_type: bigint, generated: position}
sinks:
  - name: out
    from: ref('large')
    type: file
    mode: changes
    backfill: true
    config: {path: out, max_seconds: 0.2}
  - name: table_rows
    from: source('shop', 'clicks')
    type: file
    backfill: true
    config: {path: rows}
`,
    'models/large.sql': `{{ config(materialized='materialized_view', unique_key='id') }}
-- Columns named as the copy's own statements name their tables.
select id, amount, ordered_at, note, id as t, id as r, id as e from {{ source('shop', 'orders') }} where amount > 10
`,
  });
}

async function seg(args: string, status = 0, stdin = ''): Promise<SegResult> {
  const result = await project!.seg(args, { stdin });
  expect(result.status, `seg ${args}\n${result.log}\n${result.stdout}`).toBe(status);
  return result;
}

function lines(file: string): { op: string; row: { id: number; amount: unknown } | null }[] {
  const folder = join(project!.root, file);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /^[^.].*json/.test(name))
    .sort()
    .flatMap((name) =>
      gunzipSync(readFileSync(join(folder, name)))
        .toString('utf8')
        .trim()
        .split('\n'),
    )
    .map((line) => JSON.parse(line) as { op: string; row: { id: number; amount: unknown } | null });
}

it.each(['risingwave', 'materialize'] as const)(
  'serves a copy of %s',
  { timeout: 240_000 },
  async (engine) => {
    await start(engine);
    await seg('run');
    await seg('ingest orders -', 0, '{"id": 1, "amount": "20"}\n');
    const server = project!.start('serve --port 0 --no-pg --no-sinks');
    let log = '';
    server.stderr.on('data', (text: Buffer) => (log += text.toString()));
    const ended = new Promise((resolve) => server.on('close', resolve));
    const until = async <T>(reached: () => Promise<T | undefined> | T | undefined): Promise<T> => {
      for (;;) {
        const found = await reached();
        if (found !== undefined) return found;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    };
    const url = await until(() => /Serving shop on (http:\S+)/.exec(log)?.[1]);
    const rows = async (): Promise<{ id: number }[]> => {
      const response = await fetch(`${url}/v1/models/large`);
      return ((await response.json()) as { rows: { id: number }[] }).rows;
    };
    expect((await rows()).map(({ id }) => id)).toEqual([1]);
    const { models } = (await (await fetch(`${url}/v1/models`)).json()) as { models: { relation: string }[] };
    expect(models.filter(({ relation }) => relation.startsWith('seg_replica'))).toEqual([]);
    const stop = new AbortController();
    let followed = '';
    const events = await fetch(`${url}/v1/changes/large`, {
      headers: { accept: 'text/event-stream' },
      signal: stop.signal,
    });
    const following = (async () => {
      for await (const chunk of events.body!) followed += Buffer.from(chunk as Uint8Array).toString();
    })().catch(() => {});
    const post = (body: string) =>
      fetch(`${url}/v1/sources/orders/records`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
    const taken = await post('{"id": 2, "amount": "30"}');
    expect(taken.status, await taken.text()).toBeLessThan(300);
    await until(async () => ((await rows()).length === 2 ? true : undefined));
    // A follower is woken by what the copy takes in.
    await until(() => (/"id":\s*2\b/.test(followed) ? true : undefined));
    // The engine goes away and comes back: reads go on, records are asked to come again, and the copy goes on.
    wire!.before = () => 'drop';
    expect((await post('{"id": 3, "amount": "40"}')).status).toBe(503);
    expect((await rows()).length).toBe(2);
    wire!.before = () => {};
    await until(async () => ((await post('{"id": 4, "amount": "50"}')).status < 300 ? true : undefined));
    await until(async () => ((await rows()).some(({ id }) => id === 4) ? true : undefined));
    await until(() => (/"id":\s*4\b/.test(followed) ? true : undefined));
    stop.abort();
    await following;
    server.kill('SIGINT');
    expect(await ended, log).toBe(0);
  },
);

it.each(['risingwave', 'materialize'] as const)(
  'feeds of %s with conditions, and of queries',
  { timeout: 120_000 },
  async (engine) => {
    await start(engine);
    await seg('run');
    await seg(
      'ingest orders -',
      0,
      '{"id": 1, "amount": "20"}\n{"id": 2, "amount": "12"}\n{"id": 3, "amount": "30"}\n',
    );
    const shown = async (args: readonly string[]): Promise<unknown[]> => {
      const result = await project!.seg(['subscribe', ...args, '--no-follow']);
      expect(result.status, result.log).toBe(0);
      return result.stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { row: unknown }).row);
    };
    expect(await shown(['large', '--where', 'amount > 15 and id <> 3', '--columns', 'id'])).toEqual([
      { id: 1 },
    ]);
    expect(
      await shown(['--inline', "select id from {{ source('shop', 'orders') }} where amount < 25 and id > 1"]),
    ).toEqual([{ id: 2 }]);
    expect((await project!.seg(['subscribe', 'large', '--where', 'amount >', '--no-follow'])).log).toMatch(
      /SEG710/,
    );
    expect((await project!.seg(['subscribe', 'large', '--columns', 'nix', '--no-follow'])).log).toMatch(
      /SEG711/,
    );
    expect((await project!.seg(['subscribe', '--inline', 'select nix', '--no-follow'])).log).toMatch(
      /SEG407/,
    );
    const { rows } = await wire!.db.query(`SELECT relname FROM pg_class WHERE relname LIKE 'seg\\_%'`);
    expect(rows).toEqual([]);
  },
);

it.each(['risingwave', 'materialize'] as const)('%s', { timeout: 480_000 }, async (engine) => {
  await start(engine);
  await seg('run');
  const order = (id: number, amount: string): string =>
    `${JSON.stringify({ id, amount, ordered_at: '2026-01-01T00:00:00Z', note: { a: [id] } })}\n`;
  await seg('ingest orders -', 0, order(1, '20') + order(2, '5') + order(3, '30.50'));
  await seg('ingest clicks -', 0, '{"id": 7}\n');
  expect((await seg('sync --dry-run out')).stdout).toMatch(/out\s*\|?\s*2/);
  expect((await seg('sync')).log).toMatch(/Sink out: 2 sent/);
  expect(lines('out').length).toBe(2);
  expect(lines('rows')).toMatchObject([{ op: 'insert', row: { id: 7 } }]);
  await seg('ingest orders -', 0, order(1, '1') + order(2, '50') + order(3, '31'));
  expect((await seg('sync')).log).toMatch(/Sink out: 3 sent/);
  expect(
    lines('out')
      .map(({ op }) => op)
      .sort(),
  ).toEqual(['delete', 'insert', 'insert', 'insert', 'update']);
  // Each command opens two databases: the rest is the same code on both engines.
  if (engine === 'materialize') return;
  expect((await seg('sync status')).stdout).toMatch(/out +\|? *ok/);
  // The model is made anew: its former changes are not kept. The snapshot is compared, and nothing is sent twice.
  project!.write('models/large.sql', project!.read('models/large.sql').replace('> 10', '> 10 and id <> 2'));
  await seg('run');
  const { log } = await seg('sync');
  expect(log).toMatch(/Sink out: 1 sent/);
  expect(lines('out').at(-1)!.op).toBe('delete');
  // A follower is stopped and goes on.
  const follower = project!.start('sync --follow');
  const until = async (reached: () => boolean): Promise<void> => {
    while (!reached()) await new Promise((resolve) => setTimeout(resolve, 100));
  };
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await seg('ingest orders -', 0, order(4, '99'));
  await until(() => lines('out').length >= 7);
  const ended = new Promise((resolve) => follower.on('close', resolve));
  follower.kill('SIGINT');
  await ended;
  expect(lines('out').length).toBe(7);
});
