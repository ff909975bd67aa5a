/**
 * Names and ids of generic tests, letter by letter as dbt makes them (parser/generic_test_builders.py and
 * parser/schemas.py of dbt-core): people select tests by these names and keep lists of them.
 */
import { createHash } from 'node:crypto';
import type { JsonValue } from '../changelog/change.ts';
import type { JsonObject } from './project-file.ts';
import { pythonRepr, pythonStr } from './python-text.ts';

const md5 = (text: string): string => createHash('md5').update(text, 'utf8').digest('hex');

/**
 * `full` goes into the unique id; `short` (at most 63 characters) is the file's name and the alias.
 * @param test the test's name: `unique`, with namespace `dbt_utils_x`, with `source_` before it for sources
 * @param target the model's name, or `<source>_<table>`
 */
export function genericTestName(
  test: string,
  target: string,
  kwargs: JsonObject,
): { full: string; short: string } {
  const flat = Object.keys(kwargs)
    .sort()
    .filter((key) => key !== 'model')
    .flatMap((key) => {
      const value = kwargs[key]!;
      if (Array.isArray(value)) return value;
      return value !== null && typeof value === 'object' ? Object.values(value) : [value];
    });
  const cleaned = flat.map((value) => pythonStr(value).replace(/[^0-9a-zA-Z_]+/g, '_'));
  const identifier = `${test}_${target}`;
  const full = `${identifier}_${cleaned.join('__')}`;
  return { full, short: full.length >= 64 ? `${identifier.slice(0, 30)}_${md5(full)}` : full };
}

/** The ten hexadecimal digits at the end of a generic test's unique id. */
export function genericTestHash(
  fullName: string,
  metadata: { name: string; namespace: string | null; kwargs: JsonObject },
): string {
  return md5(fullName + pythonRepr(hashable({ ...metadata }))).slice(-10);
}

/** Sorted keys, and every scalar as Python's str() of it. */
function hashable(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(hashable);
  if (value === null || typeof value !== 'object') return pythonStr(value);
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, hashable(value[key]!)]),
  );
}
