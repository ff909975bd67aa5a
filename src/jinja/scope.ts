import type { Value } from './template-engine.ts';

/** Variables of a block; what is not here is looked up around it. `if` shares its surroundings' scope, as in Jinja. */
export class Scope {
  readonly parent: Scope | undefined;
  /** The package whose macros are found first by bare names. */
  readonly packageName: string;
  readonly #variables = new Map<string, Value>();

  constructor(parent: Scope | undefined, packageName: string) {
    this.parent = parent;
    this.packageName = packageName;
  }

  inner(): Scope {
    return new Scope(this, this.packageName);
  }

  /** undefined when no scope has the name; a variable's own value is never undefined. */
  lookUp(name: string): Value {
    const value = this.#variables.get(name);
    return value === undefined ? this.parent?.lookUp(name) : value;
  }

  set(name: string, value: Value): void {
    this.#variables.set(name, value);
  }

  *names(): Generator<string> {
    yield* this.#variables.keys();
    if (this.parent !== undefined) yield* this.parent.names();
  }
}
