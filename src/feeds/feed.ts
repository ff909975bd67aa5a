/**
 * Change feeds, read from the changelog the programs write. A batch is one epoch: all changes of one transaction to one
 * model, consolidated (rows whose weights cancel are not there), with a key's old and new row joined into one update.
 */
import type { ChangeBatch, JsonRow, Position } from '../changelog/change.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { Connection } from '../engines/connection.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { rowAsJson, rowAsText } from '../ivm/strategies/recompute.ts';
import { parseJson } from '../json/exact-json.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { outOfDatabase } from '../sql/row-json.ts';
import { requireUnique } from '../state/duplicate-keys.ts';
import { CHANGES_SINCE, readDeployed, readDeployedNode } from '../state/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';
import { asStored, checkView, conditionOnJson, inOrder, narrowChanges } from './feed-view.ts';
import type { FeedView } from './feed-view.ts';
import { pairChanges } from './pair-changes.ts';
import { epochOf, positionOf } from './position.ts';

/** Changes read at once; more are read in pages. */
export const MOST_CHANGES = 10_000;
/** And bytes of their rows, as they are stored: JSON that was compressed, of which JavaScript makes ten times as much and more. */
export const MOST_BYTES = 2 * 1024 * 1024;

export interface Snapshot {
  /** The state the rows are of: reading changes from here on misses nothing and repeats nothing. */
  readonly position: Position;
  readonly rows: JsonRow[];
  /** These are not all rows: others of the same position follow. */
  readonly more?: true;
}

export interface ReadOptions {
  readonly stateSchema?: string;
  readonly view?: FeedView;
}

export interface ChangePage {
  readonly batches: ChangeBatch[];
  /** Everything up to here was read, whether it held changes for this reader or not. */
  readonly position: Position;
  /** Whether there is more behind `position`. */
  readonly more: boolean;
}

/** The position of the last committed step. */
export async function currentPosition(connection: Connection, stateSchema = '_seg'): Promise<Position> {
  return positionOf(await lastEpoch(connection, stateSchema));
}

async function lastEpoch(connection: Connection, stateSchema: string): Promise<bigint> {
  const { rows } = await connection.query<{ epoch: string }>(
    `SELECT epoch::text FROM ${quoteIdentifier(stateSchema)}.epoch`,
  );
  return BigInt(rows[0]!.epoch);
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
  const node = await readDeployedNode(connection, stateSchema, uniqueId);
  if (node === undefined) {
    const name = uniqueId.split('.').at(-1) ?? '';
    const names = [...(await readDeployed(connection, stateSchema)).values()]
      .filter(({ kind }) => kind === 'materialized_view')
      .map((deployed) => deployed.name);
    throw segError('SEG704', `"${name}" is not deployed, so it has no change feed`, {
      hint: didYouMean(name, names) ?? 'Run "seg build" first.',
    });
  }
  if (node.kind !== 'materialized_view') {
    throw segError('SEG705', `${node.label} is a ${node.kind}, which has no change feed`, {
      hint: 'Materialize the model as "materialized_view" to follow it.',
    });
  }
  return node;
}

/**
 * SQL of all rows as JSON text (`"row"`), in the order of the key, of all columns when there is none; and the columns that a
 * reader of it shows, in order.
 * @throws SegError as `followable`, `checkView` and `requireUnique` do
 */
export async function snapshotQuery(
  connection: Connection,
  uniqueId: string,
  { stateSchema = '_seg', view = {} }: ReadOptions,
): Promise<{ readonly sql: string; readonly columns: readonly string[] }> {
  const node = await followable(connection, uniqueId, stateSchema);
  await checkView(node, view);
  await requireUnique(connection, stateSchema, node);
  const columns = columnNames(node);
  const order = node.key.length > 0 ? node.key : columns;
  const sql = `SELECT ${rowAsText(node, 't')} AS "row" FROM ${quoteRelation({ schema: stateSchema, name: node.state ?? '' })} AS t
    WHERE ${conditionOnJson(node, view, rowAsJson(node, 't'))} ORDER BY ${order.map((name) => `t.${quoteIdentifier(name)}`).join(', ')}`;
  return { sql, columns: view.columns ?? columns };
}

function columnNames({ columns }: Pick<DeployedNode, 'columns'>): string[] {
  return columns.map(({ name }) => name);
}

/**
 * All rows now, in the order of the key, with the position they are of; with `most` no more than so many.
 * @throws SegError as `followable` and `checkView` do
 */
export async function readSnapshot(
  connection: Connection,
  uniqueId: string,
  options: string | (ReadOptions & { readonly most?: number }) = {},
): Promise<Snapshot> {
  const { most, ...read } =
    typeof options === 'string' ? { stateSchema: options } : { most: undefined, ...options };
  const { stateSchema = '_seg', view = {} }: ReadOptions = read;
  const { sql, columns } = await snapshotQuery(connection, uniqueId, read);
  const limit = most === undefined ? '' : ` LIMIT ${most}`;
  // One statement sees one state, on any isolation level.
  const { rows } = await ofCondition(view, () =>
    connection.query<{ epoch: string; row: string | null }>(
      `SELECT e.epoch::text, r."row" FROM ${quoteIdentifier(stateSchema)}.epoch AS e
       LEFT JOIN (SELECT s."row", row_number() OVER () AS n FROM (${sql}${limit}) AS s) AS r ON true
       ORDER BY r.n`,
    ),
  );
  return {
    position: positionOf(rows[0]!.epoch),
    rows: rows.flatMap(({ row }) => (row === null ? [] : [inOrder(parseRow(row), columns)])),
  };
}

/** A row from its JSON text. */
export function parseRow(text: string): JsonRow {
  return parseJson(text) as JsonRow;
}

/** The batches after a position, in order; `limit` bounds their number. @throws SegError as `readChangePage` does */
export async function readChanges(
  connection: Connection,
  uniqueId: string,
  from: Position,
  options: ReadOptions & { until?: Position; limit?: number } = {},
): Promise<ChangeBatch[]> {
  const { batches } = await readChangePage(connection, uniqueId, from, options);
  return options.limit === undefined ? batches : batches.slice(0, options.limit);
}

/**
 * The batches after a position, in order. With `paged` no more than a page of them (MOST_CHANGES, MOST_BYTES), but always whole
 * batches and at least one, so that a reader far behind needs little memory.
 * @throws SegError SEG706 when the feed was not kept from there on, so that changes could be missing; SEG708 when the
 *   position lies in the future, so that changes would be passed over; SEG717 where the key is not unique; SEG703, SEG710, SEG711 for bad arguments
 */
export async function readChangePage(
  connection: Connection,
  uniqueId: string,
  from: Position,
  options: ReadOptions & { until?: Position; paged?: boolean } = {},
): Promise<ChangePage> {
  const { stateSchema = '_seg', view = {}, paged = false } = options;
  const node = await followable(connection, uniqueId, stateSchema);
  await checkView(node, view);
  const { after, last } = await checkPosition(connection, node, from, stateSchema);
  const wanted = options.until === undefined ? last : least(last, epochOf(options.until));
  const end = paged ? await pageEnd(connection, node, { stateSchema, after, wanted }) : wanted;
  const seg = quoteIdentifier(stateSchema);
  const { rows } = await ofCondition(view, () =>
    connection.query<{ epoch: string; at: string; row: string; weight: number }>(
      `SELECT c.epoch::text, to_json(s.at AT TIME ZONE 'UTC') #>> '{}' || 'Z' AS at, c."row"::text AS "row", sum(c.weight)::integer AS weight
       FROM ${seg}.changelog AS c JOIN ${seg}.step AS s USING (epoch)
       WHERE c.node = $1 AND c.epoch > $2::bigint AND c.epoch <= $3::bigint AND ${conditionOnJson(node, view, 'c."row"')}
       GROUP BY c.epoch, s.at, c."row" HAVING sum(c.weight) <> 0
       ORDER BY c.epoch, weight, c."row"`,
      [node.id, after.toString(), end.toString()],
    ),
  );
  if (rows.length > 0)
    await requireUnique(connection, stateSchema, node, { after: after.toString(), upto: end.toString() });
  const batches = batchesOf(rows, node).flatMap((batch) => {
    const changes = narrowChanges(batch.changes, view);
    return changes.length === 0 ? [] : [{ ...batch, changes }];
  });
  return { batches, position: positionOf(end > after ? end : after), more: end < wanted };
}

/**
 * Whether a feed can be read from a position on.
 * @throws SegError SEG703 for text that is no position, SEG706 and SEG708 as `readChangePage` does
 */
export async function checkPosition(
  connection: Connection,
  node: DeployedNode,
  from: Position,
  stateSchema = '_seg',
): Promise<{ after: bigint; last: bigint }> {
  const after = epochOf(from);
  const since = node.settings[CHANGES_SINCE];
  if (!node.keepChanges || (typeof since === 'string' && after < BigInt(since))) {
    throw segError('SEG706', `the changes of ${node.label} after ${from} are not kept`, {
      hint: 'Begin with a snapshot (without --from). "changelog: true" on the model keeps its changes from its deployment on, "retain_history" says how long.',
      exitCode: 1,
    });
  }
  const last = await lastEpoch(connection, stateSchema);
  if (after > last) {
    throw segError(
      'SEG708',
      `position ${from} lies behind the end of the feed, which is ${positionOf(last)}`,
      {
        hint: 'It comes from another database, or this one was made anew: begin with a snapshot (without --from).',
        exitCode: 1,
      },
    );
  }
  return { after, last };
}

/** Rows of the changelog in the order of their epochs → batches, columns in the model's order. */
export function batchesOf(
  rows: readonly {
    readonly epoch: string;
    readonly at: string;
    readonly row: string;
    readonly weight: number;
  }[],
  node: Pick<DeployedNode, 'key' | 'columns'>,
): ChangeBatch[] {
  const columns = columnNames(node);
  const batches: ChangeBatch[] = [];
  for (let start = 0; start < rows.length;) {
    let end = start;
    while (end < rows.length && rows[end]!.epoch === rows[start]!.epoch) end++;
    const { epoch, at } = rows[start]!;
    const ordered = rows
      .slice(start, end)
      .map(({ row, weight }) => ({ row: asStored(parseRow(outOfDatabase(row)), columns), weight }));
    batches.push({ position: positionOf(epoch), at, changes: pairChanges(ordered, node.key) });
    start = end;
  }
  return batches;
}

/** The last epoch of a page that begins after `after`. */
async function pageEnd(
  connection: Connection,
  node: DeployedNode,
  page: { stateSchema: string; after: bigint; wanted: bigint },
): Promise<bigint> {
  const log = `${quoteIdentifier(page.stateSchema)}.changelog`;
  const { rows } = await connection.query<{ first: string; far: string }>(
    `SELECT p.first::text, p.epoch::text AS far
     FROM (SELECT epoch, min(epoch) OVER () AS first, row_number() OVER w AS n, sum(bytes) OVER w AS bytes
           FROM (SELECT epoch, pg_column_size("row") AS bytes FROM ${log} WHERE node = $1 AND epoch > $2::bigint
                 ORDER BY epoch LIMIT ${MOST_CHANGES + 1}) AS x
           WINDOW w AS (ORDER BY epoch ROWS UNBOUNDED PRECEDING)) AS p
     WHERE p.n > ${MOST_CHANGES} OR p.bytes > ${MOST_BYTES} ORDER BY p.n LIMIT 1`,
    [node.id, page.after.toString()],
  );
  if (rows[0] === undefined) return page.wanted;
  const [first, far] = [BigInt(rows[0].first), BigInt(rows[0].far)];
  return least(page.wanted, first < far ? far - 1n : far);
}

/** A condition that the database refuses (an unknown column, a type that does not fit) is the reader's mistake. */
async function ofCondition<T>(view: FeedView, query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    if (view.where === undefined || !(error instanceof DatabaseError) || !/^(42|22)/.test(error.sqlstate))
      throw error;
    throw segError('SEG712', `the condition "${view.where}" fails: ${error.message}`, {
      hint: 'A condition may use the columns of the model and functions of PostgreSQL.',
      cause: error,
    });
  }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
