import type { IndexConfig } from '../project/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';
import type { NodeSpec } from './spec.ts';

/** A deployed node as a spec, to bring it up to date without the project (which may have changed or lost it). */
export function specOfDeployed(node: DeployedNode): NodeSpec {
  return {
    uniqueId: node.uniqueId,
    name: node.name,
    label: node.label,
    kind: node.kind,
    schema: node.schema,
    relation: node.relation,
    definition: node.definition,
    sourceMap: null,
    declared: node.columns.map(({ name, type }) => ({ name, type, notNull: false, generated: undefined })),
    key: node.key,
    indexes: (node.settings['indexes'] ?? []) as unknown as IndexConfig[],
    keepChanges: node.keepChanges,
    reads: node.reads,
    foreign: [],
    settings: node.settings,
    fingerprint: node.fingerprint,
    at: { file: node.uniqueId, line: 1, column: 1 },
  };
}
