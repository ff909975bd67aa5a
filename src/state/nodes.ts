/** The deployed nodes, read and written. */
import { DatabaseError } from '../engines/connection.ts';
import type { Connection } from '../engines/connection.ts';
import type { JsonValue } from '../changelog/change.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { stateVersion } from './schema.ts';

/**
 * How a deployed node lives in the database. `existing`: a source whose table somebody else made. Tests that store their failures are `materialized_view` too.
 */
export type NodeKind = 'source' | 'existing' | 'seed' | 'table' | 'view' | 'materialized_view';

export interface DeployedColumn {
  readonly name: string;
  /** As format_type prints it: `character varying(10)`, `bigint`. */
  readonly type: string;
  /** Whether the type has a hash function. */
  readonly hashable: boolean;
}

export interface DeployedNode {
  /** Small number that changelog rows bear. */
  readonly id: number;
  readonly uniqueId: string;
  readonly name: string;
  /** For messages: `model "x"`. */
  readonly label: string;
  readonly kind: NodeKind;
  readonly schema: string;
  readonly relation: string;
  /** The table in the state schema that holds a maintained view's rows; null for other kinds. */
  readonly state: string | null;
  /** Compiled SQL; null for sources and seeds. */
  readonly definition: string | null;
  /** unique_ids of the nodes whose relations the definition reads; CLOCK among them when it reads the clock. */
  readonly reads: readonly string[];
  readonly columns: readonly DeployedColumn[];
  readonly key: readonly string[];
  readonly fingerprint: string;
  readonly keepChanges: boolean;
  readonly settings: { readonly [name: string]: JsonValue };
}

/** Stands for the clock among the inputs of models. */
export const CLOCK = 'clock';

/** The setting that tells from which epoch on a node's changes are kept. */
export const CHANGES_SINCE = 'changes_since';

interface NodeRow {
  id: number;
  unique_id: string;
  name: string;
  kind: NodeKind;
  schema_name: string;
  relation_name: string;
  state_name: string | null;
  definition: string | null;
  reads: string[];
  columns: DeployedColumn[];
  key: string[];
  fingerprint: string;
  keep_changes: boolean;
  settings: { [name: string]: JsonValue };
}

const NODE_COLUMNS = `id, unique_id, name, kind, schema_name, relation_name, state_name, definition,
  to_jsonb(reads) AS reads, columns, to_jsonb(key) AS key, fingerprint, keep_changes, settings`;

/** All deployed nodes by unique_id; empty when nothing was ever deployed. */
export async function readDeployed(
  connection: Connection,
  schema: string,
): Promise<Map<string, DeployedNode>> {
  if ((await stateVersion(connection, schema)) === 0) return new Map();
  const { rows } = await connection.query<NodeRow>(
    `SELECT ${NODE_COLUMNS} FROM ${quoteIdentifier(schema)}.node ORDER BY id`,
  );
  return new Map(rows.map((row) => [row.unique_id, nodeOf(row)]));
}

/** One deployed node; undefined when it is not there, or nothing was ever deployed. */
export async function readDeployedNode(
  connection: Connection,
  schema: string,
  uniqueId: string,
): Promise<DeployedNode | undefined> {
  try {
    const { rows } = await connection.query<NodeRow>(
      `SELECT ${NODE_COLUMNS} FROM ${quoteIdentifier(schema)}.node WHERE unique_id = $1`,
      [uniqueId],
    );
    return rows[0] === undefined ? undefined : nodeOf(rows[0]);
  } catch (error) {
    if (error instanceof DatabaseError && ['42P01', '3F000'].includes(error.sqlstate)) return undefined;
    throw error;
  }
}

function nodeOf(row: NodeRow): DeployedNode {
  return {
    id: row.id,
    uniqueId: row.unique_id,
    name: row.name,
    label: typeof row.settings['label'] === 'string' ? row.settings['label'] : row.unique_id,
    kind: row.kind,
    schema: row.schema_name,
    relation: row.relation_name,
    state: row.state_name,
    definition: row.definition,
    reads: row.reads,
    columns: row.columns,
    key: row.key,
    fingerprint: row.fingerprint,
    keepChanges: row.keep_changes,
    settings: row.settings,
  };
}

/** Records a node as deployed; keeps its id when it was there. Answers the record with its id. */
export async function writeDeployed(
  tx: Connection,
  schema: string,
  node: Omit<DeployedNode, 'id'>,
): Promise<DeployedNode> {
  const { rows } = await tx.query<{ id: number }>(
    `INSERT INTO ${quoteIdentifier(schema)}.node
       (unique_id, name, kind, schema_name, relation_name, state_name, definition, reads, columns, key, fingerprint,
        keep_changes, settings)
     VALUES ($1, $2, $3, $4, $5, $6, $7, ARRAY(SELECT jsonb_array_elements_text($8::jsonb)), $9::jsonb,
             ARRAY(SELECT jsonb_array_elements_text($10::jsonb)), $11, $12, $13::jsonb)
     ON CONFLICT (unique_id) DO UPDATE SET
       name = excluded.name, kind = excluded.kind, schema_name = excluded.schema_name,
       relation_name = excluded.relation_name, state_name = excluded.state_name, definition = excluded.definition,
       reads = excluded.reads, columns = excluded.columns, key = excluded.key, fingerprint = excluded.fingerprint,
       keep_changes = excluded.keep_changes, settings = excluded.settings, deployed_at = clock_timestamp()
     RETURNING id`,
    [
      node.uniqueId,
      node.name,
      node.kind,
      node.schema,
      node.relation,
      node.state,
      node.definition,
      JSON.stringify(node.reads),
      JSON.stringify(node.columns),
      JSON.stringify(node.key),
      node.fingerprint,
      node.keepChanges,
      JSON.stringify(node.settings),
    ],
  );
  return { ...node, id: rows[0]!.id };
}

/** Gives a deployed node another unique_id, also where others read it; its changes stay with it. */
export async function renameDeployed(
  tx: Connection,
  schema: string,
  from: string,
  to: string,
): Promise<void> {
  const seg = quoteIdentifier(schema);
  await tx.query(`UPDATE ${seg}.node SET unique_id = $2 WHERE unique_id = $1`, [from, to]);
  await tx.query(`UPDATE ${seg}.node SET reads = array_replace(reads, $1, $2) WHERE $1 = ANY (reads)`, [
    from,
    to,
  ]);
  await tx.query(`UPDATE ${seg}.program SET input = $2 WHERE input = $1`, [from, to]);
}

export async function deleteDeployed(tx: Connection, schema: string, uniqueId: string): Promise<void> {
  await tx.query(
    `WITH gone AS (DELETE FROM ${quoteIdentifier(schema)}.node WHERE unique_id = $1 RETURNING id)
     DELETE FROM ${quoteIdentifier(schema)}.changelog USING gone WHERE node = gone.id`,
    [uniqueId],
  );
}
