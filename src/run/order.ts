/** In which order the selected nodes run, and what a failure stops. */
import { Dag } from '../graph/dag.ts';
import { allNodes } from '../project/manifest.ts';
import type { Manifest } from '../project/manifest.ts';
import type { GraphNode } from '../project/nodes.ts';

/**
 * @param tests `true` (build): a data test stands between what it tests and whatever is further down, as in dbt: there is an edge
 *   from a test to every node that has all of the test's parents among its ancestors. Unit tests stand before their model.
 */
export function runOrder(
  manifest: Manifest,
  selected: ReadonlySet<string>,
  tests: boolean,
): { order: GraphNode[]; dag: Dag } {
  const nodes = allNodes(manifest);
  const plain = new Dag([...nodes.values()].map((node) => [node.unique_id, parentsOf(node)] as const));
  const edges = new Map<string, string[]>(
    [...nodes.values()].map((node) => [node.unique_id, parentsOf(node)]),
  );
  if (tests) {
    for (const node of nodes.values()) {
      if (!selected.has(node.unique_id)) continue;
      if (node.resource_type === 'unit_test') {
        for (const model of node.depends_on.nodes) edges.get(model)?.push(node.unique_id);
      }
      if (node.resource_type !== 'test') continue;
      const [first, ...others] = node.depends_on.nodes.filter((id) => nodes.has(id));
      if (first === undefined) continue;
      for (const below of plain.downstream([first])) {
        if (nodes.get(below)?.resource_type === 'test' || nodes.get(below)?.resource_type === 'unit_test')
          continue;
        const ancestors = others.length === 0 ? undefined : plain.upstream([below]);
        if (below !== first && others.every((id) => ancestors?.has(id)))
          edges.get(below)!.push(node.unique_id);
      }
    }
  }
  const dag = new Dag(edges).restrict(selected);
  return { order: dag.order().flatMap((id) => nodes.get(id) ?? []), dag };
}

/** Unit tests and scenarios bring their own inputs, so nothing needs to be built before them. */
function parentsOf(node: GraphNode): string[] {
  return node.resource_type === 'unit_test' || node.resource_type === 'scenario'
    ? []
    : [...node.depends_on.nodes];
}
