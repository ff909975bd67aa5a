/** Checks of ISO 8601 / RFC 3339 text against the ranges of PostgreSQL's date and time types. */

const DATE = String.raw`(\d{4,6})-(\d{1,2})-(\d{1,2})`;
const TIME = String.raw`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?`;
const ZONE = String.raw`(?: ?(?:Z|UTC|GMT|([+-])(\d{2})(?::?(\d{2})(?::?\d{2})?)?))?`;
const DATE_TIME = new RegExp(`^${DATE}(?:[T ]${TIME}(${ZONE}))?$`, 'i');
const ONLY_TIME = new RegExp(`^${TIME}(${ZONE})$`, 'i');
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const LAST_YEAR = { timestamp: 294_276, date: 5_874_897 };

/**
 * What is wrong with `text` as a date or timestamp: `malformed` when it is not written in ISO 8601 (PostgreSQL may
 * know another reading of it), a sentence fragment when it is but names no existing moment, undefined when it is fine.
 */
export function checkMoment(
  text: string,
  kind: 'timestamp' | 'date',
): 'malformed' | (string & {}) | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return 'malformed';
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  if (year < 1 || year > LAST_YEAR[kind]) return `the year ${year} is out of range`;
  if (month < 1 || month > 12) return `there is no month ${month}`;
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day < 1 || day > DAYS[month - 1]! + (leap ? 1 : 0)) return `there is no day ${day} in that month`;
  return match[4] === undefined ? undefined : checkTimeParts(match.slice(4));
}

/** The same for a time of day. */
export function checkTime(text: string): 'malformed' | (string & {}) | undefined {
  const match = ONLY_TIME.exec(text);
  return match === null ? 'malformed' : checkTimeParts(match.slice(1));
}

/** Does an ISO moment name its zone? (It then is a point in time, not a local reading of a clock.) */
export function hasZone(text: string): boolean {
  return (DATE_TIME.exec(text)?.[7] ?? '') !== '';
}

function checkTimeParts(parts: readonly (string | undefined)[]): string | undefined {
  const [hour, minute, second] = [Number(parts[0]), Number(parts[1]), Number(parts[2] ?? 0)];
  const zoneHour = Number(parts[5] ?? 0);
  const zoneMinute = Number(parts[6] ?? 0);
  // PostgreSQL reads 24:00:00 as the next midnight and :60 as the next minute.
  if (hour > 24 || (hour === 24 && (minute > 0 || second > 0))) return `there is no hour ${hour}`;
  if (minute > 59) return `there is no minute ${minute}`;
  if (second > 60) return `there is no second ${second}`;
  if (zoneHour > 15 || zoneMinute > 59) return 'the time zone is out of range';
  return undefined;
}
