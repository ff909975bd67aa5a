import { Writable } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadSqlParser } from '../../sql/parse.ts';
import { BackendReader } from './backend-reader.ts';
import { FrameReader, message, ProtocolViolation } from './frontend-frames.ts';
import { Outbox } from './outbox.ts';
import { PreparedNames } from './prepared-names.ts';
import { ScramServer } from './scram.ts';
import { statementFacts } from './statement.ts';

beforeAll(() => loadSqlParser());

describe('FrameReader', () => {
  it('finds messages however the bytes are cut', () => {
    const bytes = Buffer.concat([
      message('Q', 'select 1'),
      message('S'),
      message('d', Buffer.alloc(1000, 7)),
    ]);
    for (const size of [1, 2, 3, 7, 100, bytes.length]) {
      const reader = new FrameReader();
      reader.started = true;
      const found: string[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        reader.push(bytes.subarray(at, at + size));
        for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
          found.push(`${frame.type}${frame.body.length}`);
        }
      }
      expect(found).toEqual(['Q9', 'S0', 'd1000']);
      expect(reader.size).toBe(0);
    }
  });

  it('refuses lengths that cannot be', () => {
    const reader = new FrameReader();
    reader.push(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    expect(() => reader.next()).toThrow(ProtocolViolation);
  });
});

describe('BackendReader', () => {
  it('finds messages however the bytes are cut, runs of rows in one piece', () => {
    const row = (size: number) => message('D', Buffer.alloc(size, 1));
    const bytes = Buffer.concat([
      message('T', 'columns'),
      row(10),
      row(100_000),
      row(0),
      message('C', 'SELECT 3'),
      message('d', 'copied'),
      message('d', 'more'),
      message('Z', Buffer.from('I')),
    ]);
    for (const size of [1, 3, 7, 1000, 50_000, bytes.length]) {
      const reader = new BackendReader();
      const found: { type: string; bytes: Buffer }[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        for (const { type, bytes: own } of reader.push(bytes.subarray(at, at + size))) {
          if (found.at(-1)?.type === type) found.at(-1)!.bytes = Buffer.concat([found.at(-1)!.bytes, own]);
          else found.push({ type, bytes: own });
        }
      }
      expect(found.map(({ type }) => type).join('')).toBe('TDCdZ');
      expect(Buffer.concat(found.map((piece) => piece.bytes)).equals(bytes)).toBe(true);
    }
  });
});

describe('Outbox', () => {
  it('hands on what it was given, in order, also what was too much for the memory, as the client reads', async () => {
    for (const pieces of [0, 3, 500]) {
      const outbox = new Outbox();
      const given = Array.from({ length: pieces }, (_, n) => Buffer.alloc(40_000, n));
      for (const piece of given) outbox.add(piece);
      const got: Buffer[] = [];
      let most = 0;
      const socket = new Writable({
        highWaterMark: 100_000,
        write(chunk: Buffer, _encoding, done) {
          most = Math.max(most, socket.writableLength);
          got.push(chunk);
          setImmediate(done);
        },
      });
      const drained = () => new Promise<boolean>((resolve) => socket.once('drain', () => resolve(true)));
      await outbox.send(socket, drained);
      await new Promise<void>((resolve) => socket.end(resolve));
      expect(Buffer.concat(got).equals(Buffer.concat(given))).toBe(true);
      if (pieces === 500) expect(most).toBeLessThan(600_000);
    }
  });

  it('ends when its client has gone', async () => {
    const outbox = new Outbox();
    for (let n = 0; n < 500; n++) outbox.add(Buffer.alloc(40_000));
    let writes = 0;
    const socket = new Writable({ highWaterMark: 1, write: () => void writes++ });
    await outbox.send(socket, async () => false);
    expect(writes).toBe(1);
  });
});

describe('statementFacts', () => {
  it('knows what a reader may run', () => {
    const refused = (sql: string) => statementFacts(sql).readerRefusal !== undefined;
    expect(refused('select 1; show all; begin; declare c cursor for select 1; fetch c; commit')).toBe(false);
    expect(refused('copy (select 1) to stdout; set timezone = utc; reset all; listen x')).toBe(false);
    for (const sql of [
      'select 1; drop table x',
      'set role x',
      'set local session authorization x',
      'call p()',
      'vacuum',
    ])
      expect(refused(sql), sql).toBe(true);
  });

  it('finds COPY from a client, notifications and settings', () => {
    expect(statementFacts('copy t (a, b) from stdin with (format binary)').copyIn).toEqual({
      binary: true,
      columns: 2,
    });
    expect(statementFacts('begin; copy t from stdin').copyAmongOthers).toBe(true);
    expect(statementFacts('listen a; unlisten *').parts.map(({ listening }) => listening)).toEqual([
      { channel: 'a', on: true },
      { channel: '*', on: false },
    ]);
    expect(statementFacts(`set "my.x" = 1; select set_config('our.y', '2', false)`).customNames).toEqual([
      'our.y',
      'my.x',
    ]);
    expect(statementFacts('selct 1').syntaxError).toMatchObject({ sqlstate: '42601', position: 1 });
  });
});

describe('PreparedNames', () => {
  it('gives each client names of its own, in messages and in SQL', () => {
    const names = new PreparedNames(7);
    const sql = (text: string) => names.translateSql(text, statementFacts(text));
    expect(sql('/* x */ PREPARE Foo (int) AS select $1')).toBe('/* x */ PREPARE seg7_1 (int) AS select $1');
    expect(sql('select 1; execute foo(1); deallocate "foo"')).toBe(
      'select 1; execute seg7_1(1); deallocate seg7_1',
    );
    expect(sql('DEALLOCATE PREPARE bar')).toBe('DEALLOCATE PREPARE seg7_2');
    expect(sql('discard all; unlisten x')).toBe(' RESET ALL;  UNLISTEN seg_nobody');
    expect(names.restore('prepared statement "seg7_2" does not exist')).toBe(
      'prepared statement "bar" does not exist',
    );
    expect(names.restore('column "seg8_1" does not exist')).toBe('column "seg8_1" does not exist');
  });
});

describe('ScramServer', () => {
  it('refuses what is no proof', () => {
    const scram = new ScramServer('secret');
    expect(scram.first('hello')).toBeUndefined();
    const nonce = /^r=([^,]+)/.exec(scram.first('n,,n=,r=abc')!)![1]!;
    expect(scram.final(`c=biws,r=${nonce},p=${Buffer.alloc(32).toString('base64')}`)).toBeUndefined();
    expect(scram.final('c=biws,r=other,p=AAAA')).toBeUndefined();
  });
});
