import type { Connection } from '../engines/connection.ts';
import type { SinkEvent } from './events.ts';
import { changeState } from './place.ts';
import type { Place, SinkState } from './place.ts';
import type { Sink } from './sink.ts';

/** A receiver is said to fail when it has not answered as it should this often in a row. */
const FAILURES_SHOWN = 3;

/** How a running sink is: each change is written down and told once, not once for each attempt. */
export class Health {
  readonly #db: Connection;
  readonly #sink: Sink;
  readonly #id: number;
  readonly #onEvent: (event: SinkEvent) => void;
  #state: SinkState;
  #message: string | null = null;
  #failures = 0;

  constructor(
    db: Connection,
    sink: Sink,
    place: Pick<Place, 'id' | 'state'>,
    onEvent: (event: SinkEvent) => void,
  ) {
    this.#db = db;
    this.#sink = sink;
    this.#id = place.id;
    this.#state = place.state;
    this.#onEvent = onEvent;
  }

  get state(): SinkState {
    return this.#state;
  }

  /** Why it is as it is; null when it is well. */
  get message(): string | null {
    return this.#message;
  }

  async became(state: SinkState, reason: string | null): Promise<void> {
    this.#message = reason;
    if (state === this.#state) return;
    this.#state = state;
    const before = await changeState(this.#db, this.#sink, this.#id, state, reason);
    if (before === undefined) return;
    this.#onEvent({ kind: 'state', sink: this.#sink.name, state, before, reason });
  }

  /** The receiver has answered as it should. */
  async answered(): Promise<void> {
    this.#failures = 0;
    if (this.#state !== 'failing') return;
    this.#message = null;
    await this.became('ok', null);
  }

  /** It has not. @param certain whether that is said at once, and not after some more of them */
  async failed(reason: string, certain: boolean): Promise<void> {
    this.#failures++;
    this.#message = reason;
    if (certain || this.#failures >= FAILURES_SHOWN) await this.became('failing', reason);
  }
}
