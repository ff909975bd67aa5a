import type { Value } from './template-engine.ts';

/** Calls a value of the template (a macro, a function of the host). Throws Fault SEG217 when it is not callable. */
export type Callable = (callee: Value, args: readonly Value[], kwargs?: ReadonlyMap<string, Value>) => Value;

/** What filters and tests may ask of the render they run in. */
export interface Runtime {
  readonly call: Callable;
  readonly filter: (
    name: string,
    value: Value,
    args: readonly Value[],
    kwargs?: ReadonlyMap<string, Value>,
  ) => Value;
  readonly test: (
    name: string,
    value: Value,
    args: readonly Value[],
    kwargs?: ReadonlyMap<string, Value>,
  ) => boolean;
  /** `value.a.0.b`: what the filters' `attribute=` means. Missing parts give Undefined. */
  readonly path: (value: Value, path: Value) => Value;
  readonly hasFilter: (name: string) => boolean;
  readonly hasTest: (name: string) => boolean;
  /** True while a YAML value is rendered natively; the filters as_bool, as_number act only then. */
  readonly native: boolean;
}
