// node-postgres: two connections beside each other.
import { deepEqual, equal, rejects } from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import pg from 'pg';
import Cursor from 'pg-cursor';
import { from, to } from 'pg-copy-streams';
import { MANY, OWNER, READER, runChecks, SUM_OF_MANY } from './checks.mjs';

const [reader, a, b] = await Promise.all(
  [READER, OWNER, OWNER].map(async (url) => {
    const client = new pg.Client(url);
    await client.connect();
    return client;
  }),
);
const value = async (client, sql, parameters) => {
  const { rows } = await client.query({ text: sql, values: parameters, rowMode: 'array' });
  return rows[0][0];
};

await runChecks({
  'read only': async () => {
    await reader.query('BEGIN READ ONLY');
    equal(await value(reader, 'SELECT count(*) > 6 FROM by_user'), true);
    await reader.query('COMMIT');
    await rejects(reader.query('CREATE TABLE public.x (a int)'), { code: '42501' });
    await a.query('SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY');
    await rejects(a.query('CREATE TABLE public.x (a int)'), { code: '25006' });
    equal(await value(b, 'SHOW transaction_read_only'), 'off');
    await a.query('RESET default_transaction_read_only');
  },
  isolation: async () => {
    await a.query('BEGIN ISOLATION LEVEL SERIALIZABLE');
    equal(await value(a, 'SHOW transaction_isolation'), 'serializable');
    await a.query('COMMIT');
    equal(await value(b, 'SHOW transaction_isolation'), 'read committed');
  },
  settings: async () => {
    await a.query({ name: 'setting', text: "SET work_mem = '9MB'" });
    await value(a, 'SELECT set_config($1, $2, false)', ['app.tenant', 'blue']);
    equal((await value(b, "SELECT current_setting('app.tenant', true)")) || null, null);
    equal(await value(a, "SELECT current_setting('app.tenant') || current_setting('work_mem')"), 'blue9MB');
  },
  'prepared statements': async () => {
    for (const n of [1, 2]) {
      const mine = { name: 'mine', text: 'SELECT $1::int + 1 AS n', values: [n] };
      deepEqual((await a.query(mine)).rows, [{ n: n + 1 }]);
      deepEqual((await b.query({ ...mine, text: 'SELECT $1::int + 2 AS n' })).rows, [{ n: n + 2 }]);
    }
  },
  'temporary tables': async () => {
    await a.query('BEGIN; CREATE TEMP TABLE notes (x int) ON COMMIT DROP');
    await a.query('INSERT INTO notes SELECT generate_series(1, $1::int)', [3]);
    equal(await value(a, 'SELECT sum(x)::int FROM notes'), 6);
    await a.query('COMMIT');
    equal(await value(b, "SELECT to_regclass('notes')"), null);
  },
  cursors: async () => {
    const cursor = a.query(new Cursor('SELECT generate_series(1, $1::int) AS n', [1000]));
    let sum = 0;
    for (let rows; (rows = await cursor.read(100)).length > 0;) {
      for (const { n } of rows) sum += n;
    }
    await cursor.close();
    equal(sum, 500_500);
    equal(
      await value(b, "SELECT count(*)::int FROM pg_cursors WHERE statement LIKE 'SELECT generate_series%'"),
      0,
    );
  },
  types: async () => {
    const sent = [
      1,
      '1099511627776',
      1.5,
      '12345678901234567890.0123456789',
      'it\'s "ü" 🦆',
      Buffer.from([0, 255]),
      true,
      null,
      new Date('2024-02-29T01:02:03.456Z'),
      '00000000-0000-0000-0000-000000000007',
      [1, null, 3],
      ['a,b', '"', null],
      { a: [1, 'b'] },
    ];
    const names = [
      'int',
      'bigint',
      'float8',
      'numeric',
      'text',
      'bytea',
      'bool',
      'text',
      'timestamptz',
      'uuid',
    ];
    names.push('int[]', 'text[]', 'jsonb');
    const places = names.map((name, index) => `$${index + 1}::${name}`).join(', ');
    const { rows } = await a.query({ text: `SELECT ${places}`, values: sent, rowMode: 'array' });
    deepEqual(rows, [sent]);
  },
  '300 parameters': async () => {
    const places = MANY.map((n) => `($${n}::int)`).join(', ');
    equal(await value(a, `SELECT sum(n)::int FROM (VALUES ${places}) AS v(n)`, MANY), SUM_OF_MANY);
    const chain = (terms) => Array.from({ length: terms }, (_, index) => `$${index + 1}::int`).join(' + ');
    const sum = (terms) => value(a, `SELECT ${chain(terms)}`, Array(terms).fill(1));
    equal(await sum(5000), 5000);
    for (const terms of [7000, 25_000]) await rejects(sum(terms), { code: '54001', severity: 'ERROR' });
    equal(await value(a, 'SELECT 1'), 1);
  },
  errors: async () => {
    await rejects(value(a, 'SELECT 1 / $1::int', [0]), { code: '22012' });
    await b.query('BEGIN');
    await rejects(b.query('SELECT * FROM nowhere'), { code: '42P01' });
    await rejects(b.query('SELECT 1'), { code: '25P02' });
    await b.query('ROLLBACK');
    equal((await value(a, 'SELECT 1')) + (await value(b, 'SELECT 2')), 3);
  },
  LISTEN: async () => {
    const others = [];
    b.on('notification', (each) => others.push(each));
    await a.query('LISTEN news');
    const told = once(a, 'notification');
    await value(b, 'SELECT pg_notify($1, $2)', ['news', 'first']);
    equal((await told)[0].payload, 'first');
    await value(b, 'SELECT 1');
    deepEqual(others, []);
  },
  COPY: async () => {
    const into = a.query(from('COPY segment_events (event_id, user_id, vendor) FROM STDIN'));
    await pipeline(Readable.from([`${randomUUID()}\tnode-postgres\t1\n`]), into);
    const out = reader.query(
      to("COPY (SELECT events FROM by_user WHERE user_id = 'node-postgres') TO STDOUT"),
    );
    equal(await text(out), '1\n');
  },
});
await Promise.all([reader, a, b].map((client) => client.end()));
