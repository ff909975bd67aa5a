import type { Random } from './random.ts';

/**
 * Draws from 0 .. size - 1 with probability proportional to 1 / (k + 1)^skew, in constant time.
 * Source: Walker's alias method in Vose's form (IEEE Transactions on Software Engineering 17, 1991): every cell holds
 * its own number with some probability and one other number with the rest.
 */
export class Zipf {
  readonly #share: Float64Array;
  readonly #alias: Int32Array;
  readonly #random: Random;

  /** `skew` 0 is uniform. Throws a RangeError for a size below 1 or a negative skew. */
  constructor(random: Random, size: number, skew: number) {
    if (!Number.isInteger(size) || size < 1)
      throw new RangeError(`a Zipf distribution needs a size of 1 or more, not ${size}`);
    if (!(skew >= 0)) throw new RangeError(`a Zipf distribution needs a skew of 0 or more, not ${skew}`);
    this.#random = random;
    this.#share = new Float64Array(size);
    this.#alias = new Int32Array(size);
    let total = 0;
    for (let k = 0; k < size; k++) total += this.#share[k] = Math.exp(-skew * Math.log(k + 1));
    const small: number[] = [];
    const large: number[] = [];
    for (let k = 0; k < size; k++) {
      this.#share[k] = (this.#share[k]! * size) / total;
      this.#alias[k] = k;
      (this.#share[k]! < 1 ? small : large).push(k);
    }
    while (small.length > 0 && large.length > 0) {
      const less = small.pop()!;
      const more = large.pop()!;
      this.#alias[less] = more;
      this.#share[more] = this.#share[more]! + this.#share[less]! - 1;
      (this.#share[more] < 1 ? small : large).push(more);
    }
    // What is left differs from 1 by rounding only.
    for (const k of [...small, ...large]) this.#share[k] = 1;
  }

  next(): number {
    const cell = this.#random.below(this.#share.length);
    return this.#random.unit() < this.#share[cell]! ? cell : this.#alias[cell]!;
  }
}
