/**
 * An index by which one row of a maintained model is found by its `unique_key`. Maintenance often has one already: of a watched key, and of
 * groups. Where neither stands one is made: on the columns themselves where their values are short, so that every client's queries
 * use it, and otherwise on a hash, since an entry of an index must not be longer than a third of a page: a writer's row would be refused.
 */
import { createHash } from 'node:crypto';
import type { Connection } from '../engines/connection.ts';
import type { StoredPlan } from '../incremental/stored-plan.ts';
import { hashOfRow } from '../ivm/relation/row-hash.ts';
import { addressColumns, addressIndex } from '../ivm/strategies/stored-stage.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { shortName } from '../sql/short-name.ts';
import type { DeployedColumn, DeployedNode } from '../state/nodes.ts';
import { keyOf } from './plans.ts';

/** The setting of a node that names the columns whose hash is indexed, in their order. */
const KEY_HASHED = 'key_hashed';

/** How the names of these indexes begin. */
const PREFIX = 'seg find';

interface KeyIndexRequest {
  readonly stateSchema: string;
  readonly deployed: ReadonlyMap<string, DeployedNode>;
}

/** What the catalog says of the table that holds a model's rows. */
interface Standing {
  readonly oid: number;
  /** Columns in which unequal texts may be equal: what is hashed has the collation of the column, and a value to find has not. */
  readonly loose: readonly string[];
  /** The columns of its other indexes, where those are plain. */
  readonly plain: readonly (readonly string[])[];
  /** Indexes that were made here. */
  readonly own: readonly string[];
}

/** Makes and drops these indexes; `watchKeys` has run. */
export async function indexKeys(
  tx: Connection,
  plans: readonly StoredPlan[],
  { stateSchema, deployed }: KeyIndexRequest,
): Promise<void> {
  const seg = quoteIdentifier(stateSchema);
  const standing = await readStanding(tx, plans);
  const watched = await tx.query<{ node: number }>(`SELECT node FROM ${seg}.watched_key`);
  const watchedIds = new Set(watched.rows.map(({ node }) => node));
  const byKey = new Map(plans.map((plan) => [plan.key, plan]));
  const hashed: { readonly node: number; readonly columns: readonly string[] }[] = [];
  for (const node of deployed.values()) {
    const stage = byKey.get(keyOf(node))?.stages.at(-1);
    const table = stage === undefined ? undefined : standing.get(stage.oid);
    if (node.kind !== 'materialized_view' || stage === undefined || table === undefined) continue;
    const firm = node.key.every((name) => !table.loose.includes(name));
    const address = addressIndex(stage) === null ? [] : addressColumns(stage);
    let wanted: string | undefined;
    if (node.key.length > 0 && !table.plain.some((columns) => sameNames(columns, node.key))) {
      if (firm && watchedIds.has(node.id)) hashed.push({ node: node.id, columns: node.key });
      else if (firm && sameNames(address, node.key)) hashed.push({ node: node.id, columns: address });
      else {
        const columns = node.key.map((name) => node.columns.find((column) => column.name === name)!);
        wanted = targetOf(columns, firm);
        if (wanted !== undefined && wanted.includes('hash_record'))
          hashed.push({ node: node.id, columns: node.key });
      }
    }
    await settle(tx, { schema: stateSchema, name: node.state! }, table.own, wanted);
  }
  await tx.query(
    `UPDATE ${seg}.node AS n SET settings = n.settings - $1::text || coalesce(h.setting, '{}')
     FROM ${seg}.node AS o LEFT JOIN (
       SELECT node, jsonb_build_object($1::text, columns) AS setting FROM jsonb_to_recordset($2::jsonb) AS x (node integer, columns jsonb)
     ) AS h ON h.node = o.id
     WHERE n.id = o.id AND n.settings -> $1::text IS DISTINCT FROM h.setting -> $1::text`,
    [KEY_HASHED, JSON.stringify(hashed)],
  );
}

/** SQL that is true where a row's key is that of `values`, found by the index that there is. @param values SQL, in the order of the key */
export function hasKey(node: DeployedNode, alias: string, values: readonly string[]): string {
  const named = (name: string): string => `${alias}.${quoteIdentifier(name)}`;
  const equal = node.key.map((name, at) => `${named(name)} = ${values[at]!}`);
  const hashed = node.settings[KEY_HASHED];
  if (!Array.isArray(hashed) || !sameNames(hashed.map(String), node.key)) return equal.join(' AND ');
  const names = hashed.map(String);
  const text = (name: string): string =>
    node.columns.find((column) => column.name === name)!.hashable ? '' : '::text';
  const left = hashOfRow(names.map((name) => `${named(name)}${text(name)}`));
  const right = hashOfRow(names.map((name) => `${values[node.key.indexOf(name)]!}${text(name)}`));
  return [`${left} = ${right}`, ...equal].join(' AND ');
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}

/** Types whose values are at most that many bytes long. */
const SHORT: readonly (readonly [RegExp, number])[] = [
  [/^(boolean|"char"|smallint|integer|bigint|oid|real|double precision|money|pg_lsn|xid8|date)$/, 8],
  [/^(time|timestamp|interval|uuid|macaddr8?)\b/, 24],
  [/^(inet|cidr)$/, 24],
  [/^name$/, 64],
  [/^(character varying|character|numeric)\(\d+(,-?\d+)?\)$/, NaN],
];
/** Well within a btree's 2,704. */
const MOST_BYTES = 2000;

function bytesOf(type: string): number {
  if (type.endsWith('[]')) return Infinity;
  const [, bytes = Infinity] = SHORT.find(([pattern]) => pattern.test(type)) ?? [];
  if (!Number.isNaN(bytes)) return bytes;
  // A character takes up to four bytes, four digits take two.
  return 16 + 4 * Number(/\((\d+)/.exec(type)![1]);
}

/** What is indexed, as CREATE INDEX has it behind the table; undefined where nothing can be. */
function targetOf(columns: readonly DeployedColumn[], firm: boolean): string | undefined {
  const names = columns.map(({ name }) => quoteIdentifier(name));
  if (columns.reduce((sum, { type }) => sum + bytesOf(type), 0) <= MOST_BYTES) return `(${names.join(', ')})`;
  if (!columns.every(({ hashable }) => hashable)) return undefined;
  if (columns.length === 1) return `USING hash (${names[0]!})`;
  return firm ? `(${hashOfRow(names)})` : undefined;
}

async function settle(
  tx: Connection,
  table: { readonly schema: string; readonly name: string },
  own: readonly string[],
  wanted: string | undefined,
): Promise<void> {
  const print = createHash('sha256')
    .update(wanted ?? '')
    .digest('hex')
    .slice(0, 8);
  const name = wanted === undefined ? undefined : shortName(PREFIX, print, table.name);
  for (const other of own) {
    if (other !== name) await tx.exec(`DROP INDEX ${quoteRelation({ schema: table.schema, name: other })}`);
  }
  if (name !== undefined && !own.includes(name))
    await tx.exec(`CREATE INDEX ${quoteIdentifier(name)} ON ${quoteRelation(table)} ${wanted!}`);
}

async function readStanding(
  tx: Connection,
  plans: readonly StoredPlan[],
): Promise<ReadonlyMap<number, Standing>> {
  const { rows } = await tx.query<Standing>(
    `SELECT c.oid::integer AS oid,
       to_jsonb(ARRAY(SELECT a.attname::text FROM pg_attribute AS a JOIN pg_collation AS l ON l.oid = a.attcollation
         WHERE a.attrelid = c.oid AND NOT l.collisdeterministic)) AS loose,
       to_jsonb(ARRAY(SELECT x.relname::text FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid
         WHERE i.indrelid = c.oid AND starts_with(x.relname, $2))) AS own,
       (SELECT coalesce(jsonb_agg(p.names), '[]') FROM (
          SELECT (SELECT jsonb_agg(a.attname ORDER BY k.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
                  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE k.n <= i.indnkeyatts) AS names
          FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid
          WHERE i.indrelid = c.oid AND i.indisvalid AND i.indexprs IS NULL AND i.indpred IS NULL AND NOT starts_with(x.relname, $2)) AS p) AS plain
     FROM jsonb_array_elements_text($1::jsonb) AS o (oid) JOIN pg_class AS c ON c.oid = o.oid::oid`,
    [JSON.stringify(plans.flatMap(({ stages }) => stages.slice(-1).map(({ oid }) => oid))), PREFIX],
  );
  return new Map(rows.map((row) => [row.oid, row]));
}
