/** The postgres sink against another embedded database behind this server's own Postgres port. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { PGliteDatabase } from '../../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../../engines/pglite/memory.ts';
import type { Logger } from '../../log/logger.ts';
import { deployWith, syncOnce } from '../../sinks/fixture.ts';
import { SharedDatabase } from '../engine/shared-database.ts';
import { Turns } from '../engine/turns.ts';
import { createMetrics } from '../metrics.ts';
import { startWireServer } from './wire-server.ts';
import type { WireServer } from './wire-server.ts';

let receiver: PGliteDatabase;
let server: WireServer;
let db: PGliteDatabase;
let connection: string;

beforeAll(async () => {
  receiver = await openMemoryDatabase();
  server = await startWireServer(receiver, new SharedDatabase(receiver, new Turns(), { exclusive: true }), {
    host: '127.0.0.1',
    port: 0,
    access: { token: 'token', ownerPassword: undefined, readerPassword: undefined },
    idleMs: 30_000,
    readMs: 30_000,
    schemas: async () => [],
    metrics: createMetrics(),
    log: { error: () => {} } as unknown as Logger,
  });
  connection = `postgres://seg@127.0.0.1:${server.port}/postgres`;
});
afterAll(async () => {
  await server.close();
  await receiver.close();
});
beforeEach(async () => {
  db = await openMemoryDatabase();
  return () => db.close();
});

const insert = (values: string) => db.exec(`INSERT INTO app.orders (id, customer, amount) VALUES ${values}`);

const held = async (table: string) =>
  (await receiver.query(`SELECT customer, orders::integer, total FROM mirror.${table} ORDER BY customer`))
    .rows;

it('makes its table, mirrors what changes, and forgets what is gone', async () => {
  const project = await deployWith(
    db,
    `  - {name: totals, from: ref('totals'), type: postgres, mode: mirror, guard: false, config: {connection: '${connection}', schema: mirror, table: totals}}`,
  );
  await insert("(1, 'ann', 10), (2, 'bob', 20), (3, 'ann', 5)");
  const first = await syncOnce(db, project);
  expect(first.summaries['totals']).toMatchObject({ status: 'ok', sent: 2 });
  expect(await held('totals')).toEqual([
    { customer: 'ann', orders: 2, total: '15' },
    { customer: 'bob', orders: 1, total: '20' },
  ]);
  await db.exec(
    "DELETE FROM app.orders WHERE customer = 'bob'; UPDATE app.orders SET amount = 1 WHERE id = 1",
  );
  await insert(`(4, 'o''c "x" ü', 7)`);
  await syncOnce(db, project);
  expect(await held('totals')).toEqual([
    { customer: 'ann', orders: 2, total: '6' },
    { customer: 'o\'c "x" ü', orders: 1, total: '7' },
  ]);
});

it('applies a batch once, also when its acknowledgement was lost', async () => {
  const project = await deployWith(
    db,
    `  - {name: log, from: ref('big'), type: postgres, mode: insert_only, backfill: true, config: {connection: '${connection}', schema: mirror, table: log}}`,
  );
  await insert("(1, 'ann', 100), (2, 'ann', 100), (3, 'bob', 200)");
  await syncOnce(db, project);
  const count = async () =>
    (await receiver.query<{ n: number }>('SELECT count(*)::integer AS n FROM mirror.log')).rows[0]!.n;
  expect(await count()).toBe(3);
  await insert("(4, 'cat', 300)");
  // What a process leaves behind that was killed between the receiver's commit and its own: the batch is still bound here.
  await db.exec(`CREATE TABLE before AS SELECT * FROM _seg.sink_queue`);
  await db.exec(`CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF old.batch IS NOT NULL THEN INSERT INTO before SELECT old.*; END IF; RETURN old; END $$;
    CREATE TRIGGER keep BEFORE DELETE ON _seg.sink_queue FOR EACH ROW EXECUTE FUNCTION keep()`);
  await syncOnce(db, project);
  expect(await count()).toBe(4);
  await db.exec(
    `DROP TRIGGER keep ON _seg.sink_queue; INSERT INTO _seg.sink_queue OVERRIDING SYSTEM VALUE SELECT * FROM before`,
  );
  await syncOnce(db, project);
  expect(await count()).toBe(4);
});

it('fails as a whole when the server refuses it, and goes on where it was', async () => {
  const project = await deployWith(
    db,
    `  - {name: totals, from: ref('totals'), type: postgres, config: {connection: '${connection}', schema: mirror, table: refused}}`,
  );
  await receiver.exec(
    'CREATE SCHEMA IF NOT EXISTS mirror; CREATE TABLE mirror.refused (customer text PRIMARY KEY, orders bigint, total numeric CHECK (total < 100))',
  );
  await insert("(1, 'ann', 10), (2, 'bob', 500)");
  const { summaries } = await syncOnce(db, project);
  // The record that does not fit is parked alone.
  expect(summaries['totals']).toMatchObject({ sent: 1, rejected: 1 });
  expect(await held('refused')).toEqual([{ customer: 'ann', orders: 1, total: '10' }]);
  await receiver.exec('ALTER TABLE mirror.refused DROP CONSTRAINT refused_total_check');
  await syncOnce(db, project);
  expect(await held('refused')).toHaveLength(2);
});

it('takes nothing from a restored database or a clone, whose batches have numbers that it knows, until all is sent anew', async () => {
  const project = await deployWith(
    db,
    `  - {name: clone, from: ref('totals'), type: postgres, mode: mirror, guard: false, config: {connection: '${connection}', schema: mirror, table: clones}}`,
  );
  await insert("(1, 'ann', 10)");
  await syncOnce(db, project);
  const backup = await db.dump();
  await insert("(2, 'bob', 20)");
  await syncOnce(db, project);

  const restored = await openMemoryDatabase({ from: backup });
  try {
    await restored.exec("INSERT INTO app.orders (id, customer, amount) VALUES (3, 'cat', 30)");
    const refused = await syncOnce(restored, project);
    expect(refused.summaries['clone']).toMatchObject({ sent: 0 });
    expect(JSON.stringify(refused)).toContain('restored from a backup');
    expect(JSON.stringify(refused)).toContain('--full-resync');
    expect((await held('clones')).map(({ customer }) => customer)).toEqual(['ann', 'bob']);

    // Sends all that is here; what only the other database knew of stays.
    await syncOnce(restored, project, { fullResync: true });
    expect((await held('clones')).map(({ customer }) => customer)).toEqual(['ann', 'bob', 'cat']);
    await restored.exec("INSERT INTO app.orders (id, customer, amount) VALUES (4, 'dan', 40)");
    await syncOnce(restored, project);
    expect((await held('clones')).map(({ customer }) => customer)).toEqual(['ann', 'bob', 'cat', 'dan']);
  } finally {
    await restored.close();
  }
});
