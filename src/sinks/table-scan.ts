/**
 * All rows of a stored table as they are at one step, read in pieces while others go on writing. PostgreSQL would take one statement
 * for it, or a transaction that stays open: the embedded server does one thing at a time, and everybody would wait.
 *
 * Rows are read where they lie, from the first page to the last of the beginning. A row that was written since tells so by its transaction
 * (xmin) and is passed over; one that is about to change or go before it was read is set aside by a trigger. Both together are the rows
 * of the beginning, each once, whatever the table's key or indexes are.
 *
 * A sink has one scan at most (`sink_scan`). Its trigger and its function bear the sink's number.
 */
import type { Connection } from '../engines/connection.ts';
import { stateSchemaOf } from '../deploy/spec.ts';
import type { Project } from '../project/load.ts';
import { quoteIdentifier, quoteLiteral, quoteRelation } from '../sql/quote.ts';
import { rowObject } from '../sql/row-json.ts';
import type { DeployedNode } from '../state/nodes.ts';

/** A table of fewer pages is read faster as a whole. */
const FEW_PAGES = 4;

/** How far a scan is. */
export interface Scan {
  /** The transaction in which it began. */
  readonly began: string;
  /** Rows before this place were read. */
  readonly next: string;
  readonly pages: number;
}

/** SQL of a scan as a JSON object. @param scan the alias of a row of `sink_scan` */
export function scanAsJson(scan: string): string {
  return `jsonb_build_object('began', ${scan}.began::text, 'next', ${scan}.next::text, 'pages', ${scan}.pages)`;
}

/** Some of the rows. Its SQL is good for one statement of the transaction, before `taken`. */
export interface Piece {
  /** How many rows were looked at. */
  readonly rows: number;
  /** SELECT of `"_seg_row"` (jsonb) and `"_seg_place"` (text, another one for each row). */
  readonly sql: string;
  /** Notes that it was read. Answers how far the scan is then; null when it was the last one. */
  taken(): Promise<Scan | null>;
}

/** Whose scan it is, and of what. */
export interface ScanOf {
  /** The sink's number. */
  readonly sink: number;
  readonly stateSchema: string;
  readonly node: DeployedNode;
}

/** Whether a table is so large that it is worth it. */
export async function isLong(tx: Connection, of: Omit<ScanOf, 'sink'>): Promise<boolean> {
  const { rows } = await tx.query<{ pages: number }>(
    `SELECT (pg_relation_size(to_regclass($1)) / current_setting('block_size')::integer)::integer AS pages`,
    [tableOf(of)],
  );
  return rows[0]!.pages > FEW_PAGES;
}

/** Begins with the state that this transaction sees; until it is committed nobody else may write. */
export async function beginScan(tx: Connection, of: ScanOf): Promise<Scan> {
  const seg = quoteIdentifier(of.stateSchema);
  const table = tableOf(of);
  const { rows } = await tx.query<{ scan: Scan }>(
    `INSERT INTO ${seg}.sink_scan AS s (sink, relation, filenode, began, next, pages)
     SELECT $2, c.oid, pg_relation_filenode(c.oid), pg_current_xact_id()::xid, '(0,0)',
       pg_relation_size(c.oid) / current_setting('block_size')::integer
     FROM pg_class AS c WHERE c.oid = to_regclass($1) RETURNING ${scanAsJson('s')} AS scan`,
    [table, of.sink],
  );
  const { scan } = rows[0]!;
  await tx.exec(`
    CREATE OR REPLACE FUNCTION ${functionOf(of)} RETURNS trigger LANGUAGE plpgsql AS $seg$
      BEGIN
        INSERT INTO ${seg}.sink_scan_row (sink, "row")
        SELECT s.sink, ${rowObject(of.node.columns, 'OLD')}
        FROM ${seg}.sink_scan AS s WHERE s.sink = ${of.sink} AND OLD.ctid >= s.next;
        RETURN NULL;
      END $seg$;
    CREATE TRIGGER ${quoteIdentifier(`seg sink ${of.sink}`)} AFTER UPDATE OR DELETE ON ${table} FOR EACH ROW
      WHEN (${isOlder('OLD', scan)}) EXECUTE FUNCTION ${functionOf(of)};`);
  return scan;
}

/**
 * The next rows, at most `most` of them.
 * @returns undefined when the table was replaced or written anew: what was not read is lost
 */
export async function nextPiece(
  tx: Connection,
  of: ScanOf,
  scan: Scan,
  most: number,
): Promise<Piece | undefined> {
  const seg = quoteIdentifier(of.stateSchema);
  if (pageOf(scan.next) >= scan.pages) return pieceSetAside(tx, of, scan, most);
  const table = tableOf(of);
  // Every page has a row at least, as far as the planner needs to know.
  const far = `(${Math.min(scan.pages, pageOf(scan.next) + most)},0)`;
  const { rows } = await tx.query<{ whole: boolean | null; last: string | null; count: number }>(
    `SELECT (SELECT relation = to_regclass($1) AND filenode = pg_relation_filenode(relation) FROM ${seg}.sink_scan WHERE sink = $2) AS whole,
       max(ctid)::text AS last, count(*)::integer AS count
     FROM (SELECT t.ctid FROM ${table} AS t WHERE t.ctid >= '${scan.next}' AND t.ctid < '${far}' LIMIT ${most}) AS piece`,
    [table, of.sink],
  );
  const { whole, last, count } = rows[0]!;
  if (whole !== true) return undefined;
  const next = count < most ? far : after(last!);
  return {
    rows: count,
    sql: `SELECT ${rowObject(of.node.columns, 't')} AS "_seg_row", t.ctid::text AS "_seg_place"
      FROM ${table} AS t WHERE t.ctid >= '${scan.next}' AND t.ctid < '${next}' AND ${isOlder('t', scan)}`,
    taken: async () => {
      await tx.query(`UPDATE ${seg}.sink_scan SET next = $2::tid WHERE sink = $1`, [of.sink, next]);
      if (pageOf(next) < scan.pages) return { ...scan, next };
      // Nothing needs to be set aside any more.
      await dropTrigger(tx, of);
      const { rows: left } = await tx.query(`SELECT FROM ${seg}.sink_scan_row WHERE sink = $1 LIMIT 1`, [
        of.sink,
      ]);
      if (left.length > 0) return { ...scan, next };
      await endScan(tx, of);
      return null;
    },
  };
}

async function pieceSetAside(tx: Connection, of: ScanOf, scan: Scan, most: number): Promise<Piece> {
  const seg = quoteIdentifier(of.stateSchema);
  const { rows } = await tx.query<{ last: string; count: number }>(
    `SELECT coalesce(max(n), 0)::text AS last, count(*)::integer AS count
     FROM (SELECT n FROM ${seg}.sink_scan_row WHERE sink = $1 ORDER BY n LIMIT ${most}) AS piece`,
    [of.sink],
  );
  const { last, count } = rows[0]!;
  return {
    rows: count,
    sql: `SELECT "row" AS "_seg_row", '#' || n AS "_seg_place" FROM ${seg}.sink_scan_row WHERE sink = ${of.sink} AND n <= ${last}`,
    taken: async () => {
      await tx.query(`DELETE FROM ${seg}.sink_scan_row WHERE sink = $1 AND n <= $2::bigint`, [of.sink, last]);
      if (count === most) return scan;
      await endScan(tx, of);
      return null;
    },
  };
}

/** Ends a scan, read to its end or not. */
export async function endScan(tx: Connection, of: Omit<ScanOf, 'node'>): Promise<void> {
  const seg = quoteIdentifier(of.stateSchema);
  await dropTrigger(tx, of);
  await tx.query(`DELETE FROM ${seg}.sink_scan_row WHERE sink = $1`, [of.sink]);
  await tx.query(`DELETE FROM ${seg}.sink_scan WHERE sink = $1`, [of.sink]);
}

/**
 * Gives up the scans of sinks that the project has no more, so that no rows are set aside for them. One that comes back finds its scan
 * as that of a table written anew.
 */
export async function giveUpScans(db: Connection, project: Project): Promise<void> {
  const stateSchema = stateSchemaOf(project);
  const seg = quoteIdentifier(stateSchema);
  const { rows } = await db.query<{ sink: number }>(
    `SELECT c.sink FROM ${seg}.sink_scan AS c JOIN ${seg}.sink AS s ON s.id = c.sink
     WHERE c.filenode <> 0 AND s.unique_id NOT IN (SELECT jsonb_array_elements_text($1::jsonb))`,
    [JSON.stringify(Object.keys(project.manifest.sinks ?? {}))],
  );
  for (const { sink } of rows) {
    await db.transaction(async (tx) => {
      await dropTrigger(tx, { sink, stateSchema });
      await tx.query(`DELETE FROM ${seg}.sink_scan_row WHERE sink = $1`, [sink]);
      await tx.query(`UPDATE ${seg}.sink_scan SET filenode = 0, next = '(0,0)' WHERE sink = $1`, [sink]);
    });
  }
}

/** The trigger goes with its function, and has gone with its table. */
async function dropTrigger(tx: Connection, of: Omit<ScanOf, 'node'>): Promise<void> {
  await tx.exec(`DROP FUNCTION IF EXISTS ${functionOf(of)} CASCADE`);
}

function functionOf({ stateSchema, sink }: Omit<ScanOf, 'node'>): string {
  return `${quoteRelation({ schema: stateSchema, name: `set aside for sink ${sink}` })}()`;
}

function tableOf({ stateSchema, node }: Omit<ScanOf, 'sink'>): string {
  return quoteRelation({ schema: stateSchema, name: node.state ?? '' });
}

/** SQL: a row was there before the scan began. Frozen rows keep their transaction's number. */
function isOlder(row: string, { began }: Scan): string {
  return `age(${row}.xmin) > age(${quoteLiteral(began)}::xid)`;
}

function pageOf(place: string): number {
  return Number(/\d+/.exec(place)![0]);
}

/** The place behind one. */
function after(place: string): string {
  const [page, slot] = place.slice(1, -1).split(',');
  return `(${page},${Number(slot) + 1})`;
}
