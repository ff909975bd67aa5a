import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../engines/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { identityOf } from '../json/exact-json.ts';
import type { Writable } from '../json/exact-json.ts';
import { generate } from './generate.ts';
import { generateInto } from './generate-into.ts';
import { ingest } from './ingest.ts';
import { createSource, segmentEvents, testSource } from './test-source.ts';

let db: Database;
beforeAll(async () => {
  db = await openMemoryDatabase();
});
afterAll(() => db.close());

const columns = [
  { name: 'position', data_type: 'bigint', generated: 'position' as const },
  { name: 'id', data_type: 'integer' },
  { name: 'te"xt', data_type: 'text', path: '"te\\"xt"' },
  { name: 'doc', data_type: 'jsonb' },
  { name: 'list', data_type: 'text[]' },
  { name: 'whole', data_type: 'jsonb', path: '$' },
];
const keyed = testSource('keyed', columns, { key: ['id'] });
const unkeyed = testSource('unkeyed', columns);

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('"', '\\', '\n', '\r', '\t', ',', '{', '}', "'", 'N', 'é', '🚋', '\u2028', ' '),
    fc.string({ minLength: 1, maxLength: 1 }),
  ),
});
/** Rows are the same when jsonb takes them for equal: -1e+21 and -1000000000000000000000 are one number. */
const identity = (row: unknown): string => identityOf(row as Writable);
const json = fc.jsonValue({ depthSize: 'small', stringUnit: text });

// The first goes as one JSON parameter, the second by COPY after a look-up of keys, the third by COPY alone.
describe.each([
  ['INSERT', keyed, 0],
  ['look-up and COPY', keyed, 600],
  ['COPY', unkeyed, 0],
])('any value survives %s', (_name, source, padding) => {
  beforeAll(() => createSource(db, source));

  it('as JSON', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ 'te"xt': text, doc: json, list: fc.array(text) }), {
          minLength: 1,
          maxLength: 30,
        }),
        async (values) => {
          await db.exec(`truncate s.${source.identifier}`);
          const fillers = Array.from({ length: padding }, (_, i) => ({ id: 1000 + i }));
          const records = [...values.map((value, id) => ({ id, ...value })), ...fillers];
          const lines = records.map((record) => JSON.stringify(record)).join('\n');
          const summary = await ingest(db, source, [lines], { format: 'json', origin: 'test' });
          expect(summary).toMatchObject({ accepted: records.length, rejected: 0 });
          const { rows } = await db.query<Record<string, unknown>>(
            `select id, "te""xt", doc, to_json(list) as list, whole from s.${source.identifier} where id < 1000 order by position`,
          );
          const plain = JSON.parse(JSON.stringify(records.slice(0, values.length))) as typeof values;
          expect(rows.map(identity)).toEqual(plain.map((record) => identity({ ...record, whole: record })));
        },
      ),
      { numRuns: padding > 0 ? 10 : 30 },
    );
  });

  it('as CSV', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, json), { minLength: 1, maxLength: 30 }), async (values) => {
        await db.exec(`truncate s.${source.identifier}`);
        const fillers = Array.from({ length: padding }, (_, i) => [1000 + i, 'x', '1']);
        const rows = [...values.map(([value, doc], id) => [id, value, JSON.stringify(doc)]), ...fillers];
        const lines = stringify([['id', 'te"xt', 'doc'], ...rows], { quoted: true, quoted_empty: true });
        const file = lines.replace('"te""xt"', '"""te\\""xt"""');
        const summary = await ingest(db, source, [file], { format: 'csv', origin: 'test' });
        expect(summary).toMatchObject({ accepted: rows.length, rejected: 0 });
        const found = await db.query<Record<string, unknown>>(
          `select "te""xt" as t, doc::text::json as doc from s.${source.identifier} where id < 1000 order by position`,
        );
        expect(found.rows.map(identity)).toEqual(
          values.map(([value, doc]) =>
            identity({ t: value, doc: JSON.parse(JSON.stringify(doc)) as unknown }),
          ),
        );
      }),
      { numRuns: padding > 0 ? 10 : 30 },
    );
  });
});

describe('generateInto', () => {
  it('writes what the generator makes, in its order', async () => {
    await createSource(db, segmentEvents);
    const summary = await generateInto(
      db,
      segmentEvents,
      generate('segment_events', { count: 5000, seed: 4 }),
    );
    expect(summary).toMatchObject({ accepted: 5000, duplicate: 0, rejected: 0 });
    const { rows } = await db.query<{ payload: unknown }>(
      'select payload from s.segment_events order by position',
    );
    expect(rows.map((row) => row.payload)).toEqual([...generate('segment_events', { count: 5000, seed: 4 })]);
  });

  it('keeps a rate, and ends on an abort', async () => {
    await createSource(db, segmentEvents);
    const summary = await generateInto(db, segmentEvents, generate('segment_events'), {
      rate: 1000,
      batchMs: 50,
      signal: AbortSignal.timeout(1000),
    });
    expect(summary.accepted).toBeGreaterThan(300);
    expect(summary.accepted).toBeLessThan(1300);
  });
});
