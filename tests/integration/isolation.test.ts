/** Writers and creators of every isolation level on a real server: a view is right, or the writer fails with 40001. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createIncrementalView } from '../../src/incremental/incremental-view.ts';
import { connectPostgres } from './pg-connection.ts';
import type { Session } from './pg-connection.ts';

let [owner, first, second]: Session[] = [];
beforeAll(async () => {
  owner = await connectPostgres();
  first = await connectPostgres();
  second = await connectPostgres();
});
afterAll(async () => {
  for (const session of [owner, first, second]) await session?.close();
});

const query = 'SELECT t.k, count(*) AS n, sum(u.v) AS total FROM t JOIN u ON t.id = u.id GROUP BY t.k';
const create = (session: Session): Promise<unknown> => createIncrementalView(session, 'sums', query);

async function expectRight(): Promise<void> {
  const { rows } = await owner!.query(
    `WITH wanted AS (${query}) (TABLE sums EXCEPT ALL TABLE wanted) UNION ALL (TABLE wanted EXCEPT ALL TABLE sums)`,
  );
  expect(rows).toEqual([]);
}
const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: unknown) => String((error as { sqlstate?: string }).sqlstate),
  );

beforeEach(async () => {
  await owner!.exec(
    `DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;
     CREATE TABLE t (id int, k int); CREATE TABLE u (id int, v int);
     INSERT INTO t SELECT i, i % 3 FROM generate_series(1, 9) AS i; INSERT INTO u SELECT i, i FROM generate_series(1, 9) AS i`,
  );
});

describe.each(['read committed', 'repeatable read', 'serializable'])('%s', (level) => {
  test('a creator with this default waits for a writer that is open, and sees its rows', async () => {
    await first!.exec(`BEGIN; INSERT INTO t VALUES (1, 7)`);
    await second!.exec(`SET default_transaction_isolation = '${level}'`);
    const made = create(second!);
    await waiting(second!);
    await first!.exec('COMMIT');
    await made;
    await second!.exec('RESET default_transaction_isolation');
    await expectRight();
  });

  test.each([
    ['the view', (): Promise<unknown> => create(owner!), false],
    ['a row of another table', (): Promise<unknown> => owner!.exec('INSERT INTO u VALUES (1, 5)'), true],
    ['TRUNCATE', (): Promise<unknown> => owner!.exec('TRUNCATE u'), true],
  ])('a writer whose snapshot is older than %s', async (_, change, before) => {
    if (before) await create(owner!);
    await first!.exec(
      `BEGIN ISOLATION LEVEL ${level}; SELECT FROM (VALUES (1)) AS x; SELECT count(*) FROM pg_class`,
    );
    await change();
    const answer = await failure(first!.exec('INSERT INTO t VALUES (1, 8)'));
    expect(answer).toBe(level === 'read committed' ? 'none' : '40001');
    await first!.exec('COMMIT');
    await expectRight();
  });

  test('a writer whose snapshot is recent goes on, after a savepoint too', async () => {
    await create(owner!);
    await owner!.exec('INSERT INTO t VALUES (2, 5)');
    await first!.exec(
      `BEGIN ISOLATION LEVEL ${level}; INSERT INTO t VALUES (1, 8); SAVEPOINT a; DELETE FROM u; ROLLBACK TO a; UPDATE u SET v = v + 1; COMMIT`,
    );
    await expectRight();
  });

  test('a writer whose turn another one had since a savepoint was undone', async () => {
    await create(owner!);
    await first!.exec(
      `BEGIN ISOLATION LEVEL ${level}; SAVEPOINT a; INSERT INTO t VALUES (1, 8); ROLLBACK TO a`,
    );
    await owner!.exec('INSERT INTO u VALUES (1, 6)');
    const answer = await failure(first!.exec('INSERT INTO t VALUES (1, 9)'));
    expect(answer).toBe(level === 'read committed' ? 'none' : '40001');
    await first!.exec('COMMIT');
    await expectRight();
  });
});

/** Until the session waits for a lock. */
async function waiting(session: Session): Promise<void> {
  void session;
  for (;;) {
    const { rows } = await owner!.query(
      `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
    );
    if (rows.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
