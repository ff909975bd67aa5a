import type { RawRecord } from './formats/raw-record.ts';
import type { BatchSize } from './batch-size.ts';

export interface BatchesOptions {
  readonly size: BatchSize;
  /** A record waits no longer than this for company. */
  readonly delayMs: number;
  readonly signal?: AbortSignal;
}

/** Nothing came for so long: the pipe is live and there is no reason to wait on. */
const IDLE_MS = 25;
/** Batches are also bounded by their text, so that huge records do not fill the memory. */
const MAX_CHARACTERS = 64 * 1024 * 1024;

/**
 * Records gathered into batches: full ones while the input is quick, smaller ones when it pauses. After an abort what
 * was read already comes as the last batch (a pipe could not be read again), then it ends.
 */
export async function* inBatches(
  input: AsyncGenerator<RawRecord[]>,
  { size, delayMs, signal }: BatchesOptions,
): AsyncGenerator<RawRecord[]> {
  let buffer: RawRecord[] = [];
  let characters = 0;
  let since = 0;
  let next: Promise<IteratorResult<RawRecord[]>> | null = null;
  const waiter = new Waiter(signal);
  try {
    while (!waiter.aborted) {
      if (buffer.length >= size.rows || characters >= MAX_CHARACTERS) {
        const batch = buffer.slice(0, size.rows);
        buffer = buffer.slice(batch.length);
        characters = buffer.reduce((sum, record) => sum + record.text.length, 0);
        yield batch;
        since = performance.now();
        continue;
      }
      next ??= input.next();
      const patience =
        buffer.length === 0 ? undefined : Math.min(IDLE_MS, since + delayMs - performance.now());
      const arrived = await waiter.within(next, patience);
      if (arrived === undefined) {
        if (buffer.length === 0) continue;
        const batch = buffer;
        buffer = [];
        characters = 0;
        yield batch;
        continue;
      }
      next = null;
      if (arrived.done === true) break;
      if (buffer.length === 0) since = performance.now();
      for (const record of arrived.value) {
        buffer.push(record);
        characters += record.text.length;
      }
    }
    if (buffer.length > 0) yield buffer;
  } finally {
    waiter.close();
    // A reader in the middle of a read cannot be closed before the read ends, which on a pipe may be never.
    if (next === null) await input.return(undefined);
    else next.catch(() => {});
  }
}

/** An abort signal that wakes whoever waits at the moment, and holds on to nobody else. */
class Waiter {
  readonly #signal: AbortSignal | undefined;
  #wake: () => void = () => {};
  readonly #listener = (): void => this.#wake();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    signal?.addEventListener('abort', this.#listener);
  }

  get aborted(): boolean {
    return this.#signal?.aborted ?? false;
  }

  /**
   * The value when it comes in time; undefined after `patienceMs` or an abort. Not by Promise.race with a promise for
   * the abort: that promise would keep every value of a long file alive.
   */
  async within<T>(value: Promise<T>, patienceMs: number | undefined): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<T | undefined>((resolve, reject) => {
        value.then(resolve, reject);
        this.#wake = () => resolve(undefined);
        if (patienceMs !== undefined) timer = setTimeout(this.#wake, Math.max(0, patienceMs));
      });
    } finally {
      clearTimeout(timer);
      this.#wake = () => {};
    }
  }

  close(): void {
    this.#signal?.removeEventListener('abort', this.#listener);
  }
}
