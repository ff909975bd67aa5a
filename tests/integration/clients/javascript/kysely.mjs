// Kysely on node-postgres: its transactions, its streams and its look into the catalog.
import { equal, ok, rejects } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import Cursor from 'pg-cursor';
import { MANY, OWNER, READER, runChecks, SUM_OF_MANY } from './checks.mjs';

const [reader, a, b] = [READER, OWNER, OWNER].map((connectionString) => {
  const dialect = new PostgresDialect({ pool: new pg.Pool({ connectionString, max: 1 }), cursor: Cursor });
  return new Kysely({ dialect });
});
const value = async (db, query) => Object.values((await query.execute(db)).rows[0])[0];

await runChecks({
  'read only': async () => {
    const modes = reader.transaction().setAccessMode('read only');
    ok(await modes.execute((tx) => value(tx, sql`select count(*) > 6 from by_user`)));
    const writing = a.transaction().setAccessMode('read only');
    await rejects(
      writing.execute((tx) => sql`create table public.x (a int)`.execute(tx)),
      { code: '25006' },
    );
    equal(await value(b, sql`show transaction_read_only`), 'off');
  },
  isolation: async () => {
    const serializable = a.transaction().setIsolationLevel('serializable');
    equal(await serializable.execute((tx) => value(tx, sql`show transaction_isolation`)), 'serializable');
    equal(await value(b, sql`show transaction_isolation`), 'read committed');
  },
  settings: async () => {
    await sql`select set_config(${'app.tenant'}, ${'blue'}, false)`.execute(a);
    equal(await value(a, sql`select current_setting('app.tenant')`), 'blue');
    equal(await value(b, sql`select coalesce(current_setting('app.tenant', true), '')`), '');
  },
  'temporary tables': async () => {
    await a.transaction().execute(async (tx) => {
      await tx.schema.createTable('notes').temporary().onCommit('drop').addColumn('x', 'integer').execute();
      await tx
        .insertInto('notes')
        .values([{ x: 1 }, { x: 2 }, { x: 3 }])
        .execute();
      equal(await value(tx, sql`select sum(x)::int from notes`), 6);
    });
    equal(await value(b, sql`select to_regclass('notes')`), null);
  },
  cursors: async () => {
    let sum = 0;
    for await (const { n } of a
      .selectFrom(sql`generate_series(1, 1000)`.as('n'))
      .select('n')
      .stream(100))
      sum += n;
    equal(sum, 500_500);
  },
  '300 parameters': async () => {
    const query = a.selectFrom(sql`generate_series(1, 900)`.as('n')).where('n', 'in', MANY);
    const { sum } = await query.select(sql`sum(n)::int`.as('sum')).executeTakeFirst();
    equal(sum, SUM_OF_MANY);
  },
  errors: async () => {
    await rejects(sql`select 1 / ${0}::int`.execute(a), { code: '22012' });
    const broken = a.transaction().execute((tx) => tx.selectFrom('nowhere').selectAll().execute());
    await rejects(broken, { code: '42P01' });
    equal(await value(a, sql`select 1`), 1);
  },
  catalog: async () => {
    const tables = await a.introspection.getTables();
    const view = tables.find(({ schema, name }) => schema === 'stream' && name === 'by_user');
    equal(view?.columns.map(({ name }) => name).join(), 'user_id,events');
    const event = { event_id: randomUUID(), user_id: 'kysely', vendor: 1 };
    await a
      .insertInto('segment_events')
      .values(event)
      .onConflict((on) => on.doNothing())
      .execute();
    ok(await b.selectFrom('by_user').selectAll().where('user_id', '=', 'kysely').executeTakeFirst());
  },
});
await Promise.all([reader, a, b].map((db) => db.destroy()));
