import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SourceMap } from '../diagnostics/source-map.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import type { TestConfig, TestNode } from '../project/nodes.ts';
import { runDataTest } from './data-tests.ts';
import type { TestResult } from './test-result.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
  await db.exec(`create schema "audit"; create table "audit"."stored" as select 9 as id;
    create table "t" as select n as id, 'row ' || n as name from generate_series(1, 12) n`);
});
afterAll(async () => db.close());

function testNode(sql: string, config: Partial<TestConfig> = {}): TestNode {
  return {
    resource_type: 'test',
    unique_id: 'test.p.t',
    name: 't',
    at: { file: 'tests/t.sql', line: 1, column: 1 },
    compiled_code: sql,
    relation_name: '"audit"."stored"',
    config: {
      severity: 'ERROR',
      fail_calc: 'count(*)',
      warn_if: '!= 0',
      error_if: '!= 0',
      limit: null,
      where: null,
      store_failures: null,
      store_failures_as: null,
      ...config,
    },
  } as unknown as TestNode;
}

async function run(sql: string, config: Partial<TestConfig> = {}): Promise<TestResult> {
  const sourceMaps = new Map([['test.p.t', SourceMap.identity('tests/t.sql', sql)]]);
  return runDataTest(db, { sourceMaps }, testNode(sql, config));
}

const outcome = ({ status, failures, message }: TestResult): unknown[] => [status, failures, message];

describe('runDataTest', () => {
  it('passes without rows', async () => {
    expect(outcome(await run('select * from t where false;\n'))).toEqual(['pass', 0, null]);
  });

  it("fails with dbt's words and shows some rows", async () => {
    const result = await run('select * from t where id <= 3 -- three');
    expect(outcome(result)).toEqual(['fail', 3, 'Got 3 results, configured to fail if != 0']);
    expect(result.detail).toBe(
      ['    id | name', '  + 1  | row 1', '  + 2  | row 2', '  + 3  | row 3'].join('\n'),
    );
    expect(outcome(await run('select 1 as id'))[2]).toBe('Got 1 result, configured to fail if != 0');
  });

  it('judges by severity, warn_if and error_if', async () => {
    const all = 'select * from t';
    expect(outcome(await run(all, { severity: 'WARN' }))).toEqual([
      'warn',
      12,
      'Got 12 results, configured to warn if != 0',
    ]);
    expect(outcome(await run(all, { error_if: '> 20', warn_if: '> 10' }))).toEqual([
      'warn',
      12,
      'Got 12 results, configured to warn if > 10',
    ]);
    expect(outcome(await run(all, { error_if: '> 20', warn_if: '> 15' }))).toEqual(['pass', 0, null]);
    expect(outcome(await run(all, { error_if: 'between 10 and 12' }))).toEqual([
      'fail',
      12,
      'Got 12 results, configured to fail if between 10 and 12',
    ]);
  });

  it('uses fail_calc and limit', async () => {
    expect(outcome(await run('select * from t', { fail_calc: 'sum(id)' }))).toEqual([
      'fail',
      78,
      'Got 78 results, configured to fail if != 0',
    ]);
    expect(outcome(await run('select * from t', { limit: 4 }))).toEqual([
      'fail',
      4,
      'Got 4 results, configured to fail if != 0',
    ]);
    expect(outcome(await run('select * from t where false', { fail_calc: 'sum(id)' }))).toEqual([
      'pass',
      0,
      null,
    ]);
  });

  it('reads the maintained view of a test that stores its failures', async () => {
    const result = await run('select * from t', { store_failures: true });
    expect(outcome(result)).toEqual(['fail', 1, 'Got 1 result, configured to fail if != 0']);
    expect(result.detail).toBe('    id\n  + 9');
    expect(
      (await run('select * from t', { store_failures: true, store_failures_as: 'ephemeral' })).failures,
    ).toBe(12);
    expect(
      (await run('select * from t', { store_failures: true, store_failures_as: 'table' })).failures,
    ).toBe(12);
  });

  it('places an error of the engine in the template', async () => {
    const result = await run("select *\nfrom t -- 日本 😀\nwhere nme = 'x'");
    expect(result).toMatchObject({
      status: 'error',
      failures: null,
      message: 'test "t": column "nme" does not exist',
      at: { file: 'tests/t.sql', line: 3, column: 7 },
    });
  });
});
