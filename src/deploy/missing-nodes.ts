import type { Connection } from '../engines/connection.ts';
import type { DeployedNode } from '../state/nodes.ts';
import { existingRelations } from './catalog.ts';

/** unique_ids of deployed nodes whose relation, or the table behind it, somebody has dropped. */
export async function missingNodes(
  tx: Connection,
  stateSchema: string,
  deployed: ReadonlyMap<string, DeployedNode>,
): Promise<string[]> {
  const there = await existingRelations(tx);
  const stands = (schema: string, name: string): boolean => there.has(JSON.stringify([schema, name]));
  return [...deployed.values()]
    .filter(
      ({ schema, relation, state }) =>
        !stands(schema, relation) || (state !== null && !stands(stateSchema, state)),
    )
    .map(({ uniqueId }) => uniqueId);
}
