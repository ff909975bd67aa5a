import { bind, signature } from '../signature.ts';
import type { Bound, Signature } from '../signature.ts';
import type { Value } from '../template-engine.ts';
import { builtinFunction, Fault } from '../values.ts';
import type { HostFunction } from '../values.ts';

/** A method of a Python type: `self` is the receiver. */
export interface Method<T> {
  readonly signature: Signature;
  readonly run: (self: T, values: readonly Value[], extra: Bound) => Value;
}

/** @param text the signature without `self`, see signature.ts */
export function method<T>(text: string, run: Method<T>['run']): Method<T> {
  return { signature: signature(text), run };
}

/** `receiver.name` as a callable value. */
export function bindMethod<T>(name: string, self: T, { signature: declared, run }: Method<T>): HostFunction {
  return builtinFunction((call) => {
    const bound = bind(`${name}()`, declared, call.args, call.kwargs);
    return run(self, bound.values, bound);
  }, name);
}

export function expectString(value: Value, what: string): string {
  if (typeof value === 'string') return value;
  throw new Fault('SEG215', `${what} must be a str`);
}

export function expectInt(value: Value, what: string): number {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw new Fault('SEG215', `${what} must be an int`);
}
