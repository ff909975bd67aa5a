import { toNumber } from './numbers.ts';
import type { Value } from './template-engine.ts';
import { characters } from './text.ts';
import { typeName } from './types.ts';
import { Fault, PyRange, PyTuple } from './values.ts';

/** `from:to:step` with its parts evaluated. */
export class Slice {
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly step: number;
  constructor(from: Value, to: Value, step: Value) {
    this.from = bound(from);
    this.to = bound(to);
    this.step = bound(step) ?? 1;
    if (this.step === 0) throw new Fault('SEG216', 'slice step cannot be zero');
  }

  /** The indexes the slice picks from a sequence of this length. */
  *indexes(length: number): Generator<number> {
    const clamp = (value: number, low: number, high: number) =>
      Math.min(Math.max(value < 0 ? value + length : value, low), high);
    if (this.step > 0) {
      const to = clamp(this.to ?? length, 0, length);
      for (let i = clamp(this.from ?? 0, 0, length); i < to; i += this.step) yield i;
    } else {
      const to = this.to === undefined ? -1 : clamp(this.to, -1, length - 1);
      for (let i = clamp(this.from ?? length - 1, -1, length - 1); i > to; i += this.step) yield i;
    }
  }
}

function bound(value: Value): number | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'boolean' || typeof value === 'bigint') return toNumber(value);
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw new Fault('SEG215', 'slice indices must be integers or None');
}

/** `value[from:to:step]`. Throws Fault SEG215 when the value is no sequence. */
export function sliceOf(value: Value, slice: Slice): Value {
  const pick = (items: readonly Value[]) => Array.from(slice.indexes(items.length), (index) => items[index]);
  if (typeof value === 'string') return pick(characters(value)).join('');
  if (Array.isArray(value)) return pick(value as Value[]);
  if (value instanceof PyTuple) return new PyTuple(pick(value.items));
  if (value instanceof PyRange) return Array.from(slice.indexes(value.length), (index) => value.at(index));
  throw new Fault('SEG215', `'${typeName(value)}' object cannot be sliced`);
}
