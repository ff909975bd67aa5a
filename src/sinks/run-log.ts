/** One row of `sink_runs` for each time a sink runs. */
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import type { SinkSummary } from './events.ts';
import type { Sink } from './sink.ts';

export type RunCounts = Omit<SinkSummary, 'sink' | 'status' | 'message' | 'diagnostics'>;

/** Begins a run; runs of the same sink that never ended were killed, and say so from now on. Answers its id. */
export async function beginRun(db: Connection, sink: Sink, invocationId: string): Promise<string> {
  const table = `${quoteIdentifier(sink.stateSchema)}.sink_runs`;
  await db.query(
    `UPDATE ${table} SET status = 'interrupted', ended_at = clock_timestamp(), message = 'the process ended'
     WHERE sink = $1 AND status = 'running'`,
    [sink.name],
  );
  const { rows } = await db.query<{ id: string }>(
    `INSERT INTO ${table} (sink, invocation_id) VALUES ($1, $2) RETURNING id::text`,
    [sink.name, invocationId],
  );
  return rows[0]!.id;
}

/** Writes how far a run is, or with `status` how it has ended. */
export async function noteRun(
  db: Connection,
  sink: Sink,
  id: string,
  counts: RunCounts,
  end?: { readonly status: SinkSummary['status']; readonly message: string | null },
): Promise<void> {
  await db.query(
    `UPDATE ${quoteIdentifier(sink.stateSchema)}.sink_runs
     SET taken = $2, sent = $3, unchanged = $4, rejected = $5, batches = $6, retries = $7,
         status = coalesce($8, status), message = $9, ended_at = CASE WHEN $8::text IS NULL THEN NULL ELSE clock_timestamp() END
     WHERE id = $1::bigint`,
    [
      id,
      counts.taken,
      counts.sent,
      counts.unchanged,
      counts.rejected,
      counts.batches,
      counts.retries,
      end?.status ?? null,
      end?.message ?? null,
    ],
  );
}
