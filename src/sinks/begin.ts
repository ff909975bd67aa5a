/** The beginning of a sink's run: its place is made or found, and what differs since then is looked after. */
import { keepChangelog } from '../deploy/keep-changes.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import { positionOf } from '../feeds/position.ts';
import type { Project } from '../project/load.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { shortName } from '../sql/short-name.ts';
import { checkGuard } from './guard.ts';
import { allRecordsSql, forgetRecords, takeAll } from './intake.ts';
import {
  currentStep,
  feedOf,
  keptAfter,
  makePlace,
  movePlace,
  readPlace,
  renewInstance,
  scanOf,
} from './place.ts';
import type { Place } from './place.ts';
import { requireUniqueRows } from './require-unique.ts';
import type { Shape } from './shape.ts';
import type { Sink } from './sink.ts';
import { beginScan, endScan, isLong } from './table-scan.ts';

export interface BeginOptions {
  readonly fullResync: boolean;
  /** Whatever the guard says. */
  readonly confirm: boolean;
  /** The database does one thing at a time: rows of a large model are taken in by the steps that follow, not here. */
  readonly inSteps?: boolean;
}

export interface Begun {
  readonly place: Place;
  readonly taken: number;
  /** Changes that nobody knows any more, said once. */
  readonly gap: string | null;
}

/**
 * Run it in a transaction. Afterwards everything up to `place.position` is in the queue or at the receiver, but for what
 * `place.scan` has not read.
 * @throws GuardStop when what differs is more than the guard allows; then nothing may be committed
 * @throws SegError SEG719 when changes that were to be sent, each of them, are not kept any more
 */
export async function beginSink(
  tx: Connection,
  project: Project,
  sink: Sink,
  shape: Shape,
  options: BeginOptions,
): Promise<Begun> {
  const { mode, backfill } = sink.node;
  const found = await readPlace(tx, sink);
  if (shape.position === null) await keepChangelog(tx, project, [sink.node.from]);
  else await indexPosition(tx, shape, shape.position);
  const now =
    shape.position === null
      ? await currentStep(tx, sink.stateSchema)
      : await lastArrival(tx, shape, shape.position);
  const known = options.fullResync && found !== undefined ? await renewInstance(tx, sink, found) : found;
  const place = known ?? (await makePlace(tx, sink, shape, backfill && shape.position !== null ? 0n : now));
  const otherFeed = place.feed !== feedOf(shape);
  const lost = found === undefined ? null : await gapOf(tx, sink, shape, place, now);
  if (lost?.isCut === true && mode === 'changes' && !options.fullResync) {
    throw segError('SEG719', `sink "${sink.name}" has not sent all changes: ${lost.reason}`, {
      at: sink.node.at,
      hint: `"seg sync ${sink.name} --full-resync" sends what is there now and goes on from it. Changes are kept longer with "retain_history" on the model.`,
      exitCode: 1,
    });
  }
  const otherShape = place.shape !== shape.fingerprint;
  const first = found === undefined && backfill;
  if (first && options.inSteps === true && (await mayScan(tx, sink, shape, place))) {
    const scan = await beginScan(tx, scanOf(sink, shape, place));
    return { place: { ...place, scan }, taken: 0, gap: null };
  }
  if (shape.position !== null) {
    // A source is read from its beginning again; what the receiver holds already is not sent twice.
    const again = options.fullResync || otherFeed || lost !== null || (otherShape && mode !== 'changes');
    if (options.fullResync && found !== undefined) await forgetRecords(tx, sink, place.id);
    const position = again && found !== undefined ? 0n : place.position;
    if (again || otherShape) await movePlace(tx, sink, place.id, { position, shape });
    return {
      place: { ...place, position, shape: shape.fingerprint, feed: feedOf(shape) },
      taken: 0,
      gap: lost?.reason ?? null,
    };
  }
  if (options.fullResync && found !== undefined) await forgetRecords(tx, sink, place.id);
  const compare =
    first || options.fullResync || (mode !== 'changes' && (otherShape || otherFeed || lost !== null));
  let taken = 0;
  let { position, scan } = place;
  if (scan !== null && (compare || otherFeed || lost !== null)) {
    await endScan(tx, scanOf(sink, shape, place));
    scan = null;
  }
  if (compare) {
    ({ taken } = await takeAll(tx, sink, shape, place));
    if (!options.confirm) await checkGuard(tx, sink, place, taken);
    position = now;
  } else if (otherFeed || lost !== null) position = now;
  if (!compare && (otherFeed || otherShape || lost !== null))
    await movePlace(tx, sink, place.id, { position, shape });
  return {
    place: { ...place, position, scan, shape: shape.fingerprint, feed: feedOf(shape) },
    taken,
    gap: mode === 'changes' && !options.fullResync ? (lost?.reason ?? null) : null,
  };
}

/** Whether the rows that are there can be read in pieces: what tells them apart must follow from the model. */
async function mayScan(tx: Connection, sink: Sink, shape: Shape, place: Place): Promise<boolean> {
  if (shape.position !== null || (shape.keyOf !== null && shape.uniqueness === 'unknown')) return false;
  if (!(await isLong(tx, scanOf(sink, shape, place)))) return false;
  await requireUniqueRows(tx, sink, shape, allRecordsSql(shape));
  return true;
}

interface Gap {
  readonly reason: string;
  /** The feed goes on, but what the sink has not taken was not kept. Otherwise it is another feed. */
  readonly isCut: boolean;
}

/** Why the changes after a place are not all known; null when they are. */
async function gapOf(
  tx: Connection,
  sink: Sink,
  shape: Shape,
  place: Place,
  now: bigint,
): Promise<Gap | null> {
  const anew = (what: string): Gap => ({
    reason: `${what} was made anew, so its changes begin anew`,
    isCut: false,
  });
  if (place.feed !== feedOf(shape)) return anew(shape.from.label);
  if (place.position > now) return anew('the database');
  if (shape.position !== null) return null;
  const since = await keptAfter(tx, sink);
  if (since === undefined || since <= place.position) return null;
  const between = `between ${positionOf(place.position)} and ${positionOf(since)}`;
  return { reason: `the changes of ${shape.from.label} ${between} are not kept any more`, isCut: true };
}

async function lastArrival(tx: Connection, shape: Shape, column: string): Promise<bigint> {
  const relation = quoteRelation({ schema: shape.from.schema, name: shape.from.relation });
  const { rows } = await tx.query<{ last: string }>(
    `SELECT coalesce(max(${quoteIdentifier(column)}), 0)::text AS last FROM ${relation}`,
  );
  return BigInt(rows[0]!.last);
}

/** A source is asked for what has arrived since: without an index each look would read all of it. */
async function indexPosition(tx: Connection, shape: Shape, column: string): Promise<void> {
  const { schema, relation } = shape.from;
  const { rows } = await tx.query<{ there: boolean }>(
    `SELECT EXISTS (
       SELECT FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
       WHERE i.indrelid = to_regclass($1) AND i.indpred IS NULL AND a.attname = $2) AS there`,
    [quoteRelation({ schema, name: relation }), column],
  );
  if (rows[0]!.there) return;
  await tx.exec(
    `CREATE INDEX IF NOT EXISTS ${quoteIdentifier(shortName('seg sink', relation, column))} ON ${quoteRelation({ schema, name: relation })} (${quoteIdentifier(column)})`,
  );
}
