/** `str()` and `repr()`. */
import { reprFloat } from './numbers.ts';
import { reprString } from './python-string.ts';
import type { Value } from './template-engine.ts';
import { typeName } from './types.ts';
import {
  DictView,
  Fault,
  HostFunction,
  HostObject,
  NothingChosen,
  PyFloat,
  PyIterator,
  PyRange,
  PyTuple,
  Undefined,
} from './values.ts';
import { didYouMean } from '../diagnostics/suggest.ts';

/** Python's `str(value)`: what `{{ value }}` prints. Throws Fault SEG210 for an undefined value. */
export function str(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? integerText(value) : reprFloat(value);
  if (value instanceof NothingChosen) return '';
  if (value instanceof Undefined) throw undefinedFault(value);
  if (value instanceof HostObject) return value.print() ?? `<${value.typeName}>`;
  return repr(value);
}

/** Beyond 1e21 JavaScript would print an exponent. */
function integerText(value: number): string {
  return Number.isSafeInteger(value) ? String(value) : BigInt(value).toString();
}

/** Python's `repr(value)`: how values print inside lists and dicts. */
export function repr(value: Value): string {
  return reprInside(value, []);
}

function reprInside(value: Value, around: readonly Value[]): string {
  if (value === null || value === undefined) return 'None';
  switch (typeof value) {
    case 'string':
      return reprString(value);
    case 'boolean':
      return value ? 'True' : 'False';
    case 'number':
      return Number.isInteger(value) ? integerText(value) : reprFloat(value);
    case 'bigint':
      return value.toString();
    case 'object':
      return reprObject(value, around);
    case 'undefined':
    case 'function':
    case 'symbol':
    default:
      return `<${typeof value}>`;
  }
}

function reprObject(value: object, around: readonly Value[]): string {
  if (value instanceof PyFloat) return value.digits ?? reprFloat(value.value);
  if (value instanceof PyTuple) {
    const inside = value.items.map((item) => reprInside(item, around));
    return inside.length === 1 ? `(${inside[0]},)` : `(${inside.join(', ')})`;
  }
  if (value instanceof PyRange) {
    const step = value.step === 1 ? '' : `, ${value.step}`;
    return `range(${value.start}, ${value.stop}${step})`;
  }
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof HostFunction) return `<function ${value.name}>`;
  if (value instanceof HostObject) return value.print() ?? `<${value.typeName}>`;
  if (value instanceof PyIterator) return `<${typeName(value)} object ${value.name}>`;
  const open = [...around, value];
  const seen = around.includes(value);
  const items = (all: Iterable<Value>) => Array.from(all, (item) => reprInside(item, open)).join(', ');
  if (Array.isArray(value)) return seen ? '[...]' : `[${items(value as Value[])}]`;
  if (value instanceof Map) return seen ? '{...}' : reprDict(value as Map<Value, Value>, open);
  if (value instanceof Set) return value.size === 0 ? 'set()' : `{${items(value as Set<Value>)}}`;
  if (value instanceof DictView) return `dict_${value.kind}([${items(value)}])`;
  return `<${typeName(value)}>`;
}

function reprDict(dict: Map<Value, Value>, around: readonly Value[]): string {
  const pairs = Array.from(dict, ([key, item]) => `${reprInside(key, around)}: ${reprInside(item, around)}`);
  return `{${pairs.join(', ')}}`;
}

/** The error of using a value that is not there. */
export function undefinedFault(value: Undefined, hint?: string): Fault {
  return new Fault('SEG210', value.message, hint ?? didYouMean(value.name, value.candidates()));
}
