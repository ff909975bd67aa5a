/** Equality, order, membership and truth of Python values. */
import type { toNumber } from './numbers.ts';
import { isNumber } from './numbers.ts';
import { iterate } from './iterate.ts';
import { undefinedFault } from './print.ts';
import type { Value } from './template-engine.ts';
import { compareText } from './text.ts';
import { typeName } from './types.ts';
import { DictView, Fault, HostObject, PyFloat, PyRange, PyTuple, Undefined } from './values.ts';

export function truthy(value: Value): boolean {
  if (
    value === null ||
    value === undefined ||
    value === false ||
    value === 0 ||
    value === '' ||
    value === 0n
  ) {
    return false;
  }
  if (typeof value !== 'object') return true;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map || value instanceof Set) return value.size > 0;
  if (value instanceof PyTuple) return value.items.length > 0;
  if (value instanceof PyFloat) return value.value !== 0;
  if (value instanceof PyRange) return value.length > 0;
  if (value instanceof DictView) return value.dict.size > 0;
  return !(value instanceof Undefined);
}

export function equals(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeof a === 'string' || typeof b === 'string') return false;
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b) === 0;
  if (Array.isArray(a) && Array.isArray(b)) return equalItems(a as Value[], b as Value[]);
  if (a instanceof PyTuple && b instanceof PyTuple) return equalItems(a.items, b.items);
  if (a instanceof Map && b instanceof Map) return equalDicts(a as Map<Value, Value>, b as Map<Value, Value>);
  if (a instanceof Set && b instanceof Set) {
    return a.size === b.size && [...(a as Set<Value>)].every((item) => contains(b, item));
  }
  if (a instanceof PyRange && b instanceof PyRange) return equalItems([...iterate(a)], [...iterate(b)]);
  if (a instanceof HostObject) return a.equals(b);
  if (b instanceof HostObject) return b.equals(a);
  return a instanceof Undefined && b instanceof Undefined;
}

function equalItems(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((item, index) => equals(item, b[index]));
}

function equalDicts(a: Map<Value, Value>, b: Map<Value, Value>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = findKey(b, key);
    if (other === undefined || !equals(value, b.get(other.key))) return false;
  }
  return true;
}

/** The key as the dict stores it: tuples and floats are equal without being identical. */
export function findKey(dict: Map<Value, Value> | Set<Value>, key: Value): { key: Value } | undefined {
  if (dict.has(key)) return { key };
  if (typeof key === 'string' || key === null) return undefined;
  if (Array.isArray(key) || key instanceof Map || key instanceof Set) {
    throw new Fault('SEG215', `unhashable type: '${typeName(key)}'`);
  }
  for (const candidate of dict.keys()) if (equals(candidate, key)) return { key: candidate };
  return undefined;
}

type PyNumber = Parameters<typeof toNumber>[0];

/** Exact also between a bigint and a float; NaN is unequal to and unordered with everything. */
function compareNumbers(a: PyNumber, b: PyNumber): number {
  const left = a instanceof PyFloat ? a.value : a;
  const right = b instanceof PyFloat ? b.value : b;
  return left < right ? -1 : left > right ? 1 : left == right ? 0 : Number.NaN;
}

/** Negative, 0 or positive (NaN = unordered). Throws Fault SEG215 for types without an order. */
export function compare(a: Value, b: Value, operator = '<'): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  if (Array.isArray(a) && Array.isArray(b)) return compareItems(a as Value[], b as Value[], operator);
  if (a instanceof PyTuple && b instanceof PyTuple) return compareItems(a.items, b.items, operator);
  const ordered = a instanceof HostObject ? a.compareTo?.(b) : undefined;
  if (ordered !== undefined) return ordered;
  if (a instanceof Undefined) throw undefinedFault(a);
  if (b instanceof Undefined) throw undefinedFault(b);
  throw new Fault(
    'SEG215',
    `'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`,
  );
}

function compareItems(a: readonly Value[], b: readonly Value[], operator: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (!equals(a[i], b[i])) return compare(a[i], b[i], operator);
  }
  return a.length - b.length;
}

/** `item in container`. */
export function contains(container: Value, item: Value): boolean {
  if (typeof container === 'string') {
    if (typeof item === 'string') return container.includes(item);
    if (item instanceof Undefined) throw undefinedFault(item);
    throw new Fault('SEG215', `'in <string>' requires string as left operand, not ${typeName(item)}`);
  }
  if (container instanceof Map || container instanceof Set) {
    return findKey(container as Map<Value, Value> | Set<Value>, item) !== undefined;
  }
  for (const candidate of iterate(container)) if (equals(candidate, item)) return true;
  return false;
}
