/**
 * Python's values as templates see them:
 *
 * | Python | here |
 * | --- | --- |
 * | None, bool, str | null, boolean, string |
 * | int | number when it is a safe integer, bigint beyond |
 * | float | number when it has a fraction (or is inf, nan), PyFloat when it is whole: 1.0 prints its point |
 * | list, tuple, dict, set | array, PyTuple, Map, Set |
 * | range, iterators, dict views | PyRange, PyIterator, DictView |
 * | functions, objects | HostFunction, Macro (macro.ts), HostObject |
 * | jinja2.Undefined | Undefined |
 */
import type { HostCall, Value } from './template-engine.ts';
import { entriesOf } from '../json/member-order.ts';

/**
 * A float without a fraction, or one of a row that has more digits than a float. Others are plain numbers; `float(n)` of
 * numbers.ts makes the right one.
 */
export class PyFloat {
  readonly value: number;
  /** What it prints as, where that is not what the float would print as. */
  readonly digits: string | undefined;
  constructor(value: number, digits?: string) {
    this.value = value;
    this.digits = digits;
  }
}

export class PyTuple {
  readonly items: readonly Value[];
  /** Names of the places, for named tuples (`groupby` gives `grouper` and `list`). */
  readonly names: readonly string[];
  constructor(items: readonly Value[], names: readonly string[] = []) {
    this.items = items;
    this.names = names;
  }
}

export class PyRange {
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  readonly length: number;
  constructor(start: number, stop: number, step: number) {
    this.start = start;
    this.stop = stop;
    this.step = step;
    this.length = Math.max(0, Math.ceil((stop - start) / step));
  }

  at(index: number): number {
    return this.start + index * this.step;
  }
}

/** What `d.keys()`, `d.values()` and `d.items()` give: a live view. */
export class DictView {
  readonly kind: 'keys' | 'values' | 'items';
  readonly dict: Map<Value, Value>;
  constructor(kind: 'keys' | 'values' | 'items', dict: Map<Value, Value>) {
    this.kind = kind;
    this.dict = dict;
  }

  *[Symbol.iterator](): Generator<Value> {
    for (const [key, value] of this.dict) {
      yield this.kind === 'keys' ? key : this.kind === 'values' ? value : new PyTuple([key, value]);
    }
  }
}

/** An iterator that can be read once, such as the result of the filters `map` and `select`. */
export class PyIterator {
  readonly name: string;
  readonly #iterator: Iterator<Value>;
  constructor(name: string, items: Iterable<Value>) {
    this.name = name;
    this.#iterator = items[Symbol.iterator]();
  }

  [Symbol.iterator](): Iterator<Value> {
    return this.#iterator;
  }
}

/** A value that is not there. Using it (printing, iterating, calling, attributes) is an error; testing it is not. */
export class Undefined {
  /** What an error says: `'x' is undefined`. */
  readonly message: string;
  readonly name: string;
  /** The names that would have been there, for "did you mean". */
  readonly candidates: () => Iterable<string>;
  constructor(
    name: string,
    message = `'${name}' is undefined`,
    candidates: () => Iterable<string> = () => [],
  ) {
    this.name = name;
    this.message = message;
    this.candidates = candidates;
  }
}

export type HostImplementation = (call: HostCall) => Value;

/** What `'a' if false` without an else gives: undefined to tests and `default`, but it prints as nothing and is empty. */
export class NothingChosen extends Undefined {
  constructor(name = 'if', reason = 'the inline if chose nothing: its test is false and it has no else') {
    super(name, reason);
  }
}

/** A function of the host. Make it with `hostFunction`. */
export class HostFunction {
  readonly name: string;
  readonly call: HostImplementation;
  /** Of the engine itself: its results are Python's values already and keep their identity. */
  readonly internal: boolean;
  constructor(name: string, call: HostImplementation, internal = false) {
    this.name = name;
    this.call = call;
    this.internal = internal;
  }
}

/** A function of the engine: a bound method, `loop.cycle`. What it returns is handed on as it is, never copied. */
export function builtinFunction(call: HostImplementation, name: string): HostFunction {
  return new HostFunction(name, call, true);
}

/**
 * Marks a function of the host as callable from templates. A SegError it throws without a place gets the call's place.
 * @param name what `{{ f }}` and messages call it
 */
export function hostFunction(call: HostImplementation, name = call.name || 'function'): HostFunction {
  return new HostFunction(name, call);
}

/** An object of the host: attributes, and optionally a printed form, a call, items. `undefined` = there is none. */
export abstract class HostObject {
  /** Python's name of its class, for messages. */
  readonly typeName: string = 'object';
  /** Of the engine itself: its attributes are Python's values already and keep their identity. */
  readonly internal: boolean = false;
  abstract get(name: string): Value;
  /** Names for "did you mean". */
  names(): Iterable<string> {
    return [];
  }
  /** What `{{ object }}` prints; undefined prints `<typeName>`. */
  print(): string | undefined {
    return undefined;
  }
  item(_key: Value): Value {
    return undefined;
  }
  /** Present on callable objects. */
  call?(call: HostCall): Value;
  /** Present on iterable objects. */
  iterate?(): Iterable<Value>;
  /** `this op other`, or `other op this` when reversed; undefined = not supported. */
  operate?(operator: string, other: Value, reversed: boolean): Value;
  /** Order against another value; undefined = none. */
  compareTo?(other: Value): number | undefined;
  /** `'{:%Y}'.format(this)`. */
  format?(spec: string): string;
  equals(other: Value): boolean {
    return this === other;
  }
}

/** A HostObject made of parts: `hostObject({ attributes: { schema: 'public' }, print: () => '"public"."t"' })`. */
export function hostObject(parts: {
  attributes?: Readonly<Record<string, Value>>;
  get?: (name: string) => Value;
  print?: () => string;
  call?: HostImplementation;
  typeName?: string;
  internal?: boolean;
}): HostObject {
  return new ComposedObject(parts);
}

class ComposedObject extends HostObject {
  readonly #parts: Parameters<typeof hostObject>[0];
  override readonly typeName: string;
  override readonly internal: boolean;
  override call?: (call: HostCall) => Value;

  constructor(parts: Parameters<typeof hostObject>[0]) {
    super();
    this.#parts = parts;
    this.typeName = parts.typeName ?? 'object';
    this.internal = parts.internal ?? false;
    if (parts.call !== undefined) this.call = parts.call;
  }

  override get(name: string): Value {
    const { attributes, get } = this.#parts;
    if (attributes !== undefined && Object.hasOwn(attributes, name)) return attributes[name];
    return get?.(name);
  }

  override names(): Iterable<string> {
    return Object.keys(this.#parts.attributes ?? {});
  }

  override print(): string | undefined {
    return this.#parts.print?.();
  }
}

/** `namespace(...)`: the one object whose attributes `{% set ns.x = ... %}` may change. */
export class Namespace extends HostObject {
  override readonly typeName = 'jinja2.utils.Namespace object';
  override readonly internal = true;
  readonly fields: Map<string, Value>;
  constructor(fields: Map<string, Value>) {
    super();
    this.fields = fields;
  }
  override get(name: string): Value {
    return this.fields.get(name);
  }
  override item(key: Value): Value {
    return typeof key === 'string' ? this.fields.get(key) : undefined;
  }
  override names(): Iterable<string> {
    return this.fields.keys();
  }
}

/** A mistake while rendering that does not know its place yet; the renderer makes a SegError of it. */
export class Fault extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  constructor(code: string, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/**
 * A value of the host as templates read it: plain objects become dicts, undefined becomes None; lists and dicts are
 * copied (deeply), so that no template changes the host's data.
 * `seen` keeps identity within one render, so that a list changed by a template stays changed.
 */
export function fromHost(value: Value, seen: Map<object, Value>): Value {
  if (value === undefined) return null;
  if (typeof value !== 'object' || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  if (Array.isArray(value)) {
    const list: Value[] = [];
    seen.set(value, list);
    for (const item of value) list.push(fromHost(item, seen));
    seen.set(list, list);
    return list;
  }
  if (value instanceof Map) {
    const copy = new Map<Value, Value>();
    seen.set(value, copy);
    seen.set(copy, copy);
    for (const [key, item] of value as Map<Value, Value>) copy.set(key, fromHost(item, seen));
    return copy;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const dict = new Map<Value, Value>();
  seen.set(value, dict);
  seen.set(dict, dict);
  for (const [key, item] of entriesOf(value as { [key: string]: unknown }))
    dict.set(key, fromHost(item, seen));
  return dict;
}
