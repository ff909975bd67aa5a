/** Jinja's filters that make numbers. */
import { expectInt } from '../methods/method.ts';
import { float, int, isFloat, isInt, isNumber, sign, toNumber } from '../numbers.ts';
import type { Int } from '../numbers.ts';
import { formatSpec } from '../python/format-spec.ts';
import type { Value } from '../template-engine.ts';
import { typeName } from '../types.ts';
import { Fault, PyFloat } from '../values.ts';
import { filter } from './filter.ts';
import type { FilterTable } from './filter.ts';

/** Python's `int(text, base)`; undefined when the text is no int. */
export function parseInt(text: string, base: number): Int | undefined {
  const match = /^\s*([+-]?)\s*([^]*?)\s*$/.exec(text)!;
  let digits = match[2]!.toLowerCase();
  const prefix = { 2: '0b', 8: '0o', 16: '0x' }[base];
  if (prefix !== undefined && digits.startsWith(prefix)) digits = digits.slice(2);
  if (!/^[0-9a-z]+(?:_[0-9a-z]+)*$/.test(digits) || /^\s/.test(match[2]!)) return undefined;
  let value = 0n;
  for (const digit of digits.replaceAll('_', '')) {
    const number = Number.parseInt(digit, 36);
    if (number >= base) return undefined;
    value = value * BigInt(base) + BigInt(number);
  }
  return int(match[1] === '-' ? -value : value);
}

/** Python's `float(value)`; undefined when there is none. */
export function parseFloat(value: Value): number | undefined {
  if (isNumber(value)) return toNumber(value);
  if (typeof value !== 'string') return undefined;
  const text = value
    .trim()
    .toLowerCase()
    .replace(/(?<=\d)_(?=\d)/g, '');
  const special = /^([+-]?)(?:(inf(?:inity)?)|nan)$/.exec(text);
  if (special !== null)
    return special[2] === undefined ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

/** A float's whole part as an int; undefined for inf and nan. */
function truncate(value: number): Int | undefined {
  return Number.isFinite(value) ? int(BigInt(Math.trunc(value))) : undefined;
}

function round(value: Value, digits: number, method: Value): Value {
  if (!isNumber(value)) throw new Fault('SEG215', `filter "round" needs a number, not ${typeName(value)}`);
  if (method === 'ceil' || method === 'floor') {
    const scale = 10 ** digits;
    return float(Math[method](toNumber(value) * scale) / scale);
  }
  if (method !== 'common')
    throw new Fault('SEG213', 'the method of filter "round" is "common", "ceil" or "floor"');
  if (isInt(value)) {
    if (digits >= 0) return int(BigInt(value));
    const unit = 10n ** BigInt(-digits);
    const size = BigInt(value);
    let quotient = size / unit;
    const rest = size % unit;
    const twice = (rest < 0n ? -rest : rest) * 2n;
    if (twice > unit || (twice === unit && quotient % 2n !== 0n)) quotient += size < 0n ? -1n : 1n;
    return int(quotient * unit);
  }
  const number = toNumber(value);
  if (!Number.isFinite(number) || digits > 22) return float(number);
  if (digits >= 0) return float(Number(formatSpec(float(number), `.${digits}f`)));
  const scale = 10 ** -digits;
  const scaled = number / scale;
  const near = Math.round(scaled);
  return float((Math.abs(scaled % 1) === 0.5 && near % 2 !== 0 ? near - 1 : near) * scale);
}

function fileSize(value: Value, binary: boolean): string {
  const bytes = parseFloat(value);
  if (bytes === undefined) throw new Fault('SEG215', 'filter "filesizeformat" needs a number');
  const base = binary ? 1024 : 1000;
  const units = [...'kMGTPEZY'].map((letter) => (binary ? `${letter.toUpperCase()}iB` : `${letter}B`));
  if (bytes === 1) return '1 Byte';
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const power = units.findIndex((_, index) => bytes < base ** (index + 2));
  const index = power === -1 ? units.length - 1 : power;
  return `${formatSpec(float((base * bytes) / base ** (index + 2)), '.1f')} ${units[index]}`;
}

export const numberFilters: FilterTable = {
  abs: filter('', (value) => {
    if (!isNumber(value)) throw new Fault('SEG215', `bad operand type for abs(): '${typeName(value)}'`);
    return value instanceof PyFloat
      ? float(Math.abs(value.value))
      : sign(Number(value) < 0 ? '-' : '+', value);
  }),
  filesizeformat: filter('binary=False', (value, [binary]) => fileSize(value, binary === true)),
  float: filter('default=0.0', (value, [fallback]) => {
    const number = parseFloat(value);
    return number === undefined ? fallback : float(number);
  }),
  int: filter('default=0 base=10', (value, [fallback, base]) => {
    if (isInt(value)) return sign('+', value);
    const exact = typeof value === 'string' ? parseInt(value, expectInt(base, 'base')) : undefined;
    if (exact !== undefined) return exact;
    const number = parseFloat(value);
    return (number === undefined ? undefined : truncate(number)) ?? fallback;
  }),
  round: filter("precision=0 method='common'", (value, [precision, method]) => {
    const rounded = round(value, expectInt(precision, 'precision'), method);
    return isFloat(value) && isInt(rounded) ? float(Number(rounded)) : rounded;
  }),
};
