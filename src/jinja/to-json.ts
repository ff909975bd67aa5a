import type { JsonValue } from '../changelog/change.ts';
import { isFloat, toNumber } from './numbers.ts';
import { iterate, tryIterate } from './iterate.ts';
import { str } from './print.ts';
import type { Value } from './template-engine.ts';

/**
 * A template's value as plain JSON, for configuration: lists, tuples, sets and iterators become arrays, dicts objects
 * (keys as text), objects of the host their printed text, ints beyond 2^53 text.
 */
export function toJson(value: Value): JsonValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (isFloat(value)) return toNumber(value);
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Map) {
    return Object.fromEntries(
      Array.from(value as Map<Value, Value>, ([key, item]) => [str(key), toJson(item)]),
    );
  }
  return tryIterate(value) === undefined ? str(value) : Array.from(iterate(value), toJson);
}
