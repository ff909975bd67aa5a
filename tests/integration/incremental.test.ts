/** Incremental views on a real PostgreSQL server: every construct, and several sessions at once. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIncrementalView } from '../../src/incremental/incremental-view.ts';
import { coverage } from '../differential/coverage.ts';
import { history, tables } from '../differential/history.ts';
import { runCase } from '../differential/trace-runner.ts';
import { connectPostgres } from './pg-connection.ts';
import type { Session } from './pg-connection.ts';

let owner: Session;
beforeAll(async () => {
  owner = await connectPostgres();
});
afterAll(() => owner?.close());

describe('each construct equals its recomputation after every statement', () => {
  let cases = 0;
  /** Each case leaves thousands of dead rows in the catalog, and a session that has learned of them all. */
  const rested = async (): Promise<Session> => {
    if (++cases % 20 === 0) {
      await owner.exec('VACUUM');
      await owner.close();
      owner = await connectPostgres();
    }
    return owner;
  };
  for (const { name, sql } of coverage) {
    test(name, async () => {
      for (const steps of fc.sample(history(10), { seed: 15, numRuns: 1 })) {
        const filled = [
          'INSERT INTO a SELECT i, i % 3, chr(120 + i % 2), i % 4, NULL FROM generate_series(1, 6) AS i',
        ];
        const trace = await runCase(await rested(), {
          schema: tables,
          views: [{ name, sql }],
          history: [...filled, ...steps],
        });
        expect(trace.mismatch).toBeNull();
      }
    });
  }
});

describe('several sessions', () => {
  const query = 'SELECT k, count(*) AS n, sum(v) AS total FROM t.events GROUP BY k';
  const expectRight = async (): Promise<void> => {
    const { rows } = await owner.query(
      `(SELECT * FROM t.sums EXCEPT ALL ${query}) UNION ALL (${query} EXCEPT ALL SELECT * FROM t.sums)`,
    );
    expect(rows).toEqual([]);
  };

  beforeAll(async () => {
    await owner.exec('DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA IF EXISTS t CASCADE; CREATE SCHEMA t');
    await owner.exec('CREATE TABLE t.events (id int PRIMARY KEY, k int, v int)');
    await createIncrementalView(owner, 'sums', query, {
      schema: 't',
      changes: true,
      searchPath: ['t', 'pg_catalog'],
    });
  });

  test('that write at once lose nothing, and steps are numbered in the order of their commits', async () => {
    const sessions = await Promise.all(Array.from({ length: 8 }, connectPostgres));
    const before = Number((await owner.query('SELECT epoch FROM _seg.epoch')).rows[0]!['epoch']);
    try {
      await Promise.all(
        sessions.map(async (session, s) => {
          for (let i = 0; i < 25; i++) {
            await session.transaction(async (tx) => {
              await tx.query('INSERT INTO t.events VALUES ($1, $2, $3)', [s * 1000 + i, i % 5, i]);
              await tx.query('UPDATE t.events SET v = v + 1 WHERE id = $1', [s * 1000 + i]);
            });
          }
        }),
      );
    } finally {
      await Promise.all(sessions.map((session) => session.close()));
    }
    await expectRight();
    const { rows } = await owner.query('SELECT epoch FROM _seg.epoch');
    expect(Number(rows[0]!['epoch']) - before).toBe(200);
  });

  test('one of them without rights on the views and the state may still write to the source', async () => {
    await owner.exec(
      'CREATE ROLE writer LOGIN; GRANT USAGE ON SCHEMA t TO writer; GRANT INSERT ON t.events TO writer',
    );
    const session = await connectPostgres();
    try {
      await session.exec('SET ROLE writer');
      await session.exec('INSERT INTO t.events VALUES (90001, 1, 1)');
    } finally {
      await session.close();
    }
    await expectRight();
  });
});
