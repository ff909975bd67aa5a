import type { Random } from './random.ts';

export interface TimelineOptions {
  /** When the first event happens. */
  readonly startMs: number;
  /** Events a second, on average. */
  readonly rate: number;
  /** Live: the time is read here instead of being made up. */
  readonly clock?: () => number;
}

/** Every how many events one is reported late, and by how much at most: arrival order is not timestamp order. */
const LATE_CHANCE = 0.02;
const LATE_MS = 5_000;

/** Moments of events that come at random, at a steady rate on average; a few of them reported late. */
export class Timeline {
  readonly #random: Random;
  readonly #options: TimelineOptions;
  #nowMs: number;

  constructor(random: Random, options: TimelineOptions) {
    this.#random = random;
    this.#options = options;
    this.#nowMs = options.startMs;
  }

  /** Milliseconds since 1970, whole. */
  next(): number {
    // The draws are the same with and without a clock, so a live run has the same users and segments.
    const wait = this.#random.exponential(1000 / this.#options.rate);
    const late = this.#random.chance(LATE_CHANCE) ? this.#random.below(LATE_MS) : 0;
    this.#nowMs += wait;
    return Math.floor(this.#options.clock?.() ?? this.#nowMs) - late;
  }
}
