import { describe, expect, it } from 'vitest';
import { intervalMistake } from './interval.ts';

describe('an interval', () => {
  it.each([
    '30 minutes',
    '+45 minutes',
    '-5 days',
    '1 day 02:30:00',
    '5min',
    '1.5 hours',
    '.5 h',
    '30',
    '1-2',
    '1-2 3 4:05:06',
    '@ 1 year 2 mons ago',
    'P1Y2M3DT4H5M6S',
    'pt5m',
    'P1W',
    'P0001-02-03T04:05:06',
    'infinity',
    '1 day -01:00',
    '2 WEEKS',
    '+ 3 days',
    '04:05',
    '1 day, 2 hours',
  ])('is read: %s', (text) => expect(intervalMistake(text)).toBeUndefined());

  it.each([
    ['5 minuts', '"minuts" is not a unit of time', 'Did you mean "minute" or "minutes"?'],
    ['5 banana', '"banana" is not a unit of time', 'Write an interval'],
    ['5banana', '"banana" is not a unit of time', 'Write an interval'],
    ['', 'it is empty', 'Write an interval'],
    ['days', 'it has no number', 'Write an interval'],
    ['soon', '"soon" is not a unit of time', 'Write an interval'],
    ['P', '"p" is not a unit of time', 'Write an interval'],
  ])('is refused: %j', (text, message, hint) => {
    expect(intervalMistake(text)).toEqual({ message, hint: expect.stringContaining(hint) as string });
  });
});
