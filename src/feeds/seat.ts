import type { ChangeBatch, Position } from '../changelog/change.ts';
import type { ChangePage } from './feed.ts';

/**
 * Changes kept at hand for the followers of one model: enough for those who keep up. Rows may be large, and ten models with
 * twenty thousand each held 400 MB.
 */
const AT_HAND = 1000;

/** One followed model in a FeedHub: its latest batches, and who waits for more. Positions compare as text. */
export class Seat {
  #start: Position;
  #end: Position;
  #batches: ChangeBatch[] = [];
  #changes = 0;
  #version = 0;
  #takers = 0;
  readonly #waiting = new Set<() => void>();

  constructor(position: Position) {
    this.#start = position;
    this.#end = position;
  }

  /** Everything up to here was looked at. */
  get end(): Position {
    return this.#end;
  }

  /** Goes up whenever there is something new. */
  get version(): number {
    return this.#version;
  }

  take(): void {
    this.#takers++;
  }

  /** Whether the last one has left. */
  leave(): boolean {
    this.#takers--;
    return this.#takers === 0;
  }

  /** What is at hand after a position; undefined when that reaches further back. */
  after(position: Position): ChangePage | undefined {
    if (position < this.#start || position > this.#end) return undefined;
    const batches = this.#batches.filter((batch) => batch.position > position);
    return { batches, position: this.#end, more: false };
  }

  add(batches: readonly ChangeBatch[], end: Position): void {
    this.#end = end;
    if (batches.length === 0) return;
    this.#batches.push(...batches);
    this.#changes += batches.reduce((sum, { changes }) => sum + changes.length, 0);
    while (this.#changes > AT_HAND) {
      const oldest = this.#batches.shift()!;
      this.#changes -= oldest.changes.length;
      this.#start = oldest.position;
    }
    this.wake();
  }

  skipTo(position: Position): void {
    this.#start = position;
    this.#end = position;
    this.#batches = [];
    this.#changes = 0;
    this.wake();
  }

  wake(): void {
    this.#version++;
    for (const go of this.#waiting) go();
  }

  /** Resolves when the version is no longer `version`, or the signal is aborted. */
  async changed(version: number, signal?: AbortSignal): Promise<void> {
    if (this.#version !== version || signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        this.#waiting.delete(go);
        signal?.removeEventListener('abort', go);
        resolve();
      };
      this.#waiting.add(go);
      signal?.addEventListener('abort', go);
    });
  }
}
