import { stringifyJson } from '../json/exact-json.ts';
import type { Writable } from '../json/exact-json.ts';
import { JsonNumber, wholeNumber } from '../json/json-number.ts';
import type { DataType } from './data-type.ts';
import { BadValue, shown } from './bad-value.ts';
import { checkMoment, checkTime } from './time-text.ts';

/**
 * A JavaScript value (parsed JSON, or a CSV field's text) to the text the column's type reads. Absent values never
 * come here. Throws BadValue when the type cannot hold the value; types JavaScript cannot judge pass as they are, and
 * PostgreSQL judges.
 */
export type Encode = (value: unknown) => string;

export interface EncoderOptions {
  /** Values are text out of a CSV file: what goes into json columns must be JSON text already. */
  readonly fromText?: boolean;
  /**
   * Dates and times must be ISO 8601. Otherwise other spellings are left to PostgreSQL, which knows many, some of
   * them dependent on when they are read (`now`, `today`): fine for a seed, not at the door of a stream.
   */
  readonly strictTime?: boolean;
}

/** The encoder of a type. Reasons begin with what was expected: `expected integer, got "x"`. */
export function encoderFor(type: DataType, options: EncoderOptions = {}): Encode {
  if (type.isArray) {
    const element = encoderFor({ ...type, isArray: false }, { ...options, fromText: false });
    return (value) => encodeArray(value, element);
  }
  switch (type.base) {
    case 'smallint':
      return (value) => encodeInteger(value, type.base, -32_768n, 32_767n);
    case 'integer':
      return (value) => encodeInteger(value, type.base, -2_147_483_648n, 2_147_483_647n);
    case 'bigint':
      return (value) => encodeInteger(value, type.base, -(2n ** 63n), 2n ** 63n - 1n);
    case 'numeric':
    case 'real':
    case 'double precision':
      return (value) => encodeNumber(value, type.base);
    case 'boolean':
      return encodeBoolean;
    case 'uuid':
      return encodeUuid;
    case 'text':
    case 'citext':
    case 'name':
      return (value) => encodeText(value, type.base);
    case 'character varying':
    case 'character':
      return (value) => encodeBounded(value, type);
    case 'json':
    case 'jsonb':
      return options.fromText === true ? encodeJsonText : toJson;
    case 'timestamp with time zone':
    case 'timestamp without time zone':
      return (value) => encodeTime(value, type.base, options, (text) => checkMoment(text, 'timestamp'));
    case 'date':
      return (value) => encodeTime(value, type.base, options, (text) => checkMoment(text, 'date'));
    case 'time with time zone':
    case 'time without time zone':
      return (value) => encodeTime(value, type.base, options, checkTime);
    default:
      return (value) => (typeof value === 'string' ? value : toJson(value));
  }
}

function toJson(value: unknown): string {
  return stringifyJson(value as Writable);
}

function refuse(expected: string, value: unknown): never {
  throw new BadValue(`expected ${expected}, got ${shown(value)}`);
}

function isNumber(value: unknown): value is number | JsonNumber {
  return typeof value === 'number' || value instanceof JsonNumber;
}

const INTEGER = /^\s*[+-]?\d+\s*$/;

function encodeInteger(value: unknown, name: string, least: bigint, most: bigint): string {
  if (Number.isSafeInteger(value)) {
    if ((value as number) < Number(least) || (value as number) > Number(most))
      refuse(`${name} between ${least} and ${most}`, value);
    return String(value === 0 ? 0 : value);
  }
  if (typeof value === 'number' || value instanceof JsonNumber) {
    const whole = wholeNumber(String(value));
    if (whole === undefined) refuse(name, value);
    if (whole < least || whole > most) refuse(`${name} between ${least} and ${most}`, value);
    return String(whole);
  }
  if (typeof value !== 'string' || !INTEGER.test(value)) refuse(name, value);
  const text = value.trim();
  const exact = BigInt(text.startsWith('+') ? text.slice(1) : text);
  if (exact < least || exact > most) refuse(`${name} between ${least} and ${most}`, value);
  return String(exact);
}

const NUMBER = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*$/;
const SPECIAL_NUMBER = /^\s*(?:nan|[+-]?inf(?:inity)?)\s*$/i;

function encodeNumber(value: unknown, name: string): string {
  const text = isNumber(value) ? String(value) : value;
  if (typeof text !== 'string') refuse(name, value);
  // A JSON number that overflowed to Infinity was written as digits: it is out of range, not infinite.
  if (typeof value === 'number' && !Number.isFinite(value)) refuse(`${name} within its range`, value);
  if (SPECIAL_NUMBER.test(text)) return text.trim();
  if (!NUMBER.test(text)) refuse(name, value);
  const size = Math.abs(Number(text));
  const digits = /[1-9]/.test(text.replace(/[eE].*/s, ''));
  if (name === 'double precision' && (size === Infinity || (size === 0 && digits)))
    refuse(`${name} within its range`, value);
  if (name === 'real' && (Math.fround(size) === Infinity || (Math.fround(size) === 0 && digits))) {
    refuse(`${name} within its range`, value);
  }
  return text.trim();
}

const BOOLEANS = new Map<string, string>();
for (const word of ['t', 'tr', 'tru', 'true', 'y', 'ye', 'yes', 'on', '1']) BOOLEANS.set(word, 'true');
for (const word of ['f', 'fa', 'fal', 'fals', 'false', 'n', 'no', 'of', 'off', '0'])
  BOOLEANS.set(word, 'false');

function encodeBoolean(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  const word = isNumber(value) ? String(Number(value)) : value;
  const known = typeof word === 'string' ? BOOLEANS.get(word.trim().toLowerCase()) : undefined;
  return known ?? refuse('boolean', value);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
// PostgreSQL also reads braces and any grouping by fours.
const LOOSE_UUID = /^\{?(?:[0-9a-f]{4}-?){7}[0-9a-f]{4}\}?$/;

/** In the one form PostgreSQL prints, so that equal keys are equal text. */
function encodeUuid(value: unknown): string {
  if (typeof value === 'string') {
    if (UUID.test(value)) return value;
    const lower = value.trim().toLowerCase();
    if (UUID.test(lower)) return lower;
    if (LOOSE_UUID.test(lower) && lower.startsWith('{') === lower.endsWith('}')) {
      return lower.replace(/[{}-]/g, '').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    }
  }
  return refuse('uuid', value);
}

function encodeText(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  if (!isNumber(value) && typeof value !== 'boolean' && typeof value !== 'bigint') refuse(name, value);
  return String(value);
}

function encodeBounded(value: unknown, type: DataType): string {
  const text = encodeText(value, type.base);
  const most = type.modifiers[0] ?? (type.base === 'character' ? 1 : Infinity);
  if (text.length <= most) return text;
  // Characters, not UTF-16 units; spaces beyond the end are cut, as the SQL standard says.
  if ([...text.trimEnd()].length > most && [...text].length > most)
    refuse(`at most ${most} characters`, value);
  return text;
}

function encodeJsonText(value: unknown): string {
  if (typeof value !== 'string') refuse('JSON', value);
  try {
    JSON.parse(value);
  } catch {
    refuse('JSON', value);
  }
  return value;
}

function encodeTime(
  value: unknown,
  name: string,
  options: EncoderOptions,
  check: (text: string) => string | undefined,
): string {
  if (typeof value !== 'string') refuse(`${name} as ISO 8601 text`, value);
  const problem = check(value);
  if (problem === 'malformed') {
    if (options.strictTime === true) refuse(`${name} in ISO 8601`, value);
  } else if (problem !== undefined) {
    throw new BadValue(`expected ${name}, got ${shown(value)}: ${problem}`);
  }
  return value;
}

function encodeArray(value: unknown, element: Encode): string {
  // Text is taken to be an array literal already (`{1,2}`), which is what a CSV field can hold.
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) refuse('array', value);
  const parts = (value as unknown[]).map((item) => {
    if (item === null || item === undefined) return 'NULL';
    if (Array.isArray(item)) return encodeArray(item, element);
    return `"${element(item).replace(/["\\]/g, '\\$&')}"`;
  });
  return `{${parts.join(',')}}`;
}
