/** What a receiver has answered is settled: records leave the queue, and are remembered or parked. */
import type { JsonValue } from '../changelog/change.ts';
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import type { Place } from './place.ts';
import { GONE, readBound } from './queue.ts';
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
  /** Others of its records were settled before. */
  readonly begun?: boolean;
}

export interface Settled {
  readonly records: number;
  readonly rejected: number;
  /** Batches of which nothing is left. */
  readonly batches: number;
  readonly left: readonly Answered[];
}

/**
 * Settles at most so many records. A batch of more is noted first as answered: a process that is killed before all of it was settled
 * goes on with what is left, and does not send it again. Run it in a transaction.
 */
export async function settleSome(
  tx: Connection,
  sink: Sink,
  place: Place,
  answers: readonly Answered[],
  most: number,
): Promise<Settled> {
  const [now, left, ended]: [Answered[], Answered[], string[]] = [[], [], []];
  let [room, batches] = [most, 0];
  for (const answer of answers) {
    const { delivery, refused, begun = false } = answer;
    if (room <= 0) {
      left.push(answer);
      continue;
    }
    const { records } = delivery;
    const some = new Set(records.slice(0, room));
    room -= some.size;
    now.push({
      delivery: { ...delivery, records: [...some] },
      refused: refused.filter(({ record }) => some.has(record)),
    });
    if (some.size === records.length) {
      batches++;
      if (begun) ended.push(delivery.number);
      continue;
    }
    if (!begun) await noteAnswer(tx, sink, place, answer);
    left.push({
      delivery: { ...delivery, records: records.slice(some.size) },
      refused: refused.filter(({ record }) => !some.has(record)),
      begun: true,
    });
  }
  await settle(tx, sink, place, now);
  if (ended.length > 0) {
    await tx.query(
      `DELETE FROM ${quoteIdentifier(sink.stateSchema)}.sink_settling AS s USING jsonb_array_elements_text($2::jsonb) AS b (batch)
       WHERE s.sink = $1 AND s.batch = b.batch::bigint`,
      [place.id, JSON.stringify(ended)],
    );
  }
  const count = (of: (answer: Answered) => number): number => now.reduce((sum, each) => sum + of(each), 0);
  return {
    records: count(({ delivery }) => delivery.records.length),
    rejected: count(({ refused }) => refused.length),
    batches,
    left,
  };
}

async function noteAnswer(
  tx: Connection,
  sink: Sink,
  place: Place,
  { delivery, refused }: Answered,
): Promise<void> {
  const list = refused.map(({ record, reason, status }) => {
    return { seq: record.seq, reason: storable(sink.scrub(reason)), status };
  });
  await tx.query(
    `INSERT INTO ${quoteIdentifier(sink.stateSchema)}.sink_settling (sink, batch, message_id, refused) VALUES ($1, $2::bigint, $3, $4::jsonb)`,
    [place.id, delivery.number, delivery.id, JSON.stringify(list)],
  );
}

/** Batches that were answered and not settled to their end: of a process that was killed. */
export async function unsettled(db: Connection, sink: Sink, place: Place): Promise<Answered[]> {
  const { rows } = await db.query<{
    batch: string;
    id: string;
    refused: { seq: string; reason: string; status: number | null }[];
  }>(
    `SELECT batch::text, message_id AS id, refused FROM ${quoteIdentifier(sink.stateSchema)}.sink_settling WHERE sink = $1 ORDER BY batch`,
    [place.id],
  );
  const found: Answered[] = [];
  for (const { batch, id, refused } of rows) {
    const records = (await readBound(db, sink, place, `q.batch = ${batch}::bigint`)).get(batch) ?? [];
    const bySeq = new Map(refused.map((each) => [each.seq, each]));
    found.push({
      delivery: { number: batch, id, records },
      refused: records.flatMap((record) => {
        const said = bySeq.get(record.seq);
        return said === undefined ? [] : [{ record, reason: said.reason, status: said.status }];
      }),
      begun: true,
    });
  }
  return found;
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
