/** Clients of the Postgres port beside each other: what one makes of the session, another must see nothing of. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PGliteDatabase } from '../../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../../engines/pglite/memory.ts';
import type { Logger } from '../../log/logger.ts';
import { SharedDatabase } from '../engine/shared-database.ts';
import { Turns } from '../engine/turns.ts';
import { createMetrics } from '../metrics.ts';
import { BackendReader } from './backend-reader.ts';
import { int16, int32, message } from './frontend-frames.ts';
import { startWireServer } from './wire-server.ts';
import type { WireServer } from './wire-server.ts';

let db: PGliteDatabase;
let server: WireServer;
const clients: pg.Client[] = [];
const errors: string[] = [];

beforeAll(async () => {
  db = await openMemoryDatabase();
  await db.exec(`
    CREATE SCHEMA "s ""hop"; CREATE TABLE "s ""hop".orders (id int); INSERT INTO "s ""hop".orders VALUES (1), (2);
    CREATE FUNCTION public.become(tenant text) RETURNS void LANGUAGE plpgsql AS
      $$ BEGIN PERFORM set_config('app.of_function', tenant, false); SET work_mem = '7MB'; END $$;
    CREATE FUNCTION public.makes_temporary() RETURNS void LANGUAGE plpgsql AS
      $$ BEGIN EXECUTE 'CREATE TEMP TABLE hidden (x int)'; END $$;
    CREATE SEQUENCE public.numbers;
    CREATE TABLE public.copied (a int, b text);
    CREATE ROLE app;`);
  const shared = new SharedDatabase(db, new Turns(), { exclusive: true });
  server = await startWireServer(db, shared, {
    host: '127.0.0.1',
    port: 0,
    access: { token: 'token', ownerPassword: undefined, readerPassword: undefined },
    idleMs: 30_000,
    readMs: 30_000,
    schemas: async () => ['s "hop'],
    metrics: createMetrics(),
    log: { error: (text: string) => errors.push(text) } as unknown as Logger,
  });
}, 120_000);
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)));
  expect(errors.splice(0)).toEqual([]);
});
afterAll(async () => {
  await server.close();
  await db.close();
});

async function client(user = 'seg', config: pg.ClientConfig = {}): Promise<pg.Client> {
  const made = new pg.Client({ host: '127.0.0.1', port: server.port, user, database: 'postgres', ...config });
  made.on('error', () => undefined);
  await made.connect();
  clients.push(made);
  return made;
}

async function show(of: pg.Client, name: string): Promise<string | null> {
  const { rows } = await of.query<{ v: string | null }>('select current_setting($1, true) as v', [name]);
  return rows[0]!.v;
}

/** The protocol's own messages, one unit at a time. */
class Raw {
  readonly socket: Socket;
  readonly #reader = new BackendReader();
  #types: string[] = [];
  #texts: string[] = [];
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => this.#wake());
    socket.on('data', (chunk: Buffer) => {
      for (const { type, body } of this.#reader.push(chunk)) {
        this.#types.push(type);
        if ('EAN'.includes(type)) this.#texts.push(body.toString('utf8').replaceAll('\0', ' '));
        if (type === 'D') this.#texts.push(body.toString('utf8', 6));
      }
      this.#wake();
    });
  }

  static async open(user = 'seg'): Promise<Raw> {
    const raw = new Raw(connect(server.port, '127.0.0.1'));
    raw.socket.write(message('', int32(196_608), 'user', user, Buffer.of(0)));
    await raw.until('Z');
    return raw;
  }

  send(...messages: Buffer[]): void {
    this.socket.write(Buffer.concat(messages));
  }

  /** What has come up to the next message of a type. */
  async until(type: string): Promise<{ types: string; texts: string[] }> {
    while (!this.#types.includes(type) && !this.socket.destroyed) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const types = this.#types.join('');
    const texts = this.#texts;
    this.#types = [];
    this.#texts = [];
    return { types, texts };
  }

  async ask(...messages: Buffer[]): Promise<{ types: string; texts: string[] }> {
    this.send(...messages, message('S'));
    return this.until('Z');
  }
}

const parse = (name: string, sql: string) => message('P', name, sql, int16(0));
const bind = (name: string, ...values: string[]) =>
  message(
    'B',
    '',
    name,
    int16(0),
    int16(values.length),
    ...values.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)]),
    int16(0),
  );
const execute = message('E', '', int32(0));

describe('settings', () => {
  it('are of the client whose statement set them, parsed whenever', async () => {
    const [a, b] = [await client(), await client()];
    const set = async (of: pg.Client, text: string, values: string[] = []) =>
      of.query({ name: text, text, values });
    await set(a, "select set_config('app.tenant', $1, false)", ['a']);
    await set(a, 'set search_path to pg_catalog');
    await set(a, 'set default_transaction_read_only to on');
    for (let round = 0; round < 2; round++) {
      expect([await show(a, 'app.tenant'), (await show(b, 'app.tenant')) || null]).toEqual(['a', null]);
      expect([await show(a, 'search_path'), await show(b, 'search_path')]).toEqual([
        'pg_catalog',
        'public, "s ""hop"',
      ]);
      await b.query('insert into public.copied values (0)');
      await db.exec('select 1');
      // Again, from the statements that were parsed long ago.
      await set(b, 'select 1');
      await set(a, "select set_config('app.tenant', $1, false)", ['a']);
      await set(a, 'set search_path to pg_catalog');
    }
    await expect(a.query('insert into public.copied values (0)')).rejects.toMatchObject({ code: '25006' });
  });

  it('are found whatever set them: functions, DO, values, names in any letters, SET LOCAL ends', async () => {
    const [a, b] = [await client(), await client()];
    await a.query("select public.become('f')");
    await a.query(`do $$ begin perform set_config('app.of_do', 'ü''"\\', false); end $$`);
    await a.query('select set_config($1, $2, false)', ['App.Of_Value', 'v']);
    await a.query("begin; set local app.of_local = 'x'; set local timezone = 'Asia/Tokyo'");
    await a.query('commit');
    await a.query('set "app".quoted to \'q\'');
    const names = ['app.of_function', 'app.of_do', 'app.of_value', 'app.quoted', 'work_mem', 'app.of_local'];
    const all = async (of: pg.Client) => {
      const values: string[] = [];
      for (const name of names) values.push((await show(of, name)) ?? '');
      return values;
    };
    expect(await all(b)).toEqual(['', '', '', '', '128MB', '']);
    expect(await all(a)).toEqual(['f', 'ü\'"\\', 'v', 'q', '7MB', '']);
    expect([await show(a, 'timezone'), await show(b, 'timezone')]).toEqual(['UTC', 'UTC']);
    // A name that nothing says: others still see nothing of it.
    await a.query("select set_config('app.' || chr(120), 'secret', false)");
    expect((await show(b, 'app.x')) || null).toBeNull();
  });

  it('go back to those of the login', async () => {
    const a = await client('seg', {
      options: '-c search_path=pg_catalog -c app.tenant=mine -c work_mem=9MB',
    });
    const b = await client();
    for (const reset of ['reset all', 'discard all', 'reset search_path; reset work_mem; reset app.tenant']) {
      await a.query("set search_path = public; set work_mem = '3MB'; set app.tenant = 'other'; set role app");
      await b.query('select 1');
      expect((await a.query('select current_user as u')).rows).toEqual([{ u: 'app' }]);
      await a.query(reset);
      for (let round = 0; round < 2; round++) {
        expect([
          await show(a, 'search_path'),
          await show(a, 'work_mem'),
          await show(a, 'app.tenant'),
        ]).toEqual(['pg_catalog', '9MB', 'mine']);
        await b.query('select 1');
      }
      const { rows } = await a.query('select current_user as u');
      expect(rows, reset).toEqual([{ u: reset === 'discard all' ? 'postgres' : 'app' }]);
    }
  });

  it('say who a client is, to it alone', async () => {
    const [a, b] = [await client(), await client()];
    await a.query({ name: 'become', text: 'set session authorization app' });
    expect((await b.query('select session_user as u')).rows).toEqual([{ u: 'postgres' }]);
    expect((await a.query('select session_user as u')).rows).toEqual([{ u: 'app' }]);
    await a.query('set session authorization postgres');
    await b.query('select 1');
    expect((await a.query('select session_user as u')).rows).toEqual([{ u: 'postgres' }]);
    await expect(a.query('set exit_on_error = on')).rejects.toMatchObject({ code: '42501' });
  });
});

describe('what would stay in the session', () => {
  it('temporary tables live as long as their transaction', async () => {
    const [a, b] = [await client(), await client()];
    const notices: string[] = [];
    a.on('notice', ({ message: text }) => notices.push(text ?? ''));
    await expect(a.query('create temp table t (x int)')).rejects.toMatchObject({ code: '0A000' });
    await expect(a.query({ name: 't', text: 'create temp table t (x int)' })).rejects.toMatchObject({
      code: '0A000',
    });
    await a.query('begin');
    await a.query({ name: 't', text: 'create temp table t (x int)' });
    await a.query('insert into t values (1)');
    expect((await a.query('select * from t')).rows).toEqual([{ x: 1 }]);
    await a.query('commit');
    expect(notices).toEqual(['temporary t: dropped at the end of the transaction']);
    await expect(a.query('select * from t')).rejects.toMatchObject({ code: '42P01' });
    await a.query('create temp table u (x int) on commit drop');
    await a.query('select public.makes_temporary()');
    await expect(b.query('select * from hidden')).rejects.toMatchObject({ code: '42P01' });
    await b.query('begin; create temp table t (y int)');
    await b.query('discard all').catch(() => undefined);
    await b.query('rollback');
  });

  it('cursors WITH HOLD, advisory locks and values of sequences', async () => {
    const [a, b] = [await client(), await client()];
    await expect(a.query('declare c cursor with hold for select 1')).rejects.toMatchObject({ code: '0A000' });
    await expect(a.query('select pg_try_advisory_lock(1)')).rejects.toMatchObject({ code: '0A000' });
    await a.query('select pg_advisory_xact_lock(1), pg_advisory_unlock_all()');
    await a.query(`do $$ begin execute 'select pg_advisory_lock(7)'; end $$`);
    await a.query("select nextval('public.numbers')");
    expect((await a.query("select currval('public.numbers') as n")).rows).toEqual([{ n: '1' }]);
    await expect(b.query('select lastval()')).rejects.toMatchObject({ code: '55000' });
    await expect(b.query("select currval('public.numbers')")).rejects.toMatchObject({ code: '55000' });
    expect(
      (await b.query("select count(*)::int as n from pg_locks where locktype = 'advisory'")).rows,
    ).toEqual([{ n: 0 }]);
    await b.query("select nextval('public.numbers')");
    await expect(a.query("select currval('public.numbers')")).rejects.toMatchObject({ code: '55000' });
  });

  it('prepared statements, also within EXPLAIN and CREATE TABLE AS', async () => {
    const [a, b] = [await client(), await client()];
    await a.query('prepare p as select 1 as n; prepare "p x" as select 2 as n');
    await b.query('prepare p as select 3 as n');
    expect((await a.query('execute p')).rows).toEqual([{ n: 1 }]);
    const { rows } = await a.query('explain (costs off, format text) /* x */ execute "p x"');
    expect(rows).toEqual([{ 'QUERY PLAN': 'Result' }]);
    await a.query('explain analyze verbose execute p');
    await b.query('begin; create table public.made as execute p; insert into public.made values (4)');
    expect((await b.query('select sum(n)::int as n from public.made')).rows).toEqual([{ n: 7 }]);
    await b.query('rollback');
    await b.query('deallocate all');
    await expect(b.query('execute p')).rejects.toThrow('prepared statement "p" does not exist');
    expect((await a.query('execute p')).rows).toEqual([{ n: 1 }]);
  });
});

describe('readers', () => {
  it('may say that they only read, and set what is theirs', async () => {
    const reader = await client('dashboard');
    for (const sql of [
      'begin read only; select 1; commit',
      'start transaction isolation level repeatable read, read only, deferrable; rollback',
      'set session characteristics as transaction read only',
      'set session characteristics as transaction isolation level serializable, read only',
      'begin; set transaction isolation level repeatable read, read only; commit',
      'set default_transaction_read_only = on; set default_transaction_read_only to true',
      'begin; set transaction_read_only = 1; rollback',
      "select pg_catalog.set_config('search_path', '', false)",
      'begin; lock table "s ""hop".orders in access share mode; commit',
    ]) {
      await reader.query(sql).catch((error: unknown) => expect.soft(error, sql).toBeUndefined());
    }
    expect(await show(reader, 'search_path')).toBe('');
    expect(await show(reader, 'default_transaction_read_only')).toBe('on');
    await reader.query('reset all');
    expect((await reader.query('select count(*)::int as n from orders')).rows).toEqual([{ n: 2 }]);
    expect(await show(reader, 'default_transaction_read_only')).toBe('on');
  });

  it('may not write, nor set what is not theirs, in whatever words', async () => {
    const reader = await client('dashboard');
    for (const sql of [
      'begin read write',
      'start transaction isolation level serializable, read write',
      'set session characteristics as transaction read write',
      'begin; set transaction read write',
      'rollback; set default_transaction_read_only = off',
      'set default_transaction_read_only to default',
      'reset transaction_read_only',
      'reset all; commit; select lo_create(0)',
      "select set_config('session_authorization', 'postgres', false)",
      "select set_config('Default_Transaction_Read_Only', 'off', false)",
      "select pg_catalog.set_config('session_' || 'replication_role', 'replica', false)",
      "select * from query_to_xml('select set_config(''role'', ''postgres'', false)', true, true, '')",
      "prepare p as select set_config($1, $2, false); execute p('role', 'postgres')",
      'set session_replication_role = replica',
      "set role 'postgres'",
    ]) {
      await expect(reader.query(sql), sql).rejects.toThrow();
      await reader.query('rollback').catch((error: unknown) => expect(error, sql).toBeUndefined());
    }
    expect((await reader.query('select session_user as u, current_user as c')).rows).toEqual([
      { u: 'seg_reader', c: 'seg_reader' },
    ]);
    for (const option of [
      '-c session_replication_role=replica',
      '-c Session_Replication_Role=replica',
      '--allow-system-table-mods=on',
      '-c lo_compat_privileges=on',
      '-c log_statement=all',
      '-c role=postgres',
      '-csession_authorization=postgres',
      '-c default_transaction_read_only=off',
      '-c exit_on_error=on',
      '-c no_such_setting=1',
    ]) {
      await expect(client('dashboard', { options: option }), option).rejects.toThrow();
    }
    const fine = await client('dashboard', {
      options: '-c work_mem=2MB -c default_transaction_read_only=on -c app.x=1',
    });
    expect([await show(fine, 'work_mem'), await show(fine, 'app.x')]).toEqual(['2MB', '1']);
  });
});

describe('the extended protocol', () => {
  it('registers LISTEN when it runs, not when it is parsed', async () => {
    const [raw, other] = [await Raw.open(), await client()];
    await raw.ask(parse('l', 'listen "N e"'));
    await other.query(`notify "N e", 'early'`);
    await raw.ask(bind('l'), execute);
    await other.query(`notify "N e", 'late'`);
    expect((await raw.until('A')).texts.join()).toContain('late');
    await raw.ask(parse('u', 'unlisten *'));
    await raw.ask(bind('u'), execute);
    await other.query(`notify "N e", 'never'`);
    expect((await raw.ask(parse('', 'select 1'))).texts).toEqual([]);
    raw.socket.destroy();
  });

  it('takes COPY FROM STDIN, and says what is wrong with it', async () => {
    const raw = await Raw.open();
    const copy = 'copy public.copied from stdin';
    await raw.ask(parse('c', copy));
    // The Sync behind Execute is not for the COPY.
    raw.send(bind('c'), execute, message('S'));
    expect((await raw.until('G')).types).toBe('2G');
    raw.send(message('d', Buffer.from('1\tone\n')), message('d', Buffer.from('2\ttwo\n')), message('c'));
    expect((await raw.ask()).types).toBe('CZ');
    raw.send(parse('', copy), bind(''), execute, message('H'));
    expect((await raw.until('G')).types).toBe('12G');
    raw.send(message('d', Buffer.from('x\tone\n')), message('c'));
    expect((await raw.ask()).types).toBe('EZ');
    raw.send(bind('c'), execute, message('S'));
    await raw.until('G');
    raw.send(message('f', 'changed my mind'));
    expect((await raw.ask()).types).toBe('EZ');
    // An error before the COPY: its data is thrown away up to the Sync.
    raw.send(bind('nothing'), bind('c'), execute, message('d', Buffer.from('3\tx\n')), message('c'));
    expect((await raw.ask()).types).toBe('EZ');
    const { rows } = await (
      await client()
    ).query('select a, b from public.copied where b is not null order by a');
    expect(rows).toEqual([
      { a: 1, b: 'one' },
      { a: 2, b: 'two' },
    ]);
    raw.socket.destroy();
    const reader = await Raw.open('dashboard');
    expect((await reader.ask(parse('', copy), bind(''), execute)).types).toBe('EZ');
    reader.socket.destroy();
  });

  it('answers a statement that is too deep for the parser with an error, and goes on', async () => {
    const reader = await client('dashboard');
    const sum = Array.from({ length: 20_000 }, () => '1').join(' + ');
    await expect(reader.query(`select ${sum}`)).rejects.toMatchObject({ code: '54001' });
    await expect(reader.query(`select ${sum}, $1::int`, [1])).rejects.toMatchObject({ code: '54001' });
    expect((await reader.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
  });

  it('refuses to prepare what the engine would end over, and goes on with what the session has', async () => {
    const owner = await client();
    await owner.query("SET work_mem = '9MB'");
    const chain = (terms: number) => Array.from({ length: terms }, (_, at) => `$${at + 1}::int`).join(' + ');
    const sum = (terms: number) => owner.query(`SELECT ${chain(terms)} AS n`, Array(terms).fill(1));
    expect((await sum(240)).rows).toEqual([{ n: 240 }]);
    const refusal = { code: '54001', severity: 'ERROR' };
    for (const terms of [300, 2500, 5000]) await expect(sum(terms)).rejects.toMatchObject(refusal);
    const calls = `${'abs('.repeat(400)}1${')'.repeat(400)}`;
    await expect(owner.query(`SELECT ${calls} + $1::int`, [1])).rejects.toMatchObject(refusal);
    await expect(owner.query(`PREPARE deep AS SELECT ${calls}`)).rejects.toMatchObject(refusal);
    await expect(owner.query(`SELECT ${Array(5000).fill('1').join(' + ')}`)).rejects.toMatchObject(refusal);
    const rows = Array.from({ length: 2500 }, (_, at) => `($${at + 1}::int)`).join(', ');
    const list = await owner.query(
      `SELECT sum(n)::int AS n FROM (VALUES ${rows}) AS v (n)`,
      Array(2500).fill(1),
    );
    expect(list.rows).toEqual([{ n: 2500 }]);
    expect((await owner.query('SHOW work_mem')).rows).toEqual([{ work_mem: '9MB' }]);
  });

  it('is cleaned up behind who leaves while another is in a transaction', async () => {
    const [busy, leaving] = [await client(), await Raw.open()];
    leaving.send(message('P', 'left', 'select 77', int16(0)), message('S'));
    await leaving.until('Z');
    const left = "SELECT count(*)::int AS n FROM pg_prepared_statements WHERE statement = 'select 77'";
    expect((await busy.query(left)).rows).toEqual([{ n: 1 }]);
    await busy.query('BEGIN');
    leaving.send(message('X'));
    await new Promise((resolve) => leaving.socket.once('close', resolve));
    await busy.query('COMMIT');
    await expect
      .poll(async () => (await busy.query<{ n: number }>(left)).rows, { timeout: 20_000 })
      .toEqual([{ n: 0 }]);
  });

  it('who only prepares, without Sync, keeps nobody waiting', async () => {
    const raw = await Raw.open();
    const parse = (sql: string) => message('P', 'mine', sql, int16(0));
    const describe = message('D', Buffer.from('S'), 'mine');
    raw.send(parse('select 7 as n'), describe, message('H'));
    await raw.until('T');
    const other = await client();
    expect((await other.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
    const bind = message('B', '', 'mine', int16(0), int16(0), int16(0));
    raw.send(bind, message('E', '', int32(0)), message('S'));
    await raw.until('Z');
    // An error stands until Sync, as it does elsewhere.
    raw.send(parse('select nonsense from'), describe, message('H'));
    await raw.until('E');
    expect((await other.query('select 2 as n')).rows).toEqual([{ n: 2 }]);
    raw.send(message('S'));
    await raw.until('Z');
    raw.socket.destroy();
  });
});

describe('before the login', () => {
  it('who says nothing, or half of something, has its time and no more', async () => {
    const shared = new SharedDatabase(db, new Turns(), { exclusive: true });
    const impatient = await startWireServer(db, shared, {
      ...{ host: '127.0.0.1', port: 0, idleMs: 30_000, readMs: 30_000, loginMs: 200 },
      access: { token: 'token', ownerPassword: undefined, readerPassword: undefined },
      schemas: async () => [],
      metrics: createMetrics(),
      log: { error: (text: string) => errors.push(text) } as unknown as Logger,
    });
    const startup = message('', int32(196_608), 'user', 'seg_command', Buffer.of(0));
    const halves = [Buffer.alloc(0), Buffer.of(0), startup.subarray(0, 9), startup];
    await Promise.all(
      halves.map(async (half) => {
        const raw = new Raw(connect(impatient.port, '127.0.0.1'));
        raw.socket.write(half);
        await new Promise((resolve) => raw.socket.once('close', resolve));
      }),
    );
    // Whoever has logged in in time stays.
    const owner = new Raw(connect(impatient.port, '127.0.0.1'));
    owner.send(message('', int32(196_608), 'user', 'seg', Buffer.of(0)));
    await owner.until('Z');
    const later = connect(impatient.port, '127.0.0.1');
    await new Promise((resolve) => later.once('close', resolve));
    owner.send(message('Q', 'select 5'));
    expect((await owner.until('Z')).texts).toEqual(['5']);
    owner.socket.destroy();
    await impatient.close();
  });

  it('no message is longer than 64 kB, and who is silent gives way', async () => {
    const long = new Raw(connect(server.port, '127.0.0.1'));
    long.socket.write(message('', int32(196_608), 'user', 'seg_command', Buffer.of(0)));
    await long.until('R');
    long.socket.write(Buffer.concat([Buffer.from('p'), int32(70_000)]));
    expect((await long.until('E')).texts.join()).toContain('08P01');
    const silent = await Promise.all(
      Array.from({ length: 120 }, async () => {
        const socket = connect(server.port, '127.0.0.1');
        socket.on('error', () => undefined);
        await new Promise((resolve) => socket.once('connect', resolve));
        return socket;
      }),
    );
    const late = await client();
    expect((await late.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
    for (const socket of silent) socket.destroy();
  });

  it('a listener that reads nothing is cut off', async () => {
    const [deaf, other] = [await Raw.open(), await client()];
    await deaf.ask(parse('', 'listen flood'), bind(''), execute);
    deaf.socket.pause();
    const payload = 'x'.repeat(7_000);
    await other.query(
      `do $$ begin for n in 1..6000 loop perform pg_notify('flood', n || '${payload}'); end loop; end $$`,
    );
    await expect.poll(() => errors.join(), { timeout: 60_000 }).toContain('reads nothing');
    errors.length = 0;
    deaf.socket.destroy();
  });
});
