/**
 * Who may use the database next. An embedded database does one thing at a time, so its users wait in line: one line for each kind
 * of use, first come first served, and the lines take turns. So a hundred readers delay the next batch of records by
 * one read, not by a hundred.
 */

/** The kinds of use. `wire`: clients of the Postgres port; `command`: the server's own housekeeping. */
export const TURN_KINDS = ['ingest', 'read', 'feed', 'sink', 'clock', 'wire', 'command'] as const;
export type TurnKind = (typeof TURN_KINDS)[number];

interface Waiting {
  readonly start: () => void;
  readonly since: number;
}

export class Turns {
  readonly #lines = new Map<TurnKind, Waiting[]>(TURN_KINDS.map((kind) => [kind, []]));
  readonly #onWaited: (kind: TurnKind, seconds: number) => void;
  #busy = false;
  /** Where to look first for the next one. */
  #next = 0;

  constructor(onWaited: (kind: TurnKind, seconds: number) => void = () => {}) {
    this.#onWaited = onWaited;
  }

  /** How many wait, of all kinds. */
  get waiting(): number {
    let sum = 0;
    for (const line of this.#lines.values()) sum += line.length;
    return sum;
  }

  /**
   * Resolves when it is the caller's turn, with the function that ends it (calling it again does nothing).
   * Rejects with the signal's reason when it is aborted before.
   */
  async take(kind: TurnKind, signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    const since = performance.now();
    if (this.#busy) await this.#wait(kind, since, signal);
    else this.#busy = true;
    this.#onWaited(kind, (performance.now() - since) / 1000);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#hand();
    };
  }

  #wait(kind: TurnKind, since: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const line = this.#lines.get(kind)!;
      const onAbort = (): void => {
        line.splice(line.indexOf(waiting), 1);
        reject(signal!.reason as Error);
      };
      const waiting: Waiting = {
        since,
        start: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      line.push(waiting);
    });
  }

  #hand(): void {
    for (let step = 0; step < TURN_KINDS.length; step++) {
      const at = (this.#next + step) % TURN_KINDS.length;
      const first = this.#lines.get(TURN_KINDS[at]!)!.shift();
      if (first === undefined) continue;
      this.#next = (at + 1) % TURN_KINDS.length;
      first.start();
      return;
    }
    this.#busy = false;
  }
}
