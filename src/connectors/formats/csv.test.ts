import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldOffset, readCsv } from './csv.ts';
import type { RawRecord } from './raw-record.ts';

async function read(text: string, delimiter = ',', cut = Infinity): Promise<RawRecord[]> {
  const bytes = Buffer.from(text);
  const chunks: Uint8Array[] = [];
  for (let i = 0; i < bytes.length; i += Math.min(cut, bytes.length)) chunks.push(bytes.subarray(i, i + cut));
  const records: RawRecord[] = [];
  for await (const batch of readCsv(chunks, { delimiter })) records.push(...batch);
  return records;
}

describe('readCsv', () => {
  it('reads lines that end in CR alone, and mixed ends', async () => {
    const fields = async (text: string) => (await read(text)).map((record) => record.fields);
    const rows = [
      ['a', 'b'],
      ['1', 'x'],
      ['2', 'y'],
    ];
    expect(await fields('a,b\r1,x\r2,y\r')).toEqual(rows);
    expect(await fields('a,b\r1,x\r\n2,y\n')).toEqual(rows);
    expect(await fields('a,b\r"1","x\ry"\r2,"y\r\nz"\r')).toEqual([
      ['a', 'b'],
      ['1', 'x\ry'],
      ['2', 'y\r\nz'],
    ]);
    expect((await read('a\rb\rc\nd')).map(({ line, text }) => [line, text])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
      [4, 'd'],
    ]);
    expect((await read('"a\rb\r"c"x\rd')).map(({ problem }) => problem !== undefined)).toContain(false);
  });

  it('reads whatever csv-stringify writes, in chunks of any size', async () => {
    const field = fc.string({
      unit: fc.constantFrom('a', '"', ',', ';', '\n', '\r', ' ', '🚋', '\\', "'"),
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(field, field, field), { maxLength: 8 }),
        fc.constantFrom(',', ';', '\t'),
        fc.integer({ min: 1, max: 20 }),
        async (rows, delimiter, cut) => {
          const text = stringify(rows, { delimiter, quoted: true, quoted_empty: true });
          expect((await read(text, delimiter, cut)).map((record) => record.fields)).toEqual(rows);
          const records = await read(text, delimiter, cut);
          for (const record of records) {
            const upTo = text
              .split('\n')
              .slice(0, record.line - 1)
              .join('\n').length;
            expect(text.slice(record.line === 1 ? 0 : upTo + 1).startsWith(record.text)).toBe(true);
            record.fields!.forEach((_, i) =>
              expect(record.text[fieldOffset(record.text, delimiter, i)]).toBe('"'),
            );
          }
        },
      ),
    );
  });

  it('tells an empty field from an empty text', async () => {
    expect((await read('a,,""\n')).map((record) => record.fields)).toEqual([['a', null, '']]);
  });

  it('never loses a line to a bad one', async () => {
    const lines = fc.array(
      fc.constantFrom('a,b', '"a",b', 'a,"b', '"', 'a"b,c', '"a"b,c', '', '"x\u0000",y'),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(lines, async (texts) => {
        const records = await read(texts.join('\n'));
        const covered = records.flatMap((record) => record.text.split('\n').map((_, i) => record.line + i));
        const expected = texts.flatMap((text, i) => (text === '' ? [] : [i + 1]));
        expect(expected.filter((line) => !covered.includes(line))).toEqual([]);
        expect(new Set(covered).size).toBe(covered.length);
      }),
    );
  });
});
