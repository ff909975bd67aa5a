/** What the database's own catalog says of relations. */
import type { Connection } from '../engines/connection.ts';
import { typeToHash, withHashable } from '../engines/hashable.ts';
import { quoteRelation } from '../sql/quote.ts';
import type { DeployedColumn } from '../state/nodes.ts';

export type RelationKind = 'table' | 'view' | 'other';

export interface RelationName {
  readonly schema: string;
  readonly name: string;
}

/** Columns of a relation in order; empty when it does not exist. */
export async function readColumns(connection: Connection, relation: RelationName): Promise<DeployedColumn[]> {
  const { rows } = await connection.query<{ name: string; type: string; toHash: number | null }>(
    `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, ${typeToHash} AS "toHash"
     FROM pg_attribute a
     WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY a.attnum`,
    [quoteRelation(relation)],
  );
  return withHashable(connection, rows);
}

export async function relationKind(
  connection: Connection,
  relation: RelationName,
): Promise<RelationKind | undefined> {
  const { rows } = await connection.query<{ relkind: string }>(
    'SELECT relkind::text FROM pg_class WHERE oid = to_regclass($1)',
    [quoteRelation(relation)],
  );
  const relkind = rows[0]?.relkind;
  if (relkind === undefined) return undefined;
  return relkind === 'r' || relkind === 'p' ? 'table' : relkind === 'v' ? 'view' : 'other';
}

export function sameColumns(a: readonly DeployedColumn[], b: readonly DeployedColumn[]): boolean {
  return a.length === b.length && a.every(({ name, type }, i) => name === b[i]!.name && type === b[i]!.type);
}

/** Every table and view outside the system's schemas, as JSON.stringify([schema, name]). */
export async function existingRelations(connection: Connection): Promise<Set<string>> {
  const { rows } = await connection.query<{ schema: string; name: string }>(
    `SELECT n.nspname::text AS schema, c.relname::text AS name
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`,
  );
  return new Set(rows.map(({ schema, name }) => JSON.stringify([schema, name])));
}
