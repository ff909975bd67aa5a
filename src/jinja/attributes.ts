/** `value.name`, `value[key]` as Jinja looks them up: a missing one gives Undefined, not an error. */
import type { Callable } from './callable.ts';
import { findKey } from './compare.ts';
import {
  dictMethods,
  intMethods,
  listMethods,
  rangeMethods,
  setMethods,
  tupleMethods,
} from './methods/collection-methods.ts';
import { bindMethod } from './methods/method.ts';
import type { Method } from './methods/method.ts';
import { stringMethods } from './methods/string-methods.ts';
import { isInt, isNumber } from './numbers.ts';
import { repr, undefinedFault } from './print.ts';
import { Slice, sliceOf } from './slices.ts';
import type { Value } from './template-engine.ts';
import { characters } from './text.ts';
import { describeObject } from './types.ts';
import { HostObject, PyRange, PyTuple, Undefined } from './values.ts';

/** A value of the engine itself that has attributes: macros and `loop`. */
export interface WithAttributes {
  attribute(name: string): Value;
  attributeNames(): Iterable<string>;
}

function hasAttributes(value: object): value is WithAttributes {
  return 'attribute' in value && typeof value.attribute === 'function';
}

function own<T>(table: Readonly<Record<string, Method<T>>>, self: T, name: string): Value {
  return Object.hasOwn(table, name) ? bindMethod(name, self, table[name]!) : undefined;
}

const listTables = new WeakMap<Callable, ReturnType<typeof listMethods>>();

/** One table for each render: `list.sort(key=...)` calls back into it. */
function methodsOfLists(call: Callable): ReturnType<typeof listMethods> {
  let table = listTables.get(call);
  if (table === undefined) listTables.set(call, (table = listMethods(call)));
  return table;
}

function numberAttribute(value: Value, name: string): Value {
  if (!isNumber(value)) return undefined;
  if (name === 'real') return value;
  if (name === 'imag') return 0;
  return isInt(value) ? own(intMethods, value, name) : undefined;
}

/** Python's `getattr`; undefined when there is no such attribute. */
function attributeOf(value: Value, name: string, call: Callable): Value {
  if (typeof value === 'string') return own(stringMethods, value, name);
  if (typeof value !== 'object' || value === null) return numberAttribute(value, name);
  if (value instanceof Map) return own(dictMethods, value as Map<Value, Value>, name);
  if (value instanceof HostObject) return value.get(name);
  if (Array.isArray(value)) return own(methodsOfLists(call), value as Value[], name);
  if (value instanceof PyTuple) {
    const at = value.names.indexOf(name);
    return at === -1 ? own(tupleMethods, value, name) : value.items[at];
  }
  if (value instanceof Set) return own(setMethods, value as Set<Value>, name);
  if (value instanceof PyRange) {
    if (name === 'start' || name === 'stop' || name === 'step') return value[name];
    return own(rangeMethods, value, name);
  }
  return hasAttributes(value) ? value.attribute(name) : undefined;
}

/** Python's `value[key]`; undefined when there is none or the value has no items. */
function itemOf(value: Value, key: Value): Value {
  if (value instanceof Map) {
    const dict = value as Map<Value, Value>;
    if (Array.isArray(key) || key instanceof Map || key instanceof Set) return undefined;
    const known = findKey(dict, key);
    return known === undefined ? undefined : dict.get(known.key);
  }
  if (value instanceof HostObject) return value.item(key);
  if (!isInt(key)) return undefined;
  const index = Number(key);
  if (typeof value === 'string') return characters(value).at(index);
  if (Array.isArray(value)) return at(value as Value[], index);
  if (value instanceof PyTuple) return at(value.items, index);
  if (value instanceof PyRange) {
    const place = index < 0 ? index + value.length : index;
    return place >= 0 && place < value.length ? value.at(place) : undefined;
  }
  return undefined;
}

/** A list's item; None stored as undefined must not look absent. */
function at(items: readonly Value[], index: number): Value {
  const place = index < 0 ? index + items.length : index;
  return place in items ? (items[place] ?? null) : undefined;
}

function namesOf(value: Value, call: Callable): Iterable<string> {
  if (typeof value === 'string') return Object.keys(stringMethods);
  if (value instanceof Map) {
    const keys = [...(value as Map<Value, Value>).keys()].filter((key) => typeof key === 'string');
    return [...keys, ...Object.keys(dictMethods)];
  }
  if (value instanceof HostObject) return value.names();
  if (Array.isArray(value)) return Object.keys(methodsOfLists(call));
  if (value instanceof Set) return Object.keys(setMethods);
  return typeof value === 'object' && value !== null && hasAttributes(value) ? value.attributeNames() : [];
}

function missing(value: Value, key: Value, call: Callable): Undefined {
  if (typeof key === 'string') {
    const message = `'${describeObject(value)}' has no attribute '${key}'`;
    return new Undefined(key, message, () => namesOf(value, call));
  }
  return new Undefined(repr(key), `${describeObject(value)} has no element ${repr(key)}`);
}

/** `value.name`: the attribute, else the item. Throws Fault SEG210 when `value` itself is undefined. */
export function getAttribute(value: Value, name: string, call: Callable): Value {
  if (value instanceof Undefined) throw undefinedFault(value);
  const attribute = attributeOf(value, name, call);
  if (attribute !== undefined) return attribute;
  const item = itemOf(value, name);
  return item === undefined ? missing(value, name, call) : item;
}

/** `value[key]`: the item, else the attribute. */
export function getItem(value: Value, key: Value, call: Callable): Value {
  if (value instanceof Undefined) throw undefinedFault(value);
  if (key instanceof Slice) return sliceOf(value, key);
  const item = itemOf(value, key);
  if (item !== undefined) return item;
  return (typeof key === 'string' ? attributeOf(value, key, call) : undefined) ?? missing(value, key, call);
}

/** `'a.0.b'` or an index, as the `attribute` argument of filters means it. */
export function getPath(value: Value, path: Value, call: Callable): Value {
  if (typeof path !== 'string') return getItem(value, path, call);
  let found = value;
  for (const part of path.split('.')) {
    found = /^\d+$/.test(part) ? getItem(found, Number(part), call) : getItem(found, part, call);
  }
  return found;
}
