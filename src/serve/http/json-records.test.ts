import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordsOfJson } from './json-records.ts';

const texts = (body: string) => recordsOfJson(body).map(({ text }) => text);

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
      expect(() => recordsOfJson(body)).toThrow(SyntaxError);
    },
  );

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
