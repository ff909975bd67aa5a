/**
 * Text out of JSON as a value of a declared type, or NULL when it does not fit, in SQL that RisingWave, Materialize and
 * PostgreSQL read alike. No cast is reached with text that it would refuse: on Materialize one failing cast makes a whole view
 * unreadable, on RisingWave it is NULL in a view and an error in a query. What is refused is what `seg ingest` refuses, within
 * what regular expressions can tell: times are ISO 8601, without a zone they are UTC.
 */
import { parseDataType } from '../../connectors/data-type.ts';
import { quoteText } from '../../sql/quote.ts';
import { UnsupportedType } from '../dialect.ts';

const YEAR = '([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])';
const LEAP_YEAR = '([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)';
const DATE = `(${YEAR}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|${LEAP_YEAR}-02-29)`;
const TIME = '([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?';
const ZONE = '(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])';

/** Integers of so many digits always fit; one digit more has to be compared. */
const integers: Readonly<Record<string, { digits: number; through: string; least: string; most: string }>> = {
  smallint: { digits: 9, through: 'integer', least: '-32768', most: '32767' },
  integer: { digits: 18, through: 'bigint', least: '-2147483648', most: '2147483647' },
  bigint: { digits: 19, through: 'numeric', least: '-9223372036854775808', most: '9223372036854775807' },
};

/**
 * @param text SQL of the text, evaluated several times
 * @param declared a type of PostgreSQL
 * @param type the same type in the engine's words
 * @throws UnsupportedType for types whose text cannot be judged by a pattern
 */
export function guardedCast(text: string, declared: string, type: string): string {
  const { base, isArray, modifiers } = parseDataType(declared);
  if (isArray) throw new UnsupportedType(declared, 'jsonb, and unfold it in a model');
  const trimmed = `btrim(${text})`;
  const when = (pattern: string, value: string): string =>
    `case when regexp_match(${trimmed}, ${quoteText(`^${pattern}$`)}) is not null then ${value} end`;
  const range = integers[base];
  if (range !== undefined) {
    const wide = `${trimmed}::${range.through}`;
    return when(
      `[+-]?[0-9]{1,${range.digits}}`,
      `case when ${wide} between ${quoteText(range.least)}::${range.through} and ${quoteText(range.most)}::${range.through} then ${trimmed}::${type} end`,
    );
  }
  switch (base) {
    case 'text':
    case 'character varying':
    case 'character':
    case 'citext':
    case 'name':
      return `${text}::${type}`;
    case 'numeric':
      return when(
        '[+-]?([0-9]{1,26}([.][0-9]{0,26})?|[.][0-9]{1,26})',
        boundedNumeric(`${trimmed}::${type}`, type, modifiers),
      );
    case 'double precision':
      return when(
        '[+-]?([0-9]{1,200}([.][0-9]{0,200})?|[.][0-9]{1,200})([eE][+-]?[0-9]{1,2})?',
        `${trimmed}::${type}`,
      );
    case 'real':
      return when(
        '[+-]?([0-9]{1,28}([.][0-9]{0,28})?|[.][0-9]{1,28})([eE][+-]?[0-9])?',
        `${trimmed}::${type}`,
      );
    case 'boolean':
      return `case when lower(${trimmed}) in ('t', 'true', 'y', 'yes', 'on', '1') then true when lower(${trimmed}) in ('f', 'false', 'n', 'no', 'off', '0') then false end`;
    case 'uuid':
      return when(
        '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}',
        `lower(${trimmed})::${type}`,
      );
    case 'date':
      return when(DATE, `${trimmed}::${type}`);
    case 'time without time zone':
      return when(TIME, `${trimmed}::${type}`);
    case 'timestamp with time zone':
      return `case when regexp_match(${trimmed}, ${quoteText(`^${DATE}[T ]${TIME}${ZONE}$`)}) is not null then ${trimmed}::${type} when regexp_match(${trimmed}, ${quoteText(`^${DATE}[T ]${TIME}$`)}) is not null then (${trimmed} || 'Z')::${type} when regexp_match(${trimmed}, ${quoteText(`^${DATE}$`)}) is not null then (${trimmed} || 'T00:00:00Z')::${type} end`;
    case 'timestamp without time zone':
      return `case when regexp_match(${trimmed}, ${quoteText(`^${DATE}[T ]${TIME}Z?$`)}) is not null then replace(replace(${trimmed}, 'T', ' '), 'Z', '')::${type} when regexp_match(${trimmed}, ${quoteText(`^${DATE}$`)}) is not null then (${trimmed} || ' 00:00:00')::${type} end`;
    default:
      throw new UnsupportedType(declared, 'text or jsonb, and cast it in a model');
  }
}

/** Rounded to the declared scale, and NULL where it overflows the precision: the engine's own type knows neither, or only one. */
function boundedNumeric(value: string, type: string, [precision, scale = 0]: readonly number[]): string {
  if (precision === undefined) return value;
  const rounded = `round(${value}, ${scale})`;
  const whole = precision - scale;
  // The pattern lets no more digits through.
  if (whole > 26) return rounded;
  const bound = `${quoteText(whole >= 0 ? `1${'0'.repeat(whole)}` : `0.${'0'.repeat(-whole - 1)}1`)}::${type}`;
  return `case when abs(${rounded}) < ${bound} then ${rounded} end`;
}
