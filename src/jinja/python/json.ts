/** Python's `json.dumps` and `json.loads`. */
import { isFloat, isInt, int, float, reprFloat, toNumber } from '../numbers.ts';
import { str } from '../print.ts';
import { iterate } from '../iterate.ts';
import { compare } from '../compare.ts';
import type { Value } from '../template-engine.ts';
import { typeName } from '../types.ts';
import { Fault, PyFloat, PyTuple } from '../values.ts';

export interface JsonOptions {
  readonly sortKeys: boolean;
  readonly indent: number | undefined;
}

/** Throws Fault SEG215 for values JSON has no form for. */
export function toJsonText(value: Value, options: JsonOptions, depth = 0): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return jsonString(value);
  if (typeof value === 'boolean') return String(value);
  if (isInt(value)) return str(value);
  if (isFloat(value)) {
    if (value instanceof PyFloat && value.digits !== undefined) return value.digits;
    const number = toNumber(value);
    return Number.isNaN(number) ? 'NaN' : Number.isFinite(number) ? reprFloat(number) : `${number}`;
  }
  const { indent } = options;
  const line = (level: number) => (indent === undefined ? '' : `\n${' '.repeat(indent * level)}`);
  const separator = indent === undefined ? ', ' : `,${line(depth + 1)}`;
  if (Array.isArray(value) || value instanceof PyTuple) {
    const items = Array.from(iterate(value), (item) => toJsonText(item, options, depth + 1));
    return items.length === 0 ? '[]' : `[${line(depth + 1)}${items.join(separator)}${line(depth)}]`;
  }
  if (value instanceof Map) {
    const pairs = [...(value as Map<Value, Value>)];
    if (options.sortKeys) pairs.sort(([a], [b]) => compare(a, b));
    const texts = pairs.map(([key, item]) => `${jsonKey(key)}: ${toJsonText(item, options, depth + 1)}`);
    return texts.length === 0 ? '{}' : `{${line(depth + 1)}${texts.join(separator)}${line(depth)}}`;
  }
  throw new Fault('SEG215', `object of type ${typeName(value)} is not JSON serializable`);
}

function jsonKey(key: Value): string {
  if (typeof key === 'string') return jsonString(key);
  if (key === null || typeof key === 'boolean' || isInt(key) || isFloat(key)) {
    return jsonString(toJsonText(key, { sortKeys: false, indent: undefined }));
  }
  throw new Fault('SEG215', `keys of a JSON object cannot be ${typeName(key)}`);
}

/** json.dumps escapes everything that is not ASCII. */
function jsonString(text: string): string {
  return JSON.stringify(text).replace(
    /[\x7f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `json.loads`: `1.0` stays a float and large ints stay exact. Throws SyntaxError. */
export function parseJson(text: string): Value {
  return readJson(text, (digits) => float(Number(digits)));
}

/** A row's values, whose decimals print and are written with the digits they have: 700.00, not 700.0. */
export function parseRowJson(text: string): Value {
  return readJson(text, (digits) => new PyFloat(Number(digits), digits));
}

function readJson(text: string, decimal: (digits: string) => Value): Value {
  JSON.parse(text);
  let at = 0;
  const token = /[\s,:]*([[\]{}]|"(?:[^"\\]|\\.)*"|[^\s,:[\]{}"]+)/y;
  const read = (): string => {
    token.lastIndex = at;
    const match = token.exec(text)!;
    at = token.lastIndex;
    return match[1]!;
  };
  const value = (word: string): Value => {
    if (word === '[') {
      const items: Value[] = [];
      for (let next = read(); next !== ']'; next = read()) items.push(value(next));
      return items;
    }
    if (word === '{') {
      const dict = new Map<Value, Value>();
      for (let next = read(); next !== '}'; next = read())
        dict.set(JSON.parse(next) as string, value(read()));
      return dict;
    }
    if (/^-?\d/.test(word)) return /^-?\d+$/.test(word) ? int(BigInt(word)) : decimal(word);
    return JSON.parse(word) as Value;
  };
  return value(read());
}
