// drizzle on postgres.js: its transactions, prepared statements and typed tables.
import { deepEqual, equal, rejects } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { eq, inArray, sql } from 'drizzle-orm';
import { bigint, integer, pgSchema, text, uuid } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { MANY, OWNER, READER, runChecks, SUM_OF_MANY } from './checks.mjs';

const clients = [READER, OWNER, OWNER].map((url) => postgres(url, { max: 1, onnotice: () => {} }));
const [reader, a, b] = clients.map((client) => drizzle(client));
const stream = pgSchema('stream');
const byUser = stream.table('by_user', {
  user: text('user_id'),
  events: bigint('events', { mode: 'number' }),
});
const events = stream.table('segment_events', {
  id: uuid('event_id').primaryKey(),
  user: text('user_id'),
  vendor: integer('vendor'),
});
const value = async (db, query) => Object.values((await db.execute(query))[0])[0];
/** drizzle wraps what its driver throws. */
const because = (code) => (error) => (error.cause ?? error).code === code;

await runChecks({
  'read only': async () => {
    const rows = await reader.transaction((tx) => tx.select().from(byUser).limit(3), {
      accessMode: 'read only',
    });
    equal(rows.length, 3);
    const write = (tx) => tx.execute(sql`create table public.x (a int)`);
    await rejects(a.transaction(write, { accessMode: 'read only' }), because('25006'));
    equal(await value(b, sql`show transaction_read_only`), 'off');
  },
  isolation: async () => {
    const level = (tx) => value(tx, sql`show transaction_isolation`);
    equal(await a.transaction(level, { isolationLevel: 'serializable' }), 'serializable');
    equal(await level(b), 'read committed');
  },
  settings: async () => {
    await a.execute(sql`select set_config(${'app.tenant'}, ${'blue'}, false)`);
    equal(await value(a, sql`select current_setting('app.tenant')`), 'blue');
    equal(await value(b, sql`select coalesce(current_setting('app.tenant', true), '')`), '');
  },
  'prepared statements': async () => {
    const mine = a
      .select()
      .from(byUser)
      .where(eq(byUser.user, sql.placeholder('user')))
      .prepare('mine');
    const other = b
      .select({ n: sql`2` })
      .from(byUser)
      .limit(1)
      .prepare('mine');
    deepEqual(await mine.execute({ user: 'user-0' }), [{ user: 'user-0', events: 10 }]);
    deepEqual(await other.execute(), [{ n: 2 }]);
    deepEqual(await mine.execute({ user: 'user-1' }), [{ user: 'user-1', events: 10 }]);
  },
  '300 parameters': async () => {
    const some = inArray(sql`n`, MANY);
    equal(
      await value(a, sql`select sum(n)::int from generate_series(1, 900) as n where ${some}`),
      SUM_OF_MANY,
    );
  },
  errors: async () => {
    await rejects(a.execute(sql`select 1 / ${0}::int`), because('22012'));
    await a.transaction(async (tx) => {
      await rejects(
        tx.transaction((inner) => inner.execute(sql`select * from nowhere`)),
        because('42P01'),
      );
      equal(await value(tx, sql`select 1`), 1);
    });
    const event = { id: randomUUID(), user: 'drizzle', vendor: 1 };
    await a.insert(events).values(event).onConflictDoNothing();
    equal((await b.select().from(byUser).where(eq(byUser.user, 'drizzle'))).length, 1);
  },
});
await Promise.all(clients.map((client) => client.end()));
