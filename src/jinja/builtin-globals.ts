/** Jinja's own global functions: range, dict, namespace, cycler, joiner. */
import { makeDict } from './filters/list-filters.ts';
import { expectInt } from './methods/method.ts';
import { str } from './print.ts';
import type { Value } from './template-engine.ts';
import { builtinFunction, Fault, hostObject, Namespace, PyRange } from './values.ts';

/** The limit of Jinja's sandbox, in which dbt renders. */
const MAX_RANGE = 100_000;

function range(args: readonly Value[]): PyRange {
  if (args.length === 0 || args.length > 3) {
    throw new Fault('SEG213', `range() takes 1 to 3 arguments (${args.length} given)`);
  }
  const numbers = args.map((argument) => expectInt(argument, 'an argument of range()'));
  const [start, stop, step] =
    numbers.length === 1 ? [0, numbers[0]!, 1] : [numbers[0]!, numbers[1]!, numbers[2] ?? 1];
  if (step === 0) throw new Fault('SEG216', 'range() arg 3 must not be zero');
  const made = new PyRange(start, stop, step);
  if (made.length > MAX_RANGE) throw new Fault('SEG222', `range too big: at most ${MAX_RANGE} items`);
  return made;
}

function cycler(items: readonly Value[]): Value {
  if (items.length === 0) throw new Fault('SEG213', 'cycler() needs at least one item');
  let position = 0;
  const next = builtinFunction(() => {
    const item = items[position];
    position = (position + 1) % items.length;
    return item;
  }, 'next');
  const reset = builtinFunction(() => {
    position = 0;
    return null;
  }, 'reset');
  return hostObject({
    typeName: 'jinja2.utils.Cycler object',
    internal: true,
    get: (name) => ({ next, reset, current: items[position], items: [...items] })[name],
  });
}

function joiner(separator: string): Value {
  let used = false;
  return hostObject({
    typeName: 'jinja2.utils.Joiner object',
    internal: true,
    call: () => {
      const text = used ? separator : '';
      used = true;
      return text;
    },
  });
}

export const builtinGlobals: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['range', builtinFunction(({ args }) => range(args), 'range')],
  ['dict', builtinFunction(({ args, kwargs }) => makeDict(args[0] ?? null, kwargs), 'dict')],
  [
    'namespace',
    builtinFunction(
      ({ args, kwargs }) => new Namespace(makeDict(args[0] ?? null, kwargs) as Map<string, Value>),
      'namespace',
    ),
  ],
  ['cycler', builtinFunction(({ args }) => cycler(args), 'cycler')],
  [
    'joiner',
    builtinFunction(({ args, kwargs }) => joiner(str(args[0] ?? kwargs.get('sep') ?? ', ')), 'joiner'),
  ],
]);
