/** Python's format mini-language: `format(value, '>10,.2f')`, which `.format` and `%` share. */
import { isInt, isNumber, reprFloat, toNumber } from '../numbers.ts';
import { str } from '../print.ts';
import type { Value } from '../template-engine.ts';
import { characters } from '../text.ts';
import { pad } from './padding.ts';
import { typeName } from '../types.ts';
import { Fault, HostObject } from '../values.ts';

const SPEC = /^(?:([^])?([<>=^]))?([-+ ])?(#)?(0)?(\d+)?([_,])?(?:\.(\d+))?([a-zA-Z%])?$/u;

/** Throws Fault SEG216 for a malformed spec or one the value's type does not know. */
export function formatSpec(value: Value, spec: string): string {
  if (spec === '') return str(value);
  if (value instanceof HostObject && value.format !== undefined) return value.format(spec);
  const match = SPEC.exec(spec);
  if (match === null) throw new Fault('SEG216', `invalid format specifier '${spec}'`);
  const [, fill, align, sign = '-', alternate, zero, width = '0', grouping, precision, type] = match;
  const digits = precision === undefined ? undefined : Number(precision);
  if (!isNumber(value) || (typeof value === 'boolean' && type === undefined)) {
    if (typeof value !== 'string' && typeof value !== 'boolean') {
      throw new Fault('SEG215', `unsupported format string passed to ${typeName(value)}.__format__`);
    }
    if (type !== undefined && type !== 's') throw unknownCode(type, value);
    const text = digits === undefined ? str(value) : characters(str(value)).slice(0, digits).join('');
    return pad(text, Number(width), fill ?? ' ', SIDES[align ?? '<'] ?? 'left');
  }
  const negative = toNumber(value) < 0 || Object.is(toNumber(value), -0);
  const body = numberBody(value, type, digits, grouping, alternate !== undefined);
  const signText = negative ? '-' : sign === '-' ? '' : sign;
  const filler = fill ?? (zero === undefined ? ' ' : '0');
  const side = align ?? (zero === undefined ? '>' : '=');
  if (side === '=') {
    const room = Number(width) - signText.length;
    return (
      signText +
      (filler === '0' && grouping !== undefined
        ? zeroGrouped(body, room, grouping)
        : pad(body, room, filler, 'right'))
    );
  }
  return pad(signText + body, Number(width), filler, SIDES[side]!);
}

const SIDES: Readonly<Record<string, 'left' | 'right' | 'center'>> = {
  '<': 'left',
  '>': 'right',
  '^': 'center',
};

function unknownCode(type: string, value: Value): Fault {
  return new Fault('SEG216', `unknown format code '${type}' for object of type '${typeName(value)}'`);
}

/** The number's digits without its sign. */
function numberBody(
  value: Parameters<typeof toNumber>[0],
  type: string | undefined,
  digits: number | undefined,
  grouping: string | undefined,
  alternate: boolean,
): string {
  if (isInt(value) && (type === undefined || 'bcdoxXn'.includes(type))) {
    const size = BigInt(value) < 0n ? -BigInt(value) : BigInt(value);
    if (type === 'c') return String.fromCodePoint(Number(size));
    const radix = type === 'b' ? 2 : type === 'o' ? 8 : type === 'x' || type === 'X' ? 16 : 10;
    const text = size.toString(radix);
    const prefix = alternate && radix !== 10 ? `0${type!}` : '';
    return prefix + group(type === 'X' ? text.toUpperCase() : text, grouping, radix === 10 ? 3 : 4);
  }
  const size = Math.abs(toNumber(value));
  if (type === undefined || type === 'n') {
    if (digits === undefined) return group(reprFloat(size), grouping);
    return group(general(size, digits, false, true), grouping);
  }
  const kind = type.toLowerCase();
  let text: string;
  if (!Number.isFinite(size)) text = Number.isNaN(size) ? 'nan' : 'inf';
  else if (kind === 'f') text = fixed(value, digits ?? 6);
  else if (kind === 'e') text = exponent(size, digits ?? 6);
  else if (kind === 'g') text = general(size, digits ?? 6, alternate, false);
  else if (type === '%') text = `${fixed(size * 100, digits ?? 6)}%`;
  else throw unknownCode(type, value);
  return group(type === type.toUpperCase() && type !== '%' ? text.toUpperCase() : text, grouping);
}

/** `toFixed` beyond its limits: exact for big ints, and without an exponent from 1e21 on. */
export function fixed(value: Parameters<typeof toNumber>[0], digits: number): string {
  const size = Math.abs(toNumber(value));
  if (typeof value === 'bigint' || size >= 1e21) {
    const whole = typeof value === 'bigint' ? value : BigInt(size);
    return (whole < 0n ? -whole : whole).toString() + (digits > 0 ? `.${'0'.repeat(digits)}` : '');
  }
  return roundHalfEven(size, Math.min(digits, 100));
}

/** toFixed rounds exact ties up, Python to even. */
function roundHalfEven(size: number, digits: number): string {
  const text = size.toFixed(digits);
  if (digits > 22) return text;
  const scaled = size * 10 ** digits;
  const exactTie = scaled % 1 === 0.5 && scaled / 10 ** digits === size && Number.isInteger(size * 2 ** 20);
  return exactTie && Math.floor(scaled) % 2 === 0
    ? (Math.floor(scaled) / 10 ** digits).toFixed(digits)
    : text;
}

export function exponent(size: number, digits: number): string {
  return size.toExponential(Math.min(digits, 100)).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** `%g`: the shorter of fixed and exponent, `digits` significant ones. */
export function general(size: number, digits: number, keepZeros: boolean, keepPoint: boolean): string {
  const precision = Math.max(1, digits);
  const power = size === 0 ? 0 : Number(size.toExponential(Math.min(precision - 1, 100)).split('e')[1]);
  const scientific = power < -4 || power >= precision - (keepPoint ? 1 : 0);
  let text = scientific ? exponent(size, precision - 1) : fixed(size, precision - 1 - power);
  if (!keepZeros && text.includes('.')) text = text.replace(/\.?0+(?=e|$)/, '');
  return keepPoint && !scientific && !text.includes('.') ? `${text}.0` : text;
}

function group(text: string, separator: string | undefined, size = 3): string {
  if (separator === undefined) return text;
  const [, whole = '', rest = ''] = /^([\da-zA-Z]*)([^]*)$/.exec(text)!;
  return whole.replace(size === 3 ? /\B(?=(?:\d{3})+$)/g : /\B(?=(?:[\da-fA-F]{4})+$)/g, separator) + rest;
}

/** `'{:010,}'`: the zeros are grouped too. */
function zeroGrouped(body: string, room: number, separator: string): string {
  let text = body;
  while (text.length < room) {
    const bare = text.replaceAll(separator, '');
    const padded = group(`0${bare}`, separator);
    if (padded.length > room && text.length >= room - 1 && padded.length - room > 1) break;
    text = padded;
  }
  return text;
}
