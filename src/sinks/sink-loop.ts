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
import { quoteRelation } from '../sql/quote.ts';
import { pause } from './deadline.ts';
import type { SinkEvent, SinkSummary } from './events.ts';
import { GuardStop } from './guard.ts';
import { Health } from './health.ts';
import type { News } from './news.ts';
import type { Place } from './place.ts';
import type { Delivery } from './record.ts';
import { PAGE } from './intake.ts';
import { boundBatches, retryRejected } from './queue.ts';
import type { Receiver } from './receivers/receiver.ts';
import { noteRun } from './run-log.ts';
import { Sender } from './sender.ts';
import type { Outcome } from './sender.ts';
import { unsettled } from './settle.ts';
import type { Answered } from './settle.ts';
import type { Shape } from './shape.ts';
import type { Sink } from './sink.ts';
import { StepSize } from './step-size.ts';
import { takeStep } from './step.ts';
import type { OpenBatch, StepResult } from './step.ts';
import type { Waker } from './waker.ts';

export interface LoopOptions {
  readonly follow: boolean;
  readonly signal: AbortSignal;
  readonly confirm: boolean;
  /** Only what was refused before: nothing is read from the feed. */
  readonly onlyRejected: boolean;
  /** Others wait for the database as long as a step takes. */
  readonly isShared: boolean;
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
/** Where much waits nothing comes together, and who reads comes in between. */
const REST_BEHIND = 0.5;
const longestRestMs = 200;
/** After a receiver's batch was found not to be large enough, that many times as long as it took. */
const HOLD_REST = 20;
/** The embedded server never vacuums by itself, and a queue leaves a dead row for each record. */
const vacuumEvery = 10_000;

export class SinkLoop {
  readonly #db: Connection;
  readonly #sink: Sink;
  readonly #shape: Shape;
  readonly #receiver: Receiver;
  readonly #options: LoopOptions;
  readonly #health: Health;
  readonly #sender: Sender;
  readonly #counts = { taken: 0, sent: 0, unchanged: 0, rejected: 0, batches: 0, retries: 0 };
  readonly #size: StepSize;
  /** Numbers of the batches that were bound and not settled. */
  readonly #bound = new Set<string>();
  #place: Place;
  #left: readonly Answered[] = [];
  #open: OpenBatch | null = null;
  #isNews = true;
  #intakeOpen = false;
  /** The last step has taken changes in. */
  #took = false;
  /** The last step had no room to bind records: the next one takes none in. */
  #full = false;
  #heldUntil = 0;
  #holdsUntil = 0;
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
    this.#size = new StepSize(PAGE, options.isShared);
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
      this.#left = await unsettled(this.#db, this.#sink, this.#place);
      this.#send(await boundBatches(this.#db, this.#sink, this.#place));
      for (const { delivery } of this.#left) this.#bound.add(delivery.number);
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
    this.#intakeOpen = !onlyRejected;
    let last = { moreToSend: true, holding: false };
    const hasAnswers = (): boolean => sender.hasOutcomes || this.#left.length > 0;
    for (;;) {
      const seen = waker.version;
      const started = performance.now();
      const due = started - looked >= lookEveryMs;
      // Rows that lie where they are until they are wanted are not heaped up in the queue.
      const wants = this.#takesChanges() || !last.moreToSend || last.holding;
      const takes =
        this.#intakeOpen && !signal.aborted && !this.#full && ((wants && (this.#isNews || !follow)) || due);
      const mayBind = (last.holding && started >= this.#holdsUntil) || (last.moreToSend && sender.free > 0);
      if (takes || due || mayBind || hasAnswers()) {
        if (takes || due) looked = started;
        last = await this.#step(takes);
        if (!follow && ((this.#took && !this.#isNews) || this.#isHeld())) this.#intakeOpen = false;
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
      if (ends && !sender.busy && !hasAnswers()) return;
      if (signal.aborted) sender.grace();
      if (!ends && !follow && sender.idle && !this.#intakeOpen && !last.moreToSend) return;
      const rest = this.#place.scan !== null || this.#full ? REST_BEHIND : REST;
      if (follow && !ends) await pause(Math.min(rest * took, longestRestMs), signal);
      if (hasAnswers()) continue;
      const hungry = this.#takesChanges() || !last.moreToSend || last.holding;
      const busy =
        (this.#intakeOpen && hungry && this.#isNews && !this.#isHeld()) ||
        (last.moreToSend && sender.free > 0);
      if (!busy || ends) await waker.wait(seen, last.holding ? 250 : follow ? lookEveryMs : 60_000);
    }
  }

  /** Changes are taken when they come, since the feed may be cut. */
  #takesChanges(): boolean {
    return this.#place.scan === null && this.#shape.position === null;
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
    const before = this.#left;
    const started = performance.now();
    const holds = started < this.#holdsUntil;
    const binds = !signal.aborted && !this.#sender.gaveUp && !holds;
    const result = await takeStep(this.#db, {
      sink: this.#sink,
      shape: this.#shape,
      place: this.#place,
      limits: this.#receiver.limits,
      left: this.#left,
      outcomes,
      open: this.#open,
      since: first(this.#bound),
      takes,
      most: this.#size.rows,
      confirm,
      free: binds ? this.#sender.free : 0,
      flush: !follow,
      moreToTake: this.#intakeOpen && this.#isNews,
    });
    const took = performance.now() - started;
    this.#size.observe(result.rows, took);
    if (result.holding) this.#holdsUntil = performance.now() + (follow ? HOLD_REST * took : 0);
    this.#place = result.place;
    this.#left = result.left;
    this.#open = result.open;
    this.#took = result.took;
    this.#full = result.full;
    if (result.moreToTake) this.#isNews = true;
    for (const [name, count] of Object.entries(result.counts))
      this.#counts[name as keyof StepResult['counts']] += count;
    this.#dead += outcomes.reduce((sum, { delivery }) => sum + delivery.records.length, 0);
    this.#forget([...before, ...outcomes]);
    this.#send(result.batches);
    if (result.open !== null) this.#bound.add(result.open.number);
    if (takes && this.#health.state === 'held') await this.#health.became('ok', null);
    return holds ? { ...result, moreToSend: false, holding: true } : result;
  }

  #send(batches: readonly Delivery[]): void {
    for (const { number } of batches) this.#bound.add(number);
    this.#sender.send(batches);
  }

  /** What was settled, or has become other batches. */
  #forget(answers: readonly (Answered | Outcome)[]): void {
    for (const answer of answers) if (!('gaveUp' in answer)) this.#bound.delete(answer.delivery.number);
    for (const { delivery } of this.#left) this.#bound.add(delivery.number);
  }

  /** The queue is short. What a receiver holds may be much: new rows are no reason to go through all of it. */
  async #vacuum(): Promise<void> {
    this.#dead = 0;
    await this.#db.exec(`VACUUM (ANALYZE) ${this.#table('sink_queue')}`);
    const { rows } = await this.#db.query(
      `SELECT FROM pg_catalog.pg_stat_user_tables WHERE relid = to_regclass($1) AND n_dead_tup > n_live_tup / 5`,
      [this.#table('sink_record')],
    );
    if (rows.length > 0) await this.#db.exec(`VACUUM (ANALYZE) ${this.#table('sink_record')}`);
  }

  #table(name: string): string {
    return quoteRelation({ schema: this.#sink.stateSchema, name });
  }
}

/** The least of some numbers; null when there is none. */
function first(numbers: ReadonlySet<string>): string | null {
  let least: bigint | null = null;
  for (const number of numbers) if (least === null || BigInt(number) < least) least = BigInt(number);
  return least?.toString() ?? null;
}
