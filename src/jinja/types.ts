import type { Value } from './template-engine.ts';
import {
  DictView,
  HostFunction,
  HostObject,
  PyFloat,
  PyIterator,
  PyRange,
  PyTuple,
  Undefined,
} from './values.ts';

/** Values that carry their own Python type's name (macros, loops, bound methods). */
export interface Named {
  readonly pythonType: string;
}

/** Python's name of a value's type, as messages and `repr` use it. */
export function typeName(value: Value): string {
  if (value === null || value === undefined) return 'NoneType';
  switch (typeof value) {
    case 'string':
      return 'str';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float';
    case 'object':
      return objectTypeName(value);
    case 'undefined':
    case 'function':
    case 'symbol':
    default:
      return 'object';
  }
}

function objectTypeName(value: object): string {
  if (Array.isArray(value)) return 'list';
  if (value instanceof Map) return 'dict';
  if (value instanceof PyTuple) return 'tuple';
  if (value instanceof Set) return 'set';
  if (value instanceof PyFloat) return 'float';
  if (value instanceof PyRange) return 'range';
  if (value instanceof DictView) return `dict_${value.kind}`;
  if (value instanceof PyIterator) return value.name === 'iterator' ? 'iterator' : 'generator';
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof HostFunction) return 'function';
  if (value instanceof HostObject) return value.typeName.replace(/ object$/, '');
  return 'pythonType' in value ? String(value.pythonType) : 'object';
}

/** How Jinja names a value in "... has no attribute": `dict object`, `None`. */
export function describeObject(value: Value): string {
  if (value === null || value === undefined) return 'None';
  const name = typeName(value);
  return value instanceof HostObject && name === 'object' ? 'object' : `${name} object`;
}
