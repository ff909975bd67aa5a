/** The queue of a sink: batches are taken from it, sent, and settled by what the receiver has answered. */
import type { JsonValue } from '../changelog/change.ts';
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { outOfDatabase } from '../sql/row-json.ts';
import { messageId } from './record.ts';
import type { Delivery, SinkRecord } from './record.ts';
import type { Place } from './place.ts';
import type { Sink } from './sink.ts';

export interface Limits {
  /** Batches that may be made now. */
  readonly batches: number;
  /** Most records of one. */
  readonly records: number;
  /** Records of one lane stand in one batch, however many. */
  readonly wholeLanes: boolean;
}

interface QueueRow {
  seq: string;
  key: string;
  lane: string;
  row: string | null;
  before: string | null;
  first: string;
  last: string;
  at: string;
  batch: string | null;
  known: string | null;
  now: string | null;
  same: boolean;
}

/** What a record that is deleted at the receiver by setting fields is remembered as. */
export const GONE = 'gone';

const rowColumns = `q.seq::text, q.key, q.lane, q."row"::text AS "row", q.before::text AS before, q.first_position::text AS first,
  q.position::text AS last, to_json(q.at AT TIME ZONE 'UTC') #>> '{}' || 'Z' AS at, q.batch::text AS batch, r.hash AS known,
  md5(q."row"::text) AS now, q."row" IS NOT DISTINCT FROM q.before AS same`;

/**
 * Takes the oldest records that may go out now and binds them to batches; what has come back to what the receiver holds
 * already is dropped and counted. Once a batch is bound it is sent as it is until it is settled. Run it in a transaction.
 */
export async function takeBatches(
  tx: Connection,
  sink: Sink,
  place: Place,
  limits: Limits,
): Promise<{ readonly batches: Delivery[]; readonly unchanged: number; readonly more: boolean }> {
  const seg = quoteIdentifier(sink.stateSchema);
  const most = limits.batches * limits.records;
  let unchanged = 0;
  for (;;) {
    const free = `q.sink = $1 AND q.batch IS NULL AND q.lane NOT IN (
        SELECT f.lane FROM ${seg}.sink_queue AS f WHERE f.sink = $1 AND f.batch IS NOT NULL)`;
    const page = `SELECT q.seq FROM ${seg}.sink_queue AS q WHERE ${free} ORDER BY q.seq LIMIT ${most}`;
    const { rows } = await tx.query<QueueRow>(
      `SELECT ${rowColumns}
       FROM ${seg}.sink_queue AS q
       LEFT JOIN ${seg}.sink_record AS r ON r.sink = q.sink AND md5(r.key) = md5(q.key)
       WHERE ${
         limits.wholeLanes
           ? `q.sink = $1 AND q.batch IS NULL AND q.lane IN (SELECT p.lane FROM ${seg}.sink_queue AS p WHERE p.seq IN (${page}))`
           : `q.seq IN (${page})`
       }
       ORDER BY q.seq`,
      [place.id],
    );
    const send: SinkRecord[] = [];
    const drop: string[] = [];
    for (const row of rows) {
      const record = recordOf(sink, row);
      if (record === undefined) drop.push(row.seq);
      else send.push(record);
    }
    unchanged += drop.length;
    if (drop.length > 0) await removeFromQueue(tx, seg, drop);
    // A page of nothing but unchanged records is not the end of the queue.
    if (send.length === 0 && rows.length >= most) continue;
    const batches = await bind(tx, sink, place, partition(send, limits));
    return { batches, unchanged, more: rows.length >= most };
  }
}

/** Batches that were bound before and not settled: what a process that was killed had on its way. */
export async function boundBatches(db: Connection, sink: Sink, place: Place): Promise<Delivery[]> {
  const seg = quoteIdentifier(sink.stateSchema);
  const { rows } = await db.query<QueueRow>(
    `SELECT ${rowColumns}
     FROM ${seg}.sink_queue AS q LEFT JOIN ${seg}.sink_record AS r ON r.sink = q.sink AND md5(r.key) = md5(q.key)
     WHERE q.sink = $1 AND q.batch IS NOT NULL ORDER BY q.batch, q.seq`,
    [place.id],
  );
  const batches = new Map<string, SinkRecord[]>();
  for (const row of rows) {
    const records = batches.get(row.batch!) ?? [];
    batches.set(row.batch!, records);
    records.push(toRecord(row, opOf(sink, row)));
  }
  return [...batches].map(([number, records]) => ({
    number,
    id: messageId(place.instance, number, records),
    records,
  }));
}

/** undefined when there is nothing to send. */
function recordOf(sink: Sink, row: QueueRow): SinkRecord | undefined {
  const { mode, on_delete: onDelete } = sink.node;
  if (mode === 'changes') return row.same ? undefined : toRecord(row, opOf(sink, row));
  if (row.row === null) {
    const there = row.known !== null && row.known !== GONE;
    return there && onDelete !== 'ignore' ? toRecord(row, 'delete') : undefined;
  }
  if (row.known === row.now) return undefined;
  if (mode === 'insert_only' && row.known !== null && row.known !== GONE) return undefined;
  return toRecord(row, opOf(sink, row));
}

function opOf(sink: Sink, row: QueueRow): SinkRecord['op'] {
  if (row.row === null) return 'delete';
  if (sink.node.mode === 'changes') return row.before === null ? 'insert' : 'update';
  return row.known === null || row.known === GONE ? 'insert' : 'update';
}

function toRecord(row: QueueRow, op: SinkRecord['op']): SinkRecord {
  return {
    seq: row.seq,
    key: outOfDatabase(row.key),
    lane: row.lane,
    op,
    row: outOfDatabase(row.row),
    before: outOfDatabase(row.before),
    at: row.at,
    first: BigInt(row.first),
    last: BigInt(row.last),
  };
}

/** Records of one lane never stand in two batches that are on their way at once. */
function partition(records: readonly SinkRecord[], limits: Limits): SinkRecord[][] {
  if (!limits.wholeLanes) {
    const batches: SinkRecord[][] = [];
    for (let start = 0; start < records.length; start += limits.records) {
      batches.push(records.slice(start, start + limits.records));
    }
    return batches;
  }
  const lanes = new Map<string, SinkRecord[]>();
  for (const record of records) lanes.set(record.lane, [...(lanes.get(record.lane) ?? []), record]);
  const batches: SinkRecord[][] = [];
  for (const lane of [...lanes.values()]) {
    const last = batches.at(-1);
    if (last !== undefined && last.length + lane.length <= limits.records) last.push(...lane);
    else batches.push(lane);
  }
  return batches.slice(0, limits.batches);
}

async function bind(
  tx: Connection,
  sink: Sink,
  place: Place,
  batches: readonly (readonly SinkRecord[])[],
): Promise<Delivery[]> {
  if (batches.length === 0) return [];
  const seg = quoteIdentifier(sink.stateSchema);
  const { rows } = await tx.query<{ last: string }>(
    `UPDATE ${seg}.sink SET last_batch = last_batch + $2 WHERE id = $1 RETURNING last_batch::text AS last`,
    [place.id, batches.length],
  );
  const first = BigInt(rows[0]!.last) - BigInt(batches.length) + 1n;
  const bound = batches.map((records, index): Delivery => {
    const number = (first + BigInt(index)).toString();
    return { number, id: messageId(place.instance, number, records), records };
  });
  await tx.query(
    `UPDATE ${seg}.sink_queue AS q SET batch = b.batch
     FROM jsonb_to_recordset($1::jsonb) AS b (seq bigint, batch bigint) WHERE q.seq = b.seq`,
    [
      JSON.stringify(
        bound.flatMap(({ number, records }) => records.map(({ seq }) => ({ seq, batch: number }))),
      ),
    ],
  );
  return bound;
}

async function removeFromQueue(tx: Connection, seg: string, seqs: readonly string[]): Promise<void> {
  await tx.query(
    `DELETE FROM ${seg}.sink_queue AS q USING jsonb_array_elements_text($1::jsonb) AS s (seq) WHERE q.seq = s.seq::bigint`,
    [JSON.stringify(seqs)],
  );
}

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
    await tx.query(
      `DELETE FROM ${seg}.sink_rejections AS r USING ${seg}.sink_queue AS q, jsonb_to_recordset($1::jsonb) AS s (seq bigint)
       WHERE q.seq = s.seq AND r.sink_id = q.sink AND md5(r.key) = md5(q.key)`,
      [list],
    );
  }
  await park(tx, sink, place, answers);
  await removeFromQueue(tx, seg, all);
}

async function park(tx: Connection, sink: Sink, place: Place, answers: readonly Answered[]): Promise<void> {
  const seg = quoteIdentifier(sink.stateSchema);
  const list: JsonValue[] = answers.flatMap(({ delivery, refused }) =>
    refused.map(({ record, reason, status }) => ({
      seq: record.seq,
      op: record.op,
      // PostgreSQL's text has no NUL.
      reason: sink.scrub(reason).replaceAll('\0', '').slice(0, 2000),
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

/** A batch that was refused as a whole becomes two; each has an id of its own, since nothing of it was accepted. */
export async function splitBatch(
  tx: Connection,
  sink: Sink,
  place: Place,
  delivery: Delivery,
): Promise<Delivery[]> {
  const middle = Math.ceil(delivery.records.length / 2);
  return bind(tx, sink, place, [delivery.records.slice(0, middle), delivery.records.slice(middle)]);
}

/** Puts parked records back into the queue, unless a newer state of their key waits there. Answers how many. */
export async function retryRejected(tx: Connection, sink: Sink, place: Place): Promise<number> {
  const seg = quoteIdentifier(sink.stateSchema);
  const { rowCount } = await tx.query(
    `INSERT INTO ${seg}.sink_queue (sink, key, lane, "row", before, first_position, position, at)
     SELECT r.sink_id, r.key, r.lane, r."row", r.before, r.first_position, r.position, r.at
     FROM ${seg}.sink_rejections AS r
     WHERE r.sink_id = $1
       AND NOT EXISTS (SELECT FROM ${seg}.sink_queue AS q WHERE q.sink = $1 AND q.batch IS NOT NULL AND q.key = r.key)
     ORDER BY r.id
     ON CONFLICT (sink, md5(key)) WHERE batch IS NULL DO NOTHING`,
    [place.id],
  );
  return rowCount;
}

export interface Waiting {
  readonly records: number;
  readonly bytes: number;
  /** Seconds since the oldest was committed. */
  readonly age: number;
}

/** What waits and is on its way. */
export async function waiting(db: Connection, sink: Sink, id: number): Promise<Waiting> {
  const { rows } = await db.query<{ records: number; bytes: number; age: number }>(
    `SELECT count(*)::integer AS records, coalesce(sum(pg_column_size("row")), 0)::float8 AS bytes,
       coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::float8 AS age
     FROM ${quoteIdentifier(sink.stateSchema)}.sink_queue WHERE sink = $1`,
    [id],
  );
  return rows[0]!;
}
