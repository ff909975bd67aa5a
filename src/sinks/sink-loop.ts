/**
 * One sink at work, by itself: changes come in, batches go out, answers are settled. Whatever its receiver does costs
 * nobody else anything: no transaction is open while it is waited for, and what waits is one row a key.
 *
 * A batch is bound in the database before it is sent and settled after it was answered, so a process that is killed in
 * between sends exactly that batch again, under the same id. While all batches are on their way changes gather and are
 * rolled up: a slow receiver gets few large batches, a fast one many small ones, with nothing to tune.
 */
import { SegError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { backoffMs } from './backoff.ts';
import type { SinkEvent, SinkSummary } from './events.ts';
import { checkGuard, GuardStop } from './guard.ts';
import { takeIn } from './intake.ts';
import { changeState } from './place.ts';
import type { Place, SinkState } from './place.ts';
import { boundBatches, retryRejected, settle, splitBatch, takeBatches, waiting } from './queue.ts';
import type { Refusal } from './queue.ts';
import type { Delivery } from './record.ts';
import { ReceiverError } from './receivers/receiver.ts';
import type { Receiver } from './receivers/receiver.ts';
import { noteRun } from './run-log.ts';
import type { Shape } from './shape.ts';
import type { Sink } from './sink.ts';
import type { Waker } from './waker.ts';

export interface LoopOptions {
  readonly follow: boolean;
  readonly signal: AbortSignal;
  readonly confirm: boolean;
  /** Only what was refused before: nothing is read from the feed. */
  readonly onlyRejected: boolean;
  /** Records that came into the queue before the loop. */
  readonly taken: number;
  readonly runId: string;
  readonly onEvent: (event: SinkEvent) => void;
}

/** What became of a batch. */
type Outcome =
  | { readonly delivery: Delivery; readonly refused: readonly Refusal[] }
  | { readonly delivery: Delivery; readonly split: ReceiverError }
  | { readonly delivery: Delivery; readonly gaveUp: ReceiverError };

const TRIES_ONCE = 6;
/** A receiver is said to fail when it has not answered as it should this often in a row. */
const FAILURES_SHOWN = 3;
/** Requests of one record each that are bound at once, for each that is on its way. */
const BOUND_AHEAD = 16;
const downRetryMs = 30_000;
const heldRetryMs = 30_000;
const rejectedRetryMs = 600_000;
const noteEveryMs = 5_000;
const graceMs = 10_000;
/** The embedded server never vacuums by itself, and a queue leaves a dead row for each record. */
const vacuumEvery = 50_000;

export class SinkLoop {
  readonly #db: Connection;
  readonly #sink: Sink;
  readonly #shape: Shape;
  readonly #receiver: Receiver;
  readonly #options: LoopOptions;
  readonly #waker: Waker;
  readonly #counts = { taken: 0, sent: 0, unchanged: 0, rejected: 0, batches: 0, retries: 0 };
  readonly #sending = new Set<Promise<void>>();
  readonly #outcomes: Outcome[] = [];
  /** Bound batches without a place among those on their way. */
  #bound: Delivery[] = [];
  #place: Place;
  #state: SinkState;
  #failures = 0;
  #gaveUp: ReceiverError | undefined;
  #message: string | null = null;
  #heldUntil = 0;
  #dead = 0;
  #ending = false;
  readonly #stop = new AbortController();

  constructor(
    db: Connection,
    parts: { sink: Sink; shape: Shape; place: Place; receiver: Receiver },
    options: LoopOptions,
    waker: Waker,
  ) {
    this.#db = db;
    this.#sink = parts.sink;
    this.#shape = parts.shape;
    this.#place = parts.place;
    this.#state = parts.place.state;
    this.#receiver = parts.receiver;
    this.#counts.taken = options.taken;
    this.#options = options;
    this.#waker = waker;
  }

  /** @throws what the database throws; a receiver's failures are told by the summary */
  async run(): Promise<SinkSummary> {
    const { signal } = this.#options;
    const wake = (): void => this.#waker.wake();
    signal.addEventListener('abort', wake);
    try {
      this.#bound = await boundBatches(this.#db, this.#sink, this.#place);
      await this.#db.transaction((tx) => retryRejected(tx, this.#sink, this.#place));
      await this.#work();
      const status = this.#endStatus();
      return { sink: this.#sink.name, status, message: this.#message, ...this.#counts };
    } finally {
      signal.removeEventListener('abort', wake);
      this.#stop.abort();
      await Promise.allSettled(this.#sending);
      await this.#receiver.close();
    }
  }

  #endStatus(): SinkSummary['status'] {
    if (this.#state === 'held') return 'held';
    if (this.#gaveUp !== undefined) return 'failing';
    return this.#options.signal.aborted && !this.#options.follow
      ? 'interrupted'
      : this.#state === 'ok'
        ? 'ok'
        : 'failing';
  }

  async #work(): Promise<void> {
    const { follow, signal, onlyRejected } = this.#options;
    let noted = performance.now();
    let retried = performance.now();
    let intakeOpen = !onlyRejected;
    for (;;) {
      const seen = this.#waker.version;
      const step = await this.#step(
        intakeOpen && !signal.aborted,
        !signal.aborted && this.#gaveUp === undefined,
      );
      if (!follow && !step.moreToTake) intakeOpen = false;
      if (this.#dead >= vacuumEvery) await this.#vacuum();
      const now = performance.now();
      if (now - noted > noteEveryMs) {
        noted = now;
        await noteRun(this.#db, this.#sink, this.#options.runId, this.#counts);
      }
      if (follow && now - retried > rejectedRetryMs) {
        retried = now;
        await this.#db.transaction((tx) => retryRejected(tx, this.#sink, this.#place));
      }
      this.#start();
      const idle = this.#sending.size === 0 && this.#bound.length === 0 && this.#outcomes.length === 0;
      if (signal.aborted || this.#gaveUp !== undefined) {
        if (this.#sending.size === 0 && this.#outcomes.length === 0) return;
        if (signal.aborted) this.#grace();
      } else if (!follow && idle && !step.moreToTake && !step.moreToSend && !intakeOpen) return;
      if (this.#outcomes.length > 0) continue;
      const busy = step.moreToTake || (step.moreToSend && this.#free() > 0);
      if (!busy || signal.aborted) await this.#waker.wait(seen, step.holding ? 250 : follow ? 1000 : 60_000);
    }
  }

  /** One transaction: answers settled, changes taken in, batches bound. */
  async #step(
    takes: boolean,
    binds: boolean,
  ): Promise<{ moreToTake: boolean; moreToSend: boolean; holding: boolean }> {
    const outcomes = this.#outcomes.splice(0);
    try {
      return await this.#commit(outcomes, takes && performance.now() >= this.#heldUntil, binds);
    } catch (error) {
      if (!(error instanceof GuardStop)) throw error;
      this.#heldUntil = performance.now() + heldRetryMs;
      await this.#became('held', error.message);
      // The guard keeps changes from coming in; what was on its way is settled all the same.
      return this.#commit(outcomes, false, binds);
    }
  }

  async #commit(
    outcomes: readonly Outcome[],
    takes: boolean,
    binds: boolean,
  ): Promise<{ moreToTake: boolean; moreToSend: boolean; holding: boolean }> {
    const sink = this.#sink;
    let place = this.#place;
    const halves: Delivery[] = [];
    const counts = { ...this.#counts };
    const result = await this.#db.transaction(async (tx) => {
      const answers = outcomes.filter((outcome) => 'refused' in outcome);
      await settle(tx, sink, place, answers);
      for (const { delivery, refused } of answers) {
        counts.sent += delivery.records.length - refused.length;
        counts.rejected += refused.length;
        counts.batches++;
      }
      for (const outcome of outcomes) {
        if ('split' in outcome) halves.push(...(await splitBatch(tx, sink, place, outcome.delivery)));
      }
      let moreToTake = false;
      if (takes) {
        const intake = await takeIn(tx, sink, this.#shape, place);
        if (intake.taken > 0 && !this.#options.confirm) await checkGuard(tx, sink, place, intake.taken);
        counts.taken += intake.taken;
        place = { ...place, position: intake.position };
        moreToTake = intake.more;
      }
      const free = this.#free() - halves.length;
      if (!binds || free <= 0) return { moreToTake, moreToSend: true, holding: false, batches: [] };
      const records = await this.#mayTake(tx, moreToTake);
      if (records === 0) return { moreToTake, moreToSend: false, holding: true, batches: [] };
      const taken = await takeBatches(tx, sink, place, {
        batches: free,
        records,
        wholeLanes: this.#receiver.limits.wholeLanes === true,
      });
      counts.unchanged += taken.unchanged;
      return { moreToTake, moreToSend: taken.more, holding: false, batches: taken.batches };
    });
    this.#place = place;
    Object.assign(this.#counts, counts);
    this.#dead += outcomes.reduce((sum, { delivery }) => sum + delivery.records.length, 0);
    this.#bound.push(...halves, ...result.batches);
    if (takes && this.#state === 'held' && performance.now() >= this.#heldUntil)
      await this.#became('ok', null);
    return result;
  }

  /** How many records a batch may have now; 0 = wait for more to come together. */
  async #mayTake(tx: Connection, moreToTake: boolean): Promise<number> {
    const { hold, records } = this.#receiver.limits;
    if (hold === undefined) return records;
    const now = await waiting(tx, this.#sink, this.#place.id);
    if (now.records === 0) return records;
    const flush = !this.#options.follow && !moreToTake;
    const due = now.records >= hold.records || now.bytes >= hold.bytes || now.age >= hold.seconds;
    if (!flush && !due) return 0;
    return Math.max(
      1,
      Math.min(hold.records, Math.floor((hold.bytes * now.records) / Math.max(1, now.bytes))),
    );
  }

  /**
   * Batches that may be bound. Where each record is a request of its own some are bound ahead, so that a transaction serves
   * many of them.
   */
  #free(): number {
    const { concurrency, records } = this.#receiver.limits;
    const most = records === 1 ? concurrency * BOUND_AHEAD : concurrency;
    const free = most - this.#sending.size - this.#bound.length;
    return records === 1 && free < most / 2 ? 0 : free;
  }

  #start(): void {
    const { signal } = this.#options;
    while (
      this.#bound.length > 0 &&
      this.#sending.size < this.#receiver.limits.concurrency &&
      !signal.aborted &&
      this.#gaveUp === undefined
    ) {
      const delivery = this.#bound.shift()!;
      const sent = this.#deliver(delivery)
        .then((outcome) => void this.#outcomes.push(outcome))
        .finally(() => {
          this.#sending.delete(sent);
          this.#waker.wake();
        });
      this.#sending.add(sent);
    }
  }

  /** Sends a batch until there is an answer, or nobody waits for one any more. */
  async #deliver(delivery: Delivery): Promise<Outcome> {
    const { follow, onEvent } = this.#options;
    const tries = follow ? Infinity : this.#tries();
    for (let attempt = 1; ; attempt++) {
      const started = performance.now();
      try {
        const refused = await this.#receiver.send(delivery, this.#stop.signal);
        await this.#answered();
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
        if (failure.failure === 'refused') {
          await this.#answered();
          if (delivery.records.length > 1) return { delivery, split: failure };
          const refused = [{ record: delivery.records[0]!, reason: failure.message, status: failure.status }];
          this.#tellRefusals(refused);
          return { delivery, refused };
        }
        if (this.#stop.signal.aborted) return { delivery, gaveUp: failure };
        const reason = this.#sink.scrub(failure.message);
        this.#failures++;
        this.#message = reason;
        const lost = !follow && (failure.failure === 'down' || attempt >= tries);
        if (lost || failure.failure === 'down' || this.#failures >= FAILURES_SHOWN)
          await this.#became('failing', reason);
        if (lost) {
          this.#gaveUp = failure;
          return { delivery, gaveUp: failure };
        }
        const delayMs =
          failure.failure === 'down'
            ? downRetryMs * (0.5 + Math.random())
            : backoffMs(attempt, failure.retryAfterMs);
        this.#counts.retries++;
        onEvent({ kind: 'retry', sink: this.#sink.name, reason, attempt, delayMs });
        if (!(await pause(delayMs, this.#stop.signal, this.#options.signal)))
          return { delivery, gaveUp: failure };
        // Another batch has found that nobody answers.
        if (this.#gaveUp !== undefined) return { delivery, gaveUp: failure };
      }
    }
  }

  #tries(): number {
    const written = this.#sink.settings['max_attempts'];
    return typeof written === 'number' ? written : TRIES_ONCE;
  }

  async #answered(): Promise<void> {
    this.#failures = 0;
    if (this.#state === 'failing') {
      this.#message = null;
      await this.#became('ok', null);
    }
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

  async #became(state: SinkState, reason: string | null): Promise<void> {
    this.#message = reason;
    if (state === this.#state) return;
    this.#state = state;
    const before = await changeState(this.#db, this.#sink, this.#place.id, state, reason);
    if (before === undefined) return;
    this.#options.onEvent({ kind: 'state', sink: this.#sink.name, state, before, reason });
  }

  /** What is on its way at the end has a moment to be answered; then it is sent again by the next run. */
  #grace(): void {
    if (this.#ending) return;
    this.#ending = true;
    setTimeout(() => this.#stop.abort(), graceMs).unref();
  }

  async #vacuum(): Promise<void> {
    this.#dead = 0;
    const seg = quoteIdentifier(this.#sink.stateSchema);
    await this.#db.exec(`VACUUM (ANALYZE) ${seg}.sink_queue`);
    await this.#db.exec(`VACUUM ${seg}.sink_record`);
  }
}

/** False when the sink was told to stop meanwhile. */
async function pause(ms: number, ...signals: readonly AbortSignal[]): Promise<boolean> {
  const any = AbortSignal.any([...signals]);
  if (any.aborted) return false;
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(true), ms);
    const stop = (): void => done(false);
    const done = (slept: boolean): void => {
      clearTimeout(timer);
      any.removeEventListener('abort', stop);
      resolve(slept);
    };
    any.addEventListener('abort', stop);
  });
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
