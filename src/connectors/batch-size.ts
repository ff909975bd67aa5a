const FIRST = 1_000;
const LARGEST = 50_000;

/** A batch that takes less than `fast` seconds may grow; one that takes more than `slow` shrinks. */
export interface Pace {
  readonly fast: number;
  readonly slow: number;
}

/** For a writer that has the database for itself. */
const ALONE: Pace = { fast: 0.5, slow: 2 };
/** Even where bigger batches pay, progress, other writers and Ctrl-C do not wait longer than about this. */
const LONGEST_SECONDS = 10;

/**
 * How many records the next batch holds. A batch costs `fixed + rows * each`: the models above the source may have a
 * cost per statement, whatever its size (a view that is recomputed has a large one). Batches grow while they are
 * quick, and also when slow as long as the fixed part is most of their time, since smaller ones would then only be
 * slower in total; they shrink when the rows themselves take too long.
 */
export class BatchSize {
  #rows: number;
  readonly #largest: number;
  readonly #pace: Pace;
  #last: { rows: number; seconds: number } | undefined;
  #each: number | undefined;

  constructor(largest: number = LARGEST, pace: Pace = ALONE) {
    this.#pace = pace;
    this.#largest = Math.max(1, Math.floor(largest));
    this.#rows = Math.min(FIRST, this.#largest);
  }

  get rows(): number {
    return this.#rows;
  }

  /** Learns from a batch; one that was not full (a live pipe) says nothing about a bigger one. */
  observe(rows: number, seconds: number): void {
    if (this.#last !== undefined && Math.abs(this.#last.rows - rows) > 0.2 * rows) {
      this.#each = Math.max(0, (seconds - this.#last.seconds) / (rows - this.#last.rows));
    }
    if (rows > 0) this.#last = { rows, seconds };
    const fixed = this.#each === undefined ? seconds / 2 : Math.max(0, seconds - this.#each * rows);
    const full = rows >= this.#rows;
    if (seconds < this.#pace.fast) {
      if (full) this.#resize(this.#rows * 2);
    } else if (fixed > seconds / 2 || this.#each === undefined) {
      if (full && seconds < LONGEST_SECONDS / 2) this.#resize(this.#rows * 2);
      // Nothing is known of other sizes yet, or the batch took too long for anybody: look at a smaller one.
      else if (seconds > (this.#each === undefined ? LONGEST_SECONDS / 2 : LONGEST_SECONDS) * 0.99)
        this.#resize(rows / 2);
    } else if (seconds > this.#pace.slow) {
      // Not below the size at which the fixed part is half of the time.
      this.#resize(Math.max(rows / 2, this.#each > 0 ? fixed / this.#each : 0));
    }
  }

  #resize(rows: number): void {
    this.#rows = Math.min(this.#largest, Math.max(1, Math.floor(rows)));
  }
}
