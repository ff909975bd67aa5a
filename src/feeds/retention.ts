/**
 * How long changes are kept. A model says so with `retain_history: 7 days` (an interval; the default) and
 * `retain_changes: 1000000` (how many; no default). What is older goes; a reader that stands before it is told so
 * (SEG706), one that stands behind it never notices. A sink that sends every change (mode `changes`) would lose what goes:
 * its feed waits for it, for up to 30 days (as PostgreSQL's log waits for a replication slot, up to
 * `max_slot_wal_keep_size`); after that the sink is broken until `seg sync --full-resync`.
 */
import { stateSchemaOf } from '../deploy/spec.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { Connection } from '../engines/connection.ts';
import type { Project } from '../project/load.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { forgetDuplicates } from '../state/duplicate-keys.ts';
import { CHANGES_SINCE, readDeployed } from '../state/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';

const DEFAULT_HISTORY = '7 days';
/** How long changes wait for a sink that does not run. */
const MOST_FOR_SINKS = '30 days';
/** Rows deleted by one statement: others wait that long at most. */
const CHUNK = 5000;

/**
 * Drops the changes that need not be kept any more; each statement by itself, so that writers and readers come in between.
 * Answers how many rows of the changelog went.
 * @throws SegError SEG714 for a retain_history that is no interval
 */
export async function pruneChanges(db: Connection, project: Project): Promise<number> {
  const stateSchema = stateSchemaOf(project);
  const nodes = [...(await readDeployed(db, stateSchema)).values()].filter(({ keepChanges }) => keepChanges);
  const ends = new Map<string, bigint>();
  const endOf = async (history: string, node: DeployedNode): Promise<bigint> => {
    const known = ends.get(history);
    if (known !== undefined) return known;
    const end = await lastEpochBefore(db, stateSchema, history, node);
    ends.set(history, end);
    return end;
  };
  const taken = await takenBySinks(db, stateSchema, project);
  let dropped = 0;
  for (const node of nodes) {
    const config = project.manifest.nodes[node.uniqueId]?.config as
      { readonly [name: string]: unknown } | undefined;
    const history = textOf(config?.['retain_history']) ?? DEFAULT_HISTORY;
    const count = config?.['retain_changes'];
    const ofCount = typeof count === 'number' ? await endOfSurplus(db, stateSchema, node, count) : 0n;
    let end = max(await endOf(history, node), ofCount);
    const needed = taken.get(node.uniqueId);
    if (needed !== undefined && needed < end) end = min(end, max(needed, await endOf(MOST_FOR_SINKS, node)));
    dropped += await dropUntil(db, stateSchema, node, end);
  }
  await dropSteps(db, stateSchema, nodes);
  if (dropped > 0) await forgetDuplicates(db, stateSchema);
  return dropped;
}

/** By model, the first position up to which every sink that needs all of its changes has taken them. */
async function takenBySinks(
  db: Connection,
  stateSchema: string,
  project: Project,
): Promise<ReadonlyMap<string, bigint>> {
  const sinks = Object.values(project.manifest.sinks ?? {}).filter(({ config }) => config.enabled);
  const taken = new Map<string, bigint>();
  if (sinks.length === 0) return taken;
  const seg = quoteIdentifier(stateSchema);
  const { rows } = await db.query<{ id: string; position: string; begins: boolean }>(
    `SELECT s.unique_id AS id, s.position::text, EXISTS (SELECT FROM ${seg}.sink_scan AS c WHERE c.sink = s.id) AS begins
     FROM ${seg}.sink AS s`,
  );
  const places = new Map(
    rows.map(({ id, position, begins }) => [id, { position: BigInt(position), begins }]),
  );
  for (const { unique_id: id, from, mode } of sinks) {
    const place = places.get(id);
    // A sink that is still taking in the rows that were there does not follow the changes yet.
    if (place === undefined || (mode !== 'changes' && !place.begins)) continue;
    taken.set(from, min(place.position, taken.get(from) ?? place.position));
  }
  return taken;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** The last step that is older than an interval; 0 when none is. Steps are in order of time, so they are halved. */
async function lastEpochBefore(
  db: Connection,
  stateSchema: string,
  history: string,
  node: DeployedNode,
): Promise<bigint> {
  const step = `${quoteIdentifier(stateSchema)}.step`;
  const { rows } = await db.query<{ low: string | null; high: string | null }>(
    `SELECT min(epoch)::text AS low, max(epoch)::text AS high FROM ${step}`,
  );
  if (rows[0]?.low == null) return 0n;
  let low = BigInt(rows[0].low) - 1n;
  let high = BigInt(rows[0].high!);
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (await isOlder(db, step, middle, history, node)) low = middle;
    else high = middle - 1n;
  }
  return low < 0n ? 0n : low;
}

async function isOlder(
  db: Connection,
  step: string,
  epoch: bigint,
  history: string,
  node: DeployedNode,
): Promise<boolean> {
  try {
    const { rows } = await db.query<{ older: boolean }>(
      `SELECT at < clock_timestamp() - $2::interval AS older FROM ${step} WHERE epoch >= $1::bigint ORDER BY epoch LIMIT 1`,
      [epoch.toString(), history],
    );
    return rows[0]?.older === true;
  } catch (error) {
    if (!(error instanceof DatabaseError) || !error.sqlstate.startsWith('22')) throw error;
    throw segError('SEG714', `"retain_history: ${history}" of ${node.label} is no interval`, {
      hint: 'Write an interval of PostgreSQL: 7 days, 12 hours.',
      cause: error,
    });
  }
}

/** The step up to which changes go, for no more than `count` to stay. */
async function endOfSurplus(
  db: Connection,
  stateSchema: string,
  node: DeployedNode,
  count: number,
): Promise<bigint> {
  const { rows } = await db.query<{ epoch: string }>(
    `SELECT c.epoch::text FROM ${quoteIdentifier(stateSchema)}.changelog AS c WHERE c.node = $1
     ORDER BY c.epoch DESC LIMIT 1 OFFSET $2::bigint`,
    [node.id, count],
  );
  return BigInt(rows[0]?.epoch ?? 0);
}

async function dropUntil(
  db: Connection,
  stateSchema: string,
  node: DeployedNode,
  end: bigint,
): Promise<number> {
  const seg = quoteIdentifier(stateSchema);
  const { rows } = await db.query<{ last: string | null }>(
    `SELECT max(epoch)::text AS last FROM ${seg}.changelog WHERE node = $1 AND epoch <= $2::bigint`,
    [node.id, end.toString()],
  );
  const last = rows[0]?.last;
  if (last == null) return 0;
  // Said before the first row goes: a reader never finds half of what it asks for.
  await db.query(
    `UPDATE ${seg}.node SET settings = settings || jsonb_build_object($2::text, $3::text)
     WHERE id = $1 AND coalesce((settings ->> $2::text)::bigint, 0) < $3::bigint`,
    [node.id, CHANGES_SINCE, last],
  );
  for (let dropped = 0; ;) {
    const { rowCount } = await db.query(
      `DELETE FROM ${seg}.changelog WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM ${seg}.changelog WHERE node = $1 AND epoch <= $2::bigint LIMIT ${CHUNK}))`,
      [node.id, last],
    );
    dropped += rowCount;
    if (rowCount < CHUNK) return dropped;
  }
}

/** Times of steps before the first one that any feed still has. */
async function dropSteps(db: Connection, stateSchema: string, nodes: readonly DeployedNode[]): Promise<void> {
  const seg = quoteIdentifier(stateSchema);
  const ids = `{${nodes.map(({ id }) => id).join(',')}}`;
  const { rows } = await db.query<{ first: string }>(
    `SELECT coalesce((SELECT min(f.epoch) FROM unnest($1::integer[]) AS n (node)
                      CROSS JOIN LATERAL (SELECT min(epoch) AS epoch FROM ${seg}.changelog AS c WHERE c.node = n.node) AS f),
                     (SELECT epoch FROM ${seg}.epoch))::text AS first`,
    [ids],
  );
  for (;;) {
    const { rowCount } = await db.query(
      `DELETE FROM ${seg}.step WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM ${seg}.step WHERE epoch < $1::bigint ORDER BY epoch LIMIT ${CHUNK}))`,
      [rows[0]!.first],
    );
    if (rowCount < CHUNK) return;
  }
}
