/** What a feed gives, into the table of a replica, with the position it leads to: both in one transaction, or neither. */
import { stringifyJson } from '../../json/exact-json.ts';
import type { JsonRow, Position } from '../../changelog/change.ts';
import type { Connection } from '../../engines/connection.ts';
import type { FeedItem } from '../../feeds/hub.ts';
import { quoteIdentifier, quoteRelation } from '../../sql/quote.ts';
import { copyTable, REPLICA_SCHEMA } from './replica-project.ts';
import type { Copied } from './replica-project.ts';

const ROWS_A_STATEMENT = 5000;
const places = quoteRelation({ schema: REPLICA_SCHEMA, name: 'place' });

/** @param of which cluster the positions are of: those of another one mean nothing */
export async function preparePlaces(db: Connection): Promise<void> {
  await db.exec(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(REPLICA_SCHEMA)};
CREATE TABLE IF NOT EXISTS ${places} (unique_id text PRIMARY KEY, cluster text NOT NULL, position text NOT NULL)`);
}

export async function readPosition(
  db: Connection,
  { uniqueId }: Copied,
  cluster: string,
): Promise<Position | undefined> {
  const { rows } = await db.query<{ position: string }>(
    `SELECT position FROM ${places} WHERE unique_id = $1 AND cluster = $2`,
    [uniqueId, cluster],
  );
  return rows[0]?.position;
}

/** Forgets how far a relation was read: the next time its snapshot is compared with what is here. */
export async function forgetPosition(db: Connection, uniqueId: string): Promise<void> {
  await db.query(`DELETE FROM ${places} WHERE unique_id = $1`, [uniqueId]);
}

/** @returns rows that came and went */
export async function applyItem(
  db: Connection,
  copied: Copied,
  cluster: string,
  item: FeedItem,
): Promise<number> {
  return db.transaction(async (tx) => {
    const position = 'snapshot' in item ? item.snapshot.position : item.batch.position;
    const count =
      'snapshot' in item ? await compare(tx, copied, item.snapshot.rows) : await change(tx, copied, item);
    await tx.query(
      `INSERT INTO ${places} (unique_id, cluster, position) VALUES ($1, $2, $3)
       ON CONFLICT (unique_id) DO UPDATE SET cluster = excluded.cluster, position = excluded.position`,
      [copied.uniqueId, cluster, position],
    );
    return count;
  });
}

async function change(
  tx: Connection,
  copied: Copied,
  { batch }: Extract<FeedItem, { batch: unknown }>,
): Promise<number> {
  const gone = batch.changes.flatMap(({ before }) => (before === null ? [] : [before]));
  const come = batch.changes.flatMap(({ row }) => (row === null ? [] : [row]));
  await remove(tx, copied, gone);
  await insert(tx, copied, come);
  return gone.length + come.length;
}

/** A snapshot against what is here: only the differences are written, so that nobody is sent anything twice. */
async function compare(tx: Connection, copied: Copied, rows: readonly JsonRow[]): Promise<number> {
  const table = quoteRelation(copyTable(copied));
  const now = 'pg_temp.seg_snapshot';
  await tx.exec(`CREATE TEMPORARY TABLE seg_snapshot ON COMMIT DROP AS SELECT * FROM ${table} WHERE false`);
  await insertInto(tx, now, table, rows);
  const counted = (from: string, weight: number): string =>
    `SELECT to_jsonb(t.*) AS j, row_to_json(t.*)::text AS "row", ${weight} AS w FROM ${from} AS t`;
  // Compared as jsonb, which knows equal numbers; told as json, which has a minus zero.
  const { rows: differences } = await tx.query<{ row: string; w: number }>(
    `SELECT (array_agg("row" ORDER BY w DESC))[1] AS "row", sum(w)::integer AS w FROM (${counted(now, 1)} UNION ALL ${counted(table, -1)}) AS both_sides
     GROUP BY j HAVING sum(w) <> 0`,
  );
  await tx.exec(`DROP TABLE ${now}`);
  const copies = (sign: 1 | -1): string[] =>
    differences.flatMap(({ row, w }) => Array.from({ length: Math.max(0, sign * w) }, () => row));
  const [gone, come] = [copies(-1), copies(1)];
  await removeJson(tx, copied, gone);
  await insertJson(tx, table, table, come);
  return gone.length + come.length;
}

async function insert(tx: Connection, copied: Copied, rows: readonly JsonRow[]): Promise<void> {
  const table = quoteRelation(copyTable(copied));
  await insertInto(tx, table, table, rows);
}

function insertInto(tx: Connection, into: string, type: string, rows: readonly JsonRow[]): Promise<void> {
  return insertJson(
    tx,
    into,
    type,
    rows.map((row) => stringifyJson(row)),
  );
}

async function insertJson(
  tx: Connection,
  into: string,
  type: string,
  rows: readonly string[],
): Promise<void> {
  for (const part of chunks(rows)) {
    await tx.query(
      `INSERT INTO ${into} SELECT r.* FROM json_array_elements($1::json) AS e, json_populate_record(NULL::${type}, e) AS r`,
      [`[${part.join(',')}]`],
    );
  }
}

async function remove(tx: Connection, copied: Copied, rows: readonly JsonRow[]): Promise<void> {
  await removeJson(
    tx,
    copied,
    rows.map((row) => stringifyJson(row)),
  );
}

/** One copy of each row; by its key, where there is one, since that has an index. */
async function removeJson(tx: Connection, copied: Copied, rows: readonly string[]): Promise<void> {
  const table = quoteRelation(copyTable(copied));
  const keyed = copied.key
    .map(quoteIdentifier)
    .map((name) => `t.${name} = (gone."_seg_row").${name} AND `)
    .join('');
  for (const part of chunks(rows)) {
    await tx.query(
      `WITH gone AS (
         SELECT "_seg_row", to_jsonb("_seg_row") AS j, count(*) AS n
         FROM jsonb_array_elements($1::jsonb) AS e, jsonb_populate_record(NULL::${table}, e) AS "_seg_row" GROUP BY 1, 2),
       found AS (
         SELECT t.ctid AS at, gone.n, row_number() OVER (PARTITION BY gone.j) AS k
         FROM gone JOIN ${table} AS t ON ${keyed}to_jsonb(t.*) = gone.j)
       DELETE FROM ${table} AS t USING found WHERE t.ctid = found.at AND found.k <= found.n`,
      [`[${part.join(',')}]`],
    );
  }
}

function* chunks<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += ROWS_A_STATEMENT)
    yield items.slice(start, start + ROWS_A_STATEMENT);
}
