/** Every test of Jinja2 3.1 (`x is defined`), and dbt's `is_list`. */
import type { Runtime } from './callable.ts';
import { compare, contains, equals } from './compare.ts';
import { sizeOf, tryIterate } from './iterate.ts';
import { Loop } from './loop.ts';
import { Macro } from './macro.ts';
import { arithmetic, isFloat, isInt, isNumber } from './numbers.ts';
import { str } from './print.ts';
import { signature } from './signature.ts';
import type { Signature } from './signature.ts';
import type { Value } from './template-engine.ts';
import { HostFunction, HostObject, PyIterator, PyFloat, PyTuple, Undefined } from './values.ts';

export interface Test {
  readonly signature: Signature;
  readonly run: (value: Value, args: readonly Value[], runtime: Runtime) => boolean;
}

function test(text: string, run: Test['run']): Test {
  return { signature: signature(text), run };
}

function isSequence(value: Value): boolean {
  if (typeof value === 'string') return true;
  if (tryIterate(value) === undefined || value instanceof PyIterator || value instanceof Set) return false;
  return !(value instanceof HostObject) || sizeOf(value) >= 0;
}

const remainder = (value: Value, by: Value) => equals(arithmetic('%', value, by), 0);
const eq = test('other', (value, [other]) => equals(value, other));
const ne = test('other', (value, [other]) => !equals(value, other));
const lt = test('other', (value, [other]) => compare(value, other, '<') < 0);
const le = test('other', (value, [other]) => compare(value, other, '<=') <= 0);
const gt = test('other', (value, [other]) => compare(value, other, '>') > 0);
const ge = test('other', (value, [other]) => compare(value, other, '>=') >= 0);

const table: Readonly<Record<string, Test>> = {
  '!=': ne,
  '<': lt,
  '<=': le,
  '==': eq,
  '>': gt,
  '>=': ge,
  boolean: test('', (value) => typeof value === 'boolean'),
  callable: test('', (value) =>
    value instanceof Macro ||
    value instanceof HostFunction ||
    (value instanceof Loop && value.recurse !== undefined) ||
    (value instanceof HostObject && value.call !== undefined)),
  defined: test('', (value) => !(value instanceof Undefined)),
  divisibleby: test('num', (value, [by]) => remainder(value, by)),
  eq,
  equalto: eq,
  // Nothing is marked safe here: see filters/html-filters.ts.
  escaped: test('', () => false),
  even: test('', (value) => remainder(value, 2)),
  false: test('', (value) => value === false),
  filter: test('', (value, _args, runtime) => typeof value === 'string' && runtime.hasFilter(value)),
  float: test('', (value) => isFloat(value)),
  ge,
  greaterthan: gt,
  gt,
  in: test('seq', (value, [sequence]) => contains(sequence, value)),
  integer: test('', (value) => isInt(value) && typeof value !== 'boolean'),
  is_list: test('', (value) => Array.isArray(value)),
  iterable: test('', (value) => value instanceof Undefined || tryIterate(value) !== undefined),
  le,
  lessthan: lt,
  lower: test('', (value) =>
    str(value) === str(value).toLowerCase() && str(value) !== str(value).toUpperCase()),
  lt,
  mapping: test('', (value) => value instanceof Map),
  ne,
  none: test('', (value) => value === null),
  number: test('', (value) => isNumber(value)),
  odd: test('', (value) => equals(arithmetic('%', value, 2), 1)),
  sameas: test('other', (value, [other]) => same(value, other)),
  sequence: test('', (value) => isSequence(value)),
  string: test('', (value) => typeof value === 'string'),
  test: test('', (value, _args, runtime) => typeof value === 'string' && runtime.hasTest(value)),
  true: test('', (value) => value === true),
  undefined: test('', (value) => value instanceof Undefined),
  upper: test('', (value) =>
    str(value) === str(value).toUpperCase() && str(value) !== str(value).toLowerCase()),
};

/** Python's `is`: identity, which small ints and strings have by value. */
function same(a: Value, b: Value): boolean {
  if (a instanceof PyFloat && b instanceof PyFloat) return a.value === b.value;
  if (a instanceof PyTuple && b instanceof PyTuple && a.items.length === 0) return b.items.length === 0;
  return a === b;
}

export const tests: ReadonlyMap<string, Test> = new Map(Object.entries(table));
