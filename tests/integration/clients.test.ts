/**
 * Real clients at the Postgres port, each with a second connection beside it that must see nothing of the first one's session: one server
 * and one project for all of them. A program of a client prints a line of JSON for each thing that it has checked.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServing } from '../cli/serving.ts';
import type { Serving } from '../cli/serving.ts';
import { events, streamProject } from '../cli/stream-project.ts';
import { go, java, python, run, rust } from './clients/toolchains.ts';
import { businessIntelligence, pgbench, pgDump, psql } from './clients/tools.ts';

const SOURCES = join(import.meta.dirname, 'clients');
const project = streamProject();
let serving: Serving;
/** What was seen of each client, by its name in the documentation. */
const seen = new Map<string, readonly string[]>();

// All are made at once, while the first clients run.
const making = { python: python(), go: go(), rust: rust(), java: java() };
for (const each of Object.values(making)) each.catch(() => undefined);

beforeAll(async () => {
  expect(await project.seg('run')).toMatchObject({ status: 0 });
  serving = await startServing(project, { args: ['--no-sinks'] });
  expect(await project.seg('ingest segment_events -', { stdin: events(1, 70) })).toMatchObject({ status: 0 });
});
afterAll(async () => {
  await Promise.allSettled(Object.values(making));
  await serving.stop('SIGKILL');
  project.remove();
});

interface Line {
  readonly check: string;
  readonly ok: boolean;
}

async function check(client: string, program: string, args: readonly string[]): Promise<void> {
  const url = (user: string): string => `postgres://${user}@127.0.0.1:${serving.pgPort}/postgres`;
  const env = { SEG_CLIENT_OWNER: url('seg'), SEG_CLIENT_READER: url('analyst') };
  const lines = (await run(program, args, { env }))
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
  expect(lines.filter(({ ok }) => !ok)).toEqual([]);
  seen.set(
    client,
    lines.map((line) => line.check),
  );
}

describe('clients in JavaScript', () => {
  it.each([
    ['node-postgres 8', 'node-postgres'],
    ['postgres.js 3', 'postgres-js'],
    ['Kysely', 'kysely'],
    ['drizzle', 'drizzle'],
  ])('%s', (client, file) => check(client, process.execPath, [join(SOURCES, 'javascript', `${file}.mjs`)]));
});

describe("PostgreSQL's own programs", () => {
  it('psql 18', async () => {
    const { postgres } = await making.python;
    seen.set('psql 18', await psql(join(postgres, 'psql'), { port: serving.pgPort }));
  });
  it('psql 15', async () => {
    seen.set('psql 15', await psql(process.env['SEG_TEST_PSQL'] ?? 'psql', { port: serving.pgPort }));
  });
  it('pg_dump 18', async () => {
    const { postgres } = await making.python;
    seen.set('pg_dump 18', await pgDump(join(postgres, 'pg_dump'), { port: serving.pgPort }));
  });
  it('pgbench 18', async () => {
    const { postgres } = await making.python;
    seen.set('pgbench 18', await pgbench(join(postgres, 'pgbench'), { port: serving.pgPort }));
  });
});

describe('clients in Python', () => {
  const script = async (client: string, file: string, ...args: string[]): Promise<void> =>
    check(client, (await making.python).python, [
      '-B',
      join(SOURCES, 'python', `${file}_client.py`),
      ...args,
    ]);
  it('psycopg 3', () => script('psycopg 3', 'psycopg'));
  it('psycopg 2', () => script('psycopg 2', 'psycopg2'));
  it('asyncpg', () => script('asyncpg', 'asyncpg'));
  it('SQLAlchemy 2', () => script('SQLAlchemy 2', 'sqlalchemy'));
  it('dbt 1.11', async () => {
    const target = join(project.root, 'dbt-target');
    await script('dbt 1.11', 'dbt', join(SOURCES, 'dbt'), target);
    rmSync(target, { recursive: true });
  });
});

describe('clients in Go, Java and Rust', () => {
  it('pgx 5', async () => check('pgx 5', await making.go, ['pgx']));
  it('lib/pq 1', async () => check('lib/pq 1', await making.go, ['pq']));
  it('JDBC 42.7', async () => {
    const { program, args } = await making.java;
    await check('JDBC 42.7', program, args);
  });
  it('tokio-postgres 0.7', async () => check('tokio-postgres 0.7', await making.rust, []));
});

it('business intelligence tools find the models', async () => {
  for (const tool of await businessIntelligence({ port: serving.pgPort })) {
    seen.set(`${tool} (its queries)`, ['connecting', 'looking around', 'reading a model']);
  }
});

it('are what the documentation says, and nothing went wrong in the server', () => {
  const table = [...seen].map(
    ([client, checks]) => `| ${client} | ${checks.join(', ').replaceAll('\\', '\\\\')} |`,
  );
  const documented = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'connecting.md'), 'utf8');
  const rows =
    /\| client \|[^\n]*\n\|[^\n]*\n((?:\|[^\n]*\n)+)/.exec(documented)?.[1]?.trim().split('\n') ?? [];
  expect(rows.sort()).toEqual(table.sort());
  expect(serving.log()).not.toMatch(/internal error|\n {4}at /);
});
