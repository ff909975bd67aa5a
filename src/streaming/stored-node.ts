/** What is deployed in a streaming engine: one row a node, in a table of seg's own schema. */
import type { Connection } from '../engines/connection.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { quoteText, quoteRelation } from '../sql/quote.ts';
import type { DesiredNode } from './desired-node.ts';
import type { Dialect, TableColumn } from './dialect.ts';
import { ensureStateTable, stateTableExists } from './state-table.ts';
import { printsOf } from './connectors/secret-print.ts';

export interface StoredNode extends Pick<
  DesiredNode,
  | 'uniqueId'
  | 'name'
  | 'label'
  | 'kind'
  | 'relation'
  | 'reads'
  | 'definition'
  | 'columns'
  | 'key'
  | 'onConflict'
  | 'indexes'
  | 'connector'
  | 'cluster'
  | 'retention'
> {
  /** Salted hashes of the secrets in `connector`, by name: enough to tell that one has changed. */
  readonly prints?: Readonly<Record<string, string>>;
  /** Empty while the node is being replaced: what was interrupted is made again. */
  readonly fingerprint: string;
  /** Of a subscription: the engine's time (ms) from which on its changes are those of the relation as it now is. */
  readonly since?: number;
}

const columns: readonly TableColumn[] = [
  { name: 'unique_id', type: 'text', notNull: true },
  { name: 'version', type: 'bigint', notNull: false },
  { name: 'fingerprint', type: 'text', notNull: false },
  { name: 'node', type: 'text', notNull: false },
];

export class NodeStore {
  readonly #db: Connection;
  readonly #dialect: Dialect;
  readonly #table: RelationName;
  #there = false;

  constructor(db: Connection, dialect: Dialect, stateSchema: string) {
    this.#db = db;
    this.#dialect = dialect;
    this.#table = { schema: stateSchema, name: 'node' };
  }

  /** Makes the schema and the table where they are missing: before something is written. */
  ensure(): Promise<void> {
    return ensureStateTable(this.#db, this.#dialect, this.#table, columns);
  }

  /** Nothing, where nothing was deployed yet. */
  async read(): Promise<Map<string, StoredNode>> {
    this.#there ||= await stateTableExists(this.#db, this.#dialect, this.#table);
    if (!this.#there) return new Map();
    const { rows } = await this.#db.query<{ unique_id: string; fingerprint: string; node: string }>(
      `SELECT "unique_id", "fingerprint", "node" FROM ${quoteRelation(this.#table)} ORDER BY "version"`,
    );
    return new Map(
      rows.map(({ unique_id, fingerprint, node }) => [
        unique_id,
        { ...(JSON.parse(node) as StoredNode), fingerprint },
      ]),
    );
  }

  /** Written first, and the former versions deleted then: a kill in between loses nothing. */
  async write(nodes: readonly StoredNode[]): Promise<void> {
    if (nodes.length === 0) return;
    const version = await this.#nextVersion();
    const values = nodes.map((node) => {
      const { fingerprint, ...rest } = node;
      const [id, print, text] = [node.uniqueId, fingerprint, JSON.stringify(rest)].map(quoteText);
      return `(${id}, ${version}, ${print}, ${text})`;
    });
    await this.#db.exec(
      `INSERT INTO ${quoteRelation(this.#table)} ("unique_id", "version", "fingerprint", "node") VALUES ${values.join(', ')}`,
    );
    await this.#flush();
    await this.#delete(
      nodes.map(({ uniqueId }) => uniqueId),
      ` AND "version" < ${version}`,
    );
  }

  async #nextVersion(): Promise<bigint> {
    const { rows } = await this.#db.query<{ last: string | number | bigint | null }>(
      `SELECT max("version") AS last FROM ${quoteRelation(this.#table)}`,
    );
    return BigInt(rows[0]?.last ?? 0) + 1n;
  }

  async remove(uniqueIds: readonly string[]): Promise<void> {
    if (uniqueIds.length > 0) await this.#delete(uniqueIds, '');
  }

  async #delete(uniqueIds: readonly string[], condition: string): Promise<void> {
    await this.#db.exec(
      `DELETE FROM ${quoteRelation(this.#table)} WHERE "unique_id" IN (${uniqueIds.map(quoteText).join(', ')})${condition}`,
    );
    await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#dialect.flush !== null) await this.#db.exec(this.#dialect.flush);
  }
}

/** The engine's time in milliseconds; undefined where the dialect asks for none. */
export async function engineTime(db: Connection, dialect: Dialect): Promise<number | undefined> {
  if (dialect.clock === null) return undefined;
  const { rows } = await db.query<{ ms: string | number | bigint }>(dialect.clock);
  return Number(rows[0]!.ms);
}

/** A desired node as it is stored once it stands. */
export function stored(node: DesiredNode, fingerprint = node.fingerprint): StoredNode {
  const {
    uniqueId,
    name,
    label,
    kind,
    relation,
    reads,
    definition,
    columns: of,
    key,
    onConflict,
    indexes,
    connector,
    cluster,
    retention,
  } = node;
  return {
    uniqueId,
    name,
    label,
    kind,
    relation,
    reads,
    definition,
    columns: of,
    key,
    onConflict,
    indexes,
    ...(connector === undefined ? {} : { connector, prints: printsOf(node.secrets) }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(retention === undefined ? {} : { retention }),
    fingerprint,
  };
}
