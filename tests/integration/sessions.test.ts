/**
 * Several sessions on a server, at all isolation levels, with views made and tables truncated meanwhile: when all transactions have
 * ended, every view equals its recomputation. `npm run test:soak -- --engine postgres` runs any number of such cases.
 */
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { featuresOf } from '../differential/features.ts';
import { SessionRunner } from '../differential/session-bundle.ts';

const server = process.env['SEG_TEST_POSTGRES']!;
const database = 'seg_generated_sessions';
const seed = Number(process.env['SEG_SEED'] ?? 1);
const bundles = Number(process.env['SEG_RUNS'] ?? 6);
let runner: SessionRunner;

async function onServer(...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

beforeAll(async () => {
  await onServer(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`, `CREATE DATABASE ${database}`);
  const url = new URL(server);
  url.pathname = `/${database}`;
  const size = { views: 4, histories: 4, statements: 16, depth: 2 };
  runner = new SessionRunner(size, 30, featuresOf('usual'), url.href, 3);
});
afterAll(async () => {
  await runner.close();
  await onServer(`DROP DATABASE ${database} WITH (FORCE)`);
});

it(`${bundles} bundles of generated schedules end in what their queries answer`, async () => {
  for (let at = seed; at < seed + bundles; at++) {
    const { failure } = await runner.run(at);
    expect(failure, `seed ${at}: npm run test:soak -- --engine postgres --seed ${at}`).toBeNull();
  }
});
