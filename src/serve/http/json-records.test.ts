import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_RECORD_BYTES, MAX_RECORDS, recordsOfJson } from './json-records.ts';
import { BodyTooLarge } from './read-body.ts';

const texts = (body: string) => recordsOfJson(Buffer.from(body)).map(({ text }) => text);

describe('recordsOfJson', () => {
  it('keeps the text of each record as it was written', () => {
    expect(texts(' [ {"n": 1.50}, {"s": "a]},{\\"["}, [1, [2]] , 7 ] ')).toEqual([
      '{"n": 1.50}',
      '{"s": "a]},{\\"["}',
      '[1, [2]]',
      '7',
    ]);
    expect(texts('{"a": 12345678901234567890}')).toEqual(['{"a": 12345678901234567890}']);
    expect(texts('[]')).toEqual([]);
  });

  it.each(['', 'x', '7', '[1', '[1,]', '[,1]', '[1] 2', '[1}', '["a]', '{"a": 1', '[[1]'])(
    'refuses %j',
    (body) => {
      expect(() => texts(body)).toThrow(SyntaxError);
    },
  );

  it('takes so many records in one body, and no more', () => {
    const body = (count: number): string => `[${'0,'.repeat(count - 1)}0]`;
    expect(texts(body(MAX_RECORDS))).toHaveLength(MAX_RECORDS);
    expect(() => texts(body(MAX_RECORDS + 1))).toThrow(BodyTooLarge);
  });

  it('keeps the beginning of a record that is too long, and the others', () => {
    const long = (length: number): string => `{"k":"${'é'.repeat((length - 8) / 2)}"}`;
    const [first, second, third] = recordsOfJson(
      Buffer.from(`[1, ${long(MAX_RECORD_BYTES)}, ${long(MAX_RECORD_BYTES + 2)}]`),
    );
    expect([first!.problem, second!.problem, second!.text.length]).toEqual([
      undefined,
      undefined,
      MAX_RECORD_BYTES / 2 + 4,
    ]);
    expect(third!.problem).toBe(`the record is longer than ${MAX_RECORD_BYTES} bytes`);
    expect(third!.text.length).toBeLessThan(5000);
    expect(recordsOfJson(Buffer.from(long(MAX_RECORD_BYTES + 2)))[0]!.problem).toMatch(/longer/);
  });

  it('leaves it to whoever takes a record in to refuse how deep it is, and does not parse it', () => {
    const deep = `{"a":${'['.repeat(1001)}`;
    expect(texts(deep)).toEqual([deep]);
  });

  it('judges each record by its own bytes', () => {
    const body = Buffer.concat([
      Buffer.from('\u{feff} [{"k":"'),
      Buffer.of(0xe8),
      Buffer.from('"},{"k":"é"}]'),
    ]);
    expect(recordsOfJson(body)).toEqual([
      { line: 1, text: '{"k":"è"}', problem: expect.stringContaining('not UTF-8') as string },
      { line: 2, text: '{"k":"é"}' },
    ]);
    expect(texts('\u{feff}{"k":1}')).toEqual(['{"k":1}']);
    expect(recordsOfJson(Buffer.from([0x7b, 0x22, 0xe9, 0x22, 0x3a, 0x31, 0x7d]))[0]!.problem).toMatch(
      /UTF-8/,
    );
  });

  it('splits any array where JSON.parse would', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.boolean(), (values, spaced) => {
        const parsed = texts(JSON.stringify(values, null, spaced ? 2 : 0)).map(
          (text) => JSON.parse(text) as unknown,
        );
        expect(parsed).toEqual(JSON.parse(JSON.stringify(values)));
      }),
    );
  });
});
