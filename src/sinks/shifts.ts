/**
 * Who runs a sink at the moment, in one process: the follower that always does, or somebody who wants it run in another way for once
 * (`seg sync NAME --confirm` while a server follows). Nobody runs a sink beside another: what is on its way would be sent twice.
 */
interface Shift {
  /** Tells the follower to end; absent while it does not run. */
  following: AbortController | undefined;
  /** Resolves when who runs it now has ended. */
  ended: Promise<void>;
}

export class Shifts {
  readonly #shifts = new Map<string, Shift>();

  /** One run of the follower: waits until nobody else runs the sink; `run` is told by its signal to make room. */
  async follow<T>(sink: string, signal: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const shift = this.#of(sink);
    const own = new AbortController();
    const stop = (): void => own.abort();
    return this.#next(shift, async () => {
      shift.following = own;
      signal.addEventListener('abort', stop);
      if (signal.aborted) stop();
      try {
        return await run(own.signal);
      } finally {
        signal.removeEventListener('abort', stop);
        shift.following = undefined;
      }
    });
  }

  /** Runs some sinks in another way; the follower goes on afterwards. */
  async instead<T>(sinks: readonly string[], run: () => Promise<T>): Promise<T> {
    const [first, ...others] = sinks;
    if (first === undefined) return run();
    const shift = this.#of(first);
    shift.following?.abort();
    return this.#next(shift, () => this.instead(others, run));
  }

  #of(sink: string): Shift {
    let shift = this.#shifts.get(sink);
    if (shift === undefined) {
      shift = { following: undefined, ended: Promise.resolve() };
      this.#shifts.set(sink, shift);
    }
    return shift;
  }

  /** In the order in which they came. */
  #next<T>(shift: Shift, run: () => Promise<T>): Promise<T> {
    const result = shift.ended.then(run);
    shift.ended = result.then(
      () => {},
      () => {},
    );
    return result;
  }
}
