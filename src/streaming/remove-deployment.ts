/** Takes everything away that seg has made in a streaming engine: `seg clean --database`. */
import { segError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { Claims } from './claims.ts';
import type { Dialect } from './dialect.ts';
import { NodeStore } from './stored-node.ts';
import type { StoredNode } from './stored-node.ts';
import { StreamingDeployer } from './streaming-deployer.ts';

/** What seg keeps in its own schema. */
const STATE_TABLES: ReadonlySet<string> = new Set(['node', 'claim', 'position_range']);

/**
 * There is no transaction: what was dropped before an error stays dropped, and the next call goes on.
 * @returns labels of what was deployed
 * @throws SegError SEG921 when sources hold rows that cannot be had again and `dropSources` is false; nothing is dropped then
 */
export async function removeStreamingDeployment(
  db: Connection,
  dialect: Dialect,
  stateSchema: string,
  options: { readonly dropSources: boolean },
): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(dialect.objectsIn(stateSchema));
  if (!rows.some(({ name }) => name === 'node')) return [];
  const store = new NodeStore(db, dialect, stateSchema);
  const nodes = [...(await store.read()).values()];
  if (!options.dropSources) await refuseRows(db, dialect, nodes);
  const deployer = new StreamingDeployer(db, dialect, store, new Claims(db, dialect, stateSchema));
  // A run that was killed has left what reads the rest.
  await deployer.sweepAround(nodes);
  await deployer.remove(nodes);
  for (const { name } of rows.filter(({ name }) => STATE_TABLES.has(name)))
    for (const object of dialect.objectsOf({
      kind: 'table',
      relation: { schema: stateSchema, name },
      key: [],
    }))
      await db.exec(dialect.drop(object.kind, object));
  await db.exec(`DROP SCHEMA IF EXISTS ${quoteIdentifier(stateSchema)}`);
  return nodes.map(({ label }) => label);
}

async function refuseRows(db: Connection, dialect: Dialect, nodes: readonly StoredNode[]): Promise<void> {
  const full: string[] = [];
  for (const { uniqueId, kind, connector, relation, label } of nodes) {
    const lasting = connector === undefined ? kind === 'table' : connector.lasting;
    if (!lasting || !uniqueId.startsWith('source.') || uniqueId.endsWith('.rejected')) continue;
    const { rows: objects } = await db.query<{ name: string }>(dialect.objectsIn(relation.schema));
    if (!objects.some(({ name }) => name === relation.name)) continue;
    const { rows } = await db.query(`SELECT 1 AS one FROM ${quoteRelation(relation)} LIMIT 1`);
    if (rows.length > 0) full.push(label);
  }
  if (full.length === 0) return;
  throw segError(
    'SEG921',
    `${full.join(', ')} ${full.length === 1 ? 'holds' : 'hold'} ingested rows, which cannot be computed again`,
    { hint: 'Repeat with --drop-sources to drop them too.', exitCode: 1 },
  );
}
