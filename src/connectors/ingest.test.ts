import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../engines/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { ingest, ingestRecords, type IngestOptions } from './ingest.ts';
import { createSource, segmentEvents, testSource } from './test-source.ts';

let db: Database;
beforeAll(async () => {
  db = await openMemoryDatabase();
});
afterAll(() => db.close());

const options: IngestOptions = { format: 'json', origin: 'test' };
const id = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const event = (n: number, more: object = {}): Record<string, unknown> => ({
  event: id(n),
  timestamp: '2021-03-19T13:32:26-04:00',
  user: `usr-${n}`,
  segment: { vendor: 1 + (n % 10), name: `seg-${n % 7}` },
  ...more,
});
const ndjson = (records: readonly unknown[]): string =>
  records.map((record) => JSON.stringify(record) + '\n').join('');
const counts = ({
  accepted,
  duplicate,
  rejected,
}: {
  accepted: number;
  duplicate: number;
  rejected: number;
}): number[] => [accepted, duplicate, rejected];
const rejected = async (name = 'segment_events') =>
  (
    await db.query<{ line: number; reason: string; payload: string }>(
      `select line, reason, payload from s."${name}__rejected" order by line`,
    )
  ).rows;

describe('ingest of NDJSON', () => {
  beforeEach(() => createSource(db, segmentEvents));

  it('takes records in and maps them by path', async () => {
    const line =
      '{"event":"49EE9DDE-e31d-4d7c-9eae-fb28527794f6","timestamp":"2021-03-19T13:32:26-04:00","user":"u","segment":{"vendor":10,"name":"seg-9"}}';
    expect(counts(await ingest(db, segmentEvents, [line], options))).toEqual([1, 0, 0]);
    const { rows } = await db.query('select * from s.segment_events');
    expect(rows[0]).toMatchObject({
      position: 1,
      event_id: '49ee9dde-e31d-4d7c-9eae-fb28527794f6',
      event_at: '2021-03-19 17:32:26+00',
      vendor: 10,
      remove: null,
      payload: JSON.parse(line) as unknown,
    });
  });

  it('numbers records in the order they come, at every batch size', async () => {
    for (const maxBatch of [1, 7, 499, 500, 5000]) {
      await createSource(db, segmentEvents);
      const records = Array.from({ length: maxBatch === 1 ? 50 : 3000 }, (_, i) =>
        event((i * 7919) % 3001, { user: String(i) }),
      );
      await ingest(db, segmentEvents, [ndjson(records)], { ...options, maxBatch });
      const { rows } = await db.query<{ user_id: string }>(
        'select user_id from s.segment_events order by position',
      );
      expect(rows.map((row) => row.user_id)).toEqual(records.map((record) => record['user']));
    }
  });

  it('drops redelivered keys within and across batches, keeping the first', async () => {
    const first = Array.from({ length: 2000 }, (_, i) => event(i));
    const again = first.map((record) => ({ ...record, user: 'late' }));
    expect(
      counts(await ingest(db, segmentEvents, [ndjson([...first, ...again])], { ...options, maxBatch: 3000 })),
    ).toEqual([2000, 2000, 0]);
    expect(counts(await ingest(db, segmentEvents, [ndjson([...again, event(9999)])], options))).toEqual([
      1, 2000, 0,
    ]);
    const { rows } = await db.query("select count(*)::int as n from s.segment_events where user_id = 'late'");
    expect(rows).toEqual([{ n: 0 }]);
  });

  it('names the column where only the server knows that a value does not fit', async () => {
    const source = testSource('prices', [
      { name: 'id', data_type: 'integer' },
      { name: 'price', data_type: 'numeric(4, 2)' },
      { name: 'odd "name"', data_type: 'int4range' },
      { name: 'tags', data_type: 'text[]' },
    ]);
    await createSource(db, source);
    const lines = ['1,9.99,"[1,2)","{a}"', '2,123.4,"[1,2)","{a}"', '3,1,"[5,1)","{a}"', '4,1,"[1,2)","{a"'];
    const summary = await ingest(db, source, [lines.join('\n')], { format: 'csv', origin: 'test' });
    expect(counts(summary)).toEqual([1, 0, 3]);
    expect((await rejected('prices')).map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^column "price": numeric field overflow: A field with precision 4/),
      expect.stringMatching(/^column "odd "name"": range lower bound must be/),
      expect.stringMatching(/^column "tags": malformed array literal/),
    ]);
  });

  it('puts what is bad among the dead letters, with line and reason, and takes the rest', async () => {
    const bad: [string, RegExp][] = [
      ['{"event":', /^not JSON/],
      ['[1]', /not a JSON object/],
      ['null', /not a JSON object/],
      ['"text"', /not a JSON object/],
      [JSON.stringify({ ...event(1), event: undefined }), /must have required property 'event'/],
      [JSON.stringify({ ...event(1), event: 'no-uuid' }), /event must match format "uuid"/],
      [
        JSON.stringify({ ...event(1), segment: { vendor: '3', name: 'a' } }),
        /segment\.vendor must be integer/,
      ],
      [
        JSON.stringify({ ...event(1), segment: { vendor: 3_000_000_000, name: 'a' } }),
        /column "vendor": expected integer between/,
      ],
      [JSON.stringify({ ...event(1), timestamp: '300000-01-01T00:00:00Z' }), /timestamp must match format/],
      [JSON.stringify({ ...event(1), user: 'a\0b' }), /NUL/],
      [
        '{"event":"' +
          id(1) +
          '","timestamp":"2021-03-19T13:32:26Z","user":"\\ud800","segment":{"vendor":1,"name":"a"}}',
        /surrogate/,
      ],
      [JSON.stringify({ ...event(1), remove: true, value: 'x' }), /value/],
      [
        JSON.stringify(event(1)).replace('}}', `},"deep":${'['.repeat(600)}${']'.repeat(600)}}`),
        /nested deeper/,
      ],
    ];
    const lines = bad.flatMap(([line], i) => [JSON.stringify(event(100 + i)), line]);
    const summary = await ingest(db, segmentEvents, [lines.join('\n')], options);
    expect(counts(summary)).toEqual([bad.length, 0, bad.length]);
    const letters = await rejected();
    expect(letters.map((letter) => letter.line)).toEqual(bad.map((_, i) => 2 * i + 2));
    letters.forEach((letter, i) => expect(letter.reason).toMatch(bad[i]![1]));
    expect(letters[0]!.payload).toBe('{"event":');
  });

  it('survives input that is hardly any', async () => {
    for (const input of ['', '\n\n\r\n  \n', '\uFEFF']) {
      expect(counts(await ingest(db, segmentEvents, [input], options))).toEqual([0, 0, 0]);
    }
  });

  it('reads gzip, a byte order mark, CRLF and chunks cut anywhere', async () => {
    const text =
      '\uFEFF' +
      [event(1, { user: 'käthe 🚋' }), event(2), event(3)]
        .map((record) => JSON.stringify(record))
        .join('\r\n');
    for (const bytes of [Buffer.from(text), gzipSync(text)]) {
      await createSource(db, segmentEvents);
      const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
      expect(counts(await ingest(db, segmentEvents, single, options))).toEqual([3, 0, 0]);
      const { rows } = await db.query('select user_id from s.segment_events where position = 1');
      expect(rows).toEqual([{ user_id: 'käthe 🚋' }]);
    }
  });

  it('says that a gzip file is cut off, and keeps what came before', async () => {
    const packed = gzipSync(ndjson(Array.from({ length: 5000 }, (_, i) => event(i))));
    await expect(
      ingest(db, segmentEvents, [packed.subarray(0, packed.length - 20)], options),
    ).rejects.toMatchObject({
      diagnostics: [{ code: 'SEG507' }],
    });
  });

  it('rejects bytes that are not UTF-8 without changing them, and overlong lines', async () => {
    const invalid = Buffer.concat([
      Buffer.from(JSON.stringify(event(1)) + '\n{"user":"'),
      Buffer.of(0xff),
      Buffer.from('"}\n'),
    ]);
    const huge = Buffer.alloc(17 * 1024 * 1024, 'x');
    const summary = await ingest(
      db,
      segmentEvents,
      [invalid, huge, Buffer.from('\n' + JSON.stringify(event(2)))],
      options,
    );
    expect(counts(summary)).toEqual([2, 0, 2]);
    const letters = await rejected();
    expect(letters.map((letter) => [letter.line, letter.reason.slice(0, 22)])).toEqual([
      [2, 'the line is not UTF-8 '],
      [3, 'the line is longer tha'],
    ]);
    expect(letters[0]!.payload).toBe('{"user":"ÿ"}');
  });

  it('stops after the current batch on an abort and leaves whole batches behind', async () => {
    const stop = new AbortController();
    async function* endless(): AsyncGenerator<string> {
      for (let n = 0; ; n += 500) {
        yield ndjson(Array.from({ length: 500 }, (_, i) => event(n + i)));
        await Promise.resolve();
      }
    }
    let batches = 0;
    const summary = await ingest(db, segmentEvents, endless(), {
      ...options,
      signal: stop.signal,
      maxBatch: 1000,
      onProgress: () => ++batches === 3 && stop.abort(),
    });
    const { rows } = await db.query<{ n: number }>('select count(*)::int as n from s.segment_events');
    expect(rows[0]!.n).toBe(summary.accepted);
    expect(summary.accepted).toBeGreaterThanOrEqual(3000);
  });

  it('flushes a pipe that pauses, and ends on an abort while it waits', async () => {
    const stop = new AbortController();
    async function* pausing(): AsyncGenerator<string> {
      yield ndjson([event(1)]);
      await new Promise((resolve) => setTimeout(resolve, 60_000).unref());
      yield ndjson([event(2)]);
    }
    const summary = await ingest(db, segmentEvents, pausing(), {
      ...options,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    expect(counts(summary)).toEqual([1, 0, 0]);
    expect(summary.seconds).toBeLessThan(5);
  });

  it('leaves nothing of a batch whose transaction fails', async () => {
    await db.exec(`create or replace function s.fail() returns trigger language plpgsql as
      $$ begin if (select count(*) from arrived) > 1500 then raise division_by_zero; end if; return null; end $$;
      create trigger fail after insert on s.segment_events referencing new table as arrived for each statement execute function s.fail()`);
    const records = Array.from({ length: 2000 }, (_, i) => event(i));
    const summary = await ingestRecords(db, segmentEvents, records, 'test');
    // Halving finds that all of them fit, only not together.
    expect(counts(summary)).toEqual([2000, 0, 0]);
  });

  it('gives up when a model fails on every record', async () => {
    await db.exec(`create or replace function s.fail() returns trigger language plpgsql as
      $$ begin raise division_by_zero; end $$;
      create trigger fail after insert on s.segment_events for each statement execute function s.fail()`);
    const records = Array.from({ length: 200 }, (_, i) => event(i));
    await expect(ingestRecords(db, segmentEvents, records, 'test')).rejects.toMatchObject({
      diagnostics: [{ code: 'SEG506' }],
    });
    expect((await db.query('select 1 from s.segment_events')).rows).toEqual([]);
    expect(await rejected()).toEqual([]);
  });

  it('says what to do when the tables are not there', async () => {
    await expect(
      ingestRecords(db, testSource('nowhere', [{ name: 'a', data_type: 'text' }]), [{ a: 1 }], 'test'),
    ).rejects.toMatchObject({
      diagnostics: [{ code: 'SEG505' }],
    });
  });
});

describe('values that only PostgreSQL can judge', () => {
  const source = testSource(
    'hosts',
    [
      { name: 'position', data_type: 'bigint', generated: 'position' },
      { name: 'id', data_type: 'integer' },
      { name: 'address', data_type: 'inet' },
      { name: 'amount', data_type: 'numeric(6,2)' },
    ],
    { key: ['id'] },
  );

  it.each([10, 2000])('are found one by one among %i', async (count) => {
    await createSource(db, source);
    const records = Array.from({ length: count }, (_, i) => ({
      id: i,
      address: i % 5 === 3 && i < 300 ? `bad ${i}` : '10.0.0.1',
      amount: i === 7 ? 99999 : 1.25,
    }));
    const { accepted, rejections } = await ingestRecords(db, source, records, 'test');
    const bad = records.filter(({ address, amount }) => address.startsWith('bad') || amount > 2);
    expect(rejections.map(({ index }) => index)).toEqual(bad.map(({ id: n }) => n));
    expect(rejections[0]!.reason).toContain('invalid input syntax for type inet: "bad 3"');
    expect(accepted).toBe(count - bad.length);
    const { rows } = await db.query<{ id: number }>('select id from s.hosts order by position');
    expect(rows.map((row) => row.id)).toEqual(
      records.filter((record) => !bad.includes(record)).map((record) => record.id),
    );
  });
});

describe('upserting', () => {
  const source = testSource(
    'users',
    [
      { name: 'position', data_type: 'bigint', generated: 'position' },
      { name: 'id', data_type: 'integer' },
      { name: 'name', data_type: 'text' },
    ],
    { key: ['id'], on_conflict: 'upsert' },
  );

  it('lets the last record of a key win, and counts records that change nothing', async () => {
    await createSource(db, source);
    const first = await ingestRecords(
      db,
      source,
      [
        { id: 1, name: 'a' },
        { id: 2, name: 'b' },
        { id: 1, name: 'c' },
      ],
      'test',
    );
    expect(counts(first)).toEqual([3, 0, 0]);
    const second = await ingestRecords(
      db,
      source,
      [
        { id: 2, name: 'b' },
        { id: 1, name: 'd' },
        { id: 1, name: 'd' },
        { id: 3, name: 'e' },
      ],
      'test',
    );
    expect(counts(second)).toEqual([2, 2, 0]);
    const { rows } = await db.query('select id, name from s.users order by position');
    expect(rows).toEqual([
      { id: 2, name: 'b' },
      { id: 1, name: 'd' },
      { id: 3, name: 'e' },
    ]);
  });
});

describe('ingest of CSV', () => {
  const source = testSource('pageviews', [
    { name: 'position', data_type: 'bigint', generated: 'position' },
    { name: 'visitor_id', data_type: 'text', not_null: true },
    { name: 'viewed_at', data_type: 'timestamp', path: 'timestamp' },
    { name: 'event', data_type: 'text' },
    { name: 'url', data_type: 'text' },
    { name: 'line', data_type: 'jsonb', path: '$' },
  ]);
  const csv: IngestOptions = { format: 'csv', origin: 'test' };
  const row = 'apple,2020-01-01 00:02:00,pageview,/listing/b';

  beforeEach(() => createSource(db, source));

  it.each([
    ['without a header', row],
    ['with a header', `visitor_id,timestamp,event,url\n${row}\n`],
    [
      'with a header in another order and more fields',
      `url,other,event,timestamp,visitor_id\n/listing/b,x,pageview,2020-01-01 00:02:00,apple`,
    ],
    [
      'with a header that lacks a field and has one more',
      `visitor_id,timestamp,other,event\napple,2020-01-01 00:02:00,x,pageview`,
    ],
    [
      'with a header that is mostly of others',
      `a,b,visitor_id,c,d,timestamp,e,f,event,g\n,,apple,,,2020-01-01 00:02:00,,,pageview,`,
    ],
    [
      'with a header in quotes, behind a byte order mark',
      `\uFEFF"visitor_id","timestamp","event"\r\napple,2020-01-01 00:02:00,pageview\r\n`,
    ],
  ])('reads lines %s', async (_name, text) => {
    expect(counts(await ingest(db, source, [text], csv))).toEqual([1, 0, 0]);
    const { rows } = await db.query('select visitor_id, viewed_at, event, url, line from s.pageviews');
    expect(rows[0]).toMatchObject({
      visitor_id: 'apple',
      viewed_at: '2020-01-01 00:02:00',
      event: 'pageview',
      url: text.includes('/listing/b') ? '/listing/b' : null,
      line: { visitor_id: 'apple' },
    });
  });

  it('refuses a header that names a field twice', async () => {
    const text = 'visitor_id,event,timestamp,event\napple,a,2020-01-01,b';
    await expect(ingest(db, source, [text], csv)).rejects.toThrow('stands twice in the header');
    expect((await db.query('select from s.pageviews')).rowCount).toBe(0);
  });

  it('keeps bad lines apart', async () => {
    const lines = [
      'a,b',
      row,
      'x,2020-13-01 00:00:00,e,u',
      'x,"2020,',
      row,
      ',2020-01-01 00:00:00,e,u',
      'x,2020-01-01 00:00:00,e"e,u',
      'q,2020-01-01 00:00:00,"e""1\r\n\r\n2",""',
      'z,2020-01-01 00:00:00,"e"x,u',
    ];
    const summary = await ingest(db, source, [lines.join('\n')], csv);
    const letters = await rejected('pageviews');
    expect(letters.map(({ line, reason }) => `${line} ${reason}`)).toEqual([
      '1 expected 4 fields, found 2',
      '3 column "viewed_at": expected timestamp without time zone, got "2020-13-01 00:00:00": there is no month 13',
      '4 a quoted field is not closed',
      '6 column "visitor_id" is missing',
      expect.stringMatching(/^7 not CSV/),
      expect.stringMatching(/^11 not CSV/),
    ]);
    expect(counts(summary)).toEqual([3, 0, 6]);
    const { rows } = await db.query("select event, url from s.pageviews where visitor_id = 'q'");
    expect(rows).toEqual([{ event: 'e"1\r\n\r\n2', url: '' }]);
  });
});
