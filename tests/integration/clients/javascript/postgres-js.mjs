// postgres.js: pipelines whatever is asked at once, prepares by itself, and reserves connections.
import { deepEqual, equal, rejects } from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import postgres from 'postgres';
import { MANY, OWNER, READER, runChecks, SUM_OF_MANY } from './checks.mjs';

const [reader, a, b] = [READER, OWNER, OWNER].map((url) => postgres(url, { max: 1, onnotice: () => {} }));

await runChecks({
  'read only': async () => {
    const [{ many }] = await reader.begin(
      'read only',
      (sql) => sql`select count(*) > 6 as many from by_user`,
    );
    equal(many, true);
    await rejects(reader`create table public.x (a int)`, { code: '42501' });
    await rejects(
      a.begin('read only', (sql) => sql`create table public.x (a int)`),
      { code: '25006' },
    );
    deepEqual([...(await b`show transaction_read_only`)], [{ transaction_read_only: 'off' }]);
  },
  isolation: async () => {
    const [level] = await a.begin(
      'isolation level repeatable read',
      (sql) => sql`show transaction_isolation`,
    );
    deepEqual(level, { transaction_isolation: 'repeatable read' });
    const [other] = await b`show transaction_isolation`;
    deepEqual(other, { transaction_isolation: 'read committed' });
  },
  settings: async () => {
    await a`set work_mem = '9MB'`;
    await a`select set_config(${'app.tenant'}, ${'blue'}, false)`;
    const [other] = await b`select coalesce(current_setting('app.tenant', true), '') as tenant`;
    equal(other.tenant, '');
    const [own] = await a`select current_setting('app.tenant') || current_setting('work_mem') as both`;
    equal(own.both, 'blue9MB');
  },
  'prepared statements': async () => {
    for (const n of [1, 2, 3]) {
      equal((await a`select ${n}::int + 1 as n`)[0].n, n + 1);
      equal((await b`select ${n}::int + 2 as n`)[0].n, n + 2);
    }
  },
  'temporary tables': async () => {
    const sum = await a.begin(async (sql) => {
      await sql`create temp table notes (x int) on commit drop`;
      await sql`insert into notes ${sql([1, 2, 3].map((x) => ({ x })))}`;
      return sql`select sum(x)::int as sum from notes`;
    });
    equal(sum[0].sum, 6);
    equal((await b`select to_regclass('notes') as notes`)[0].notes, null);
  },
  cursors: async () => {
    let sum = 0;
    for await (const rows of a`select generate_series(1, ${1000}::int) as n`.cursor(100)) {
      for (const { n } of rows) sum += n;
    }
    equal(sum, 500_500);
  },
  types: async () => {
    const at = new Date('2024-02-29T01:02:03.456Z');
    const [row] = await a`select ${1}::int as i, ${'1099511627776'}::bigint as l, ${1.5}::float8 as f,
      ${'1.0123456789'}::numeric as n, ${'it\'s "ü" 🦆'}::text as t, ${Buffer.from([0, 255])}::bytea as b,
      ${true}::bool as o, ${null}::text as nothing, ${at}::timestamptz as at,
      ${a.array([1, 2, 3])}::int[] as a, ${a.json({ a: [1, 'b'] })}::jsonb as j`;
    deepEqual(row, {
      ...{ i: 1, l: '1099511627776', f: 1.5, n: '1.0123456789', t: 'it\'s "ü" 🦆', b: Buffer.from([0, 255]) },
      ...{ o: true, nothing: null, at, a: [1, 2, 3], j: { a: [1, 'b'] } },
    });
  },
  '300 parameters': async () => {
    const [{ sum }] = await a`select sum(n)::int from generate_series(1, 900) as n where n in ${a(MANY)}`;
    equal(sum, SUM_OF_MANY);
  },
  errors: async () => {
    await rejects(a`select 1 / ${0}::int`, { code: '22012' });
    await rejects(
      b.begin(async (sql) => {
        await sql.savepoint((inner) => inner`select * from nowhere`).catch(() => {});
        equal((await sql`select 1 as n`)[0].n, 1);
        await sql`select * from nowhere`;
      }),
      { code: '42P01' },
    );
    equal((await a`select 1 as n`)[0].n + (await b`select 2 as n`)[0].n, 3);
  },
  pipelining: async () => {
    const answers = await Promise.all(MANY.slice(0, 50).map((n) => a`select ${n}::int as n`));
    deepEqual(
      answers.map(([{ n }]) => n),
      MANY.slice(0, 50),
    );
    const [good, bad, better] = await Promise.allSettled([a`select 1`, a`select 1 / 0`, a`select 2`]);
    deepEqual([good.status, bad.status, better.status], ['fulfilled', 'rejected', 'fulfilled']);
  },
  LISTEN: async () => {
    const told = await new Promise((resolve, reject) => {
      a.listen('news', resolve, () => b.notify('news', 'first').catch(reject)).catch(reject);
    });
    equal(told, 'first');
  },
  COPY: async () => {
    const into = await a`copy segment_events (event_id, user_id, vendor) from stdin`.writable();
    await pipeline(Readable.from([`${randomUUID()}\tpostgres.js\t1\n`]), into);
    const out =
      await reader`copy (select events from by_user where user_id = 'postgres.js') to stdout`.readable();
    equal(await text(out), '1\n');
  },
});
await Promise.all([reader, a, b].map((sql) => sql.end()));
