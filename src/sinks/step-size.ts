/** A step on a database that does one thing at a time takes about so long, whatever a row costs there: who reads waits for it. */
const TARGET_MS = 20;
const FIRST = 100;
/** What a step costs whatever it takes would be most of it otherwise. */
const LEAST = 50;
/** However fast it has been: the next rows may be larger. */
const MOST = 400;

/** How many rows the next step takes. */
export class StepSize {
  readonly #most: number;
  #rows: number;

  /** @param most of one step; where others do not wait for it, of each */
  constructor(most: number, isShared: boolean) {
    this.#most = isShared ? Math.min(MOST, most) : most;
    this.#rows = isShared ? Math.min(FIRST, most) : most;
    this.observe = isShared ? this.observe : () => {};
  }

  get rows(): number {
    return this.#rows;
  }

  /** Learns from a step; one that took fewer rows than it might have says nothing about more of them. */
  observe = (rows: number, milliseconds: number): void => {
    const fit = this.#rows * Math.min(1.5, Math.max(0.25, TARGET_MS / Math.max(milliseconds, 0.1)));
    if (fit < this.#rows || rows >= this.#rows * 0.75)
      this.#rows = Math.round(Math.min(this.#most, Math.max(LEAST, fit)));
  };
}
