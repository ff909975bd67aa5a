/** `strftime` and `strptime`, in the C locale. */
import { Fault } from '../values.ts';

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);

export interface Moment {
  readonly date: Date;
  readonly microsecond: number;
  readonly zone: { readonly minutes: number; print(): string } | null;
}

const pad = (value: number, width = 2) => String(value).padStart(width, '0');

export function formatTime(moment: Moment, format: string): string {
  return format.replace(/%([^])/g, (whole, code: string) => directive(moment, code) ?? whole);
}

function directive(moment: Moment, code: string): string | undefined {
  const { date } = moment;
  const weekday = (date.getUTCDay() + 6) % 7;
  const hour12 = date.getUTCHours() % 12 === 0 ? 12 : date.getUTCHours() % 12;
  const dayOfYear = Math.floor(
    (Date.UTC(2000, date.getUTCMonth(), date.getUTCDate()) - Date.UTC(2000, 0, 1)) / 86_400_000,
  );
  const year = date.getUTCFullYear();
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const yearDay = dayOfYear + 1 - (!leap && date.getUTCMonth() > 1 ? 1 : 0);
  const join = (parts: string) => formatTime(moment, parts);
  switch (code) {
    case 'Y':
      return pad(year, 4);
    case 'y':
      return pad(year % 100);
    case 'm':
      return pad(date.getUTCMonth() + 1);
    case 'd':
      return pad(date.getUTCDate());
    case 'e':
      return String(date.getUTCDate()).padStart(2);
    case 'H':
      return pad(date.getUTCHours());
    case 'I':
      return pad(hour12);
    case 'M':
      return pad(date.getUTCMinutes());
    case 'S':
      return pad(date.getUTCSeconds());
    case 'f':
      return pad(moment.microsecond, 6);
    case 'p':
      return date.getUTCHours() < 12 ? 'AM' : 'PM';
    case 'A':
      return DAYS[weekday];
    case 'a':
      return DAYS[weekday]!.slice(0, 3);
    case 'B':
      return MONTHS[date.getUTCMonth()];
    case 'b':
    case 'h':
      return MONTHS[date.getUTCMonth()]!.slice(0, 3);
    case 'j':
      return pad(yearDay, 3);
    case 'u':
      return String(weekday + 1);
    case 'w':
      return String(date.getUTCDay());
    case 'U':
      return pad(Math.floor((yearDay + 6 - date.getUTCDay()) / 7));
    case 'W':
      return pad(Math.floor((yearDay + 6 - weekday) / 7));
    case 'V':
      return pad(isoWeek(date).week);
    case 'G':
      return String(isoWeek(date).year);
    case 's':
      return String(Math.floor((date.getTime() - (moment.zone?.minutes ?? 0) * 60_000) / 1000));
    case 'z': {
      if (moment.zone === null) return '';
      const size = Math.abs(moment.zone.minutes);
      return `${moment.zone.minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}${pad(size % 60)}`;
    }
    case 'Z':
      return moment.zone?.print() ?? '';
    case 'F':
      return join('%Y-%m-%d');
    case 'T':
    case 'X':
      return join('%H:%M:%S');
    case 'R':
      return join('%H:%M');
    case 'D':
    case 'x':
      return join('%m/%d/%y');
    case 'c':
      return join('%a %b %e %H:%M:%S %Y');
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '%':
      return '%';
    default:
      return undefined;
  }
}

function isoWeek(date: Date): { year: number; week: number } {
  const thursday = new Date(date.getTime());
  thursday.setUTCDate(date.getUTCDate() + 3 - ((date.getUTCDay() + 6) % 7));
  const year = thursday.getUTCFullYear();
  return { year, week: 1 + Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / 86_400_000 / 7) };
}

const PATTERNS: Readonly<Record<string, string>> = {
  Y: '(?<Y>\\d{4})',
  y: '(?<y>\\d{2})',
  m: '(?<m>1[0-2]|0?[1-9])',
  d: '(?<d>3[01]|[12]\\d|0?[1-9]| [1-9])',
  H: '(?<H>2[0-3]|[01]?\\d)',
  I: '(?<I>1[0-2]|0?[1-9])',
  M: '(?<M>[0-5]?\\d)',
  S: '(?<S>6[01]|[0-5]?\\d)',
  f: '(?<f>\\d{1,6})',
  p: '(?<p>[AaPp][Mm])',
  j: '(?<j>\\d{1,3})',
  z: '(?<z>Z|[+-]\\d{2}:?\\d{2})',
  A: `(?:${DAYS.join('|')})`,
  a: `(?:${DAYS.map((day) => day.slice(0, 3)).join('|')})`,
  B: `(?<B>${MONTHS.join('|')})`,
  b: `(?<b>${MONTHS.map((month) => month.slice(0, 3)).join('|')})`,
  '%': '%',
};

/** Year to microsecond, and the offset when the format has `%z`. Throws Fault SEG216 when the text does not fit. */
export function parseTime(
  text: string,
  format: string,
): { parts: number[]; zoneMinutes: number | undefined } {
  const full = format.replaceAll('%F', '%Y-%m-%d').replaceAll('%T', '%H:%M:%S').replaceAll('%R', '%H:%M');
  const pattern = full.replace(/%([^])|\s+|[\\^$.|?*+()[\]{}]/g, (whole, code?: string) => {
    if (code === undefined) return /\s/.test(whole) ? '\\s+' : `\\${whole}`;
    const known = PATTERNS[code];
    if (known === undefined) throw new Fault('SEG216', `'${code}' is a bad directive in format '${format}'`);
    return known;
  });
  const groups = new RegExp(`^${pattern}$`, 'i').exec(text)?.groups;
  if (groups === undefined && !new RegExp(`^${pattern}$`, 'i').test(text)) {
    throw new Fault('SEG216', `time data '${text}' does not match format '${format}'`);
  }
  const found: Record<string, string | undefined> = groups ?? {};
  const number = (code: string) => (found[code] === undefined ? undefined : Number(found[code]));
  const short = number('y');
  const year = number('Y') ?? (short === undefined ? 1900 : short + (short < 69 ? 2000 : 1900));
  const name = (found['B'] ?? found['b'])?.slice(0, 3).toLowerCase();
  const named =
    name === undefined ? undefined : MONTHS.findIndex((month) => month.toLowerCase().startsWith(name)) + 1;
  let month = number('m') ?? named ?? 1;
  let day = number('d') ?? 1;
  const yearDay = number('j');
  if (yearDay !== undefined) {
    const date = new Date(Date.UTC(year, 0, yearDay));
    month = date.getUTCMonth() + 1;
    day = date.getUTCDate();
  }
  let hour = number('H') ?? 0;
  const hour12 = number('I');
  if (hour12 !== undefined) hour = (hour12 % 12) + (found['p']?.toLowerCase() === 'pm' ? 12 : 0);
  const micro = Number((found['f'] ?? '0').padEnd(6, '0'));
  return {
    parts: [year, month, day, hour, number('M') ?? 0, number('S') ?? 0, micro],
    zoneMinutes: zone(found['z']),
  };
}

function zone(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(text) ?? [];
  return sign === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}
