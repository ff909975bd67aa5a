/**
 * Records from many clients at once, committed together: while one batch is written, what arrives waits, and goes with the
 * next. An answer means that the records are committed.
 */
import { BatchSize } from '../connectors/batch-size.ts';
import { ingestBatch } from '../connectors/ingest.ts';
import type { RecordDoor } from '../connectors/ingest.ts';
import type { RawRecord } from '../connectors/formats/raw-record.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import type { SourceNode } from '../project/nodes.ts';
import type { Metrics } from './metrics.ts';

export interface GateAnswer {
  /** Records that are in the table now, put there by this request or, with the same key, by an earlier one. */
  readonly accepted: number;
  readonly rejected: number;
  /** `index` counts the records of the request from 0. */
  readonly errors: readonly { readonly index: number; readonly reason: string }[];
}

interface Entry {
  readonly records: readonly RawRecord[];
  readonly origin: string;
  readonly resolve: (answer: GateAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** The most records in one transaction, unless a single request brings more: readers and followers wait meanwhile. */
const BATCH_RECORDS = 5_000;
/** And characters of them, unless one record has more. */
const BATCH_CHARACTERS = 1024 * 1024;
/** Others use the same database: a sink's step, on its way to a webhook, waits for one batch at least. */
const PACE = { fast: 0.1, slow: 0.3 };

export class IngestGate {
  readonly source: SourceNode;
  readonly #db: Connection;
  readonly #metrics: Metrics;
  readonly #limit: number;
  readonly #door: RecordDoor | undefined;
  readonly #label: string;
  #queue: Entry[] = [];
  #pending = 0;
  #writing: Promise<void> | undefined;
  readonly #size = new BatchSize(BATCH_RECORDS, PACE);
  #secondsEach = 0.0002;

  /**
   * @param limit records that may wait; more are refused
   * @param door takes the records in another way than into a table of this database
   */
  constructor(db: Connection, source: SourceNode, metrics: Metrics, limit: number, door?: RecordDoor) {
    this.#db = db;
    this.#door = door;
    this.source = source;
    this.#metrics = metrics;
    this.#limit = limit;
    this.#label = `${source.source_name}.${source.name}`;
  }

  get pending(): number {
    return this.#pending;
  }

  /** Whether so many records more would be too many. One request alone is never too many: its size is bounded elsewhere. */
  isFull(more: number): boolean {
    return this.#pending > 0 && this.#pending + more > this.#limit;
  }

  /** Seconds after which it is worth trying again. */
  get retryAfter(): number {
    return Math.max(1, Math.ceil((this.#pending * this.#secondsEach) / 2));
  }

  /**
   * Resolves when the records are committed: together, unless there are too many characters of them; then one part after the other.
   * Rejects with a SegError when a model fails on one of them.
   */
  async submit(records: readonly RawRecord[], origin: string): Promise<GateAnswer> {
    if (charactersOf(records) <= BATCH_CHARACTERS) return this.#submit(records, origin);
    let [accepted, rejected] = [0, 0];
    const errors: GateAnswer['errors'][number][] = [];
    for (let from = 0; from < records.length;) {
      const part = partOf(records, from);
      const answer = await this.#submit(part, origin);
      accepted += answer.accepted;
      rejected += answer.rejected;
      for (const { index, reason } of answer.errors) errors.push({ index: from + index, reason });
      from += part.length;
    }
    return { accepted, rejected, errors };
  }

  #submit(records: readonly RawRecord[], origin: string): Promise<GateAnswer> {
    if (records.length === 0) return Promise.resolve({ accepted: 0, rejected: 0, errors: [] });
    this.#pending += records.length;
    this.#metrics.pending.set({ source: this.#label }, this.#pending);
    return new Promise((resolve, reject) => {
      this.#queue.push({ records, origin, resolve, reject });
      this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    });
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #write(): Promise<void> {
    // Requests that arrive in the same turn of the event loop go together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const entries = this.#next();
      await this.#commit(entries);
      this.#pending -= entries.reduce((sum, { records }) => sum + records.length, 0);
      this.#metrics.pending.set({ source: this.#label }, this.#pending);
    }
  }

  /** The first entries of one origin, as many as fit into a batch. */
  #next(): Entry[] {
    const { origin } = this.#queue[0]!;
    let [count, characters, taken] = [0, 0, 0];
    while (taken < this.#queue.length && this.#queue[taken]!.origin === origin) {
      const { records } = this.#queue[taken]!;
      count += records.length;
      characters += charactersOf(records);
      if (taken > 0 && (count > this.#size.rows || characters > BATCH_CHARACTERS)) break;
      taken++;
    }
    return this.#queue.splice(0, taken);
  }

  async #commit(entries: readonly Entry[]): Promise<void> {
    const records = entries.flatMap((entry) => entry.records);
    const started = performance.now();
    try {
      const taken = await ingestBatch(this.#db, this.source, records, entries[0]!.origin, this.#door);
      await this.#door?.flush?.();
      this.#observe(records.length, (performance.now() - started) / 1000);
      const count = (outcome: string, by: number) =>
        this.#metrics.records.inc({ source: this.#label, outcome }, by);
      count('accepted', taken.accepted);
      count('duplicate', taken.duplicate);
      count('rejected', taken.rejections.length);
      const reasons = new Map(taken.rejections.map(({ record, reason }) => [record, reason]));
      for (const entry of entries) entry.resolve(answerOf(entry.records, reasons));
    } catch (error) {
      // A model that fails on a record fails the batch: the others must not suffer for it.
      if (error instanceof SegError && entries.length > 1)
        for (const entry of entries) await this.#commit([entry]);
      else for (const entry of entries) entry.reject(error);
    }
  }

  #observe(records: number, seconds: number): void {
    const labels = { source: this.#label };
    this.#metrics.batchSeconds.observe(labels, seconds);
    this.#metrics.batchRecords.observe(labels, records);
    this.#secondsEach = 0.8 * this.#secondsEach + 0.2 * (seconds / records);
    this.#size.observe(records, seconds);
  }
}

export function charactersOf(records: readonly RawRecord[]): number {
  return records.reduce((sum, { text }) => sum + text.length, 0);
}

/** The records from one on that go together. */
function partOf(records: readonly RawRecord[], from: number): readonly RawRecord[] {
  let [to, characters] = [from, 0];
  while (to < records.length) {
    characters += records[to]!.text.length;
    if (to > from && characters > BATCH_CHARACTERS) break;
    to++;
  }
  return records.slice(from, to);
}

function answerOf(records: readonly RawRecord[], reasons: ReadonlyMap<RawRecord, string>): GateAnswer {
  const errors = records.flatMap((record, index) => {
    const reason = reasons.get(record);
    return reason === undefined ? [] : [{ index, reason }];
  });
  return { accepted: records.length - errors.length, rejected: errors.length, errors };
}
