/**
 * Values as the declared type holds them on PostgreSQL, for engines that have no precision and read fewer spellings of times: what
 * `seg ingest` takes in is the same on every engine.
 */
import { BadValue } from '../connectors/bad-value.ts';
import { parseDataType } from '../connectors/data-type.ts';

/**
 * A function from the text of a value to the text that the engine gets; undefined for types that are the same everywhere.
 * The function throws BadValue for a value that the type, or the engine, does not hold.
 * @param title of the engine
 */
export function fitterFor(declared: string, title: string): ((text: string) => string) | undefined {
  const { base, modifiers, isArray } = parseDataType(declared);
  if (isArray) return undefined;
  switch (base) {
    case 'numeric': {
      const [precision, scale = 0] = modifiers;
      return precision === undefined ? undefined : (text) => bounded(text, precision, scale);
    }
    case 'date':
    case 'timestamp without time zone':
    case 'timestamp with time zone':
      return (text) => moment(text, base, title);
    case 'time without time zone':
      return (text) => {
        if (/^\s*24:/.test(text))
          throw new BadValue(`${title} has no time 24:00, got ${JSON.stringify(text)}`);
        return text;
      };
    default:
      return undefined;
  }
}

const DECIMAL = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?\s*$/;

/** Rounded half away from zero to the scale, and within the precision. */
function bounded(text: string, precision: number, scale: number): string {
  const found = DECIMAL.exec(text);
  if (found === null) return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = found;
  // The digits without a point, and by how many places they are to be moved to count units of the scale.
  const digits = BigInt(`0${whole}${fraction}`);
  const shift = Number(exponent) - fraction.length + scale;
  const units = shift >= 0 ? digits * 10n ** BigInt(Math.min(shift, 2000)) : rounded(digits, -shift);
  if (units >= 10n ** BigInt(precision)) {
    throw new BadValue(
      `numeric field overflow: a field with precision ${precision}, scale ${scale} must round to an absolute value less than 10^${precision - scale}, got ${text.trim()}`,
    );
  }
  const minus = sign === '-' && units > 0n ? '-' : '';
  if (scale <= 0) return `${minus}${units * 10n ** BigInt(-scale)}`;
  const padded = units.toString().padStart(scale + 1, '0');
  return `${minus}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

function rounded(digits: bigint, places: number): bigint {
  // So many places that nothing is left of any number that can be written.
  if (places > digits.toString().length) return 0n;
  const unit = 10n ** BigInt(places);
  return (digits + unit / 2n) / unit;
}

/** Midnight of the day's end is that of the next day's beginning; years beyond 9999 are not read there. */
function moment(text: string, type: string, title: string): string {
  if (/^\s*[+-]?\d{5,}-/.test(text))
    throw new BadValue(`${title} reads no year beyond 9999, got ${JSON.stringify(text)}`);
  const end = /^\s*(\d{4})-(\d\d)-(\d\d)[T ]24:00(?::00(?:\.0+)?)?(.*)$/.exec(text);
  if (end === null) return text;
  const [, year, month, day, zone] = end;
  const next = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day) + 1));
  const date = next.toISOString().slice(0, 10);
  return type === 'date' ? date : `${date}T00:00:00${zone ?? ''}`;
}
