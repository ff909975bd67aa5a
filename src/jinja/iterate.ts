import { undefinedFault } from './print.ts';
import type { Value } from './template-engine.ts';
import { characters } from './text.ts';
import { lengthOf } from './text.ts';
import { typeName } from './types.ts';
import {
  DictView,
  Fault,
  HostObject,
  NothingChosen,
  PyIterator,
  PyRange,
  PyTuple,
  Undefined,
} from './values.ts';

/** The items of an iterable value, or undefined when it is none. Lists are read live, as Python does. */
export function tryIterate(value: Value): Iterable<Value> | undefined {
  if (typeof value === 'string') return characters(value);
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return value as Value[];
  if (value instanceof PyTuple) return value.items;
  if (value instanceof Map) return (value as Map<Value, Value>).keys();
  if (value instanceof Set) return value as Set<Value>;
  if (value instanceof PyIterator || value instanceof DictView) return value;
  if (value instanceof PyRange) return rangeItems(value);
  if (value instanceof HostObject) return value.iterate?.();
  return undefined;
}

function* rangeItems(range: PyRange): Generator<number> {
  for (let index = 0; index < range.length; index++) yield range.at(index);
}

/** Throws Fault SEG215 for a value that cannot be iterated, SEG210 for an undefined one. */
export function iterate(value: Value): Iterable<Value> {
  const items = tryIterate(value);
  if (items !== undefined) return items;
  if (value instanceof NothingChosen) return [];
  if (value instanceof Undefined) throw undefinedFault(value);
  throw new Fault('SEG215', `'${typeName(value)}' object is not iterable`);
}

/** `len(value)`. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return lengthOf(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map || value instanceof Set) return value.size;
  if (value instanceof PyTuple) return value.items.length;
  if (value instanceof PyRange) return value.length;
  if (value instanceof DictView) return value.dict.size;
  if (value instanceof HostObject && value.iterate !== undefined) return Array.from(value.iterate()).length;
  if (value instanceof NothingChosen) return 0;
  if (value instanceof Undefined) throw undefinedFault(value);
  const hint = value instanceof PyIterator ? 'Make a list of it first: | list | length.' : undefined;
  throw new Fault('SEG215', `object of type '${typeName(value)}' has no len()`, hint);
}
