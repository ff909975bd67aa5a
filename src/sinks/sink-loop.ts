/**
 * One sink at work, by itself: changes come in, batches go out, answers are settled. Whatever its receiver does costs
 * nobody else anything: no transaction is open while it is waited for, and what waits is one row a key.
 *
 * A batch is bound in the database before it is sent and settled after it was answered, so a process that is killed in
 * between sends exactly that batch again, under the same id. While all batches are on their way changes gather and are
 * rolled up: a slow receiver gets few large batches, a fast one many small ones, with nothing to tune. The same goes for a
 * busy database: the longer a step has taken there, the more comes together before the next.
 */
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { pause } from './deadline.ts';
import type { SinkEvent, SinkSummary } from './events.ts';
import { GuardStop } from './guard.ts';
import { Health } from './health.ts';
import type { News } from './news.ts';
import type { Place } from './place.ts';
import { boundBatches, retryRejected } from './queue.ts';
import type { Receiver } from './receivers/receiver.ts';
import { noteRun } from './run-log.ts';
import { Sender } from './sender.ts';
import type { Outcome } from './sender.ts';
import type { Shape } from './shape.ts';
import type { Sink } from './sink.ts';
import { takeStep } from './step.ts';
import type { StepResult } from './step.ts';
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
  readonly waker: Waker;
  /** Says when there is something to take in; without it each look is a look. */
  readonly news: News;
}

const heldRetryMs = 30_000;
const rejectedRetryMs = 600_000;
const noteEveryMs = 5_000;
/** Whatever the news say, a sink that follows looks that often by itself. */
const lookEveryMs = 1_000;
/** The database is left alone for so many times as long as a step took. */
const REST = 2;
const longestRestMs = 200;
/** The embedded server never vacuums by itself, and a queue leaves a dead row for each record. */
const vacuumEvery = 50_000;

export class SinkLoop {
  readonly #db: Connection;
  readonly #sink: Sink;
  readonly #shape: Shape;
  readonly #receiver: Receiver;
  readonly #options: LoopOptions;
  readonly #health: Health;
  readonly #sender: Sender;
  readonly #counts = { taken: 0, sent: 0, unchanged: 0, rejected: 0, batches: 0, retries: 0 };
  #place: Place;
  #isNews = true;
  #heldUntil = 0;
  #dead = 0;

  constructor(
    db: Connection,
    parts: { sink: Sink; shape: Shape; place: Place; receiver: Receiver },
    options: LoopOptions,
  ) {
    this.#db = db;
    this.#sink = parts.sink;
    this.#shape = parts.shape;
    this.#place = parts.place;
    this.#receiver = parts.receiver;
    this.#counts.taken = options.taken;
    this.#options = options;
    const { follow, signal, onEvent, waker } = options;
    this.#health = new Health(db, parts.sink, parts.place, onEvent);
    const { receiver, sink } = parts;
    const onOutcome = (): void => waker.wake();
    this.#sender = new Sender(
      { receiver, sink, health: this.#health },
      { follow, signal, onEvent, onOutcome },
    );
  }

  /** @throws what the database throws; a receiver's failures are told by the summary */
  async run(): Promise<SinkSummary> {
    const { signal, waker, news } = this.#options;
    const wake = (): void => waker.wake();
    signal.addEventListener('abort', wake);
    const deaf = news.for({
      shape: this.#shape,
      position: () => this.#place.position,
      tell: () => {
        this.#isNews = true;
        waker.wake();
      },
    });
    try {
      this.#sender.send(await boundBatches(this.#db, this.#sink, this.#place));
      await this.#db.transaction((tx) => retryRejected(tx, this.#sink, this.#place));
      await this.#work();
      const status = this.#endStatus();
      return { sink: this.#sink.name, status, message: this.#health.message, ...this.#tally() };
    } finally {
      deaf();
      signal.removeEventListener('abort', wake);
      await this.#sender.close();
    }
  }

  #tally() {
    return { ...this.#counts, retries: this.#sender.retries };
  }

  #endStatus(): SinkSummary['status'] {
    const { state } = this.#health;
    if (state === 'held') return 'held';
    if (this.#sender.gaveUp) return 'failing';
    const { signal, follow } = this.#options;
    return signal.aborted && !follow ? 'interrupted' : state === 'ok' ? 'ok' : 'failing';
  }

  async #work(): Promise<void> {
    const { follow, signal, onlyRejected, waker } = this.#options;
    const sender = this.#sender;
    let [noted, retried, looked] = [performance.now(), performance.now(), 0];
    let intakeOpen = !onlyRejected;
    let last = { moreToSend: true, holding: false };
    for (;;) {
      const seen = waker.version;
      const started = performance.now();
      const due = started - looked >= lookEveryMs;
      const takes = intakeOpen && !signal.aborted && (this.#isNews || due || !follow);
      const mayBind = last.holding || (last.moreToSend && sender.free > 0);
      if (takes || due || mayBind || sender.hasOutcomes) {
        if (takes || due) looked = started;
        last = await this.#step(takes);
        if (!follow && (!this.#isNews || this.#isHeld())) intakeOpen = false;
      }
      const took = performance.now() - started;
      if (this.#dead >= vacuumEvery) await this.#vacuum();
      if (started - noted > noteEveryMs) {
        noted = started;
        await noteRun(this.#db, this.#sink, this.#options.runId, this.#tally());
      }
      if (follow && started - retried > rejectedRetryMs) {
        retried = started;
        await this.#db.transaction((tx) => retryRejected(tx, this.#sink, this.#place));
        last = { ...last, moreToSend: true };
      }
      const ends = signal.aborted || sender.gaveUp;
      if (ends && !sender.busy && !sender.hasOutcomes) return;
      if (signal.aborted) sender.grace();
      if (!ends && !follow && sender.idle && !intakeOpen && !last.moreToSend) return;
      if (follow && !ends) await pause(Math.min(REST * took, longestRestMs), signal);
      if (sender.hasOutcomes) continue;
      const busy = (intakeOpen && this.#isNews && !this.#isHeld()) || (last.moreToSend && sender.free > 0);
      if (!busy || ends) await waker.wait(seen, last.holding ? 250 : follow ? lookEveryMs : 60_000);
    }
  }

  /** One transaction: answers settled, changes taken in, batches bound; then they are sent. */
  async #step(wanted: boolean): Promise<{ moreToSend: boolean; holding: boolean }> {
    const outcomes = this.#sender.takeOutcomes();
    const takes = wanted && !this.#isHeld();
    // What is told from here on may be more than this step sees.
    if (takes) this.#isNews = false;
    try {
      return await this.#commit(outcomes, takes);
    } catch (error) {
      if (takes) this.#isNews = true;
      if (!(error instanceof GuardStop)) throw error;
      this.#heldUntil = performance.now() + heldRetryMs;
      await this.#health.became('held', error.message);
      // The guard keeps changes from coming in; what was on its way is settled all the same.
      return this.#commit(outcomes, false);
    }
  }

  #isHeld(): boolean {
    return performance.now() < this.#heldUntil;
  }

  async #commit(outcomes: readonly Outcome[], takes: boolean): Promise<StepResult> {
    const { signal, confirm, follow } = this.#options;
    const binds = !signal.aborted && !this.#sender.gaveUp;
    const result = await takeStep(this.#db, {
      sink: this.#sink,
      shape: this.#shape,
      place: this.#place,
      limits: this.#receiver.limits,
      outcomes,
      takes,
      confirm,
      free: binds ? this.#sender.free : 0,
      flush: !follow,
    });
    this.#place = result.place;
    if (result.moreToTake) this.#isNews = true;
    for (const [name, count] of Object.entries(result.counts))
      this.#counts[name as keyof StepResult['counts']] += count;
    this.#dead += outcomes.reduce((sum, { delivery }) => sum + delivery.records.length, 0);
    this.#sender.send(result.batches);
    if (takes && this.#health.state === 'held') await this.#health.became('ok', null);
    return result;
  }

  async #vacuum(): Promise<void> {
    this.#dead = 0;
    const seg = quoteIdentifier(this.#sink.stateSchema);
    await this.#db.exec(`VACUUM (ANALYZE) ${seg}.sink_queue`);
    await this.#db.exec(`VACUUM ${seg}.sink_record`);
  }
}
