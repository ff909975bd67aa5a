import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../engines/connection.ts';
import type { SourceNode } from '../project/nodes.ts';
import { BatchSize } from './batch-size.ts';
import { ingestRecords, type IngestSummary, type RecordDoor } from './ingest.ts';

export interface GenerateIntoOptions {
  /** Records a second; as fast as the engine takes them when left out. */
  readonly rate?: number;
  /** At a steady rate, how often a batch is written (200 ms). */
  readonly batchMs?: number;
  readonly signal?: AbortSignal;
  /** Takes the records in another way than into a table of PostgreSQL. */
  readonly door?: RecordDoor;
  /** After each batch, of `batch` records. `behind` is how many records the engine is short of the rate. */
  readonly onProgress?: (
    summary: IngestSummary & { perSecond: number; batch: number; behind: number },
  ) => void;
}

/**
 * Takes a generator's records into a source. At a steady rate each batch is what has become due; an engine that cannot
 * keep up gets larger batches (never more than one second's worth of records or the adaptive size, whichever is
 * more), and what it is behind is reported, not dropped.
 * Ends when the generator does, or after the current batch on an abort. Throws as `ingestRecords` does.
 */
export async function generateInto(
  db: Connection,
  source: SourceNode,
  records: Iterator<unknown>,
  options: GenerateIntoOptions = {},
): Promise<IngestSummary> {
  const { rate, signal, batchMs = 200 } = options;
  const size = new BatchSize();
  const started = performance.now();
  const summary: IngestSummary = { accepted: 0, duplicate: 0, rejected: 0, seconds: 0 };
  let written = 0;
  let done = false;
  for (let tick = 1; !done && signal?.aborted !== true; tick++) {
    const elapsed = (performance.now() - started) / 1000;
    const due = rate === undefined ? Infinity : Math.ceil(elapsed * rate) - written;
    const most = rate === undefined ? size.rows : Math.max(size.rows, Math.ceil(rate));
    const batch: unknown[] = [];
    while (batch.length < Math.min(due, most)) {
      const next = records.next();
      if (next.done === true) {
        done = true;
        break;
      }
      batch.push(next.value);
    }
    if (batch.length > 0) {
      const outcome = await ingestRecords(db, source, batch, 'generate', options.door);
      written += batch.length;
      size.observe(batch.length, outcome.seconds);
      summary.accepted += outcome.accepted;
      summary.duplicate += outcome.duplicate;
      summary.rejected += outcome.rejected;
      summary.seconds = (performance.now() - started) / 1000;
      const behind = rate === undefined ? 0 : Math.max(0, Math.floor(summary.seconds * rate) - written);
      const perSecond = written / Math.max(summary.seconds, 1e-6);
      options.onProgress?.({ ...summary, perSecond, batch: batch.length, behind });
    }
    if (rate !== undefined && !done) {
      // Batches are due at fixed moments, so that the time one takes does not add up.
      const wait = started + tick * batchMs - performance.now();
      if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => {});
      else tick = Math.floor((performance.now() - started) / batchMs);
    }
  }
  await options.door?.finish?.();
  summary.seconds = (performance.now() - started) / 1000;
  return summary;
}
