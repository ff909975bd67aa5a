import type { Project } from '../project/load.ts';
import type { IndexConfig } from '../project/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';
import type { NodeSpec } from './spec.ts';

/**
 * A deployed node as a spec, to bring it up to date as it is deployed: the project may have changed or lost it.
 * @param project where the user finds the node's SQL, if it is still there
 */
export function specOfDeployed(node: DeployedNode, project: Project): NodeSpec {
  const { nodes, sources } = project.manifest;
  const found = nodes[node.uniqueId] ?? sources[node.uniqueId];
  const asDeployed =
    found !== undefined && 'compiled_code' in found && found.compiled_code === node.definition;
  return {
    uniqueId: node.uniqueId,
    name: node.name,
    label: node.label,
    kind: node.kind,
    schema: node.schema,
    relation: node.relation,
    definition: node.definition,
    sourceMap: asDeployed ? (project.sourceMaps.get(node.uniqueId) ?? null) : null,
    declared: node.columns.map(({ name, type }) => ({ name, type, notNull: false, generated: undefined })),
    key: node.key,
    indexes: (node.settings['indexes'] ?? []) as unknown as IndexConfig[],
    keepChanges: node.keepChanges,
    reads: node.reads,
    foreign: [],
    settings: node.settings,
    fingerprint: node.fingerprint,
    at: found?.at ?? { file: node.uniqueId, line: 1, column: 1 },
  };
}
