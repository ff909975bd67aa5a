/** Jinja's filters over sequences and dicts. */
import type { Runtime } from '../callable.ts';
import { compare, equals, truthy } from '../compare.ts';
import { iterate, sizeOf } from '../iterate.ts';
import { expectInt } from '../methods/method.ts';
import { sortList, updateDict } from '../methods/collection-methods.ts';
import { arithmetic } from '../numbers.ts';
import { str } from '../print.ts';
import type { Bound } from '../signature.ts';
import type { Value } from '../template-engine.ts';
import { typeName } from '../types.ts';
import { DictView, Fault, PyIterator, PyTuple, Undefined } from '../values.ts';
import { filter } from './filter.ts';
import type { Filter, FilterTable } from './filter.ts';

type Getter = (item: Value) => Value;

const ignoreCase = (value: Value): Value => (typeof value === 'string' ? value.toLowerCase() : value);

/** What `attribute=` reads of an item; a comma makes a list of several, as `sort` takes them. */
function attributeGetter(
  runtime: Runtime,
  attribute: Value,
  after: (value: Value) => Value,
  fallback: Value = null,
): Getter {
  if (attribute === null) return after;
  const one =
    (path: Value): Getter =>
    (item) => {
      const found = runtime.path(item, path);
      return after(found instanceof Undefined && fallback !== null ? fallback : found);
    };
  return one(attribute);
}

function sortKey(runtime: Runtime, attribute: Value, after: (value: Value) => Value): Getter {
  if (typeof attribute !== 'string' || !attribute.includes(','))
    return attributeGetter(runtime, attribute, after);
  const getters = attribute.split(',').map((path) => attributeGetter(runtime, path.trim(), after));
  return (item) => getters.map((get) => get(item));
}

function* batches(items: Iterable<Value>, size: number, fill: Value): Generator<Value> {
  let batch: Value[] = [];
  for (const item of items) {
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
    batch.push(item);
  }
  if (batch.length === 0) return;
  if (fill !== null) while (batch.length < size) batch.push(fill);
  yield batch;
}

function* slices(items: readonly Value[], count: number, fill: Value): Generator<Value> {
  const size = Math.floor(items.length / count);
  const larger = items.length % count;
  let start = 0;
  for (let number = 0; number < count; number++) {
    const end = start + size + (number < larger ? 1 : 0);
    const slice = items.slice(start, end);
    if (fill !== null && number >= larger) slice.push(fill);
    yield slice;
    start = end;
  }
}

function* unique(items: Iterable<Value>, key: Getter): Generator<Value> {
  const seen: Value[] = [];
  const texts = new Set<Value>();
  for (const item of items) {
    const value = key(item);
    if (typeof value === 'string' ? texts.has(value) : seen.some((other) => equals(other, value))) continue;
    if (typeof value === 'string') texts.add(value);
    else seen.push(value);
    yield item;
  }
}

/** `select`, `reject` and their `attr` forms. */
function choosing(wanted: boolean, byAttribute: boolean, name: string): Filter {
  return filter('*args **kwargs', (value, _values, runtime, { varargs, kwargs }) => {
    const args = [...varargs];
    if (byAttribute && args.length === 0)
      throw new Fault('SEG213', `filter "${name}" needs an attribute's name`);
    const attribute = byAttribute ? args.shift() : null;
    const test = args.length > 0 ? str(args.shift()) : undefined;
    if (test !== undefined) checkTest(runtime, test);
    function* chosen(): Generator<Value> {
      for (const item of iterate(value)) {
        const subject = byAttribute ? runtime.path(item, attribute) : item;
        const holds = test === undefined ? truthy(subject) : runtime.test(test, subject, args, kwargs);
        if (holds === wanted) yield item;
      }
    }
    return new PyIterator(name, chosen());
  });
}

/** Generators run late; an unknown test should be said at once. */
function checkTest(runtime: Runtime, name: string): void {
  if (!runtime.hasTest(name)) runtime.test(name, null, []);
}

function map(value: Value, runtime: Runtime, { varargs, kwargs }: Bound): Value {
  let each: Getter;
  if (varargs.length === 0 && kwargs.has('attribute')) {
    const unknown = [...kwargs.keys()].find((key) => key !== 'attribute' && key !== 'default');
    if (unknown !== undefined) throw new Fault('SEG213', `filter "map" has no argument "${unknown}"`);
    each = attributeGetter(runtime, kwargs.get('attribute'), (found) => found, kwargs.get('default') ?? null);
  } else {
    if (varargs.length === 0) throw new Fault('SEG213', 'filter "map" needs a filter\'s name or attribute=');
    const [name, ...args] = varargs;
    const filterName = str(name);
    if (!runtime.hasFilter(filterName)) runtime.filter(filterName, null, []);
    each = (item) => runtime.filter(filterName, item, args, kwargs);
  }
  function* mapped(): Generator<Value> {
    for (const item of iterate(value)) yield each(item);
  }
  return new PyIterator('map', mapped());
}

function extreme(
  value: Value,
  wanted: 1 | -1,
  [sensitive, attribute]: readonly Value[],
  runtime: Runtime,
): Value {
  const key = attributeGetter(runtime, attribute, sensitive === true ? (found) => found : ignoreCase);
  let best: { item: Value; key: Value } | undefined;
  for (const item of iterate(value)) {
    const candidate = { item, key: key(item) };
    if (best === undefined || Math.sign(compare(candidate.key, best.key)) === wanted) best = candidate;
  }
  return best === undefined ? new Undefined('item', 'No aggregated item, sequence was empty.') : best.item;
}

function groupBy(value: Value, [attribute, fallback, sensitive]: readonly Value[], runtime: Runtime): Value {
  const original = attributeGetter(runtime, attribute, (found) => found, fallback);
  const key: Getter = sensitive === true ? original : (item) => ignoreCase(original(item));
  const items = Array.from(iterate(value));
  sortList(items, key, false);
  const groups: { key: Value; items: Value[] }[] = [];
  for (const item of items) {
    const of = key(item);
    const last = groups.at(-1);
    if (last !== undefined && equals(last.key, of)) last.items.push(item);
    else groups.push({ key: of, items: [item] });
  }
  return groups.map((group) => {
    const grouper = sensitive === true ? group.key : original(group.items[0]);
    return new PyTuple([grouper, group.items], ['grouper', 'list']);
  });
}

export const listFilters: FilterTable = {
  attr: filter('name', (value, [name], runtime) => {
    if (value instanceof Map)
      return new Undefined(str(name), `'dict object' has no attribute '${str(name)}'`);
    return runtime.path(value, str(name));
  }),
  batch: filter(
    'linecount fill_with=None',
    (value, [size, fill]) =>
      new PyIterator('do_batch', batches(iterate(value), expectInt(size, 'linecount'), fill)),
  ),
  default: filter(
    "default_value='' boolean=False",
    (value, [fallback, boolean]) =>
      value instanceof Undefined || (boolean === true && !truthy(value)) ? fallback : value,
    { takesUndefined: true },
  ),
  dictsort: filter("case_sensitive=False by='key' reverse=False", (value, [sensitive, by, reverse]) => {
    if (!(value instanceof Map))
      throw new Fault('SEG215', `filter "dictsort" needs a dict, not ${typeName(value)}`);
    if (by !== 'key' && by !== 'value')
      throw new Fault('SEG213', 'filter "dictsort" sorts by "key" or "value"');
    const pairs = [...(value as Map<Value, Value>)];
    const position = by === 'key' ? 0 : 1;
    const key = (pair: Value) => {
      const part = (pair as [Value, Value])[position];
      return sensitive === true ? part : ignoreCase(part);
    };
    sortList(pairs, key, reverse === true);
    return pairs.map((pair) => new PyTuple(pair));
  }),
  first: filter('', (value) => {
    for (const item of iterate(value)) return item;
    return new Undefined('first', 'No first item, sequence was empty.');
  }),
  groupby: filter('attribute default=None case_sensitive=False', (value, args, runtime) =>
    groupBy(value, args, runtime),
  ),
  items: filter(
    '',
    (value) => {
      if (value instanceof Undefined) return new PyIterator('do_items', []);
      if (!(value instanceof Map)) throw new Fault('SEG215', 'filter "items" needs a dict');
      return new PyIterator('do_items', new DictView('items', value as Map<Value, Value>));
    },
    { takesUndefined: true },
  ),
  join: filter("d='' attribute=None", (value, [separator, attribute], runtime) => {
    const get = attributeGetter(runtime, attribute, (found) => found);
    return Array.from(iterate(value), (item) => str(get(item))).join(str(separator));
  }),
  last: filter('', (value) => {
    if (value instanceof PyIterator)
      throw new Fault('SEG215', `'${typeName(value)}' object is not reversible`);
    const items = Array.from(iterate(value));
    return items.length === 0 ? new Undefined('last', 'No last item, sequence was empty.') : items.at(-1);
  }),
  length: filter('', (value) => sizeOf(value)),
  list: filter('', (value) => Array.from(iterate(value))),
  map: filter('*args **kwargs', (value, _values, runtime, bound) => map(value, runtime, bound)),
  max: filter('case_sensitive=False attribute=None', (value, args, runtime) =>
    extreme(value, 1, args, runtime),
  ),
  min: filter('case_sensitive=False attribute=None', (value, args, runtime) =>
    extreme(value, -1, args, runtime),
  ),
  random: filter('', (value) => {
    const items = Array.from(iterate(value));
    if (items.length === 0) return new Undefined('random', 'No random item, sequence was empty.');
    return items[Math.floor(Math.random() * items.length)];
  }),
  reject: choosing(false, false, 'reject'),
  rejectattr: choosing(false, true, 'rejectattr'),
  select: choosing(true, false, 'select'),
  selectattr: choosing(true, true, 'selectattr'),
  slice: filter('slices fill_with=None', (value, [count, fill]) => {
    const number = expectInt(count, 'slices');
    if (number < 1) throw new Fault('SEG213', 'filter "slice" needs at least one slice');
    return new PyIterator('do_slice', slices(Array.from(iterate(value)), number, fill));
  }),
  sort: filter(
    'reverse=False case_sensitive=False attribute=None',
    (value, [reverse, sensitive, attribute], runtime) => {
      const items = Array.from(iterate(value));
      sortList(
        items,
        sortKey(runtime, attribute, sensitive === true ? (found) => found : ignoreCase),
        reverse === true,
      );
      return items;
    },
  ),
  sum: filter('attribute=None start=0', (value, [attribute, start], runtime) => {
    const get = attributeGetter(runtime, attribute, (found) => found);
    let total = start;
    for (const item of iterate(value)) total = arithmetic('+', total, get(item));
    return total;
  }),
  unique: filter('case_sensitive=False attribute=None', (value, [sensitive, attribute], runtime) => {
    const key = attributeGetter(runtime, attribute, sensitive === true ? (found) => found : ignoreCase);
    return new PyIterator('do_unique', unique(iterate(value), key));
  }),
  xmlattr: filter('autospace=True', (value, [autospace], runtime) => {
    if (!(value instanceof Map)) throw new Fault('SEG215', 'filter "xmlattr" needs a dict');
    const escape = (part: Value) => str(runtime.filter('escape', part, []));
    const pairs: string[] = [];
    for (const [key, item] of value as Map<Value, Value>) {
      if (item === null || item instanceof Undefined) continue;
      if (/[\s/>=]/.test(str(key)))
        throw new Fault('SEG216', `invalid character in attribute name "${str(key)}"`);
      pairs.push(`${escape(key)}="${escape(item)}"`);
    }
    const text = pairs.join(' ');
    return autospace === true && text !== '' ? ` ${text}` : text;
  }),
};

/** dict(...) for globals; here because it shares the pair rules. */
export function makeDict(other: Value, kwargs: ReadonlyMap<string, Value>): Map<Value, Value> {
  const dict = new Map<Value, Value>();
  updateDict(dict, other, kwargs);
  return dict;
}
