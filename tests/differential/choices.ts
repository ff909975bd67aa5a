/**
 * Generated cases are plain data: operators by name, and numbers that choose among what is there (columns of a fitting
 * type, aggregates, values ...), taken in turn and wrapped round. So any part may be cut out or made smaller and what
 * is left still means a case, which is what shrinking needs. Where the numbers run out, the first choice is taken.
 */
import type { Feature } from './features.ts';
import type { Query, Scope } from './shapes.ts';
import type { SqlType } from './sql-types.ts';

/** What there is to choose from, beside numbers. */
export interface Materials {
  readonly features: ReadonlySet<Feature>;
  /** Those that are looked for: they come often. */
  readonly sought: ReadonlySet<Feature>;
  /** Those that the query really holds, as they are put into it. */
  readonly met: Set<Feature>;
  /** Tables and earlier views. */
  readonly relations: readonly Query[];
  readonly functions: readonly UserFunction[];
  /** A name that nothing else of the case bears. */
  readonly alias: () => string;
  /** A scalar subquery of a type (subqueries.ts). */
  readonly subquery: (type: SqlType, outer: Scope, choices: Choices, depth: number) => string;
}

/** A function of the user's, of an integer. */
export interface UserFunction {
  readonly name: string;
  readonly volatility: 'IMMUTABLE' | 'STABLE' | 'VOLATILE';
  /** Whether it reads tables, or what seg cannot know (EXECUTE): seg may refuse a view that calls it. */
  readonly opaque: boolean;
}

const nothing: Materials = {
  features: new Set(),
  sought: new Set(),
  met: new Set(),
  relations: [],
  functions: [],
  alias: () => 'q0',
  subquery: () => 'NULL',
};

export class Choices {
  readonly materials: Materials;
  readonly #numbers: readonly number[];
  #at = 0;
  /** Scalar subqueries that were put into expressions so far. */
  subqueries = 0;

  constructor(numbers: readonly number[], materials: Materials = nothing) {
    this.#numbers = numbers;
    this.materials = materials;
  }

  /** Whether a group of constructs may be used. */
  may(feature: Feature): boolean {
    return this.materials.features.has(feature);
  }

  /** Whether one of them is used here: once in `count`, or every second time where it is looked for. */
  takes(feature: Feature, count: number): boolean {
    const taken = this.may(feature) && this.oneIn(this.materials.sought.has(feature) ? 2 : count);
    if (taken) this.materials.met.add(feature);
    return taken;
  }

  /** A number from 0 to `count - 1`. */
  below(count: number): number {
    const number = this.#numbers[this.#at++] ?? 0;
    return count <= 1 ? 0 : number % count;
  }

  of<T>(items: readonly [T, ...T[]] | readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** True for one number in `count`; never for the smallest. */
  oneIn(count: number): boolean {
    return this.below(count) === count - 1;
  }

  /** From `least` to `most` different items, in the order they were chosen. */
  some<T>(items: readonly T[], least: number, most: number): T[] {
    const rest = [...items];
    const count = Math.min(rest.length, least + this.below(most - least + 1));
    return Array.from({ length: count }, () => rest.splice(this.below(rest.length), 1)[0]!);
  }
}
