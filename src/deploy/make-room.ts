/** Nodes that change their place or their name: what stands is taken along, not made anew. */
import { segError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import { removeProgram } from '../incremental/install-programs.ts';
import type { Project } from '../project/load.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { deleteDeployed, renameDeployed } from '../state/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';
import type { BuildContext } from './build-context.ts';
import type { RelationName } from './catalog.ts';
import { rejectedTable } from './ddl.ts';
import { dropNode } from './drop.ts';
import { isDeployable } from './spec.ts';
import type { NodeSpec } from './spec.ts';
import { ensureSchema, refuseForeign } from './stand-in-place.ts';

/** Whether the project still makes a relation (or a stored test) of this node. A model that became ephemeral is gone too. */
export function isGone(project: Project, uniqueId: string): boolean {
  const { nodes, sources } = project.manifest;
  const node = nodes[uniqueId] ?? sources[uniqueId];
  return node === undefined || (node.resource_type === 'model' && !isDeployable(node));
}

/**
 * Another node is deployed where `spec` should stand. One that is gone from the project was renamed: its relation, rows and feed
 * become the new node's, and whoever reads it reads the new one.
 * @returns the deployed nodes as they are then
 * @throws SegError SEG416 when the other node is still in the project, or is a source whose rows would be lost
 */
export async function takeOver(
  context: BuildContext,
  project: Project,
  spec: NodeSpec,
  deployed: ReadonlyMap<string, DeployedNode>,
): Promise<Map<string, DeployedNode>> {
  const { tx, stateSchema } = context;
  const nodes = new Map(deployed);
  const occupant = [...deployed.values()].find(
    ({ uniqueId, schema, relation }) =>
      uniqueId !== spec.uniqueId && schema === spec.schema && relation === spec.relation,
  );
  if (occupant === undefined) return nodes;
  const losesRows = occupant.kind === 'source' && (spec.kind !== 'source' || deployed.has(spec.uniqueId));
  if (losesRows || !isGone(project, occupant.uniqueId)) {
    throw segError(
      'SEG416',
      `${spec.label} cannot be created: ${occupant.label} is deployed as "${occupant.schema}.${occupant.relation}"`,
      {
        at: spec.at,
        hint: losesRows
          ? 'Ingested rows are not thrown away: give the node another alias, or drop the source with --prune first.'
          : `Deploy ${occupant.label} first, so that it makes room: --select ${occupant.name}.`,
        exitCode: 1,
      },
    );
  }
  nodes.delete(occupant.uniqueId);
  if (deployed.has(spec.uniqueId)) {
    await context.detachReaders(occupant.uniqueId);
    await dropNode(context, occupant);
    await deleteDeployed(tx, stateSchema, occupant.uniqueId);
  } else {
    await renameDeployed(tx, stateSchema, occupant.uniqueId, spec.uniqueId);
    nodes.set(spec.uniqueId, { ...occupant, uniqueId: spec.uniqueId });
  }
  for (const node of nodes.values()) {
    if (!node.reads.includes(occupant.uniqueId)) continue;
    const reads = node.reads.map((id) => (id === occupant.uniqueId ? spec.uniqueId : id));
    nodes.set(node.uniqueId, { ...node, reads });
  }
  return nodes;
}

/** Renames the table of a source or a seed, with its rows, its dead letters and the positions it has given. */
export async function moveTable(context: BuildContext, old: DeployedNode, spec: NodeSpec): Promise<void> {
  const { tx, stateSchema } = context;
  const seg = quoteIdentifier(stateSchema);
  const from = { schema: old.schema, name: old.relation };
  const to = { schema: spec.schema, name: spec.relation };
  await ensureSchema(tx, spec.schema);
  await refuseForeign(tx, spec, to);
  // The program and its triggers bear the table's name.
  await removeProgram(tx, from, { stateSchema, searchPath: context.searchPath });
  await tx.query(`DELETE FROM ${seg}.program WHERE input = $1`, [spec.uniqueId]);
  await rename(tx, from, to);
  if (spec.kind === 'source') await rename(tx, rejectedTable(old), rejectedTable(spec));
}

/** By a name that is free in both schemas. */
async function rename(tx: Connection, from: RelationName, to: RelationName): Promise<void> {
  const passing = '_seg_moving';
  await tx.exec(
    `ALTER TABLE ${quoteRelation(from)} RENAME TO ${quoteIdentifier(passing)};
     ${from.schema === to.schema ? '' : `ALTER TABLE ${quoteRelation({ schema: from.schema, name: passing })} SET SCHEMA ${quoteIdentifier(to.schema)};`}
     ALTER TABLE ${quoteRelation({ schema: to.schema, name: passing })} RENAME TO ${quoteIdentifier(to.name)}`,
  );
}
