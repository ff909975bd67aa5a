/** Each file of tests/integration gets a database of its own on the test server, so that files may run at the same time. */
import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import pg from 'pg';
import { expect } from 'vitest';

const file = relative(import.meta.dirname, expect.getState().testPath ?? '');
if (!file.startsWith('..')) {
  const url = process.env['SEG_TEST_POSTGRES'];
  if (url === undefined) throw new Error('run these tests with "npm run test:integration"');
  const database = `seg_test_${createHash('sha256').update(file).digest('hex').slice(0, 12)}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  await client.query(`CREATE DATABASE ${database}`);
  await client.end();
  const own = new URL(url);
  own.pathname = `/${database}`;
  process.env['SEG_TEST_POSTGRES'] = own.href;
}
