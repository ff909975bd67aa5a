/** Takes everything away that seg has made in a database. */
import { segError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import { Dag } from '../graph/dag.ts';
import { dropUnusedIndexes } from '../incremental/derive-indexes.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { readDeployed } from '../state/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';
import { ensureState, stateVersion } from '../state/schema.ts';
import { keepWritersOut, waitForDeployments } from '../state/take-turns.ts';
import { dropNode } from './drop.ts';
import { missingNodes } from './missing-nodes.ts';
import { holdsForeignRows } from './orphans.ts';
import { inputTables } from './programs.ts';

export interface RemovedNode {
  readonly label: string;
  /** Its table is somebody else's, and stays. */
  readonly kept: boolean;
}

/**
 * @param tx a transaction: all goes or nothing
 * @returns what was deployed, readers first
 * @throws SegError SEG921 when sources hold rows and `dropSources` is false
 */
export async function removeDeployment(
  tx: Connection,
  stateSchema: string,
  options: { readonly dropSources: boolean },
): Promise<RemovedNode[]> {
  if ((await stateVersion(tx, stateSchema)) === 0) return [];
  await waitForDeployments(tx, stateSchema);
  await ensureState(tx, stateSchema);
  const deployed = await readDeployed(tx, stateSchema);
  await keepWritersOut(tx, inputTables(deployed, stateSchema));
  if (!options.dropSources) {
    const missing = await missingNodes(tx, stateSchema, deployed);
    await refuseRows(
      tx,
      [...deployed.values()].filter(({ uniqueId }) => !missing.includes(uniqueId)),
    );
  }
  const order = new Dag([...deployed.values()].map(({ uniqueId, reads }) => [uniqueId, reads] as const))
    .order()
    .reverse()
    .flatMap((id) => deployed.get(id) ?? []);
  for (const node of order) await dropNode({ tx, stateSchema }, node);
  await dropUnusedIndexes(tx, stateSchema, []);
  await tx.exec(`DROP SCHEMA ${quoteIdentifier(stateSchema)} CASCADE`);
  return order.map(({ label, kind }) => ({ label, kept: kind === 'existing' }));
}

async function refuseRows(tx: Connection, deployed: readonly DeployedNode[]): Promise<void> {
  const full: string[] = [];
  for (const node of deployed) if (await holdsForeignRows(tx, node)) full.push(node.label);
  if (full.length === 0) return;
  throw segError(
    'SEG921',
    `${full.join(', ')} ${full.length === 1 ? 'holds' : 'hold'} ingested rows, which cannot be computed again`,
    {
      hint: 'Nothing was dropped. With --drop-sources they go too.',
      exitCode: 1,
    },
  );
}
