import type { Connection } from '../engines/connection.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { SourceNode } from '../project/nodes.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { BadValue } from './bad-value.ts';
import { BatchSize } from './batch-size.ts';
import { BadRow, BatchWriter } from './batch-writer.ts';
import { inBatches } from './batches.ts';
import { readCsv } from './formats/csv.ts';
import { readNdjson } from './formats/ndjson.ts';
import type { RawRecord } from './formats/raw-record.ts';
import { CsvMapper, JsonMapper, type RecordMapper, type RowValues } from './record-mapper.ts';
import { ModelFailure, isModelError, modelError } from './model-failure.ts';
import { hasEndedOver, isDataError, salvage, type Salvaged } from './salvage.ts';
import { planSource, type SourcePlan } from './source-plan.ts';

/** Every record is counted once, in one of the three. */
export interface IngestSummary {
  accepted: number;
  /** Redelivered keys, dropped. */
  duplicate: number;
  /** Records in the dead-letter table. */
  rejected: number;
  seconds: number;
}

export interface Rejection {
  readonly line: number;
  readonly reason: string;
  readonly payload: string;
  /** The record as it was handed in. */
  readonly record: RawRecord;
}

export interface IngestOptions {
  readonly format: 'json' | 'csv';
  /** Where the records come from, for the dead letters: a file's name, `stdin`. */
  readonly origin: string;
  /** After each batch, of `batch` records. */
  readonly onProgress?: (summary: IngestSummary & { perSecond: number; batch: number }) => void;
  /** For each batch's dead letters, once they are committed. */
  readonly onRejected?: (rejections: readonly Rejection[]) => void;
  /** Ends the ingestion cleanly: what was read is written, nothing more is read. */
  readonly signal?: AbortSignal;
  /** The most records in one transaction (50,000). */
  readonly maxBatch?: number;
  /** Takes the records in another way than into a table of PostgreSQL. */
  readonly door?: RecordDoor;
  /** How long a record of a slow pipe may wait for others (250 ms). */
  readonly batchDelayMs?: number;
}

/**
 * Takes records into a source's table, batch by batch, each batch and its dead letters one transaction. A bad record
 * becomes a dead letter and the rest goes on; so does one on which a model fails, if the source's on_error is `quarantine`.
 * Throws SegError for a source that cannot take records (SEG501-SEG503, SEG505), a broken gzip file (SEG507) and
 * a record on which a model fails (SEG506); batches committed before stay.
 */
export async function ingest(
  db: Connection,
  source: SourceNode,
  input: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
  options: IngestOptions,
): Promise<IngestSummary> {
  const plan = planSource(source);
  const delimiter = source.config['delimiter'];
  const csv = { delimiter: typeof delimiter === 'string' ? delimiter : ',' };
  const mapper = options.format === 'csv' ? new CsvMapper(plan) : new JsonMapper(plan);
  const reader = options.format === 'csv' ? readCsv(input, csv) : readNdjson(input);
  const door = options.door ?? new Door(db, plan, options.origin);
  const size = new BatchSize(options.maxBatch);
  const started = performance.now();
  const summary: IngestSummary = { accepted: 0, duplicate: 0, rejected: 0, seconds: 0 };
  const { signal, batchDelayMs: delayMs = 250 } = options;
  try {
    for await (const records of inBatches(reader, { size, delayMs, signal })) {
      const begun = performance.now();
      const outcome = await door.take(records, mapper);
      size.observe(records.length, (performance.now() - begun) / 1000);
      summary.accepted += outcome.accepted;
      summary.duplicate += outcome.duplicate;
      summary.rejected += outcome.rejections.length;
      summary.seconds = (performance.now() - started) / 1000;
      if (outcome.rejections.length > 0) options.onRejected?.(outcome.rejections);
      const total = summary.accepted + summary.duplicate + summary.rejected;
      const perSecond = total / Math.max(summary.seconds, 1e-6);
      options.onProgress?.({ ...summary, perSecond, batch: records.length });
    }
  } catch (error) {
    throw asUserError(error, options.origin);
  }
  await options.door?.finish?.();
  summary.seconds = (performance.now() - started) / 1000;
  return summary;
}

const knownPlans = new WeakMap<SourceNode, { plan: SourcePlan; mapper: JsonMapper }>();

/**
 * Takes in records that are JavaScript values (scenarios, generators), all in one transaction. `index` counts from 0.
 * Throws as `ingest` does.
 */
export async function ingestRecords(
  db: Connection,
  source: SourceNode,
  records: readonly unknown[],
  origin: string,
  door?: RecordDoor,
): Promise<IngestSummary & { rejections: { index: number; reason: string }[] }> {
  const started = performance.now();
  const raw = records.map((record, i) => ({ line: i + 1, text: jsonText(record) }));
  const { accepted, duplicate, rejections } = await ingestBatch(db, source, raw, origin, door);
  return {
    accepted,
    duplicate,
    rejected: rejections.length,
    seconds: (performance.now() - started) / 1000,
    rejections: rejections.map(({ line, reason }) => ({ index: line - 1, reason })),
  };
}

/**
 * Takes in records that are JSON texts, all in one transaction (the server, which joins the records of several clients).
 * Throws as `ingest` does.
 */
export async function ingestBatch(
  db: Connection,
  source: SourceNode,
  records: readonly RawRecord[],
  origin: string,
  door?: RecordDoor,
): Promise<Taken> {
  let known = knownPlans.get(source);
  if (known === undefined) {
    const plan = planSource(source);
    known = { plan, mapper: new JsonMapper(plan) };
    knownPlans.set(source, known);
  }
  try {
    return await (door ?? new Door(db, known.plan, origin)).take(records, known.mapper);
  } catch (error) {
    throw asUserError(error, origin);
  }
}

/**
 * The same for records that were refused before (`rejected.ts`): those that are refused once more are answered and not
 * written to the dead-letter table, where they are. Run it in the transaction that takes the others from there.
 */
export async function takeAgain(
  tx: Connection,
  plan: SourcePlan,
  records: readonly RawRecord[],
  options: { readonly origin: string; readonly mapper: RecordMapper },
): Promise<Taken> {
  try {
    return await new Door(tx, plan, options.origin, { buries: false }).take(records, options.mapper);
  } catch (error) {
    throw asUserError(error, options.origin);
  }
}

/** What became of a batch of records. */
export interface Taken {
  accepted: number;
  duplicate: number;
  rejections: Rejection[];
}

/** Maps, writes and dead-letters batches, one at a time. */
export interface RecordDoor {
  take(records: readonly RawRecord[], mapper: RecordMapper): Promise<Taken>;
  /** After the last batch. */
  flush?(): Promise<void>;
  /** The same at the end, when nothing more comes. */
  finish?(): Promise<void>;
}

/** Dead letters keep this much of a payload. */
const MAX_PAYLOAD = 1024 * 1024;

/** Into a table of PostgreSQL: a batch and its dead letters are one transaction. */
class Door implements RecordDoor {
  readonly #db: Connection;
  readonly #plan: SourcePlan;
  readonly #origin: string;
  readonly #writer: BatchWriter;
  readonly #buries: boolean;

  /** @param buries whether refused records are written to the dead-letter table */
  constructor(db: Connection, plan: SourcePlan, origin: string, { buries } = { buries: true }) {
    this.#buries = buries;
    this.#db = db;
    this.#plan = plan;
    this.#origin = origin;
    this.#writer = new BatchWriter(plan);
  }

  async take(records: readonly RawRecord[], mapper: RecordMapper): Promise<Taken> {
    try {
      return await this.#takeTogether(records, mapper);
    } catch (error) {
      if (!hasEndedOver(error) || records.length === 0) throw error;
      return this.#takeApart(records, mapper, error);
    }
  }

  /** Halves in transactions of their own, until the record that the server ends over is alone; that one is rejected. */
  async #takeApart(
    records: readonly RawRecord[],
    mapper: RecordMapper,
    failure: DatabaseError,
  ): Promise<Taken> {
    if (records.length === 1) {
      const rejections = [rejection(records[0]!, failure.message)];
      await this.#db.transaction((tx) => this.#bury(tx, rejections));
      return { accepted: 0, duplicate: 0, rejections };
    }
    const middle = records.length >> 1;
    const first = await this.take(records.slice(0, middle), mapper);
    const second = await this.take(records.slice(middle), mapper);
    return {
      accepted: first.accepted + second.accepted,
      duplicate: first.duplicate + second.duplicate,
      rejections: [...first.rejections, ...second.rejections],
    };
  }

  async #takeTogether(records: readonly RawRecord[], mapper: RecordMapper): Promise<Taken> {
    const rows: RowValues[] = [];
    const origins: RawRecord[] = [];
    const misfits: Rejection[] = [];
    for (const raw of records) {
      try {
        const row = mapper.map(raw);
        if (row === null) continue;
        rows.push(row);
        origins.push(raw);
      } catch (error) {
        if (!(error instanceof BadValue)) throw error;
        misfits.push(rejection(raw, error.reason));
      }
    }
    if (rows.length === 0 && misfits.length === 0) return { accepted: 0, duplicate: 0, rejections: [] };
    try {
      return await this.#db.transaction(async (tx) => {
        const outcome =
          rows.length === 0 ? { accepted: 0, duplicate: 0 } : await this.#writer.write(tx, rows);
        await this.#bury(tx, misfits);
        return { ...outcome, rejections: misfits };
      });
    } catch (error) {
      if (!isDataError(error)) throw error;
    }
    return this.#db.transaction(async (tx) => {
      const { accepted, duplicate, refused } = await this.#salvage(tx, rows, origins);
      const late = rows.flatMap((row, i) =>
        refused.has(row) ? [rejection(origins[i]!, refused.get(row)!)] : [],
      );
      const rejections = [...misfits, ...late].sort((a, b) => a.line - b.line);
      await this.#bury(tx, rejections);
      return { accepted, duplicate, rejections };
    });
  }

  async #salvage(
    tx: Connection,
    rows: readonly RowValues[],
    origins: readonly RawRecord[],
  ): Promise<Salvaged> {
    try {
      return await salvage(tx, this.#writer, rows, this.#plan.onError);
    } catch (error) {
      if (!(error instanceof ModelFailure)) throw error;
      throw modelError(error.cause, `${this.#origin}, line ${origins[rows.indexOf(error.row)]!.line}`);
    }
  }

  async #bury(tx: Connection, rejections: readonly Rejection[]): Promise<void> {
    if (rejections.length === 0 || !this.#buries) return;
    const letters = rejections.map(({ line, reason, payload }) => ({ line, reason, payload }));
    await tx.query(
      `insert into ${this.#plan.rejectedTable} (origin, line, reason, payload) ` +
        'select $1, r.line, r.reason, r.payload from rows from (json_to_recordset($2::text::json) ' +
        'as (line bigint, reason text, payload text)) with ordinality as r(line, reason, payload, ordinal) order by r.ordinal',
      [this.#origin, JSON.stringify(letters)],
    );
  }
}

export function rejection(raw: RawRecord, reason: string): Rejection {
  const payload = storable(raw.text.slice(0, MAX_PAYLOAD));
  return { line: raw.line, reason: storable(reason), payload, record: raw };
}

/** Text as PostgreSQL can keep it: NUL becomes its JSON escape, half a surrogate pair the replacement character. */
function storable(text: string): string {
  return text.replaceAll('\0', '\\u0000').replace(/\p{Surrogate}/gu, '\uFFFD');
}

function jsonText(record: unknown): string {
  try {
    return (
      JSON.stringify(record, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)) ??
      'undefined'
    );
  } catch (error) {
    return `not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function asUserError(error: unknown, origin: string): unknown {
  const cause = error instanceof BadRow ? error.cause : error;
  // Not for what a record holds, or it would have been found: a column or function that is gone.
  if (cause instanceof DatabaseError && isModelError(cause)) return modelError(cause);
  if (cause instanceof DatabaseError && (cause.sqlstate === '42P01' || cause.sqlstate === '3F000')) {
    return segError('SEG505', `the source's tables are not there: ${cause.message}`, {
      hint: 'Run "seg run" first; it creates the tables of the sources.',
      exitCode: 1,
      cause,
    });
  }
  if (error instanceof Error && /^Z_/.test((error as NodeJS.ErrnoException).code ?? '')) {
    return segError('SEG507', `"${origin}" begins as a gzip file but cannot be unpacked: ${error.message}`, {
      hint: 'The file is damaged or cut off; records before the damage have been taken in, and a second run drops them as duplicates if the source has a key.',
      exitCode: 1,
      cause: error,
    });
  }
  return cause;
}
