import { compare, contains, equals, findKey } from '../compare.ts';
import { isInt } from '../numbers.ts';
import { iterate } from '../iterate.ts';
import { repr } from '../print.ts';
import type { Value } from '../template-engine.ts';
import type { PyRange } from '../values.ts';
import { DictView, Fault, PyTuple } from '../values.ts';
import type { Callable } from '../callable.ts';
import { expectInt, method } from './method.ts';
import type { Method } from './method.ts';

type Dict = Map<Value, Value>;

function position(items: readonly Value[], wanted: Value, where: string): number {
  const at = items.findIndex((item) => equals(item, wanted));
  if (at === -1) throw new Fault('SEG216', `${repr(wanted)} is not in ${where}`);
  return at;
}

/** Sorts in place by Python's rules. `call` runs a key function of the template. */
export function sortList(list: Value[], key: ((item: Value) => Value) | undefined, reverse: boolean): void {
  const keyed = list.map((item) => ({ item, key: key === undefined ? item : key(item) }));
  keyed.sort((a, b) => (reverse ? compare(b.key, a.key) : compare(a.key, b.key)));
  list.splice(0, list.length, ...keyed.map(({ item }) => item));
}

export function listMethods(call: Callable): Readonly<Record<string, Method<Value[]>>> {
  return {
    append: method('object', (self, [item]) => {
      self.push(item);
      return null;
    }),
    clear: method('', (self) => {
      self.length = 0;
      return null;
    }),
    copy: method('', (self) => [...self]),
    count: method('value', (self, [value]) => self.filter((item) => equals(item, value)).length),
    extend: method('iterable', (self, [items]) => {
      self.push(...Array.from(iterate(items)));
      return null;
    }),
    index: method('value', (self, [value]) => position(self, value, 'list')),
    insert: method('index object', (self, [index, item]) => {
      self.splice(expectInt(index, 'index'), 0, item);
      return null;
    }),
    pop: method('index=-1', (self, [index]) => {
      const wanted = expectInt(index, 'index');
      const at = wanted < 0 ? wanted + self.length : wanted;
      if (self.length === 0) throw new Fault('SEG216', 'pop from empty list');
      if (at < 0 || at >= self.length) throw new Fault('SEG216', 'pop index out of range');
      return self.splice(at, 1)[0];
    }),
    remove: method('value', (self, [value]) => {
      self.splice(position(self, value, 'list'), 1);
      return null;
    }),
    reverse: method('', (self) => {
      self.reverse();
      return null;
    }),
    sort: method('key=None reverse=False', (self, [key, reverse]) => {
      sortList(self, key === null ? undefined : (item) => call(key, [item]), reverse === true);
      return null;
    }),
  };
}

export const tupleMethods: Readonly<Record<string, Method<PyTuple>>> = {
  count: method('value', (self, [value]) => self.items.filter((item) => equals(item, value)).length),
  index: method('value', (self, [value]) => position(self.items, value, 'tuple')),
};

export const rangeMethods: Readonly<Record<string, Method<PyRange>>> = {
  count: method('value', (self, [value]) => (contains(self, value) ? 1 : 0)),
  index: method('value', (self, [value]) => position([...iterate(self)], value, 'range')),
};

function setItem(dict: Dict, key: Value, value: Value): void {
  const known = findKey(dict, key);
  dict.set(known === undefined ? key : known.key, value);
}

/** `dict(x)` and `d.update(x)`: a dict, or pairs. */
export function updateDict(dict: Dict, other: Value, kwargs: ReadonlyMap<string, Value>): void {
  if (other instanceof Map) {
    for (const [key, value] of other as Dict) setItem(dict, key, value);
  } else if (other !== null && other !== undefined) {
    for (const pair of iterate(other)) {
      const [key, value, ...more] = Array.from(iterate(pair));
      if (value === undefined || more.length > 0)
        throw new Fault('SEG216', 'a dict is made of pairs (key, value)');
      setItem(dict, key, value);
    }
  }
  for (const [key, value] of kwargs) dict.set(key, value);
}

export const dictMethods: Readonly<Record<string, Method<Dict>>> = {
  clear: method('', (self) => {
    self.clear();
    return null;
  }),
  copy: method('', (self) => new Map(self)),
  fromkeys: method(
    'keys value=None',
    (_self, [keys, value]) => new Map(Array.from(iterate(keys), (key) => [key, value])),
  ),
  get: method('key default=None', (self, [key, fallback]) => {
    const known = findKey(self, key);
    return known === undefined ? fallback : self.get(known.key);
  }),
  items: method('', (self) => new DictView('items', self)),
  keys: method('', (self) => new DictView('keys', self)),
  pop: method('key *default', (self, [key], { varargs }) => {
    const known = findKey(self, key);
    if (known === undefined) {
      if (varargs.length > 0) return varargs[0];
      throw new Fault('SEG216', `the dict has no key ${repr(key)}`);
    }
    const value = self.get(known.key);
    self.delete(known.key);
    return value;
  }),
  popitem: method('', (self) => {
    const last = [...self].at(-1);
    if (last === undefined) throw new Fault('SEG216', 'popitem(): dictionary is empty');
    self.delete(last[0]);
    return new PyTuple(last);
  }),
  setdefault: method('key default=None', (self, [key, fallback]) => {
    const known = findKey(self, key);
    if (known !== undefined) return self.get(known.key);
    self.set(key, fallback);
    return fallback;
  }),
  update: method('other=None **kwargs', (self, [other], { kwargs }) => {
    updateDict(self, other, kwargs);
    return null;
  }),
  values: method('', (self) => new DictView('values', self)),
};

function union(sets: readonly Value[]): Set<Value> {
  const result = new Set<Value>();
  for (const items of sets) for (const item of iterate(items)) if (!findKey(result, item)) result.add(item);
  return result;
}

function discard(self: Set<Value>, item: Value): boolean {
  const known = findKey(self, item);
  return known !== undefined && self.delete(known.key);
}

const changing = (run: (self: Set<Value>, items: readonly Value[]) => void) =>
  method<Set<Value>>('*others', (self, _values, { varargs }) => {
    run(self, varargs);
    return null;
  });

/** `set(items)`. */
export function makeSet(items: Value): Set<Value> {
  return union([items]);
}

export const setMethods: Readonly<Record<string, Method<Set<Value>>>> = {
  add: method('item', (self, [item]) => {
    if (findKey(self, item) === undefined) self.add(item);
    return null;
  }),
  clear: method('', (self) => {
    self.clear();
    return null;
  }),
  copy: method('', (self) => new Set(self)),
  difference: method('*others', (self, _values, { varargs }) => {
    const others = union(varargs);
    return new Set([...self].filter((item) => !contains(others, item)));
  }),
  discard: method('item', (self, [item]) => {
    discard(self, item);
    return null;
  }),
  intersection: method(
    '*others',
    (self, _values, { varargs }) =>
      new Set([...self].filter((item) => varargs.every((other) => contains(makeSet(other), item)))),
  ),
  isdisjoint: method('other', (self, [other]) => ![...iterate(other)].some((item) => contains(self, item))),
  issubset: method('other', (self, [other]) => [...self].every((item) => contains(makeSet(other), item))),
  issuperset: method('other', (self, [other]) => [...iterate(other)].every((item) => contains(self, item))),
  pop: method('', (self) => {
    const [first] = self;
    if (self.size === 0) throw new Fault('SEG216', 'pop from an empty set');
    self.delete(first);
    return first;
  }),
  remove: method('item', (self, [item]) => {
    if (!discard(self, item)) throw new Fault('SEG216', `the set has no item ${repr(item)}`);
    return null;
  }),
  symmetric_difference: method('other', (self, [other]) => {
    const right = makeSet(other);
    return new Set([
      ...[...self].filter((item) => !contains(right, item)),
      ...[...right].filter((item) => !contains(self, item)),
    ]);
  }),
  union: method('*others', (self, _values, { varargs }) => union([self, ...varargs])),
  update: changing((self, others) => {
    for (const item of union(others)) if (findKey(self, item) === undefined) self.add(item);
  }),
};

export const intMethods: Readonly<Record<string, Method<Value>>> = {
  bit_length: method('', (self) =>
    isInt(self) ? (self == 0 ? 0 : BigInt(self).toString(2).replace('-', '').length) : 0,
  ),
};
