import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BadValue } from '../../connectors/bad-value.ts';
import { encoderFor } from '../../connectors/column-encoder.ts';
import { parseDataType } from '../../connectors/data-type.ts';
import type { PGliteDatabase } from '../../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../../engines/pglite/memory.ts';
import { quoteText } from '../../sql/quote.ts';
import { UnsupportedType } from '../dialect.ts';
import { guardedCast } from './guarded-cast.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
});
afterAll(() => db.close());

const texts: Readonly<Record<string, readonly string[]>> = {
  smallint: ['0', '-32768', '32767', '32768', '-32769', '+5', ' 7 ', '1.5', '', 'x', '9'.repeat(40)],
  integer: ['2147483647', '2147483648', '-2147483648', '-2147483649', '1e3', '٣', '0x10'],
  bigint: [
    '9223372036854775807',
    '9223372036854775808',
    '-9223372036854775808',
    '-9223372036854775809',
    '--1',
  ],
  numeric: ['1', '-1.50', '.5', '5.', '1e5', '1,5', 'NaN', '9'.repeat(26), '9'.repeat(300)],
  'double precision': ['1.5', '-1e99', '1e999', '.5e-10', 'Infinity', '5e', '9'.repeat(500)],
  real: ['1.5', '3e9', '1e99', '-0.25'],
  boolean: ['true', 'FALSE', 't', 'f', 'yes', 'no', 'on', 'off', '1', '0', '2', 'wahr', ''],
  uuid: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'a0eebc99', ''],
  date: [
    '2024-02-29',
    '2023-02-29',
    '2000-02-29',
    '1900-02-29',
    '0000-01-01',
    '0001-01-01',
    '2024-04-31',
    '2024-13-01',
    '24-1-1',
    'today',
  ],
  time: ['23:59:59', '24:00:01', '12:60:00', '12:00:00.123456', 'noon'],
  timestamptz: [
    '2024-01-01T00:00:00Z',
    '2024-01-01 00:00:00+02:00',
    '2024-01-01T00:00:00',
    '2024-01-01',
    '2024-01-01T25:00:00Z',
    '2024-02-30T00:00:00Z',
    '2024-01-01T00:00:00.123456789Z',
    '2024-01-01T00:00:00-14:00',
    'now',
    'infinity',
    'Mon Jan 1 2024',
    '1700000000',
  ],
  timestamp: [
    '2024-01-01T00:00:00',
    '2024-01-01 12:34:56.7',
    '2024-01-01',
    '2024-01-01T00:00:00Z',
    'yesterday',
  ],
  text: ['', 'x', "o'brien"],
};

describe('a guarded cast', () => {
  it.each(Object.keys(texts))(
    'of %s refuses no row, and takes nothing that ingestion refuses',
    async (type) => {
      for (const text of texts[type]!) {
        const { rows } = await db.query<{ value: string | null }>(
          `SELECT (${guardedCast('t.x', type, type)})::text AS value FROM (SELECT ${quoteText(text)}::text AS x) AS t`,
        );
        let takes = true;
        try {
          encoderFor(parseDataType(type), { strictTime: true })(text);
        } catch (error) {
          if (!(error instanceof BadValue)) throw error;
          takes = false;
        }
        if (!takes) expect(rows[0]!.value, `${type} ${text}`).toBeNull();
      }
    },
  );

  it('keeps the values that fit', async () => {
    const value = async (type: string, text: string): Promise<unknown> => {
      const { rows } = await db.query<{ value: string | null }>(
        `SELECT (${guardedCast('t.x', type, type)})::text AS value FROM (SELECT ${quoteText(text)}::text AS x) AS t`,
      );
      return rows[0]!.value;
    };
    expect(await value('smallint', '-32768')).toBe('-32768');
    expect(await value('bigint', '-9223372036854775808')).toBe('-9223372036854775808');
    expect(await value('bigint', '9223372036854775808')).toBeNull();
    expect(await value('numeric', '-1.50')).toBe('-1.50');
    expect(await value('boolean', 'FALSE')).toBe('false');
    expect(await value('date', '2000-02-29')).toBe('2000-02-29');
    expect(await value('timestamptz', '2024-01-01 00:00:00+02:00')).toBe('2023-12-31 22:00:00+00');
    expect(await value('timestamptz', '2024-01-01T00:00:00')).toBe('2024-01-01 00:00:00+00');
    expect(await value('timestamp', '2024-01-01T00:00:00')).toBe('2024-01-01 00:00:00');
  });

  it('refuses types that no pattern can judge', () => {
    for (const type of ['interval', 'bytea', 'integer[]', 'point'])
      expect(() => guardedCast('x', type, type)).toThrow(UnsupportedType);
  });
});
