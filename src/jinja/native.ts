/** Native rendering of YAML values, as dbt does it: `{{ 1 + 1 }}` is the number 2. */
import { isNumber } from './numbers.ts';
import { parsePythonLiteral } from './python/literal.ts';
import { str } from './print.ts';
import type { Value } from './template-engine.ts';
import { Fault } from './values.ts';

/** The result of `as_bool`, `as_number`, `as_native` or `as_text` in a YAML value. */
export class NativeMarker {
  readonly kind: 'bool' | 'number' | 'native' | 'text';
  readonly value: Value;
  constructor(kind: NativeMarker['kind'], value: Value) {
    this.kind = kind;
    this.value = value;
  }
}

/**
 * The value of a render that wrote these pieces: a lone expression keeps its type, several pieces are text.
 * Throws Fault SEG216 when `as_bool` or `as_number` does not hold.
 */
export function nativeValue(pieces: readonly Value[], text: string): Value {
  if (pieces.length !== 1) return text;
  const [only] = pieces;
  if (!(only instanceof NativeMarker)) return only;
  if (only.kind === 'text') return str(only.value);
  const value = typeof only.value === 'string' ? parsePythonLiteral(only.value) : only.value;
  if (only.kind === 'bool' && typeof value !== 'boolean') {
    throw new Fault('SEG216', `could not convert value "${str(only.value)}" into type bool`);
  }
  if (only.kind === 'number' && (!isNumber(value) || typeof value === 'boolean')) {
    throw new Fault('SEG216', `could not convert value "${str(only.value)}" into type number`);
  }
  return value;
}
