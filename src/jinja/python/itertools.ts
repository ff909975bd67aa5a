/** The part of Python's module `itertools` that templates use. Everything is finite: results are computed at once. */
import { truthy } from '../compare.ts';
import { iterate } from '../iterate.ts';
import { expectInt } from '../methods/method.ts';
import { arithmetic } from '../numbers.ts';
import { bind, signature } from '../signature.ts';
import type { Bound } from '../signature.ts';
import type { Value } from '../template-engine.ts';
import type { HostObject } from '../values.ts';
import { Fault, hostFunction, hostObject, PyIterator, PyTuple } from '../values.ts';

const MAX_ITEMS = 1_000_000;

function product(lists: readonly (readonly Value[])[]): Value[][] {
  const size = lists.reduce((total, list) => total * list.length, 1);
  if (size > MAX_ITEMS) throw new Fault('SEG222', `product() would make ${size} items`);
  return lists.reduce<Value[][]>(
    (rows, list) => rows.flatMap((row) => list.map((item) => [...row, item])),
    [[]],
  );
}

function combinations(items: readonly Value[], size: number, from = 0): Value[][] {
  if (size === 0) return [[]];
  const rows: Value[][] = [];
  for (let at = from; at <= items.length - size; at++) {
    for (const rest of combinations(items, size - 1, at + 1)) rows.push([items[at], ...rest]);
    if (rows.length > MAX_ITEMS)
      throw new Fault('SEG222', `combinations() would make more than ${MAX_ITEMS} items`);
  }
  return rows;
}

function permutations(items: readonly Value[], size: number): Value[][] {
  if (size === 0) return [[]];
  if (items.length > 10) throw new Fault('SEG222', 'permutations() takes at most 10 items');
  return items.flatMap((item, at) =>
    permutations([...items.slice(0, at), ...items.slice(at + 1)], size - 1).map((rest) => [item, ...rest]),
  );
}

/** `modules.itertools`. */
export function itertoolsModule(): HostObject {
  const define = (name: string, text: string, run: (bound: Bound) => Iterable<Value>) => {
    const declared = signature(text);
    return hostFunction((call) => {
      const bound = bind(`itertools.${name}()`, declared, call.args, call.kwargs);
      return new PyIterator(name, Array.from(run(bound)));
    }, name);
  };
  const tuples = (rows: readonly Value[][]) => rows.map((row) => new PyTuple(row));
  const list = (value: Value) => Array.from(iterate(value));
  const attributes: Record<string, Value> = {
    accumulate: define('accumulate', 'iterable', ({ values }) => {
      let total: Value;
      return list(values[0]).map((item, at) => (total = at === 0 ? item : arithmetic('+', total, item)));
    }),
    chain: hostObject({
      typeName: "class 'itertools.chain'",
      call: ({ args }) => new PyIterator('chain', args.flatMap(list)),
      attributes: {
        from_iterable: define('from_iterable', 'iterable', ({ values }) => list(values[0]).flatMap(list)),
      },
    }),
    combinations: define('combinations', 'iterable r', ({ values }) =>
      tuples(combinations(list(values[0]), expectInt(values[1], 'r'))),
    ),
    compress: define('compress', 'data selectors', ({ values }) => {
      const chosen = list(values[1]);
      return list(values[0]).filter((_, at) => truthy(chosen[at] ?? null));
    }),
    islice: define('islice', 'iterable *bounds', ({ values, varargs }) => {
      const [from, to, step] =
        varargs.length === 1 ? [0, varargs[0], 1] : [varargs[0], varargs[1], varargs[2] ?? 1];
      const all = list(values[0]);
      const end = to === null || to === undefined ? all.length : expectInt(to, 'stop');
      return all
        .slice(from === null ? 0 : expectInt(from, 'start'), end)
        .filter((_, at) => at % expectInt(step, 'step') === 0);
    }),
    permutations: define('permutations', 'iterable r=None', ({ values }) => {
      const items = list(values[0]);
      return tuples(permutations(items, values[1] === null ? items.length : expectInt(values[1], 'r')));
    }),
    product: define('product', '*iterables **kwargs', ({ varargs, kwargs }) => {
      const lists = varargs.map(list);
      const times = expectInt(kwargs.get('repeat') ?? 1, 'repeat');
      return tuples(product(Array.from({ length: times }, () => lists).flat()));
    }),
    repeat: define('repeat', 'object times', ({ values }) =>
      Array.from({ length: Math.min(MAX_ITEMS, expectInt(values[1], 'times')) }, () => values[0]),
    ),
    zip_longest: define('zip_longest', '*iterables **kwargs', ({ varargs, kwargs }) => {
      const lists = varargs.map(list);
      const longest = Math.max(0, ...lists.map((items) => items.length));
      const fill = kwargs.get('fillvalue') ?? null;
      return Array.from(
        { length: longest },
        (_, at) => new PyTuple(lists.map((items) => (at < items.length ? items[at] : fill))),
      );
    }),
  };
  return hostObject({ typeName: "module 'itertools'", attributes });
}
