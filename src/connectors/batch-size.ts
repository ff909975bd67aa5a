const FIRST = 1_000;
const LARGEST = 50_000;
const FAST_SECONDS = 0.5;
const SLOW_SECONDS = 2;

/**
 * How many records the next batch holds. Each statement has fixed costs in every model above the source, so batches
 * grow while they are quick, and shrink when one takes so long that progress and other writers would wait for it.
 */
export class BatchSize {
  #rows: number;
  readonly #largest: number;

  constructor(largest: number = LARGEST) {
    this.#largest = Math.max(1, Math.floor(largest));
    this.#rows = Math.min(FIRST, this.#largest);
  }

  get rows(): number {
    return this.#rows;
  }

  /** Learns from a batch; one that was not full (a live pipe) says nothing about a bigger one. */
  observe(rows: number, seconds: number): void {
    if (seconds > SLOW_SECONDS) this.#rows = Math.max(1, Math.floor(Math.min(this.#rows, rows) / 2));
    else if (seconds < FAST_SECONDS && rows >= this.#rows)
      this.#rows = Math.min(this.#largest, this.#rows * 2);
  }
}
