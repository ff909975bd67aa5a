/** What a receiver has answered is settled: records leave the queue, and are remembered or parked. */
import type { JsonValue } from '../changelog/change.ts';
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import type { Place } from './place.ts';
import { GONE } from './queue.ts';
import type { Delivery, SinkRecord } from './record.ts';
import type { Sink } from './sink.ts';

export interface Refusal {
  readonly record: SinkRecord;
  readonly reason: string;
  readonly status: number | null;
}

/** What a receiver has said of a batch. */
export interface Answered {
  readonly delivery: Delivery;
  readonly refused: readonly Refusal[];
}

export interface Settled {
  readonly records: number;
  readonly rejected: number;
  readonly batches: number;
  readonly left: readonly Answered[];
}

/** Settles at most so many records, but one batch at least, and each as a whole. Run it in a transaction. */
export async function settleSome(
  tx: Connection,
  sink: Sink,
  place: Place,
  answers: readonly Answered[],
  most: number,
): Promise<Settled> {
  let [records, batches] = [0, 0];
  for (const { delivery } of answers) {
    if (batches > 0 && records + delivery.records.length > most) break;
    records += delivery.records.length;
    batches++;
  }
  const now = answers.slice(0, batches);
  await settle(tx, sink, place, now);
  const rejected = now.reduce((sum, { refused }) => sum + refused.length, 0);
  return { records, rejected, batches, left: answers.slice(batches) };
}

/** PostgreSQL's text has no NUL, and its jsonb no half of a surrogate pair. */
function storable(text: string): string {
  return text.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '\uFFFD');
}

/**
 * Settles batches: their records are taken out of the queue, those that were accepted are remembered as held by the
 * receiver, those that were refused are parked with the reason. Run it in a transaction.
 */
export async function settle(
  tx: Connection,
  sink: Sink,
  place: Place,
  answers: readonly Answered[],
): Promise<void> {
  if (answers.length === 0) return;
  const seg = quoteIdentifier(sink.stateSchema);
  const bad = new Set(answers.flatMap(({ refused }) => refused.map(({ record }) => record.seq)));
  const all = answers.flatMap(({ delivery }) => delivery.records.map(({ seq }) => seq));
  const accepted = all.filter((seq) => !bad.has(seq));
  if (accepted.length > 0) {
    const list = JSON.stringify(accepted.map((seq) => ({ seq })));
    if (sink.node.mode !== 'changes') {
      const marks = typeof sink.node.on_delete === 'object';
      // The hash is made of the text PostgreSQL prints, so it is made here and not from what was sent.
      await tx.query(
        `INSERT INTO ${seg}.sink_record AS r (sink, key, hash, sent_at)
         SELECT q.sink, q.key, coalesce(md5(q."row"::text), '${GONE}'), clock_timestamp()
         FROM ${seg}.sink_queue AS q JOIN jsonb_to_recordset($1::jsonb) AS s (seq bigint) ON q.seq = s.seq
         WHERE q."row" IS NOT NULL OR ${marks}
         ON CONFLICT (sink, md5(key)) DO UPDATE SET hash = excluded.hash, sent_at = excluded.sent_at`,
        [list],
      );
      if (!marks) {
        await tx.query(
          `DELETE FROM ${seg}.sink_record AS r USING ${seg}.sink_queue AS q, jsonb_to_recordset($1::jsonb) AS s (seq bigint)
           WHERE q.seq = s.seq AND q."row" IS NULL AND r.sink = q.sink AND md5(r.key) = md5(q.key)`,
          [list],
        );
      }
    }
  }
  await park(tx, sink, place, answers);
  await tx.query(
    `WITH gone AS (
       DELETE FROM ${seg}.sink_queue AS q USING jsonb_to_recordset($1::jsonb) AS s (seq bigint, bad boolean)
       WHERE q.seq = s.seq RETURNING q.sink, q.key, s.bad)
     DELETE FROM ${seg}.sink_rejections AS r USING gone AS g
     WHERE NOT g.bad AND r.sink_id = g.sink AND md5(r.key) = md5(g.key)`,
    [JSON.stringify(all.map((seq) => ({ seq, bad: bad.has(seq) })))],
  );
}

async function park(tx: Connection, sink: Sink, place: Place, answers: readonly Answered[]): Promise<void> {
  const seg = quoteIdentifier(sink.stateSchema);
  const list: JsonValue[] = answers.flatMap(({ delivery, refused }) =>
    refused.map(({ record, reason, status }) => ({
      seq: record.seq,
      op: record.op,
      reason: storable(sink.scrub(reason)).slice(0, 2000),
      status,
      id: delivery.id,
    })),
  );
  if (list.length === 0) return;
  await tx.query(
    `INSERT INTO ${seg}.sink_rejections AS r
       (sink, key, op, reason, status, "row", before, message_id, sink_id, lane, first_position, position, at)
     SELECT $2, q.key, s.op, s.reason, s.status, q."row", q.before, s.id, $3, q.lane, q.first_position, q.position, q.at
     FROM ${seg}.sink_queue AS q JOIN jsonb_to_recordset($1::jsonb) AS s (seq bigint, op text, reason text, status integer, id text)
       ON q.seq = s.seq
     ON CONFLICT (sink_id, md5(key)) DO UPDATE SET
       op = excluded.op, reason = excluded.reason, status = excluded.status, "row" = excluded."row", before = excluded.before,
       message_id = excluded.message_id, attempts = r.attempts + 1, last_attempt_at = clock_timestamp(),
       position = excluded.position, at = excluded.at`,
    [JSON.stringify(list), sink.name, place.id],
  );
}
