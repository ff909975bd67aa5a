/**
 * The reader and the writer of JSON for rows and records. JSON.parse reads 12345678901234567890 as
 * 12345678901234567000 and 700.00 as 700; an id or an amount must not change on its way through seg. What a `number`
 * does not print with the same digits is read as a JsonNumber, and written with the digits that were read. Members keep
 * their order, also those that JavaScript would move (member-order.ts).
 */
import { canonicalNumber, JsonNumber, numberOf, printed } from './json-number.ts';
import { keysOf, movesInObjects, objectOf } from './member-order.ts';

export type ExactJson =
  | null
  | boolean
  | number
  | JsonNumber
  | string
  | readonly ExactJson[]
  | { readonly [key: string]: ExactJson };

/**
 * Whether a text may hold a number to be kept as its digits. A number stands after one of the first characters, a
 * string's digits after a quote. Then: 16 characters, a leading 0.000000, an exponent, or a zero at the end.
 */
const MAY_LOSE_DIGITS = /(?:[:,[\s]|^)-?(?:\d[\d.]{15}|0\.0{6}|\d+(?:\.\d+)?[eE]|\d+\.\d*0(?!\d))/;
/** Whether it may hold a member that JavaScript would move. */
const MAY_LOSE_ORDER = /"(?:\d|\\u003\d)+"\s*:/;
const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;

/** Reads JSON; throws JSON.parse's SyntaxError. */
export function parseJson(text: string): ExactJson {
  return parseBoth(text).exact;
}

/** What `plain` and `exact` are: the values with JavaScript's numbers, for a validator, and those with all digits. */
export function parseBoth(text: string): { readonly plain: unknown; readonly exact: ExactJson } {
  const plain = JSON.parse(text) as ExactJson;
  if (!MAY_LOSE_DIGITS.test(text) && !MAY_LOSE_ORDER.test(text)) return { plain, exact: plain };
  // A run of a character that the text has no run of, written as it is or as an escape.
  const mark = '\uE000'.repeat(1 + (text.match(/\uE000|\\ue000/gi)?.length ?? 0));
  let marked = false;
  const rewritten = text.replace(TOKEN, (token: string, colon: string | undefined) => {
    if (colon === undefined ? token.startsWith('"') || typeof numberOf(token) === 'number' : !isMoved(token))
      return token;
    marked = true;
    return colon === undefined ? `"${mark}${token}"` : `"${mark}${token.slice(1)}`;
  });
  return marked
    ? { plain, exact: unmarked(JSON.parse(rewritten) as Mutable, mark) }
    : { plain, exact: plain };
}

/** @param token a member's name as it is written, and the colon behind it */
function isMoved(token: string): boolean {
  return (
    MAY_LOSE_ORDER.test(token) &&
    movesInObjects(JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)) as string)
  );
}

type Mutable = null | boolean | number | JsonNumber | string | { [key: string]: Mutable };

/** Puts numbers in the place of marked texts, in the value itself; an object of marked names is made anew. */
function unmarked(value: Mutable, mark: string): ExactJson {
  if (typeof value === 'string' && value.startsWith(mark)) return new JsonNumber(value.slice(mark.length));
  if (typeof value !== 'object' || value === null || value instanceof JsonNumber) return value;
  // Arrays have their indices as keys. The keys are own properties, so `__proto__` is a name like any other.
  const keys = Object.keys(value);
  for (const key of keys) value[key] = unmarked(value[key]!, mark) as Mutable;
  if (Array.isArray(value) || !keys.some((key) => key.startsWith(mark))) return value;
  return objectOf(keys.map((key) => [key.startsWith(mark) ? key.slice(mark.length) : key, value[key]!]));
}

/** A value that may be written; what is `undefined` in an object is left out, as JSON.stringify does. */
export type Writable =
  ExactJson | bigint | undefined | readonly Writable[] | { readonly [key: string]: Writable };

/** Writes JSON without spaces. */
export function stringifyJson(value: Writable): string {
  return write(value, asWritten);
}

/** Text that is the same for values that jsonb takes for equal, whatever the scale of numbers and the order of keys. */
export function identityOf(value: Writable): string {
  return write(value, asCompared);
}

interface Spelling {
  number(digits: string): string;
  keys(keys: readonly string[]): readonly string[];
}

const asWritten: Spelling = { number: (digits) => digits, keys: (keys) => keys };
const asCompared: Spelling = { number: canonicalNumber, keys: (keys) => [...keys].sort() };

function write(value: Writable, spelling: Spelling): string {
  if (value instanceof JsonNumber) return spelling.number(value.text);
  if (typeof value === 'bigint') return spelling.number(String(value));
  // As PostgreSQL writes them: JSON has no such numbers.
  if (typeof value === 'number')
    return Number.isFinite(value) ? spelling.number(printed(value)) : `"${value}"`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  if (isArray(value)) return `[${value.map((item) => write(item, spelling)).join(',')}]`;
  let text = '';
  for (const key of spelling.keys(keysOf(value))) {
    const item = value[key];
    if (item !== undefined)
      text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${write(item, spelling)}`;
  }
  return `{${text}}`;
}

export function isArray<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

/** Whether a value is an object of members: no array, no number. */
export function isObject(value: ExactJson | undefined): value is { readonly [key: string]: ExactJson } {
  return typeof value === 'object' && value !== null && !isArray(value) && !(value instanceof JsonNumber);
}

/** A value as one text: a string as it is, anything else as JSON. */
export function textOfJson(value: Writable): string {
  return typeof value === 'string' ? value : stringifyJson(value);
}

/** The elements of a JSON array, or the members of an object (`"name": value`), as the texts they are written in. */
function elementsOf(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 1;
  for (let at = 1; at < text.length - 1; at++) {
    const char = text[at]!;
    if (char === '"') at = endOfString(text, at);
    else if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth--;
    else if (char === ',' && depth === 0) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  const last = text.slice(start, -1).trim();
  if (last !== '') parts.push(last);
  return parts;
}

function endOfString(text: string, open: number): number {
  let at = open + 1;
  for (; text[at] !== '"'; at++) if (text[at] === '\\') at++;
  return at;
}

/** `["a", 1]` as an object under these names: `{"email":"a","n":1}`. @param array valid JSON */
export function nameElements(array: string, names: readonly string[]): string {
  return objectText(names, elementsOf(array));
}

/** An object with just these members, in this order; null for those it lacks. @param object valid JSON */
export function orderMembers(object: string, names: readonly string[]): string {
  const members = membersOf(object);
  return objectText(
    names,
    names.map((name) => members.get(name)),
  );
}

/** The text of one member's value; undefined when there is none of that name. @param object valid JSON */
export function memberText(object: string, name: string): string | undefined {
  return membersOf(object).get(name);
}

function membersOf(object: string): Map<string, string> {
  return new Map(
    elementsOf(object).map((member) => {
      const end = endOfString(member, 0) + 1;
      return [JSON.parse(member.slice(0, end)) as string, member.slice(member.indexOf(':', end) + 1).trim()];
    }),
  );
}

function objectText(names: readonly string[], values: readonly (string | undefined)[]): string {
  return `{${names.map((name, at) => `${JSON.stringify(name)}:${values[at] ?? 'null'}`).join(',')}}`;
}
