/**
 * Who may use the database next. An embedded database does one thing at a time, so its users wait in line: one line for each kind
 * of use, first come first served. The line that has used the database for the shortest time goes next (start-time fair
 * queueing: Goyal, Vin and Cheng, 1996), so a hundred readers delay the next batch of records by one read, and the many small
 * steps of sinks find their place between two large batches of records.
 */

/** The kinds of use. `wire`: clients of the Postgres port; `command`: the server's own housekeeping. */
export const TURN_KINDS = ['ingest', 'read', 'feed', 'sink', 'clock', 'wire', 'command'] as const;
export type TurnKind = (typeof TURN_KINDS)[number];

/** Parts of the database's time when all lines are full; 1 for what is not named. Records are what everybody else waits for. */
const SHARES: Partial<Record<TurnKind, number>> = { ingest: 3 };
/** A turn counts for no more than that: a client that was in a transaction for a minute does not wait a minute for it. */
const MOST_MS = 1000;

interface Waiting {
  readonly start: () => void;
}

interface Line {
  readonly kind: TurnKind;
  readonly waiting: Waiting[];
  /** How long it has used the database, divided by its share; what a line missed while it was empty is not made up. */
  used: number;
}

export interface TurnsOptions {
  readonly onWaited?: (kind: TurnKind, seconds: number) => void;
  readonly onEnded?: (kind: TurnKind, seconds: number) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

export class Turns {
  readonly #lines = new Map<TurnKind, Line>(TURN_KINDS.map((kind) => [kind, { kind, waiting: [], used: 0 }]));
  readonly #options: TurnsOptions;
  readonly #now: () => number;
  #busy = false;
  /** `used` of the line that has the turn, when it got it. */
  #virtualTime = 0;

  /** `onWaited` and `onEnded` are told of each turn how long it was waited for, and how long it took. */
  constructor(options: TurnsOptions = {}) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** How many wait, of all kinds. */
  get waiting(): number {
    let sum = 0;
    for (const { waiting } of this.#lines.values()) sum += waiting.length;
    return sum;
  }

  /**
   * Resolves when it is the caller's turn, with the function that ends it (calling it again does nothing).
   * Rejects with the signal's reason when it is aborted before.
   */
  async take(kind: TurnKind, signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    const since = this.#now();
    const line = this.#lines.get(kind)!;
    if (line.waiting.length === 0) line.used = Math.max(line.used, this.#virtualTime);
    if (this.#busy) await this.#wait(line, signal);
    else this.#begin(line);
    const began = this.#now();
    this.#options.onWaited?.(kind, (began - since) / 1000);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const took = this.#now() - began;
      this.#options.onEnded?.(kind, took / 1000);
      line.used += Math.min(took, MOST_MS) / (SHARES[kind] ?? 1);
      this.#hand();
    };
  }

  #begin(line: Line): void {
    this.#busy = true;
    this.#virtualTime = line.used;
  }

  #wait(line: Line, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        line.waiting.splice(line.waiting.indexOf(waiting), 1);
        reject(signal!.reason as Error);
      };
      const waiting: Waiting = {
        start: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      line.waiting.push(waiting);
    });
  }

  #hand(): void {
    let next: Line | undefined;
    for (const line of this.#lines.values()) {
      if (line.waiting.length > 0 && (next === undefined || line.used < next.used)) next = line;
    }
    this.#busy = false;
    if (next === undefined) return;
    this.#begin(next);
    next.waiting.shift()!.start();
  }
}
