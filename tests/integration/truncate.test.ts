/** TRUNCATE beside other writers: nobody is the victim of a deadlock, and views are right. SEG_TRANSACTIONS sets how many run. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createIncrementalView } from '../../src/incremental/incremental-view.ts';
import { connectPostgres } from './pg-connection.ts';
import type { Session } from './pg-connection.ts';

const transactions = Number(process.env['SEG_TRANSACTIONS'] ?? 1000);
const views = {
  joined: 'SELECT t.k, count(*) AS n, sum(u.v) AS total FROM t JOIN u ON t.id = u.id GROUP BY t.k',
  outer_joined: 'SELECT u.id, u.v, w.v AS other FROM u LEFT JOIN w ON u.id = w.id',
  apart: 'SELECT k, max(id) AS last FROM t GROUP BY k',
};

let sessions: Session[] = [];
beforeAll(async () => {
  sessions = await Promise.all(Array.from({ length: 6 }, connectPostgres));
  await sessions[0]!.exec(
    `DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;
     CREATE TABLE t (id int, k int); CREATE TABLE u (id int, v int); CREATE TABLE w (id int, v int)`,
  );
  for (const [name, query] of Object.entries(views))
    await createIncrementalView(sessions[0]!, name, query, { changes: name === 'joined' });
});
afterAll(async () => {
  for (const session of sessions) await session.close();
});

const statements = (n: number): string => {
  const id = n % 20;
  switch (n % 11) {
    case 0:
      return 'TRUNCATE t';
    case 1:
      return `BEGIN; INSERT INTO w VALUES (${id}, 1); INSERT INTO t VALUES (${id}, ${n % 3}); COMMIT`;
    case 2:
      return `BEGIN; UPDATE u SET v = v + 1 WHERE id = ${id}; DELETE FROM t WHERE id = ${id}; COMMIT`;
    case 3:
      return `UPDATE t SET k = ${n % 3} WHERE id = ${id}`;
    case 4:
      return `DELETE FROM u WHERE id < ${id}`;
    case 5:
      return `INSERT INTO w VALUES (${id}, ${n})`;
    default:
      return n % 2 === 0 ? `INSERT INTO t VALUES (${id}, ${n % 3})` : `INSERT INTO u VALUES (${id}, ${n})`;
  }
};

test(`${transactions} transactions`, async () => {
  const failures = new Map<string, number>();
  let next = 0;
  await Promise.all(
    sessions.map(async (session) => {
      while (next < transactions) {
        const n = next++;
        await session.exec(statements(n)).catch(async (error: unknown) => {
          const code = String((error as { sqlstate?: string }).sqlstate);
          failures.set(code, (failures.get(code) ?? 0) + 1);
          await session.exec('ROLLBACK');
        });
      }
    }),
  );
  expect([...failures]).toEqual([]);
  for (const [name, query] of Object.entries(views)) {
    const { rows } = await sessions[0]!.query(
      `WITH wanted AS (${query}) (TABLE ${name} EXCEPT ALL TABLE wanted) UNION ALL (TABLE wanted EXCEPT ALL TABLE ${name})`,
    );
    expect({ name, rows }).toEqual({ name, rows: [] });
  }
});
