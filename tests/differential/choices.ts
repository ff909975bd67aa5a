/**
 * Generated cases are plain data: operators by name, and numbers that choose among what is there (columns of a fitting
 * type, aggregates, values ...), taken in turn and wrapped round. So any part may be cut out or made smaller and what
 * is left still means a case, which is what shrinking needs. Where the numbers run out, the first choice is taken.
 */
export class Choices {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
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
