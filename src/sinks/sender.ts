/** Batches on their way to a receiver: so many at once, each tried until there is an answer, or nobody waits for one any more. */
import { SegError } from '../diagnostics/seg-error.ts';
import { backoffMs } from './backoff.ts';
import { pause } from './deadline.ts';
import type { SinkEvent } from './events.ts';
import type { Health } from './health.ts';
import type { Refusal } from './settle.ts';
import type { Delivery } from './record.ts';
import { ReceiverError } from './receivers/receiver.ts';
import type { Receiver } from './receivers/receiver.ts';
import type { Sink } from './sink.ts';

/** What became of a batch. */
export type Outcome =
  | { readonly delivery: Delivery; readonly refused: readonly Refusal[] }
  | { readonly delivery: Delivery; readonly split: ReceiverError }
  | { readonly delivery: Delivery; readonly gaveUp: ReceiverError };

export interface SenderOptions {
  /** Never give up. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: (event: SinkEvent) => void;
  /** Called whenever there is an outcome. */
  readonly onOutcome: () => void;
}

const TRIES_ONCE = 6;
/** Requests of one record each that are bound at once, for each that is on its way. */
const BOUND_AHEAD = 16;
const downRetryMs = 30_000;
const graceMs = 10_000;

export class Sender {
  readonly #sink: Sink;
  readonly #receiver: Receiver;
  readonly #health: Health;
  readonly #options: SenderOptions;
  readonly #sending = new Set<Promise<void>>();
  readonly #outcomes: Outcome[] = [];
  /** Bound batches without a place among those on their way. */
  readonly #bound: Delivery[] = [];
  readonly #stop = new AbortController();
  #ending = false;
  #gaveUp = false;
  #retries = 0;

  constructor(parts: { sink: Sink; receiver: Receiver; health: Health }, options: SenderOptions) {
    this.#sink = parts.sink;
    this.#receiver = parts.receiver;
    this.#health = parts.health;
    this.#options = options;
  }

  /** A run that is to end has found that the receiver does not take anything. */
  get gaveUp(): boolean {
    return this.#gaveUp;
  }

  get retries(): number {
    return this.#retries;
  }

  /** Whether something is on its way. */
  get busy(): boolean {
    return this.#sending.size > 0;
  }

  get hasOutcomes(): boolean {
    return this.#outcomes.length > 0;
  }

  /** Whether there is nothing bound, on its way, or to be settled. */
  get idle(): boolean {
    return this.#sending.size === 0 && this.#bound.length === 0 && this.#outcomes.length === 0;
  }

  /**
   * Batches that may be bound. Where each record is a request of its own some are bound ahead, so that a transaction serves
   * many of them.
   */
  get free(): number {
    const { concurrency, records } = this.#receiver.limits;
    const most = records === 1 ? concurrency * BOUND_AHEAD : concurrency;
    const free = most - this.#sending.size - this.#bound.length;
    return records === 1 && free < most / 2 ? 0 : free;
  }

  /** The outcomes so far, to be settled. */
  takeOutcomes(): Outcome[] {
    return this.#outcomes.splice(0);
  }

  /** Sends batches in this order, as many at once as the receiver takes. */
  send(deliveries: readonly Delivery[]): void {
    this.#bound.push(...deliveries);
    this.#start();
  }

  #start(): void {
    while (
      this.#bound.length > 0 &&
      this.#sending.size < this.#receiver.limits.concurrency &&
      !this.#options.signal.aborted &&
      !this.#gaveUp
    ) {
      const delivery = this.#bound.shift()!;
      const sent = this.#deliver(delivery)
        .then((outcome) => void this.#outcomes.push(outcome))
        .finally(() => {
          this.#sending.delete(sent);
          this.#start();
          this.#options.onOutcome();
        });
      this.#sending.add(sent);
    }
  }

  /** What is on its way at the end has a moment to be answered; then it is sent again by the next run. */
  grace(): void {
    if (this.#ending) return;
    this.#ending = true;
    setTimeout(() => this.#stop.abort(), graceMs).unref();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#sending);
    await this.#receiver.close();
  }

  async #deliver(delivery: Delivery): Promise<Outcome> {
    const { follow, onEvent } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const started = performance.now();
      try {
        const refused = await this.#receiver.send(delivery, this.#stop.signal);
        await this.#health.answered();
        const oldest = Math.min(...delivery.records.map(({ at }) => Date.parse(at)));
        onEvent({
          kind: 'delivered',
          sink: this.#sink.name,
          records: delivery.records.length - refused.length,
          ms: performance.now() - started,
          lagMs: Date.now() - oldest,
        });
        this.#tellRefusals(refused);
        return { delivery, refused };
      } catch (error) {
        const failure = asReceiverError(error);
        if (failure.failure === 'refused') return this.#refused(delivery, failure);
        if (this.#stop.signal.aborted) return { delivery, gaveUp: failure };
        const reason = this.#sink.scrub(failure.message);
        const lost = !follow && (failure.failure === 'down' || attempt >= this.#tries());
        await this.#health.failed(reason, lost || failure.failure === 'down');
        if (lost) {
          this.#gaveUp = true;
          return { delivery, gaveUp: failure };
        }
        const delayMs =
          failure.failure === 'down'
            ? downRetryMs * (0.5 + Math.random())
            : backoffMs(attempt, failure.retryAfterMs);
        this.#retries++;
        onEvent({ kind: 'retry', sink: this.#sink.name, reason, attempt, delayMs });
        const slept = await pause(delayMs, this.#stop.signal, this.#options.signal);
        // Or another batch has found that nobody answers.
        if (!slept || this.#gaveUp) return { delivery, gaveUp: failure };
      }
    }
  }

  async #refused(delivery: Delivery, failure: ReceiverError): Promise<Outcome> {
    await this.#health.answered();
    if (delivery.records.length > 1) return { delivery, split: failure };
    const refused = [{ record: delivery.records[0]!, reason: failure.message, status: failure.status }];
    this.#tellRefusals(refused);
    return { delivery, refused };
  }

  #tries(): number {
    const written = this.#sink.settings['max_attempts'];
    return typeof written === 'number' ? written : TRIES_ONCE;
  }

  #tellRefusals(refused: readonly Refusal[]): void {
    for (const { record, reason } of refused) {
      this.#options.onEvent({
        kind: 'rejected',
        sink: this.#sink.name,
        key: record.key,
        reason: this.#sink.scrub(reason),
      });
    }
  }
}

/**
 * A template that cannot be rendered is about the record it was rendered for. A defect of a receiver's code must not be
 * retried silently for ever, nor stop the other sinks: it is a failure like others.
 */
function asReceiverError(error: unknown): ReceiverError {
  if (error instanceof ReceiverError) return error;
  if (error instanceof SegError) return new ReceiverError('refused', error.message, { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new ReceiverError('down', message, { cause: error });
}
