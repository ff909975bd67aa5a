/** The maintenance programs on a real PostgreSQL server, with several sessions at once. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileProgram } from '../../src/ivm/program/program.ts';
import type { MaintainedView } from '../../src/ivm/program/program.ts';
import { emitFunction, emitTriggers } from '../../src/ivm/program/emit.ts';
import { differenceSql } from '../../src/ivm/strategies/recompute.ts';
import { ensureState } from '../../src/state/schema.ts';
import { connectPostgres } from './pg-connection.ts';

type Session = Awaited<ReturnType<typeof connectPostgres>>;
let owner: Session;

const sums: MaintainedView = {
  id: 'sums',
  label: 'sums',
  stored: {
    table: { schema: 't', name: 'sums' },
    columns: ['k', 'n', 'total'].map((name) => ({ name, hashable: true })),
    query: 'SELECT k, count(*) AS n, sum(v) AS total FROM t.events GROUP BY k',
  },
  reads: ['events'],
  changelog: { table: { schema: '_seg', name: 'changelog' }, node: 1 },
};

beforeAll(async () => {
  owner = await connectPostgres();
  await owner.transaction((tx) => ensureState(tx, '_seg'));
  await owner.exec(
    'CREATE SCHEMA t; CREATE TABLE t.events (id int PRIMARY KEY, k int, v int); CREATE TABLE t.sums (k int, n bigint, total bigint)',
  );
  const name = { schema: '_seg', name: 'maintain t.events' };
  await owner.exec(
    emitFunction(compileProgram({ id: 'events', label: 'events' }, [sums]), name, {
      stateSchema: '_seg',
      searchPath: ['t', 'pg_catalog'],
    }),
  );
  for (const statement of emitTriggers({ schema: 't', name: 'events' }, name)) await owner.exec(statement);
});
afterAll(() => owner?.close());

test('eight sessions that write at once lose nothing, and steps are numbered in the order of their commits', async () => {
  const sessions = await Promise.all(Array.from({ length: 8 }, connectPostgres));
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
  expect((await owner.query(differenceSql(sums.stored))).rows).toEqual([]);
  const { rows } = await owner.query('SELECT epoch FROM _seg.epoch');
  expect(Number(rows[0]!['epoch'])).toBe(200);
  const feed = await owner.query(
    `SELECT "row", sum(w) FROM (SELECT "row", weight AS w FROM _seg.changelog
       UNION ALL SELECT jsonb_build_object('k', k, 'n', n, 'total', total), -1 FROM t.sums) u
     GROUP BY "row" HAVING sum(w) <> 0`,
  );
  expect(feed.rows).toEqual([]);
});

test('a writer without rights on the views and the state may still write to the source', async () => {
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
  expect((await owner.query(differenceSql(sums.stored))).rows).toEqual([]);
});
