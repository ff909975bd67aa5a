/** How seg connects to a streaming engine, and what it makes of an engine that refuses, drops, is another one, or is slow. */
import { afterEach, describe, expect, it } from 'vitest';
import { SegError } from '../../src/diagnostics/seg-error.ts';
import { DatabaseError } from '../../src/engines/connection.ts';
import type { PostgresDatabase } from '../../src/engines/postgres/connection.ts';
import { openStreaming } from '../../src/engines/streaming/open.ts';
import type { Target } from '../../src/project/profiles.ts';
import type { StreamingEngine } from '../../src/streaming/dialect.ts';
import { PositionRange } from '../../src/streaming/position-range.ts';
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
    // RisingWave has one code for all of it.
    [
      { refuse: { sqlstate: 'XX000', message: 'Failed to startup\n\nCaused by:\n  Invalid password' } },
      /^SEG812 the server refused the login of target "prod" .*: Invalid password$/,
    ],
    [
      { refuse: { sqlstate: 'XX000', message: 'Role nobody does not exist' } },
      /^SEG812 .*: Role nobody does not exist$/,
    ],
    [
      { refuse: { sqlstate: 'XX000', message: 'Not found database name: dev' } },
      /^SEG813 Not found database name: dev/,
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

  it('says which right is missing, and how to give it', async () => {
    await open();
    const store = new NodeStore(db!, risingwave, '_seg');
    await store.ensure();
    wire!.before = (sql) => {
      if (sql.startsWith('CREATE SCHEMA') || sql.startsWith('CREATE MATERIALIZED VIEW'))
        throw new DatabaseError(
          'Failed to run the query\n\nCaused by:\n  Permission denied: permission denied for database "dev": "CREATE"',
          { sqlstate: 'XX000' },
        );
    };
    const [outcome] = await new StreamingDeployer(db!, risingwave, store).deploy([view]);
    const [told] = (outcome!.error as SegError).diagnostics;
    expect(told).toMatchObject({ code: 'SEG819', message: expect.not.stringContaining('\n') as string });
    expect(told!.hint).toContain('GRANT CREATE ON DATABASE "dev" TO');
  });

  /** What is dropped of what was made under a name of its own. */
  const dropped = (): string[] =>
    wire!.sent.map(({ sql }) => sql).filter((sql) => sql.startsWith('DROP MATERIALIZED VIEW'));

  /** The view is never complete, and its progress is this. */
  async function fillsForEver(progress: string): Promise<StreamingDeployer> {
    await open();
    const store = new NodeStore(db!, risingwave, '_seg');
    await store.ensure();
    await wire!.db.exec(
      `CREATE OR REPLACE VIEW rw_catalog.rw_ddl_progress AS SELECT 1 AS ddl_id, 'CREATE MATERIALIZED VIEW s.total'::text AS ddl_statement, '${progress}'::text AS progress`,
    );
    wire!.before = (sql) => {
      if (/AS ready/.test(sql))
        throw new DatabaseError('table or source not found: total', { sqlstate: 'XX000' });
    };
    return new StreamingDeployer(db!, risingwave, store);
  }

  it('ends a fill that keeps the cluster in recovery, with the reason, and takes the object away', async () => {
    const deployer = await fillsForEver('Err[cluster under recovery[failed over: database 1 reset]]');
    const [outcome] = await deployer.deploy([view], { recoveryTimeoutMs: 600 });
    expect(outcome).toMatchObject({ action: 'failed' });
    expect(String((outcome!.error as SegError).message)).toMatch(/cannot be filled: .*under recovery/);
    expect(dropped()).toHaveLength(1);
  });

  it('drops what is half made when it is interrupted', async () => {
    const deployer = await fillsForEver('42.00%');
    const interrupt = new AbortController();
    const ended = deployer
      .deploy([view], { signal: interrupt.signal, onProgress: () => interrupt.abort() })
      .catch((error: unknown) => error);
    await ended;
    expect(interrupt.signal.aborted).toBe(true);
    expect(dropped()).toHaveLength(1);
  });

  it('gives each of several that ingest at once positions of its own', async () => {
    await open();
    const takers = Array.from(
      { length: 4 },
      () => new PositionRange(db!, risingwave, '_seg', 'source.shop.orders', () => Promise.resolve(41n)),
    );
    const taken = await Promise.all(
      takers.map(async (taker) => {
        const all: bigint[] = [];
        for (const count of [6000, 6000, 100_001]) {
          const first = await taker.take(count);
          all.push(first, first + BigInt(count) - 1n);
        }
        return all;
      }),
    );
    const ranges = taken
      .flatMap((all) => [0, 2, 4].map((at) => [all[at]!, all[at + 1]!] as const))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    expect(ranges[0]![0]).toBe(42n);
    for (const [at, [first]] of ranges.entries())
      if (at > 0) expect(first).toBeGreaterThan(ranges[at - 1]![1]);
    await Promise.all(takers.map((taker) => taker.release()));
    expect((await wire!.db.query('SELECT FROM _seg.position_range')).rowCount).toBe(0);
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
