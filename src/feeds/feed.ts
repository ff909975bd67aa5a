/**
 * Change feeds, read from the changelog the programs write. A batch is one epoch: all changes of one transaction to one
 * model, consolidated (rows whose weights cancel are not there), with a key's old and new row joined into one update.
 */
import type { Change, ChangeBatch, JsonRow, Position } from '../changelog/change.ts';
import type { Connection } from '../engines/connection.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { rowAsJson } from '../ivm/strategies/recompute.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { CHANGES_SINCE, readDeployed } from '../state/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';
import { epochOf, positionOf } from './position.ts';

export interface Snapshot {
  /** The state the rows are of: reading changes from here on misses nothing and repeats nothing. */
  readonly position: Position;
  readonly rows: JsonRow[];
}

/** The position of the last committed step. */
export async function currentPosition(connection: Connection, stateSchema = '_seg'): Promise<Position> {
  const { rows } = await connection.query<{ epoch: string }>(
    `SELECT epoch::text FROM ${quoteIdentifier(stateSchema)}.epoch`,
  );
  return positionOf(rows[0]!.epoch);
}

/**
 * A deployed node that a feed can be opened on: a maintained model, or a test that stores its failures.
 * @throws SegError SEG704 for an unknown one, SEG705 for a kind without changes of its own
 */
export async function followable(
  connection: Connection,
  uniqueId: string,
  stateSchema = '_seg',
): Promise<DeployedNode> {
  const deployed = await readDeployed(connection, stateSchema);
  const node = deployed.get(uniqueId);
  if (node === undefined) {
    const names = [...deployed.values()]
      .filter(({ kind }) => kind === 'materialized_view')
      .map(({ name }) => name);
    throw segError('SEG704', `"${uniqueId.split('.').at(-1)}" is not deployed, so it has no change feed`, {
      hint: didYouMean(uniqueId.split('.').at(-1) ?? '', names) ?? 'Run "seg build" first.',
    });
  }
  if (node.kind !== 'materialized_view') {
    throw segError('SEG705', `${node.label} is a ${node.kind}, which has no change feed`, {
      hint: 'Materialize the model as "materialized_view" to follow it.',
    });
  }
  return node;
}

/** All rows now, in the order of the key (of all columns when there is none), with the position they are of. */
export async function readSnapshot(
  connection: Connection,
  uniqueId: string,
  stateSchema = '_seg',
): Promise<Snapshot> {
  const node = await followable(connection, uniqueId, stateSchema);
  const order = (node.key.length > 0 ? node.key : node.columns.map(({ name }) => name))
    .map(quoteIdentifier)
    .join(', ');
  // One statement sees one state, on any isolation level.
  const { rows } = await connection.query<{ epoch: string; row: JsonRow | null }>(
    `SELECT e.epoch::text, r."row" FROM ${quoteIdentifier(stateSchema)}.epoch AS e
     LEFT JOIN (SELECT ${rowAsJson(node, 't')} AS "row", row_number() OVER (ORDER BY ${order}) AS n
                FROM ${quoteRelation({ schema: stateSchema, name: node.state ?? '' })} AS t) AS r ON true
     ORDER BY r.n`,
  );
  return {
    position: positionOf(rows[0]!.epoch),
    rows: rows.flatMap(({ row }) => (row === null ? [] : [row])),
  };
}

/**
 * The batches after a position, in order; `limit` bounds their number.
 * @throws SegError SEG706 when the feed was not kept from there on, so that changes could be missing; SEG708 when the
 *   position lies in the future, so that changes would be passed over
 */
export async function readChanges(
  connection: Connection,
  uniqueId: string,
  from: Position,
  options: { stateSchema?: string; until?: Position; limit?: number } = {},
): Promise<ChangeBatch[]> {
  const { stateSchema = '_seg' } = options;
  const node = await followable(connection, uniqueId, stateSchema);
  const seg = quoteIdentifier(stateSchema);
  const after = epochOf(from);
  const since = node.settings[CHANGES_SINCE];
  if (!node.keepChanges || (typeof since === 'string' && after < BigInt(since))) {
    throw segError('SEG706', `the changes of ${node.label} after ${from} are not kept`, {
      hint: 'Begin with a snapshot (without --from); set "changelog: true" on the model to keep its changes from its deployment on.',
    });
  }
  const { rows: last } = await connection.query<{ epoch: string }>(`SELECT epoch::text FROM ${seg}.epoch`);
  if (after > BigInt(last[0]!.epoch)) {
    throw segError(
      'SEG708',
      `position ${from} lies behind the end of the feed, which is ${positionOf(last[0]!.epoch)}`,
      {
        hint: 'It comes from another database, or this one was made anew: begin with a snapshot (without --from).',
      },
    );
  }
  const { rows } = await connection.query<{ epoch: string; at: string; row: JsonRow; weight: number }>(
    `SELECT c.epoch::text, to_json(s.at AT TIME ZONE 'UTC') #>> '{}' || 'Z' AS at, c."row", sum(c.weight)::integer AS weight
     FROM ${seg}.changelog AS c JOIN ${seg}.step AS s USING (epoch)
     WHERE c.node = $1 AND c.epoch > $2::bigint AND c.epoch <= $3::bigint
     GROUP BY c.epoch, s.at, c."row" HAVING sum(c.weight) <> 0
     ORDER BY c.epoch, weight, c."row"`,
    [
      node.id,
      after.toString(),
      options.until === undefined ? '9223372036854775807' : epochOf(options.until).toString(),
    ],
  );
  const batches: ChangeBatch[] = [];
  for (let start = 0; start < rows.length;) {
    let end = start;
    while (end < rows.length && rows[end]!.epoch === rows[start]!.epoch) end++;
    const { epoch, at } = rows[start]!;
    batches.push({ position: positionOf(epoch), at, changes: pairChanges(rows.slice(start, end), node.key) });
    start = end;
    if (batches.length === options.limit) break;
  }
  return batches;
}

/**
 * Weighted rows of one step → changes: per key one row that went and one that came are an update. Without a key, or
 * where a key is not unique after all, each copy is its own delete or insert.
 */
export function pairChanges(
  rows: readonly { readonly row: JsonRow; readonly weight: number }[],
  key: readonly string[],
): Change[] {
  const groups = new Map<string, { key: JsonRow | null; gone: JsonRow[]; come: JsonRow[] }>();
  for (const [index, { row, weight }] of rows.entries()) {
    const of: JsonRow | null =
      key.length === 0 ? null : Object.fromEntries(key.map((name) => [name, row[name] ?? null]));
    const id = of === null ? String(index) : JSON.stringify(of);
    const group = groups.get(id) ?? { key: of, gone: [], come: [] };
    groups.set(id, group);
    const side = weight > 0 ? group.come : group.gone;
    for (let copies = Math.abs(weight); copies > 0; copies--) side.push(row);
  }
  const changes: Change[] = [];
  for (const group of groups.values()) {
    if (group.key !== null && group.gone.length === 1 && group.come.length === 1) {
      changes.push({ op: 'update', key: group.key, row: group.come[0]!, before: group.gone[0]! });
      continue;
    }
    for (const before of group.gone) changes.push({ op: 'delete', key: group.key, row: null, before });
    for (const row of group.come) changes.push({ op: 'insert', key: group.key, row, before: null });
  }
  return changes;
}
