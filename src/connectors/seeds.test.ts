import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonValue } from '../changelog/change.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import type { Database } from '../engines/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import type { SeedData } from './seed-data.ts';
import { loadSeed, readSeed } from './seeds.ts';
import { testSeed } from './test-source.ts';

let root: string;
let db: Database;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'seg-seeds-'));
  db = await openMemoryDatabase();
  await db.exec('create schema s');
});
afterAll(async () => {
  await db.close();
  await rm(root, { recursive: true });
});

async function read(
  name: string,
  content: string | Uint8Array,
  config: Record<string, JsonValue> = {},
): Promise<SeedData> {
  await writeFile(path.join(root, name), content);
  return readSeed(testSeed(name, { config }), root);
}

async function problems(
  name: string,
  content: string | Uint8Array,
  config: Record<string, JsonValue> = {},
): Promise<string[]> {
  const error: unknown = await read(name, content, config).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SegError)) throw new Error('no SegError', { cause: error });
  return error.diagnostics.map(
    ({ code, message, at }) => `${at!.file}:${at!.line}:${at!.column} ${code} ${message}`,
  );
}

const types = ({ columns }: SeedData): Record<string, string> =>
  Object.fromEntries(columns.map(({ name, type }) => [name, type]));

describe('types of a CSV seed', () => {
  it.each([
    ['1,-2,007', 'integer', ['1', '-2', '7']],
    ['1,3000000000', 'bigint', ['1', '3000000000']],
    ['1,99999999999999999999', 'numeric', ['1', '99999999999999999999']],
    ['1,2.50', 'numeric', ['1', '2.5']],
    ['1.0,2e3', 'integer', ['1', '2000']],
    ['0.000000000000000000001', 'numeric', ['0.000000000000000000001']],
    ['"$1,000",50%,-£3', 'integer', ['1000', '50', '-3']],
    ['2020-01-31,null,""', 'date', ['2020-01-31', null, null]],
    ['2020-02-30', 'text', ['2020-02-30']],
    ['2020-01-31 10:00:00', 'timestamp without time zone', ['2020-01-31 10:00:00']],
    [
      '2020-01-31T10:00:00,2020-01-31T10:00:00.5',
      'timestamp without time zone',
      ['2020-01-31T10:00:00', '2020-01-31T10:00:00.5'],
    ],
    ['2020-01-31T10:00:00Z', 'timestamp with time zone', ['2020-01-31T10:00:00Z']],
    ['2020-01-31,2020-01-31 10:00:00', 'text', ['2020-01-31', '2020-01-31 10:00:00']],
    ['true,False', 'boolean', ['true', 'false']],
    ['1,true', 'text', ['1', 'true']],
    ['nan,inf', 'text', ['nan', 'inf']],
    ['NULL, ', 'integer', [null, null]],
    ['a,Null', 'text', ['a', null]],
  ])('%s is %s', async (values, type, expected) => {
    // One value a line, quotes kept.
    const lines = values.match(/"[^"]*"|[^,]+/g)!;
    const data = await read('types.csv', `v,n\n${lines.map((line) => `${line},x`).join('\n')}\n`);
    expect(types(data)['v']).toBe(type);
    expect(data.rows.map((row) => row[0])).toEqual(expected);
  });

  it('can be declared, which also keeps leading zeros', async () => {
    const data = await read('zip.csv', 'Zip,City\n01234,"Bad ""Ems"""\n', {
      column_types: { Zip: 'varchar(5)' },
    });
    expect(types(data)).toEqual({ zip: 'varchar(5)', city: 'text' });
    expect(data.rows).toEqual([['01234', 'Bad "Ems"']]);
  });

  it('names columns as dbt does', async () => {
    expect(types(await read('names.csv', 'Event_Name,Total Score\na,1\n'))).toEqual({
      event_name: 'text',
      'Total Score': 'integer',
    });
    expect(types(await read('names.csv', 'Event_Name\na\n', { quote_columns: true }))).toEqual({
      Event_Name: 'text',
    });
  });

  it('reads other delimiters, a byte order mark, CRLF and gzip', async () => {
    const text = '\uFEFFa;b\r\n1;"x;\r\ny"\r\n';
    expect((await read('d.csv', text, { delimiter: ';' })).rows).toEqual([['1', 'x;\r\ny']]);
    expect((await read('d.csv.gz', gzipSync(text), { delimiter: ';' })).rows).toEqual([['1', 'x;\r\ny']]);
  });
});

describe('an NDJSON seed', () => {
  it('has JSON’s types', async () => {
    const data = await read(
      'x.ndjson',
      '{"a":1,"b":1.5,"c":true,"d":"2020-01-01","e":{"f":[1]},"g":1}\n{"a":3000000000,"h":null,"b":12345678901234567890.5,"g":"x"}\n',
    );
    expect(types(data)).toEqual({
      a: 'bigint',
      b: 'numeric',
      c: 'boolean',
      d: 'text',
      e: 'jsonb',
      g: 'text',
      h: 'text',
    });
    expect(data.rows).toEqual([
      ['1', '1.5', 'true', '2020-01-01', '{"f":[1]}', '1', null],
      ['3000000000', '12345678901234567890.5', null, null, null, 'x', null],
    ]);
  });

  it('is told apart from lines that are none', async () => {
    expect(
      await problems('bad.jsonl', '{"a":1}\n{"a":\n[1]\n{"a":"x"}\n', { column_types: { a: 'integer' } }),
    ).toEqual([
      expect.stringMatching(/^bad\.jsonl:2:1 SEG511 this line cannot be read: not JSON/),
      'bad.jsonl:3:1 SEG511 this line cannot be read: not a JSON object',
      'bad.jsonl:4:2 SEG514 column "a": expected integer, got "x"',
    ]);
  });
});

describe('what is wrong with a seed', () => {
  it('is said with line and column, all at once', async () => {
    const text = 'id,name,at\n1,a,2020-01-01\n2,b\n3,c,2020-01-01,x\nx,"d\ne",2020-13-01\n4,"f,2020-01-01\n';
    expect(await problems('bad.csv', text, { column_types: { id: 'integer', at: 'date' } })).toEqual([
      'bad.csv:3:3 SEG513 expected 3 fields, found 2',
      'bad.csv:4:5 SEG513 expected 3 fields, found 4',
      'bad.csv:5:1 SEG514 column "id": expected integer, got "x"',
      'bad.csv:6:4 SEG514 column "at": expected date, got "2020-13-01": there is no month 13',
      'bad.csv:7:1 SEG511 this line cannot be read: a quoted field is not closed',
    ]);
  });

  it('includes headers and keys', async () => {
    expect(await problems('h.csv', '')).toEqual(['h.csv:1:1 SEG510 the seed is empty']);
    expect(await problems('h.csv', 'a,b,A,\n1,2,3,4\n')).toEqual([
      'h.csv:1:5 SEG512 duplicate column "a"',
      'h.csv:1:7 SEG518 column 4 has no name',
    ]);
    expect(await problems('k.csv', 'a,b\n1,2\n,3\n1,4\n', { unique_key: 'a' })).toEqual([
      'k.csv:3:1 SEG519 the key is incomplete: a NULL',
      'k.csv:4:1 SEG516 duplicate key: a "1"',
    ]);
    expect(await problems('k.csv', 'event_name\nx\n', { unique_key: ['evnt_name'] })).toEqual([
      'k.csv:1:1 SEG515 the unique_key names the unknown column "evnt_name"',
    ]);
  });

  it('stops at 20 problems', async () => {
    expect(await problems('many.csv', `a,b\n${'1\n'.repeat(100)}`)).toHaveLength(20);
  });

  it('includes missing and damaged files', async () => {
    await expect(readSeed(testSeed('none.csv'), root)).rejects.toMatchObject({
      diagnostics: [{ code: 'SEG508' }],
    });
    expect(await problems('cut.csv.gz', gzipSync('a\n1\n').subarray(0, 15))).toEqual([
      expect.stringContaining('SEG511 the file cannot be unpacked'),
    ]);
  });
});

describe('loading a seed', () => {
  async function load(
    name: string,
    content: string,
    config: Record<string, JsonValue> = {},
    fullRefresh = false,
  ) {
    const data = await read(name, content, config);
    const node = testSeed(name, { config });
    const columns = data.columns.map((column) => `"${column.name}" ${column.type}`);
    await db.exec(`create table if not exists s."${node.alias}" (${columns.join(', ')})`);
    const outcome = await loadSeed(db, node, data, { fullRefresh });
    const { rows } = await db.query<{ row: string }>(
      `select t::text as row from s."${node.alias}" as t order by 1`,
    );
    return { outcome, rows: rows.map(({ row }) => row) };
  }

  it('writes only differences by key', async () => {
    const config = { unique_key: 'event_name' };
    const first = await load(
      'mql_score.csv',
      'event_name,mql_score\ndemo,30\nmeetup,5\ncommunity,5\n',
      config,
    );
    expect(first.outcome).toEqual({ inserted: 3, deleted: 0, updated: 0, unchanged: 0 });
    await db.exec(`create table s.seen (op text, n bigint);
      create function s.note() returns trigger language plpgsql as $$ begin insert into s.seen values (tg_op, 1); return null; end $$;
      create trigger note after insert or update or delete or truncate on s.mql_score for each statement execute function s.note()`);
    const seen = async () =>
      (await db.query<{ op: string }>('delete from s.seen returning op')).rows.map(({ op }) => op).sort();
    expect(
      (await load('mql_score.csv', 'event_name,mql_score\ndemo,30\nmeetup,5\ncommunity,5\n', config)).outcome,
    ).toEqual({ inserted: 0, deleted: 0, updated: 0, unchanged: 3 });
    expect(await seen()).toEqual([]);
    const second = await load(
      'mql_score.csv',
      'event_name,mql_score\ndemo,40\ncommunity,5\nwhitepaper,20\n',
      config,
    );
    expect(second.outcome).toEqual({ inserted: 1, deleted: 1, updated: 1, unchanged: 1 });
    expect(second.rows).toEqual(['(community,5)', '(demo,40)', '(whitepaper,20)']);
    expect(await seen()).toEqual(['DELETE', 'INSERT', 'UPDATE']);
    const third = await load('mql_score.csv', 'event_name,mql_score\ndemo,40\n', config, true);
    expect(third.outcome).toEqual({ inserted: 1, deleted: 3, updated: 0, unchanged: 0 });
    expect(await seen()).toEqual(['INSERT', 'TRUNCATE']);
  });

  it('mends what another writer has done to the table', async () => {
    const config = { unique_key: 'id' };
    await load('mend.csv', 'id,v\n1,a\n2,b\n', config);
    await db.exec("insert into s.mend values (1, 'a'), (1, 'x'), (null, 'n'), (3, 'c'), (3, 'c')");
    const { rows } = await load('mend.csv', 'id,v\n1,a\n2,b\n', config);
    expect(rows).toEqual(['(1,a)', '(2,b)']);
  });

  it('compares without a key as a bag, NULLs and duplicates included', async () => {
    await load('bag.csv', 'a,b\n1,\n1,\n2,x\n3,"y ""q"""\n3,"y ""q"""\n');
    const { outcome, rows } = await load('bag.csv', 'a,b\n1,\n2,x\n2,x\n2,\n3,"y ""q"""\n3,"y ""q"""\n');
    expect(outcome).toEqual({ inserted: 2, deleted: 1, updated: 0, unchanged: 4 });
    expect(rows).toEqual(['(1,)', '(2,)', '(2,x)', '(2,x)', '(3,"y ""q""")', '(3,"y ""q""")']);
  });

  it('handles types without equality', async () => {
    const config = { column_types: { doc: 'json', at: 'point' }, unique_key: 'id' };
    await load('odd.csv', 'id,doc,at\n1,"{""a"": 1}","(1,2)"\n2,[],"(0,0)"\n', config);
    expect(
      (await load('odd.csv', 'id,doc,at\n1,"{""a"": 1}","(1,3)"\n2,[],"(0,0)"\n', config)).outcome,
    ).toEqual({ inserted: 0, deleted: 0, updated: 1, unchanged: 1 });
    await load('odd2.csv', 'id,at\n1,"(1,2)"\n', { column_types: { at: 'point' } });
    expect(
      (await load('odd2.csv', 'id,at\n1,"(1,2)"\n2,"(1,2)"\n', { column_types: { at: 'point' } })).outcome
        .inserted,
    ).toBe(1);
  });

  it('points into the file when only PostgreSQL can judge, and leaves the table as it was', async () => {
    const config = { column_types: { address: 'inet' } };
    await load('hosts.csv', 'id,address\n1,10.0.0.1\n', config);
    await expect(
      load('hosts.csv', 'id,address\n1,10.0.0.1\n2,"10.0.\n0.300"\n', config),
    ).rejects.toMatchObject({
      diagnostics: [
        {
          code: 'SEG517',
          message: expect.stringContaining('column "address": invalid input syntax for type inet') as string,
          at: { file: 'hosts.csv', line: 3, column: 3 },
        },
      ],
    });
    expect((await db.query('select * from s.hosts')).rows).toHaveLength(1);
  });

  it('works inside the caller’s transaction, for several seeds, and goes with it', async () => {
    await load('tx.csv', 'a\n1\n');
    const data = await read('tx.csv', 'a\n2\n');
    await expect(
      db.transaction(async (tx) => {
        await loadSeed(tx, testSeed('tx.csv'), data);
        expect((await loadSeed(tx, testSeed('tx.csv'), data)).unchanged).toBe(1);
        throw new Error('killed');
      }),
    ).rejects.toThrow('killed');
    expect((await db.query('select a from s.tx')).rows).toEqual([{ a: 1 }]);
  });
});
