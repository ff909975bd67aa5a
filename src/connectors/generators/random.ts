/**
 * Chance that repeats: the same seed gives the same numbers on every machine and Node version. Only integer arithmetic,
 * and of Math only what V8 computes in software the same everywhere (log, exp, cos are fdlibm; pow has changed).
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Any number or text is a seed. */
  constructor(seed: number | string) {
    // FNV-1a over the text gives three words; sfc32 then needs some rounds to mix them.
    let hash = 0x811c9dc5;
    const words = [0, 1, 2].map((salt) => {
      for (const character of `${salt}:${seed}`)
        hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
      return hash | 0;
    });
    [this.#a, this.#b, this.#c] = words as [number, number, number];
    for (let i = 0; i < 16; i++) this.word();
  }

  /** 32 random bits, signed. sfc32 by Chris Doty-Humphrey (PractRand). */
  word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum;
  }

  /** In [0, 1), 32 bits of it. */
  unit(): number {
    return (this.word() >>> 0) / 0x1_0000_0000;
  }

  /** A whole number in [0, below). */
  below(below: number): number {
    return Math.floor(this.unit() * below);
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** Waiting time until the next of events that come `1 / mean` often. */
  exponential(mean: number): number {
    return -Math.log(1 - this.unit()) * mean;
  }

  /** |N(0, 1)|, by Box and Muller's transform. */
  halfNormal(): number {
    return Math.abs(Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit()));
  }

  /** A version 4 UUID. */
  uuid(): string {
    const [a, b, c, d] = [this.word(), this.word(), this.word(), this.word()];
    return (
      `${HEX[(a >>> 24) & 255]}${HEX[(a >>> 16) & 255]}${HEX[(a >>> 8) & 255]}${HEX[a & 255]}-` +
      `${HEX[(b >>> 24) & 255]}${HEX[(b >>> 16) & 255]}-${HEX[((b >>> 8) & 0x0f) | 0x40]}${HEX[b & 255]}-` +
      `${HEX[((c >>> 24) & 0x3f) | 0x80]}${HEX[(c >>> 16) & 255]}-${HEX[(c >>> 8) & 255]}${HEX[c & 255]}` +
      `${HEX[(d >>> 24) & 255]}${HEX[(d >>> 16) & 255]}${HEX[(d >>> 8) & 255]}${HEX[d & 255]}`
    );
  }
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
