/**
 * From a feed into the queue, inside the database: what has changed since the sink looked last, consolidated, one row a
 * key. A change of a key that still waits is merged into what waits, so a receiver that is away for days costs one row a
 * key, and the feed may be cut behind the sink.
 */
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { currentStep, keptAfter, movePlace, scanOf } from './place.ts';
import type { Place } from './place.ts';
import { requireUniqueRows, requireUniqueChanges } from './require-unique.ts';
import { rowObject } from '../sql/row-json.ts';
import type { Shape } from './shape.ts';
import type { Sink } from './sink.ts';
import { endScan, nextPiece } from './table-scan.ts';
import type { Scan } from './table-scan.ts';

export interface Intake {
  /** Records that came into the queue, or changed there. */
  readonly taken: number;
  /** Rows that were looked at for it. */
  readonly looked: number;
  readonly place: Place;
  /** There is more already. */
  readonly more: boolean;
}

/** Changes of a feed, or rows, that are looked at together. */
export const PAGE = 20_000;

/**
 * Takes what was there at `place.position` and has not been taken, then what was committed after it. Run it in a transaction.
 * @param most changes or rows that are looked at; one step of a feed is never cut in two
 */
export async function takeIn(
  tx: Connection,
  sink: Sink,
  shape: Shape,
  place: Place,
  most: number = PAGE,
): Promise<Intake> {
  if (place.scan !== null) return takePiece(tx, sink, shape, { ...place, scan: place.scan }, most);
  return shape.position === null
    ? takeChanges(tx, sink, shape, place, most)
    : takeArrivals(tx, sink, shape, place, shape.position, most);
}

async function takeChanges(
  tx: Connection,
  sink: Sink,
  shape: Shape,
  place: Place,
  most: number,
): Promise<Intake> {
  const seg = quoteIdentifier(sink.stateSchema);
  const step = await currentStep(tx, sink.stateSchema);
  if (step <= place.position) return { taken: 0, looked: 0, place, more: false };
  const { rows } = await tx.query<{ upto: string | null; some: boolean }>(
    `SELECT (SELECT greatest(c.epoch - 1, (SELECT min(f.epoch) FROM ${seg}.changelog AS f WHERE f.node = $1 AND f.epoch > $2::bigint))
             FROM ${seg}.changelog AS c WHERE c.node = $1 AND c.epoch > $2::bigint
             ORDER BY c.epoch OFFSET ${most} LIMIT 1)::text AS upto,
            EXISTS (SELECT FROM ${seg}.changelog AS c WHERE c.node = $1 AND c.epoch > $2::bigint) AS some`,
    [shape.from.id, place.position.toString()],
  );
  const upto = rows[0]!.upto === null ? step : BigInt(rows[0]!.upto);
  if (!rows[0]!.some) return { taken: 0, looked: 0, place: { ...place, position: step }, more: false };
  const page = { after: place.position.toString(), upto: upto.toString(), now: step.toString() };
  await requireUniqueChanges(tx, sink, shape, {
    ...page,
    sink: place.id,
    changes: recordsSql(sink, shape),
    rows: allRecordsSql(shape),
  });
  const { rowCount } = await tx.query(intoQueue(sink, changesSql(sink, shape)), [
    shape.from.id,
    page.after,
    page.upto,
    place.id,
  ]);
  await movePlace(tx, sink, place.id, { position: upto });
  return { taken: rowCount, looked: rowCount, place: { ...place, position: upto }, more: upto < step };
}

/** The common table expressions `raw` and `records`. $1 node, $2 and $3 the steps: after, up to. */
function recordsSql(sink: Sink, shape: Shape): string {
  const seg = quoteIdentifier(sink.stateSchema);
  const keyed = shape.keyOf !== null;
  const raw = `SELECT c."row" AS "_seg_row", sum(c.weight)::integer AS "_seg_weight",
      min(c.epoch) AS "_seg_first", max(c.epoch) AS "_seg_last"
    FROM ${seg}.changelog AS c
    WHERE c.node = $1 AND c.epoch > $2::bigint AND c.epoch <= $3::bigint
    GROUP BY c."row"${keyed ? '' : ', c.epoch'} HAVING sum(c.weight) <> 0`;
  const records = `SELECT ${shape.record('"_seg_row"')} AS record, "_seg_weight" AS weight, "_seg_first" AS first, "_seg_last" AS last
    FROM raw`;
  return `raw AS (${raw}), records AS (${records})`;
}

function changesSql(sink: Sink, shape: Shape): string {
  const seg = quoteIdentifier(sink.stateSchema);
  const records = recordsSql(sink, shape);
  const at = `(SELECT s.at FROM ${seg}.step AS s WHERE s.epoch = p.last)`;
  if (shape.keyOf === null) {
    // Nothing tells one copy of a row from another: each change is a record of its own.
    return `WITH ${records}, p AS (
      SELECT md5(record::text) || '-' || last || '-' || n AS key,
        CASE WHEN weight > 0 THEN record END AS come, CASE WHEN weight < 0 THEN record END AS gone, first, last
      FROM records, generate_series(1, abs(weight)) AS n WHERE record IS NOT NULL)
    SELECT p.key, ${lane(shape, 'coalesce(p.come, p.gone)', 'md5(coalesce(p.come, p.gone)::text)')} AS lane, p.come, p.gone, p.first, p.last, ${at} AS at
    FROM p ORDER BY p.last, p.come IS NOT NULL, p.key`;
  }
  return `WITH ${records}, p AS (
      SELECT ${shape.keyOf('record')} AS key,
        (array_agg(record) FILTER (WHERE weight > 0))[1] AS come, (array_agg(record) FILTER (WHERE weight < 0))[1] AS gone,
        min(first) AS first, max(last) AS last
      FROM records WHERE record IS NOT NULL GROUP BY 1)
    SELECT p.key, ${lane(shape, 'coalesce(p.come, p.gone)', 'p.key')} AS lane, p.come, p.gone, p.first, p.last, ${at} AS at
    FROM p WHERE p.come IS DISTINCT FROM p.gone ORDER BY p.last, p.key`;
}

/** SQL of `record`, all there are. */
export function allRecordsSql(shape: Shape): string {
  const relation = quoteRelation({ schema: shape.from.schema, name: shape.from.relation });
  return `SELECT ${shape.record(`(${rowObject(shape.from.columns, 't')})`)} AS record FROM ${relation} AS t`;
}

function lane(shape: Shape, record: string, key: string): string {
  return shape.laneOf === null ? key : shape.laneOf(record);
}

/** The rows of `source` (key, lane, come, gone, first, last, at) into the queue of sink $4, merged with what waits there. */
export function intoQueue(sink: Sink, source: string): string {
  const keepsBefore = sink.node.mode === 'changes';
  return `INSERT INTO ${quoteIdentifier(sink.stateSchema)}.sink_queue AS q (sink, key, lane, "row", before, first_position, position, at)
    SELECT $4::integer, key, lane, come, ${keepsBefore ? 'gone' : 'NULL::jsonb'}, first, last, coalesce(at, clock_timestamp())
    FROM (${source}) AS incoming
    ON CONFLICT (sink, md5(key)) WHERE batch IS NULL
    DO UPDATE SET "row" = excluded."row", lane = excluded.lane, position = excluded.position, at = excluded.at`;
}

async function takeArrivals(
  tx: Connection,
  sink: Sink,
  shape: Shape,
  place: Place,
  position: string,
  most: number,
): Promise<Intake> {
  const column = `s.${quoteIdentifier(position)}`;
  const relation = quoteRelation({ schema: shape.from.schema, name: shape.from.relation });
  const page = `SELECT ${rowObject(shape.from.columns, 's')} AS "_seg_row", ${column} AS "_seg_position"
    FROM ${relation} AS s WHERE ${column} > $1::bigint ORDER BY ${column} LIMIT ${most}`;
  const { rows } = await tx.query<{ last: string | null; count: number }>(
    `SELECT max("_seg_position")::text AS last, count(*)::integer AS count
     FROM (SELECT ${column} AS "_seg_position" FROM ${relation} AS s WHERE ${column} > $1::bigint
           ORDER BY ${column} LIMIT ${most}) AS page`,
    [place.position.toString()],
  );
  const { last, count } = rows[0]!;
  if (last === null) return { taken: 0, looked: 0, place, more: false };
  const source = `WITH raw AS (${page}), records AS (
      SELECT ${shape.record('"_seg_row"')} AS record, "_seg_position" AS last FROM raw)
    SELECT ${shape.keyOf === null ? "'#' || last" : shape.keyOf('record')} AS key,
      ${lane(shape, 'record', shape.keyOf === null ? "'#' || last" : shape.keyOf('record'))} AS lane,
      record AS come, NULL::jsonb AS gone, last AS first, last, clock_timestamp() AS at
    FROM records WHERE record IS NOT NULL ORDER BY last`;
  const { rowCount } = await tx.query(intoQueue(sink, source).replaceAll('$4', '$2'), [
    place.position.toString(),
    place.id,
  ]);
  await movePlace(tx, sink, place.id, { position: BigInt(last) });
  return {
    ...{ taken: rowCount, looked: count, more: count === most },
    place: { ...place, position: BigInt(last) },
  };
}

/** Some of the rows that were there when the sink ran first; each is one record. */
async function takePiece(
  tx: Connection,
  sink: Sink,
  shape: Shape,
  place: Place & { readonly scan: Scan },
  most: number,
): Promise<Intake> {
  const compareAll = async (): Promise<Intake> => {
    const { taken, position } = await takeAll(tx, sink, shape, place);
    return { taken, looked: taken, place: { ...place, scan: null, position }, more: false };
  };
  const piece = await nextPiece(tx, scanOf(sink, shape, place), place.scan, most);
  if (piece === undefined) {
    // The table was written anew by a deployment: everything is compared with what was sent.
    await endScan(tx, scanOf(sink, shape, place));
    return compareAll();
  }
  const key = shape.keyOf?.('record') ?? `md5(record::text) || '-' || $2 || '-' || place`;
  const source = `SELECT ${key} AS key, ${lane(shape, 'record', shape.keyOf === null ? 'md5(record::text)' : key)} AS lane,
      record AS come, NULL::jsonb AS gone, $2::bigint AS first, $2::bigint AS last, clock_timestamp() AS at
    FROM (SELECT ${shape.record('"_seg_row"')} AS record, "_seg_place" AS place FROM (${piece.sql}) AS piece) AS r
    WHERE record IS NOT NULL`;
  const { rowCount } = await tx.query(intoQueue(sink, source).replaceAll('$4', '$1'), [
    place.id,
    place.position.toString(),
  ]);
  const scan = await piece.taken();
  // It took longer than changes are kept.
  if (scan === null && ((await keptAfter(tx, sink)) ?? 0n) > place.position) return compareAll();
  return { taken: rowCount, looked: piece.rows, place: { ...place, scan }, more: true };
}

/**
 * Everything there is now against what the receiver holds: what differs goes into the queue, also what is to go. For the
 * first run, for other records than before, and for a feed with a gap. Run it in a transaction.
 */
export async function takeAll(
  tx: Connection,
  sink: Sink,
  shape: Shape,
  place: Place,
): Promise<{ readonly taken: number; readonly position: bigint }> {
  const seg = quoteIdentifier(sink.stateSchema);
  const position = await currentStep(tx, sink.stateSchema);
  const step = position.toString();
  const rows = allRecordsSql(shape);
  const keyed = shape.keyOf !== null;
  await requireUniqueRows(tx, sink, shape, rows);
  const numbered = keyed
    ? `SELECT DISTINCT ON (1) ${shape.keyOf('record')} AS key, record FROM rows WHERE record IS NOT NULL ORDER BY 1`
    : `SELECT md5(record::text) || '-' || $2 || '-' || row_number() OVER (PARTITION BY record) AS key, record
       FROM rows WHERE record IS NOT NULL`;
  // What is on its way is as good as there; what waits is replaced.
  const source = `WITH rows AS (${rows}), now AS (${numbered})
    SELECT coalesce(n.key, r.key) AS key,
      CASE WHEN n.key IS NULL THEN r.key ELSE ${lane(shape, 'n.record', keyed ? 'n.key' : 'md5(n.record::text)')} END AS lane,
      n.record AS come, NULL::jsonb AS gone, $2::bigint AS first, $2::bigint AS last, clock_timestamp() AS at
    FROM now AS n FULL JOIN (SELECT key, hash FROM ${seg}.sink_record WHERE sink = $1) AS r ON r.key = n.key
    WHERE r.hash IS DISTINCT FROM ${hashSql('n.record')}
       OR EXISTS (SELECT FROM ${seg}.sink_queue AS w WHERE w.sink = $1 AND w.batch IS NOT NULL AND w.key = coalesce(n.key, r.key))
    ORDER BY 1`;
  await tx.query(`DELETE FROM ${seg}.sink_queue WHERE sink = $1 AND batch IS NULL`, [place.id]);
  const { rowCount } = await tx.query(intoQueue(sink, source).replaceAll('$4', '$1'), [place.id, step]);
  await movePlace(tx, sink, place.id, { position, shape });
  return { taken: rowCount, position };
}

/** How a record is remembered once it was sent. */
export function hashSql(record: string): string {
  return `md5(${record}::text)`;
}

/** Forgets what the receiver holds, keys excepted: everything is sent again, and what is gone here goes there. */
export async function forgetRecords(tx: Connection, sink: Sink, id: number): Promise<void> {
  await tx.query(`UPDATE ${quoteIdentifier(sink.stateSchema)}.sink_record SET hash = '' WHERE sink = $1`, [
    id,
  ]);
}
