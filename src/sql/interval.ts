/**
 * Whether a text is an interval as PostgreSQL reads it (documentation, 8.5.4 "Interval Input"; `DecodeInterval` and
 * `DecodeISO8601Interval` in datetime.c), without a database. It errs on the side of yes.
 */
import { didYouMean } from '../diagnostics/suggest.ts';

const units = [
  ['microsecond', 'microseconds', 'us', 'usec', 'usecs', 'usecond', 'useconds', 'microsecon'],
  ['millisecond', 'milliseconds', 'ms', 'msec', 'msecs', 'msecond', 'mseconds', 'millisecon'],
  ['second', 'seconds', 's', 'sec', 'secs'],
  ['minute', 'minutes', 'm', 'min', 'mins'],
  ['hour', 'hours', 'h', 'hr', 'hrs'],
  ['day', 'days', 'd'],
  ['week', 'weeks', 'w'],
  ['month', 'months', 'mon', 'mons'],
  ['quarter', 'qtr'],
  ['year', 'years', 'y', 'yr', 'yrs'],
  ['decade', 'decades', 'dec', 'decs'],
  ['century', 'centuries', 'c', 'cent'],
  ['millennium', 'millennia', 'mil', 'mils'],
];
const words = new Set([...units.flat(), 'ago']);
const written = units.flatMap(([one, many]) => [one!, many!]).filter((name) => name.length > 3);

const iso = /^P(?=.)([-+]?[\d.]+(W|Y|M|D)?)*(-\d+)*(T([-+]?[\d.:]+(H|M|S)?)*)?$/;
/** A number (with its unit at once: `5min`), `1-2` for years and months, or a time of day. */
const quantity = /^[-+]?(\d+(\.\d*)?|\.\d+)([a-z]*)$|^[-+]?\d+-\d+$|^[-+]?\d+:\d+(:\d+(\.\d*)?)?(\.\d*)?$/;

export interface IntervalMistake {
  readonly message: string;
  readonly hint: string;
}

const form = 'Write an interval such as "30 minutes", "1 day 02:30:00" or "PT5M".';

/** What is wrong with the text as an interval; undefined when nothing is. */
export function intervalMistake(text: string): IntervalMistake | undefined {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === '') return { message: 'it is empty', hint: form };
  if (/^[-+]?infinity$/.test(trimmed) || iso.test(trimmed.toUpperCase())) return undefined;
  const tokens = trimmed
    .replace(/^@\s*/, '')
    .split(/[\s,]+/)
    .filter((token) => token !== '');
  let numbers = 0;
  for (const token of tokens) {
    const found = quantity.exec(token);
    if (found !== null) numbers++;
    const word = found === null ? token.replace(/^[-+]$/, '') : (found[3] ?? '');
    if (word === '' || words.has(word)) continue;
    return { message: `"${word}" is not a unit of time`, hint: didYouMean(word, written) ?? form };
  }
  return numbers === 0 ? { message: 'it has no number', hint: form } : undefined;
}
