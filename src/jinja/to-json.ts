import type { JsonValue } from '../changelog/change.ts';
import type { ExactJson } from '../json/exact-json.ts';
import { numberOf } from '../json/json-number.ts';
import { iterate, tryIterate } from './iterate.ts';
import { str } from './print.ts';
import type { Value } from './template-engine.ts';
import { PyFloat } from './values.ts';
import { objectOf } from '../json/member-order.ts';

/**
 * A template's value as plain JSON, for configuration: lists, tuples, sets and iterators become arrays, dicts objects
 * (keys as text), objects of the host their printed text, ints beyond 2^53 text.
 */
export function toJson(value: Value): JsonValue {
  return convert<JsonValue>(value, (number) =>
    typeof number === 'bigint' ? number.toString() : number.value,
  );
}

/** The same for what is made of a row: numbers keep the digits they came with. */
export function toExactJson(value: Value): ExactJson {
  return convert<ExactJson>(value, (number) =>
    typeof number === 'bigint'
      ? numberOf(number.toString())
      : number.digits === undefined
        ? number.value
        : numberOf(number.digits),
  );
}

type Converted<T> = null | string | boolean | number | T | Converted<T>[] | { [key: string]: Converted<T> };

function convert<T>(value: Value, numeric: (number: bigint | PyFloat) => T): T {
  const walk = (inner: Value): Converted<T> => {
    if (inner === null || inner === undefined) return null;
    if (typeof inner === 'string' || typeof inner === 'boolean' || typeof inner === 'number') return inner;
    if (typeof inner === 'bigint' || inner instanceof PyFloat) return numeric(inner);
    if (inner instanceof Map) {
      return objectOf(Array.from(inner as Map<Value, Value>, ([key, item]) => [str(key), walk(item)]));
    }
    return tryIterate(inner) === undefined ? str(inner) : Array.from(iterate(inner), walk);
  };
  return walk(value) as T;
}
