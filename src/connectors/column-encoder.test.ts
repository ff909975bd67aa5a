import { describe, expect, it } from 'vitest';
import { JsonNumber } from '../json/json-number.ts';
import { encoderFor } from './column-encoder.ts';
import { parseDataType } from './data-type.ts';

const encode = (type: string, value: unknown, strictTime = true): string =>
  encoderFor(parseDataType(type), { strictTime })(value);

describe('type names', () => {
  it.each([
    ['INT8', 'bigint', [], false],
    ['varchar (32)', 'character varying', [32], false],
    ['numeric(10, 2)[]', 'numeric', [10, 2], true],
    ['timestamp(3) with time zone', 'timestamp with time zone', [3], false],
    ['TIMESTAMPTZ', 'timestamp with time zone', [], false],
    ['integer array', 'integer', [], true],
    [null, 'text', [], false],
  ])('%s', (declared, base, modifiers, isArray) => {
    expect(parseDataType(declared)).toEqual({ base, modifiers, isArray });
  });
});

describe('values that fit', () => {
  it.each([
    ['integer', 5, '5'],
    ['integer', ' +05 ', '5'],
    ['integer', -0, '0'],
    ['bigint', '9223372036854775807', '9223372036854775807'],
    ['bigint', new JsonNumber('1152921504606846976'), '1152921504606846976'],
    ['bigint', 2 ** 60, '1152921504606847000'],
    ['integer', new JsonNumber('1.0'), '1'],
    ['numeric', new JsonNumber('700.00'), '700.00'],
    ['text', new JsonNumber('700.00'), '700.00'],
    ['boolean', new JsonNumber('1.0'), 'true'],
    ['numeric', '123456789012345678901234567890.5', '123456789012345678901234567890.5'],
    ['numeric', 1e21, '1e+21'],
    ['numeric', 'NaN', 'NaN'],
    ['double precision', 0, '0'],
    ['boolean', true, 'true'],
    ['boolean', 'OFF', 'false'],
    ['boolean', 1, 'true'],
    ['uuid', '{49EE9DDE-E31D-4D7C-9EAE-FB28527794F6}', '49ee9dde-e31d-4d7c-9eae-fb28527794f6'],
    ['uuid', '49ee9ddee31d4d7c9eaefb28527794f6', '49ee9dde-e31d-4d7c-9eae-fb28527794f6'],
    ['text', 'x', 'x'],
    ['text', 5, '5'],
    ['varchar(3)', '🚋🚋🚋', '🚋🚋🚋'],
    ['varchar(3)', 'abc   ', 'abc   '],
    ['jsonb', 'x', '"x"'],
    ['jsonb', { a: [1] }, '{"a":[1]}'],
    ['timestamptz', '2021-03-19T13:32:26-04:00', '2021-03-19T13:32:26-04:00'],
    ['timestamp', '2024-02-29 24:00:00', '2024-02-29 24:00:00'],
    ['date', '2024-02-29', '2024-02-29'],
    ['time', '12:30', '12:30'],
    ['text[]', ['a"b\\', null, 'c,d'], '{"a\\"b\\\\",NULL,"c,d"}'],
    [
      'integer[]',
      [
        [1, 2],
        [3, 4],
      ],
      '{{"1","2"},{"3","4"}}',
    ],
    ['inet', '10.0.0.1', '10.0.0.1'],
  ])('%s %j', (type, value, text) => {
    expect(encode(type, value)).toBe(text);
  });
});

describe('values that do not', () => {
  it.each([
    ['integer', '5.0', 'expected integer, got "5.0"'],
    ['integer', 1.5, 'expected integer, got 1.5'],
    ['integer', 2147483648, 'expected integer between -2147483648 and 2147483647, got 2147483648'],
    ['smallint', '40000', 'expected smallint between -32768 and 32767, got "40000"'],
    ['bigint', 2 ** 63, 'expected bigint between'],
    ['integer', true, 'expected integer, got true'],
    ['numeric', 'x', 'expected numeric, got "x"'],
    ['numeric', '', 'expected numeric, got ""'],
    ['double precision', '1e400', 'expected double precision within its range'],
    ['real', '1e-60', 'expected real within its range'],
    ['boolean', 'maybe', 'expected boolean'],
    ['boolean', {}, 'expected boolean, got {}'],
    ['uuid', 'x', 'expected uuid, got "x"'],
    ['uuid', 5, 'expected uuid, got 5'],
    ['text', { a: 1 }, 'expected text, got {"a":1}'],
    ['varchar(3)', 'abcd', 'expected at most 3 characters, got "abcd"'],
    ['timestamptz', 1616175146, 'as ISO 8601 text, got 1616175146'],
    ['timestamptz', '300000-01-01T00:00:00Z', 'the year 300000 is out of range'],
    ['timestamptz', '0000-01-01T00:00:00Z', 'the year 0 is out of range'],
    ['timestamptz', '2021-02-29T00:00:00Z', 'there is no day 29 in that month'],
    ['timestamptz', '2021-01-01T25:00:00Z', 'there is no hour 25'],
    ['timestamptz', '2021-01-01T00:00:00+19:00', 'the time zone is out of range'],
    ['timestamptz', 'now', 'in ISO 8601, got "now"'],
    ['date', '2021-13-01', 'there is no month 13'],
    ['integer[]', [1, 'x'], 'expected integer, got "x"'],
    ['integer[]', 5, 'expected array, got 5'],
  ])('%s %j', (type, value, reason) => {
    expect(() => encode(type, value)).toThrow(reason);
  });

  it('leaves other spellings of time to PostgreSQL where that is wanted', () => {
    expect(encode('date', '01/31/2020', false)).toBe('01/31/2020');
  });
});
