/** How seg connects to a streaming engine, and what it makes of an engine that refuses, drops, is another one, or is slow. */
import { afterEach, describe, expect, it } from 'vitest';
import { SegError } from '../../src/diagnostics/seg-error.ts';
import { DatabaseError } from '../../src/engines/connection.ts';
import type { PostgresDatabase } from '../../src/engines/postgres/connection.ts';
import { openStreaming } from '../../src/engines/streaming/open.ts';
import type { Target } from '../../src/project/profiles.ts';
import type { StreamingEngine } from '../../src/streaming/dialect.ts';
import { risingwave } from '../../src/streaming/risingwave.ts';
import { NodeStore } from '../../src/streaming/stored-node.ts';
import { StreamingDeployer } from '../../src/streaming/streaming-deployer.ts';
import { startWireEngine } from './wire-engine.ts';
import type { WireEngine, WireEngineOptions } from './wire-engine.ts';

let wire: WireEngine | undefined;
let db: PostgresDatabase | undefined;
afterEach(async () => {
  await db?.close();
  await wire?.close();
  db = wire = undefined;
});

function target(port: number, fields: Target['fields'] = {}, type: StreamingEngine = 'risingwave'): Target {
  return {
    name: 'prod',
    profileName: 'shop',
    type,
    schema: "o'brien",
    database: 'dev',
    threads: 2,
    fields: { type, host: '127.0.0.1', port, user: 'root', password: 'geheim', retries: 0, ...fields },
  };
}

async function open(
  options: WireEngineOptions = {},
  fields: Target['fields'] = {},
  type: StreamingEngine = 'risingwave',
): Promise<PostgresDatabase> {
  wire = await startWireEngine(type, options);
  db = await openStreaming(target(wire.port, fields, type), { root: '/', command: 'seg test' });
  return db;
}

async function refusal(opening: Promise<unknown>): Promise<string> {
  const error = await opening.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SegError)) throw new Error('expected a SegError', { cause: error });
  const [{ code, message, hint }] = error.diagnostics as [SegError['diagnostics'][number]];
  expect(error.exitCode).toBe(1);
  expect(hint).toBeDefined();
  expect(JSON.stringify(error.diagnostics)).not.toContain('geheim');
  return `${code} ${message}`;
}

describe('connecting', () => {
  it('begins every session of RisingWave alike', async () => {
    await open({}, { streaming_parallelism: 2, statement_timeout: '30s' });
    await Promise.all([db!.query('SELECT 1'), db!.query('SELECT 2')]);
    const numbers = new Set(wire!.sent.map(({ session }) => session));
    // The first one only asks what answers there.
    const sessions = [...numbers]
      .map((number) => wire!.sent.filter(({ session }) => session === number))
      .filter(([first]) => first!.sql !== 'SELECT version() AS version');
    expect(sessions).not.toEqual([]);
    for (const session of sessions) {
      expect(session.slice(0, 5).map(({ sql }) => sql)).toEqual([
        "SET search_path = 'o''brien'",
        "SET timezone = 'UTC'",
        'SET background_ddl = true',
        'SET streaming_parallelism = 2',
        "SET statement_timeout = '30s'",
      ]);
    }
    expect(wire!.sent.filter(({ sql }) => sql.startsWith('SET timezone')).length).toBeGreaterThanOrEqual(2);
  });

  it('names the cluster of Materialize', async () => {
    await open({}, { cluster: 'big' }, 'materialize');
    expect(wire!.sent.map(({ sql }) => sql)).toContain("SET cluster = 'big'");
  });

  it.each([
    [
      { version: 'PostgreSQL 16.4 on x86_64-pc-linux-gnu' },
      /^SEG822 target "prod" .* is not RisingWave: it says "PostgreSQL 16.4/,
    ],
    [{ version: 'PostgreSQL 13.14.0-RisingWave-2.1.3 (abc)' }, /^SEG815 .* is RisingWave 2.1$/],
    [{ refuse: { sqlstate: '28P01', message: 'Invalid password' } }, /^SEG812 .*Invalid password/],
    [
      { refuse: { sqlstate: '3D000', message: 'database "dev" not found' } },
      /^SEG813 database "dev" not found/,
    ],
    [{ refuse: { sqlstate: '53300', message: 'too many connections' } }, /^SEG816 /],
  ] as const)('%j', async (options, expected) => {
    expect(await refusal(open(options))).toMatch(expected);
  });

  it('says that nothing listens, and that there is no TLS', async () => {
    wire = await startWireEngine('risingwave');
    const { port } = wire;
    expect(
      await refusal(openStreaming(target(port, { sslmode: 'require' }), { root: '/', command: 'seg test' })),
    ).toMatch(/^SEG814 /);
    await wire.close();
    expect(await refusal(openStreaming(target(port), { root: '/', command: 'seg test' }))).toMatch(
      /^SEG811 .*nothing listens there/,
    );
    wire = undefined;
  });
});

describe('afterwards', () => {
  it('reports a connection that is dropped within a statement, and makes another for the next', async () => {
    await open();
    wire!.before = (sql) => (/SELECT 2/.test(sql) ? 'drop' : undefined);
    const error = await db!.query('SELECT 2').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DatabaseError);
    expect((error as DatabaseError).sqlstate).toBe('08006');
    expect((await db!.query<{ one: number }>('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  const view = {
    uniqueId: 'model.shop.total',
    name: 'total',
    label: 'model "total"',
    kind: 'materialized_view',
    relation: { schema: 's', name: 'total' },
    reads: [],
    definition: 'select 1 as one',
    sourceMap: null,
    columns: [],
    key: [],
    onConflict: 'last',
    indexes: [['one']],
    fingerprint: 'x',
    at: { file: 'total.sql', line: 1, column: 1 },
  } as const;

  it('waits for a view that is still being filled, says how far it is, and gives it its indexes then', async () => {
    await open();
    const store = new NodeStore(db!, risingwave, '_seg');
    await store.ensure();
    let asked = 0;
    wire!.before = (sql) => {
      if (/AS ready/.test(sql) && asked++ < 2)
        throw new DatabaseError(
          'Failed to run the query\n\nCaused by:\n  Catalog error\n  2: table or source not found: total',
          { sqlstate: 'XX000' },
        );
    };
    await wire!.db.exec(
      `CREATE OR REPLACE VIEW rw_catalog.rw_ddl_progress AS SELECT 1 AS ddl_id, 'CREATE MATERIALIZED VIEW s.total'::text AS ddl_statement, '42.00%'::text AS progress`,
    );
    const shown: string[] = [];
    const [outcome] = await new StreamingDeployer(db!, risingwave, store).deploy([view], {
      onProgress: (node, progress) => void shown.push(`${node.name} ${progress}`),
    });
    expect(outcome).toMatchObject({ action: 'created' });
    expect(shown).toEqual(['total 42.00%']);
    const sent = wire!.sent.map(({ sql }) => sql);
    const index = sent.findIndex((sql) => sql.startsWith('CREATE INDEX'));
    expect(sent[index]).toBe('CREATE INDEX "total_one_idx" ON "s"."total" ("one")');
    expect(sent.findLastIndex((sql) => /AS ready/.test(sql))).toBeLessThan(index);
  });

  it('says that the engine gave a view up', async () => {
    await open();
    const store = new NodeStore(db!, risingwave, '_seg');
    await store.ensure();
    wire!.before = async (sql) => {
      if (!/AS ready/.test(sql)) return;
      await wire!.db.exec('DROP VIEW IF EXISTS s.total');
      throw new DatabaseError('table or source not found: total', { sqlstate: '42704' });
    };
    const [outcome] = await new StreamingDeployer(db!, risingwave, store).deploy([view]);
    expect(outcome).toMatchObject({ action: 'failed' });
    expect(String((outcome!.error as SegError).message)).toContain('gave up filling it');
  });
});
