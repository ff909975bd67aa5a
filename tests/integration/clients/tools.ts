/** PostgreSQL's own programs, and what business intelligence tools ask: each answers the names of what was checked. */
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect } from 'vitest';
import { run } from './toolchains.ts';

export interface Port {
  readonly port: number;
}

const address = ({ port }: Port, user: string): string[] => [
  '-h',
  '127.0.0.1',
  '-p',
  String(port),
  '-U',
  user,
];

async function withScript<T>(text: string, work: (path: string) => Promise<T>): Promise<T> {
  const path = join(tmpdir(), `seg-script-${randomUUID()}.sql`);
  writeFileSync(path, text);
  try {
    return await work(path);
  } finally {
    rmSync(path);
  }
}

/** @param program psql of any version */
export async function psql(program: string, port: Port): Promise<string[]> {
  const ask = (text: string, user = 'seg') =>
    withScript(text, (path) => run(program, [...address(port, user), '-d', 'postgres', '-XAtq', '-f', path]));
  const described = await ask(String.raw`
    \d
    \d stream.*
    \d by_user
    \d+ segment_events
    \dn+
    \df _seg.*
    \du
    \l
    \dt+ stream.*
    \dp stream.*`);
  expect(described).toContain('stream|by_user|view');
  expect(described).toContain('user_id|text|');
  expect(described).toContain('vendor|integer|');
  const [own, other] = await Promise.all([
    ask(`SET work_mem = '9MB'; PREPARE mine (int) AS SELECT $1 + 1; EXECUTE mine(41);
         SELECT pg_sleep(0.2); SHOW work_mem; EXECUTE mine(1);`),
    ask(`SELECT count(*) FROM pg_prepared_statements WHERE name = 'mine'; SHOW work_mem;`, 'analyst'),
  ]);
  expect(own).toBe('42\n\n9MB\n2\n');
  expect(other).not.toContain('9MB');
  const names = [String.raw`\d`, 'settings', 'prepared statements', 'errors'];
  const broken = ask(String.raw`
    \set ON_ERROR_ROLLBACK on
    BEGIN; SELECT 1 / 0; SELECT 'goes on'; COMMIT; SELECT * FROM nowhere; SELECT 'still here';`);
  // psql ends with 0 after errors of a script that it was told to go on with.
  expect((await broken).trim().split('\n')).toEqual(['goes on', 'still here']);
  const [version] = /\d+/.exec(await run(program, ['--version'])) ?? ['0'];
  if (Number(version) < 18) return names;
  const piped = await ask(String.raw`
    SELECT $1::int + $2 \bind 40 2 \g
    SELECT $1::int + 1 \parse named
    \bind_named named 1 \g
    \startpipeline
    SELECT $1 \bind one \sendpipeline
    SELECT $1 \bind two \sendpipeline
    \endpipeline
    SELECT * FROM by_user WHERE user_id = $1 \bind user-0 \g`);
  expect(piped).toBe('42\n2\none\ntwo\nuser-0|10\n');
  return [...names, 'pipelining'];
}

/** The schema of the project and the data of its tables, by a role that may only read, and by the owner with all of seg's own. */
export async function pgDump(program: string, port: Port): Promise<string[]> {
  const dump = (user: string, ...args: string[]) =>
    run(program, [...address(port, user), ...args, 'postgres']);
  const schema = await dump('seg_reader', '-n', 'stream');
  expect(schema).toContain('CREATE TABLE stream.segment_events');
  expect(schema).toContain('CREATE VIEW stream.by_user');
  expect(schema).toContain('COPY stream.segment_events');
  expect(await dump('seg', '--inserts')).toContain('INSERT INTO _seg.node');
  return ['by a reader', 'by the owner'];
}

/** Its own tables and transactions, by every protocol, and reads of a model by several clients. */
export async function pgbench(program: string, port: Port): Promise<string[]> {
  const bench = async (user: string, ...args: string[]) => {
    const told = await run(program, [
      ...address(port, user),
      '-n',
      '-c',
      '2',
      '-j',
      '2',
      ...args,
      'postgres',
    ]);
    expect(told).toContain('number of failed transactions: 0');
  };
  await run(program, [...address(port, 'seg'), '-i', '-q', '-s', '1', 'postgres']);
  for (const mode of ['simple', 'extended', 'prepared']) await bench('seg', '-t', '10', '-M', mode);
  const read = 'SELECT * FROM by_user WHERE user_id = :name;';
  await withScript(read, (path) =>
    bench('analyst', '-t', '50', '-M', 'prepared', '-D', "name='user-1'", '-f', path),
  );
  await run(program, [...address(port, 'seg'), '-i', '-I', 'd', 'postgres']);
  return ['simple', 'extended', 'prepared'];
}

/** What tools send when they connect and look around, kept in business-intelligence.sql: one section a tool. */
export async function businessIntelligence(port: Port): Promise<string[]> {
  const text = readFileSync(join(import.meta.dirname, 'business-intelligence.sql'), 'utf8');
  const sections = text.split(/^-- tool: /m).slice(1);
  const other = new pg.Client({ host: '127.0.0.1', port: port.port, user: 'analyst', database: 'postgres' });
  await other.connect();
  const names: string[] = [];
  for (const section of sections) {
    const end = section.indexOf('\n');
    const client = new pg.Client({
      host: '127.0.0.1',
      port: port.port,
      user: 'dashboard',
      database: 'postgres',
    });
    await client.connect();
    let seen = '';
    for (const statement of section.slice(end).split(/;;\n/)) {
      if (statement.trim() === '') continue;
      const answers = (await client.query(statement)) as unknown as pg.QueryResult | pg.QueryResult[];
      for (const { rows } of [answers].flat()) seen += JSON.stringify(rows);
    }
    expect(seen, section.slice(0, end)).toContain('by_user');
    expect(seen, section.slice(0, end)).toContain('user-0');
    const { rows } = await other.query('SELECT count(*)::int AS cursors FROM pg_cursors WHERE name <> $1', [
      '',
    ]);
    expect(rows).toEqual([{ cursors: 0 }]);
    await client.end();
    names.push(section.slice(0, end).trim());
  }
  await other.end();
  return names;
}
