import type { ChangeBatch, Position } from '../changelog/change.ts';
import type { ChangePage } from './feed.ts';

/**
 * Kept at hand for the followers of one model who are a little behind: changes, and bytes of their rows as they are stored. What came
 * last is kept however much it is (a look is bounded): what goes before anybody could take it is read again by each follower for
 * itself, which made a server with a small cache slower than one without.
 */
const MOST_CHANGES = 1000;
const MOST_BYTES = 256 * 1024;

/** One followed model in a FeedHub: its latest batches, and who waits for more. Positions compare as text. */
export class Seat {
  #start: Position;
  #end: Position;
  #looks: { readonly batches: readonly ChangeBatch[]; readonly changes: number; readonly bytes: number }[] =
    [];
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
    const batches = this.#looks.flatMap((look) => look.batches.filter((batch) => batch.position > position));
    return { batches, position: this.#end, more: false };
  }

  /** What a look has found: everything after `end` up to another position. */
  add(batches: readonly ChangeBatch[], bytes: number, end: Position): void {
    this.#end = end;
    if (batches.length === 0) return;
    const changes = batches.reduce((sum, batch) => sum + batch.changes.length, 0);
    this.#looks.push({ batches, changes, bytes });
    let total = { changes: 0, bytes: 0 };
    const kept = this.#looks.findLastIndex((look) => {
      total = { changes: total.changes + look.changes, bytes: total.bytes + look.bytes };
      return total.changes > MOST_CHANGES || total.bytes > MOST_BYTES;
    });
    const gone = this.#looks.splice(0, Math.min(kept + 1, this.#looks.length - 1));
    this.#start = gone.at(-1)?.batches.at(-1)?.position ?? this.#start;
    this.wake();
  }

  skipTo(position: Position): void {
    this.#start = position;
    this.#end = position;
    this.#looks = [];
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
