/** Python's int and float over JavaScript's number and bigint. Ints never lose digits; floats remember being floats. */
import type { ArithmeticOperator } from './ast.ts';
import { Fault, HostObject, PyFloat, PyTuple } from './values.ts';
import type { Value } from './template-engine.ts';
import { typeName } from './types.ts';

export type Int = number | bigint;

/** Text longer than this made by one operation (`'a' * n`, `2 ** n`) is taken for a mistake. */
const MAX_REPEATED_LENGTH = 64 * 1024 * 1024;
const MAX_POWER_BITS = 1_000_000;

export function isInt(value: Value): value is Int | boolean {
  return typeof value === 'number'
    ? Number.isInteger(value)
    : typeof value === 'bigint' || typeof value === 'boolean';
}

export function isFloat(value: Value): value is number | PyFloat {
  return value instanceof PyFloat || (typeof value === 'number' && !Number.isInteger(value));
}

export function isNumber(value: Value): value is Int | boolean | PyFloat {
  return isInt(value) || isFloat(value);
}

/** A float as a value: whole ones are wrapped. */
export function float(value: number): number | PyFloat {
  return Number.isInteger(value) ? new PyFloat(value) : value;
}

/** An int as a value: a number when that is exact. */
export function int(value: bigint): Int {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** Any number as a JavaScript number, for arithmetic on floats. */
export function toNumber(value: Int | boolean | PyFloat): number {
  return value instanceof PyFloat ? value.value : Number(value);
}

export function toBigInt(value: Int | boolean): bigint {
  return BigInt(value);
}

export function parseIntegerLiteral(digits: string): Int {
  return int(BigInt(digits));
}

export function parseFloatLiteral(digits: string): number | PyFloat {
  return float(Number(digits));
}

/** `a op b` for Jinja's arithmetic operators, sequences included. Throws Fault SEG215 or SEG216. */
export function arithmetic(operator: ArithmeticOperator, left: Value, right: Value): Value {
  if (
    typeof left === 'number' &&
    typeof right === 'number' &&
    Number.isInteger(left) &&
    Number.isInteger(right)
  ) {
    if (operator === '+' || operator === '-' || operator === '*') {
      const result = operator === '+' ? left + right : operator === '-' ? left - right : left * right;
      if (Number.isSafeInteger(result)) return result === 0 ? 0 : result;
    }
  }
  if (isNumber(left) && isNumber(right)) {
    if (isInt(left) && isInt(right)) return integerArithmetic(operator, toBigInt(left), toBigInt(right));
    return floatArithmetic(operator, toNumber(left), toNumber(right));
  }
  const own = left instanceof HostObject ? left.operate?.(operator, right, false) : undefined;
  const reversed = right instanceof HostObject ? right.operate?.(operator, left, true) : undefined;
  return own ?? reversed ?? sequenceArithmetic(operator, left, right);
}

function integerArithmetic(operator: ArithmeticOperator, left: bigint, right: bigint): Value {
  switch (operator) {
    case '+':
      return int(left + right);
    case '-':
      return int(left - right);
    case '*':
      return int(left * right);
    case '/':
      if (right === 0n) throw divisionByZero('division by zero');
      return float(Number(left) / Number(right));
    case '//':
      if (right === 0n) throw divisionByZero('integer division or modulo by zero');
      return int(floorDivide(left, right));
    case '%':
      if (right === 0n) throw divisionByZero('integer division or modulo by zero');
      return int(left - floorDivide(left, right) * right);
    case '**': {
      if (right < 0n) return floatArithmetic('**', Number(left), Number(right));
      const bits = BigInt(left.toString(2).length) * right;
      if (bits > MAX_POWER_BITS) throw new Fault('SEG216', `${left} ** ${right} is too large`);
      return int(left ** right);
    }
  }
}

/** Rounds towards minus infinity, as Python does. */
function floorDivide(left: bigint, right: bigint): bigint {
  const quotient = left / right;
  return left % right !== 0n && left < 0n !== right < 0n ? quotient - 1n : quotient;
}

function floatArithmetic(operator: ArithmeticOperator, left: number, right: number): Value {
  switch (operator) {
    case '+':
      return float(left + right);
    case '-':
      return float(left - right);
    case '*':
      return float(left * right);
    case '/':
      if (right === 0) throw divisionByZero('float division by zero');
      return float(left / right);
    case '//':
      if (right === 0) throw divisionByZero('float floor division by zero');
      return float(floorModulo(left, right).quotient);
    case '%':
      if (right === 0) throw divisionByZero('float modulo');
      return float(floorModulo(left, right).remainder);
    case '**':
      if (left === 0 && right < 0) throw divisionByZero('0.0 cannot be raised to a negative power');
      if (left < 0 && !Number.isInteger(right)) {
        throw new Fault('SEG216', 'a negative number cannot be raised to a fractional power');
      }
      return float(left ** right);
  }
}

/** Python's float_divmod: the remainder has the divisor's sign. */
function floorModulo(left: number, right: number): { quotient: number; remainder: number } {
  let remainder = left % right;
  let quotient = (left - remainder) / right;
  if (remainder !== 0 && right < 0 !== remainder < 0) {
    remainder += right;
    quotient -= 1;
  } else if (remainder === 0) {
    remainder = right < 0 ? -0 : 0;
  }
  const floor = Math.floor(quotient);
  return { quotient: quotient - floor > 0.5 ? floor + 1 : floor, remainder };
}

function divisionByZero(message: string): Fault {
  return new Fault('SEG216', message);
}

function sequenceArithmetic(operator: ArithmeticOperator, left: Value, right: Value): Value {
  if (operator === '+') {
    if (typeof left === 'string' && typeof right === 'string') return left + right;
    if (Array.isArray(left) && Array.isArray(right)) return [...(left as Value[]), ...(right as Value[])];
    if (left instanceof PyTuple && right instanceof PyTuple)
      return new PyTuple([...left.items, ...right.items]);
  }
  if (operator === '*') {
    if (isInt(right)) return repeat(left, Number(right)) ?? unsupported(operator, left, right);
    if (isInt(left)) return repeat(right, Number(left)) ?? unsupported(operator, left, right);
  }
  if (operator === '-' && left instanceof Set && right instanceof Set) {
    return new Set([...(left as Set<Value>)].filter((item) => !right.has(item)));
  }
  return unsupported(operator, left, right);
}

function repeat(value: Value, times: number): Value {
  const count = Math.max(0, times);
  const items = Array.isArray(value)
    ? (value as Value[])
    : value instanceof PyTuple
      ? value.items
      : undefined;
  if (typeof value !== 'string' && items === undefined) return undefined;
  const length = typeof value === 'string' ? value.length : items!.length;
  if (length * count > MAX_REPEATED_LENGTH) {
    throw new Fault('SEG222', `repeating ${length} items ${count} times makes too large a value`);
  }
  if (typeof value === 'string') return value.repeat(count);
  const repeated = Array.from({ length: count }, () => items!).flat();
  return value instanceof PyTuple ? new PyTuple(repeated) : repeated;
}

function unsupported(operator: string, left: Value, right: Value): never {
  const symbol = operator === '**' ? '** or pow()' : operator;
  if (operator === '+' && (typeof left === 'string' || typeof right === 'string')) {
    const stringFirst = typeof left === 'string';
    const message = stringFirst
      ? `can only concatenate str (not "${typeName(right)}") to str`
      : `unsupported operand type(s) for +: '${typeName(left)}' and '${typeName(right)}'`;
    throw new Fault('SEG215', message, 'The operator ~ joins any values as text.');
  }
  throw new Fault(
    'SEG215',
    `unsupported operand type(s) for ${symbol}: '${typeName(left)}' and '${typeName(right)}'`,
  );
}

/** `-x` and `+x`. */
export function sign(operator: '-' | '+', value: Value): Value {
  if (typeof value === 'bigint') return operator === '-' ? int(-value) : value;
  if (isInt(value)) return operator === '-' ? 0 - Number(value) : Number(value);
  if (isFloat(value)) return operator === '-' ? float(-toNumber(value)) : value;
  throw new Fault('SEG215', `bad operand type for unary ${operator}: '${typeName(value)}'`);
}

/** `repr` of a float: the shortest digits that read back, with Python's switch to an exponent. */
export function reprFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const [mantissa, power] = Math.abs(value).toExponential().split('e') as [string, string];
  const minus = value < 0 || Object.is(value, -0) ? '-' : '';
  const exponent = Number(power);
  const digits = mantissa.replace('.', '');
  if (exponent < -4 || exponent >= 16) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${minus}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  if (exponent < 0) return `${minus}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${minus}${whole}.${digits.slice(exponent + 1) || '0'}`;
}
