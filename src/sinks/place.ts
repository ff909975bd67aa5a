/** A sink's row in the state schema: how far it has taken its feed, and how it is. */
import { segError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { CHANGES_SINCE, readDeployedNode } from '../state/nodes.ts';
import { scanAsJson } from './table-scan.ts';
import type { Scan, ScanOf } from './table-scan.ts';
import type { Shape } from './shape.ts';
import type { Sink } from './sink.ts';

/**
 * `ok`, `failing`: its receiver does not answer as it should, `held`: the guard has stopped it, `broken`: its definition
 * or what it reads must be mended first.
 */
export type SinkState = 'ok' | 'failing' | 'held' | 'broken';

export interface Place {
  readonly id: number;
  readonly instance: string;
  readonly shape: string;
  readonly feed: string;
  readonly position: bigint;
  readonly state: SinkState;
  readonly reason: string | null;
  /** The scan whose rows are taken in before any change after `position`; null: there is none. */
  readonly scan: Scan | null;
}

interface PlaceRow {
  id: number;
  instance: string;
  shape: string;
  feed: string;
  position: string;
  state: SinkState;
  reason: string | null;
  scan: Scan | null;
}

function columnsOf(seg: string): string {
  const scan = `(SELECT ${scanAsJson('c')} FROM ${seg}.sink_scan AS c WHERE c.sink = s.id) AS scan`;
  return `s.id, s.instance::text, s.shape, s.feed, s.position::text, s.state, s.reason, ${scan}`;
}

export async function readPlace(db: Connection, sink: Sink): Promise<Place | undefined> {
  const seg = quoteIdentifier(sink.stateSchema);
  const { rows } = await db.query<PlaceRow>(
    `SELECT ${columnsOf(seg)} FROM ${seg}.sink AS s WHERE s.unique_id = $1`,
    [sink.node.unique_id],
  );
  return rows[0] === undefined ? undefined : placeOf(rows[0]);
}

/** Makes the row of a sink that runs for the first time. */
export async function makePlace(tx: Connection, sink: Sink, shape: Shape, position: bigint): Promise<Place> {
  const seg = quoteIdentifier(sink.stateSchema);
  const { rows } = await tx.query<PlaceRow>(
    `INSERT INTO ${seg}.sink AS s (unique_id, name, shape, feed, position)
     VALUES ($1, $2, $3, $4, $5::bigint) RETURNING ${columnsOf(seg)}`,
    [sink.node.unique_id, sink.name, shape.fingerprint, feedOf(shape), position.toString()],
  );
  return placeOf(rows[0]!);
}

/** From here on the receiver hears of another sender, whose batches it has none of. */
export async function renewInstance(tx: Connection, sink: Sink, { id }: Place): Promise<Place> {
  const seg = quoteIdentifier(sink.stateSchema);
  const { rows } = await tx.query<PlaceRow>(
    `UPDATE ${seg}.sink AS s SET instance = gen_random_uuid() WHERE s.id = $1 RETURNING ${columnsOf(seg)}`,
    [id],
  );
  return placeOf(rows[0]!);
}

export async function movePlace(
  tx: Connection,
  sink: Sink,
  id: number,
  to: { readonly position: bigint; readonly shape?: Shape },
): Promise<void> {
  await tx.query(
    `UPDATE ${quoteIdentifier(sink.stateSchema)}.sink
     SET position = $2::bigint, shape = coalesce($3, shape), feed = coalesce($4, feed) WHERE id = $1`,
    [
      id,
      to.position.toString(),
      to.shape?.fingerprint ?? null,
      to.shape === undefined ? null : feedOf(to.shape),
    ],
  );
}

/** Notes how a sink is; answers how it was when that is another state, so that a notice is given once. */
export async function changeState(
  db: Connection,
  sink: Sink,
  id: number,
  state: SinkState,
  reason: string | null,
): Promise<SinkState | undefined> {
  const { rows } = await db.query<{ before: SinkState }>(
    `UPDATE ${quoteIdentifier(sink.stateSchema)}.sink AS s SET state = $2, reason = $3,
       since = CASE WHEN s.state = $2 THEN s.since ELSE clock_timestamp() END
     FROM (SELECT id, state FROM ${quoteIdentifier(sink.stateSchema)}.sink WHERE id = $1) AS b
     WHERE s.id = b.id RETURNING b.state AS before`,
    [id, state, reason],
  );
  const before = rows[0]?.before;
  return before === state ? undefined : before;
}

/** Which feed a position belongs to: a model that was dropped and made again begins a new one. */
export function feedOf({ from }: Shape): string {
  return `${from.uniqueId}#${from.id}`;
}

/** The scan of the rows that were there when a sink first ran. */
export function scanOf(sink: Sink, shape: Shape, { id }: Pick<Place, 'id'>): ScanOf {
  return { sink: id, stateSchema: sink.stateSchema, node: shape.from };
}

function placeOf(row: PlaceRow): Place {
  return { ...row, position: BigInt(row.position) };
}

/** The position after which the changes of what a sink reads are kept; undefined where all of them are. */
export async function keptAfter(db: Connection, sink: Sink): Promise<bigint | undefined> {
  const node = await readDeployedNode(db, sink.stateSchema, sink.node.from);
  const since = node?.settings[CHANGES_SINCE];
  return typeof since === 'string' ? BigInt(since) : undefined;
}

/** The position of the last committed step. */
export async function currentStep(db: Connection, stateSchema: string): Promise<bigint> {
  const { rows } = await db.query<{ epoch: string }>(
    `SELECT epoch::text FROM ${quoteIdentifier(stateSchema)}.epoch`,
  );
  if (rows[0] === undefined) {
    throw segError('SEG725', 'nothing is deployed, so there is nothing to send', {
      hint: 'Run "seg build" first.',
      exitCode: 1,
    });
  }
  return BigInt(rows[0].epoch);
}
