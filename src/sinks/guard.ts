import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import type { Place } from './place.ts';
import type { Sink } from './sink.ts';

/** What waits would delete or change more of what the receiver holds than the sink's guard allows. */
export class GuardStop extends Error {}

/**
 * Looks at what came into the queue, before it is committed. A step of fewer records than `at_least` is never stopped.
 * @throws GuardStop
 */
export async function checkGuard(tx: Connection, sink: Sink, place: Place, taken: number): Promise<void> {
  const { guard, mode, on_delete: onDelete } = sink.node;
  if (mode === 'changes' || mode === 'insert_only' || taken < guard.at_least) return;
  if (guard.deletes === null && guard.changes === null) return;
  const seg = quoteIdentifier(sink.stateSchema);
  const { rows } = await tx.query<{ held: number; deletes: number; changes: number }>(
    `SELECT (SELECT count(*) FROM ${seg}.sink_record WHERE sink = $1)::integer AS held,
       count(*) FILTER (WHERE q."row" IS NULL)::integer AS deletes,
       count(*) FILTER (WHERE q."row" IS NOT NULL AND r.hash <> '' AND r.hash <> md5(q."row"::text))::integer AS changes
     FROM ${seg}.sink_queue AS q JOIN ${seg}.sink_record AS r ON r.sink = q.sink AND md5(r.key) = md5(q.key)
     WHERE q.sink = $1 AND q.batch IS NULL`,
    [place.id],
  );
  const { held, deletes, changes } = rows[0]!;
  const stop = (count: number, share: number | null, verb: string): void => {
    if (share === null || count < guard.at_least || count <= held * share) return;
    throw new GuardStop(
      `it would ${verb} ${count} of ${held} records (${Math.round((100 * count) / held)} %, the guard allows ${Math.round(share * 100)} %)`,
    );
  };
  if (onDelete !== 'ignore') stop(deletes, guard.deletes, 'delete');
  stop(changes, guard.changes, 'change');
}
