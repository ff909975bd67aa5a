/** The queue of a sink: batches are taken from it to be sent; settle.ts takes out what was answered. */
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
  /** The number of a batch that these records join; a new one without. */
  readonly into?: string;
  /**
   * No batch before this number is on its way, null: none is. An index holds the records of those before until it is vacuumed, and they
   * would be gone through each time. Not known without.
   */
  readonly since?: string | null;
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
  const { since } = limits;
  const sent = `SELECT f.lane FROM ${seg}.sink_queue AS f
    WHERE f.sink = $1 AND f.batch IS NOT NULL${since === undefined ? '' : ` AND f.batch >= ${since}::bigint`}`;
  const free = `q.sink = $1 AND q.batch IS NULL${since === null ? '' : ` AND q.lane NOT IN (${sent})`}`;
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
  if (drop.length > 0) await removeFromQueue(tx, sink, drop);
  const batches = await bind(tx, sink, place, partition(send, limits), limits.into);
  // A page of nothing but unchanged records is not the end of the queue.
  return { batches, unchanged: drop.length, more: rows.length >= most };
}

/** Rows that are read at once. */
const READ = 1000;

/** Batches that were bound before and not answered: what a process that was killed had on its way. */
export async function boundBatches(db: Connection, sink: Sink, place: Place): Promise<Delivery[]> {
  const seg = quoteIdentifier(sink.stateSchema);
  const answered = `q.batch IN (SELECT s.batch FROM ${seg}.sink_settling AS s WHERE s.sink = $1)`;
  const batches = await readBound(db, sink, place, `NOT ${answered}`);
  return [...batches].map(([number, records]) => ({
    number,
    id: messageId(place.instance, number, records),
    records,
  }));
}

/** The records of batches on their way, by number. @param condition SQL over the queue `q` of sink $1 */
export async function readBound(
  db: Connection,
  sink: Sink,
  place: Place,
  condition: string,
): Promise<ReadonlyMap<string, SinkRecord[]>> {
  const seg = quoteIdentifier(sink.stateSchema);
  const batches = new Map<string, SinkRecord[]>();
  for (let last: readonly [string, string] = ['0', '0']; ;) {
    const { rows } = await db.query<QueueRow>(
      `SELECT ${rowColumns}
       FROM ${seg}.sink_queue AS q LEFT JOIN ${seg}.sink_record AS r ON r.sink = q.sink AND md5(r.key) = md5(q.key)
       WHERE q.sink = $1 AND q.batch IS NOT NULL AND (q.batch, q.seq) > ($2::bigint, $3::bigint) AND ${condition}
       ORDER BY q.batch, q.seq LIMIT ${READ}`,
      [place.id, ...last],
    );
    for (const row of rows) {
      const records = batches.get(row.batch!) ?? [];
      batches.set(row.batch!, records);
      records.push(toRecord(row, opOf(sink, row)));
    }
    if (rows.length < READ) return batches;
    last = [rows.at(-1)!.batch!, rows.at(-1)!.seq];
  }
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
  into?: string,
): Promise<Delivery[]> {
  if (batches.length === 0) return [];
  const seg = quoteIdentifier(sink.stateSchema);
  const first = into === undefined ? await newNumbers(tx, seg, place, batches.length) : BigInt(into);
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

/** Answers the first of so many. */
async function newNumbers(tx: Connection, seg: string, place: Place, count: number): Promise<bigint> {
  const { rows } = await tx.query<{ first: string }>(
    `UPDATE ${seg}.sink SET last_batch = last_batch + $2 WHERE id = $1 RETURNING (last_batch - $2 + 1)::text AS first`,
    [place.id, count],
  );
  return BigInt(rows[0]!.first);
}

async function removeFromQueue(tx: Connection, sink: Sink, seqs: readonly string[]): Promise<void> {
  await tx.query(
    `DELETE FROM ${quoteIdentifier(sink.stateSchema)}.sink_queue AS q USING jsonb_array_elements_text($1::jsonb) AS s (seq) WHERE q.seq = s.seq::bigint`,
    [JSON.stringify(seqs)],
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

/** Rows by which the size of the others is guessed. */
const WEIGHED = 200;

/** What waits, up to so many records. */
export async function waiting(db: Connection, sink: Sink, id: number, most: number): Promise<Waiting> {
  const free = `SELECT "row", at FROM ${quoteIdentifier(sink.stateSchema)}.sink_queue
    WHERE sink = $1 AND batch IS NULL ORDER BY seq LIMIT`;
  const { rows } = await db.query<{ records: number; bytes: number; age: number }>(
    `SELECT w.records, w.records * coalesce((SELECT avg(pg_column_size(s."row")) FROM (${free} ${WEIGHED}) AS s), 0)::float8 AS bytes, w.age
     FROM (SELECT count(*)::integer AS records, coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::float8 AS age
           FROM (${free} ${most}) AS f) AS w`,
    [id],
  );
  return rows[0]!;
}
