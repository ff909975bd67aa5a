/** `'%s_%02d' % (a, 3)`. */
import { findKey } from '../compare.ts';
import { isFloat, isInt, isNumber, toBigInt, toNumber } from '../numbers.ts';
import { repr, str } from '../print.ts';
import type { Value } from '../template-engine.ts';
import { characters } from '../text.ts';
import { typeName } from '../types.ts';
import { Fault, PyTuple } from '../values.ts';
import { formatSpec } from './format-spec.ts';
import { pad } from './padding.ts';

const FIELD = /%(?:\(([^)]*)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+))?[hlL]?([^])?/gu;

/** Throws Fault SEG215 or SEG216 when the format does not fit the arguments. */
export function percentFormat(format: string, value: Value): string {
  const args = value instanceof PyTuple ? value.items : [value];
  let used = 0;
  let named = false;
  const next = (): Value => {
    if (used >= args.length) throw new Fault('SEG215', 'not enough arguments for format string');
    return args[used++];
  };
  const count = (text: string | undefined): number | undefined => {
    if (text === undefined) return undefined;
    return text === '*' ? toNumber(next() as number) : Number(text);
  };
  const text = format.replace(
    FIELD,
    (
      _field,
      name: string | undefined,
      flags: string,
      width: string | undefined,
      precision: string | undefined,
      type: string | undefined,
    ) => {
      if (type === '%') return '%';
      if (type === undefined) throw new Fault('SEG216', 'incomplete format');
      const room = count(width);
      const digits = count(precision);
      let argument: Value;
      if (name === undefined) argument = next();
      else {
        named = true;
        argument = lookUp(value, name);
      }
      return convert(argument, type, flags, room, digits);
    },
  );
  if (used < args.length && !named && !(value instanceof Map)) {
    throw new Fault('SEG215', 'not all arguments converted during string formatting');
  }
  return text;
}

function lookUp(value: Value, name: string): Value {
  if (!(value instanceof Map)) throw new Fault('SEG215', 'format requires a mapping');
  const key = findKey(value, name);
  if (key === undefined) throw new Fault('SEG216', `format has no argument "${name}"`);
  return value.get(key.key) as Value;
}

function convert(value: Value, type: string, flags: string, width = 0, precision?: number): string {
  const left = flags.includes('-');
  if (type === 's' || type === 'r' || type === 'a' || type === 'c') {
    let text = type === 's' ? str(value) : type === 'c' ? character(value) : repr(value);
    if (precision !== undefined) text = characters(text).slice(0, precision).join('');
    return pad(text, width, ' ', left ? 'left' : 'right');
  }
  if (!'diouxXeEfFgG'.includes(type)) throw new Fault('SEG216', `unsupported format character '${type}'`);
  if (!isNumber(value)) {
    const kind = 'eEfFgG'.includes(type)
      ? 'must be real number, not'
      : `%${type} format: a real number is required, not`;
    throw new Fault('SEG215', `${kind} ${typeName(value)}`);
  }
  const sign = flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '-';
  const alternate = flags.includes('#') ? '#' : '';
  const fill = left ? '<' : flags.includes('0') ? '0=' : '>';
  if ('diu'.includes(type)) {
    const whole = isFloat(value) ? BigInt(Math.trunc(toNumber(value))) : toBigInt(value);
    const digits = (whole < 0n ? -whole : whole).toString().padStart(precision ?? 0, '0');
    const prefix = whole < 0n ? '-' : sign === '-' ? '' : sign;
    if (fill === '0=' && precision === undefined) return prefix + digits.padStart(width - prefix.length, '0');
    return pad(prefix + digits, width, ' ', left ? 'left' : 'right');
  }
  if ('oxX'.includes(type)) {
    if (!isInt(value)) throw new Fault('SEG215', `%${type} format: an integer is required, not float`);
    return formatSpec(value, `${fill}${sign}${alternate}${width}${type}`);
  }
  return formatSpec(value, `${fill}${sign}${alternate}${width}.${precision ?? 6}${type}`);
}

function character(value: Value): string {
  if (typeof value === 'number') return String.fromCodePoint(value);
  if (typeof value === 'string' && characters(value).length === 1) return value;
  throw new Fault('SEG215', '%c requires int or char');
}
