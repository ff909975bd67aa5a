/**
 * Records that a key does not tell apart cannot be sent by it: one would hide the other, and go when the other goes. Nothing is
 * asked where the key is the model's and follows from its plan.
 */
import { segError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { duplicatesOf, notUnique } from '../state/duplicate-keys.ts';
import type { Duplicates } from '../state/duplicate-keys.ts';
import { currentStep } from './place.ts';
import { GONE } from './queue.ts';
import type { Shape } from './shape.ts';
import type { Sink } from './sink.ts';

/**
 * @param rows SQL of `record`, all there are
 * @throws SegError SEG717
 */
export async function requireUniqueRows(
  tx: Connection,
  sink: Sink,
  shape: Shape,
  rows: string,
): Promise<void> {
  if (shape.keyOf === null || shape.uniqueness === 'proven') return;
  if (shape.uniqueness === 'watched') return requireUniqueState(tx, sink, shape);
  await refuse(
    tx,
    sink,
    shape,
    `WITH rows AS (${rows})
     SELECT ${shape.keyOf('record')} AS key FROM rows WHERE record IS NOT NULL GROUP BY 1 HAVING count(*) > 1`,
    [],
  );
}

export interface ChangesTaken {
  readonly sink: number;
  /** Steps: taken up to here before, now up to `upto`; `now` is the last one. */
  readonly after: string;
  readonly upto: string;
  readonly now: string;
  /** Common table expressions, `records` (record, weight) the last of them: what came and went; $1 node, $2 and $3 the steps. */
  readonly changes: string;
  /** SQL of `record`, all there are. */
  readonly rows: string;
}

/**
 * Looks at keys of which more came than went while the receiver has one; only where there are some are the rows of these counted, as
 * they were when the changes end.
 * @throws SegError SEG717
 */
export async function requireUniqueChanges(
  tx: Connection,
  sink: Sink,
  shape: Shape,
  taken: ChangesTaken,
): Promise<void> {
  if (shape.keyOf === null || shape.uniqueness === 'proven') return;
  if (shape.uniqueness === 'watched') return requireUniqueState(tx, sink, shape, taken.upto);
  const seg = quoteIdentifier(sink.stateSchema);
  const key = shape.keyOf('record');
  const { rows } = await tx.query<{ key: string }>(
    `WITH ${taken.changes},
     sent AS MATERIALIZED (
       SELECT DISTINCT q.key FROM ${seg}.sink_queue AS q WHERE q.sink = $4::integer AND q.batch IS NOT NULL),
     p AS (SELECT ${key} AS key, coalesce(sum(weight) FILTER (WHERE weight > 0), 0) AS come, sum(weight) AS more
           FROM records WHERE record IS NOT NULL GROUP BY 1)
     SELECT p.key FROM p WHERE p.come > 1 OR p.more > 0 AND (
       EXISTS (SELECT FROM ${seg}.sink_queue AS q
               WHERE q.sink = $4::integer AND md5(q.key) = md5(p.key) AND q.batch IS NULL AND q."row" IS NOT NULL)
       OR p.key IN (SELECT s.key FROM sent AS s)
       OR EXISTS (SELECT FROM ${seg}.sink_record AS r WHERE r.sink = $4::integer AND md5(r.key) = md5(p.key) AND r.hash <> '${GONE}'))`,
    [shape.from.id, taken.after, taken.upto, taken.sink],
  );
  if (rows.length === 0) return;
  await refuse(
    tx,
    sink,
    shape,
    `WITH ${taken.changes}, everything AS (${taken.rows})
     SELECT c.key FROM (
       SELECT ${key} AS key, 1 AS copies FROM everything WHERE record IS NOT NULL
       UNION ALL SELECT ${key}, -weight FROM records WHERE record IS NOT NULL) AS c
     WHERE c.key IN (SELECT jsonb_array_elements_text($4::jsonb)) GROUP BY 1 HAVING sum(c.copies) > 1`,
    [shape.from.id, taken.upto, taken.now, JSON.stringify(rows.map((row) => row.key))],
  );
}

/** Of a watched key, in the state that is sent: what came and went before it is added up. */
async function requireUniqueState(tx: Connection, sink: Sink, shape: Shape, upto?: string): Promise<void> {
  const at = upto ?? (await currentStep(tx, sink.stateSchema)).toString();
  fail(sink, shape, await duplicatesOf(tx, sink.stateSchema, shape.from, { after: at, upto: at }));
}

async function refuse(
  tx: Connection,
  sink: Sink,
  shape: Shape,
  keys: string,
  params: readonly (string | number)[],
): Promise<void> {
  const { rows } = await tx.query<{ key: string; count: number }>(
    `SELECT left(k.key, 200) AS key, (count(*) OVER ())::integer AS count FROM (${keys}) AS k ORDER BY 1 LIMIT 3`,
    params,
  );
  fail(sink, shape, { count: rows[0]?.count ?? 0, samples: rows.map(({ key }) => key) });
}

function fail(sink: Sink, shape: Shape, found: Duplicates): void {
  if (found.count === 0) return;
  throw segError('SEG717', `the key of sink "${sink.name}" ${notUnique(shape.key, found)}`, {
    at: sink.node.at,
    hint: 'Set "primary_key:" to fields that tell the records apart, or the "unique_key" of the model; until then nothing is sent.',
    exitCode: 1,
  });
}
