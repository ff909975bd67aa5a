/**
 * Expected values that are not one exact value. In a row they stand where a value would, as a mapping:
 * `{any: true}`, `{present: true}`, `{matches: "^usr-"}`, `{approx: 1.5, within: 0.1}`, `{includes: {"a": 1}}`;
 * `{exactly: {...}}` is the way out for a JSON document that would look like one of these.
 */
import { identityOf, isArray, isObject, parseJson, stringifyJson } from '../json/exact-json.ts';
import type { ExactJson } from '../json/exact-json.ts';

/** A value as the engine writes it, in the canonical form of its type (typed-rows.ts); null is NULL. */
export type Cell = string | null;

export interface Matcher {
  /** How the matcher is shown in a diff. */
  readonly text: string;
  matches(cell: Cell): boolean;
}

/** What one cell of an expected row asks for. */
export type ExpectedCell = Cell | Matcher;

export function isMatcher(cell: ExpectedCell): cell is Matcher {
  return cell !== null && typeof cell === 'object';
}

export function cellMatches(expected: ExpectedCell, actual: Cell): boolean {
  return isMatcher(expected) ? expected.matches(actual) : expected === actual;
}

export const anything: Matcher = { text: '(any)', matches: () => true };
/** A column the expected row says nothing about. */
export const unnamed: Matcher = { text: '·', matches: () => true };

/** An expected value as written: a matcher, or a value still to be cast to its column's type. */
export type ReadValue =
  { readonly matcher: Matcher } | { readonly value: ExactJson } | { readonly mistake: string };

/**
 * Reads one expected value. `mistake` is a sentence fragment for the user when the mapping starts like a matcher but
 * is none (`{matches: "("}`). Any other mapping is a JSON document.
 */
export function readExpectedValue(value: ExactJson): ReadValue {
  if (!isObject(value)) return { value };
  const keys = Object.keys(value);
  const only = (...names: string[]): boolean => keys.every((key) => names.includes(key));
  if (keys.length === 1 && 'exactly' in value) return { value: value['exactly']! };
  if (keys.length === 1 && 'any' in value && value['any'] === true) return { matcher: anything };
  if (keys.length === 1 && 'present' in value && typeof value['present'] === 'boolean') {
    return { matcher: value['present'] ? present : absent };
  }
  if (keys.length === 1 && 'includes' in value) return { matcher: includes(value['includes']) };
  if (keys.length === 1 && 'matches' in value) {
    if (typeof value['matches'] !== 'string')
      return { mistake: '"matches" wants a regular expression as text' };
    try {
      return { matcher: matches(new RegExp(value['matches'], 'u')) };
    } catch (cause) {
      return { mistake: `"matches" is no regular expression: ${(cause as Error).message}` };
    }
  }
  if ('approx' in value && only('approx', 'within')) {
    const { approx: target, within } = value;
    if (typeof target !== 'number') return { mistake: '"approx" wants a number' };
    if (within !== undefined && (typeof within !== 'number' || within < 0)) {
      return { mistake: '"within" wants a number that is not negative' };
    }
    return { matcher: approx(target, within ?? Math.max(Math.abs(target) * 1e-6, 1e-9)) };
  }
  return { value };
}

const present: Matcher = { text: '(present)', matches: (cell) => cell !== null };
const absent: Matcher = { text: 'NULL', matches: (cell) => cell === null };

function matches(pattern: RegExp): Matcher {
  return { text: `/${pattern.source}/`, matches: (cell) => cell !== null && pattern.test(cell) };
}

function approx(target: number, within: number): Matcher {
  return {
    text: `${target} ± ${Number(within.toPrecision(3))}`,
    matches: (cell) => cell !== null && cell !== '' && Math.abs(Number(cell) - target) <= within,
  };
}

function includes(part: ExactJson): Matcher {
  return {
    text: `includes ${stringifyJson(part)}`,
    matches: (cell) => {
      if (cell === null) return false;
      try {
        return jsonIncludes(parseJson(cell), part);
      } catch {
        return typeof part === 'string' && cell.includes(part);
      }
    },
  };
}

/** PostgreSQL's `whole @> part` for JSON: objects by key, arrays as sets of elements, scalars by value. */
export function jsonIncludes(whole: ExactJson, part: ExactJson): boolean {
  if (isArray(part)) {
    return isArray(whole) && part.every((item) => whole.some((other) => jsonIncludes(other, item)));
  }
  if (isObject(part)) {
    return (
      isObject(whole) &&
      Object.entries(part).every(
        ([key, value]) => Object.hasOwn(whole, key) && jsonIncludes(whole[key]!, value),
      )
    );
  }
  return identityOf(whole) === identityOf(part);
}
