/**
 * Which objects a deployment replaces. Readers hold on to an object's id and not to its name, so when one is replaced
 * everything downstream of it is made again beside the old, and all of it changes places together: nothing may go on
 * reading an old view.
 */

export interface ConeNode {
  readonly uniqueId: string;
  readonly reads: readonly string[];
}

/**
 * @param changed unique_ids of the nodes that must be made (again)
 * @param nodes all nodes, as they will be
 * @returns the changed ones and everything below them, readers after what they read
 */
export function coneOf<N extends ConeNode>(changed: ReadonlySet<string>, nodes: ReadonlyMap<string, N>): N[] {
  const inside = new Set(changed);
  const order: N[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (id: string): void => {
    const node = nodes.get(id);
    if (node === undefined || state.has(id)) return;
    state.set(id, 'open');
    for (const read of node.reads) visit(read);
    if (node.reads.some((read) => inside.has(read))) inside.add(id);
    state.set(id, 'done');
    if (inside.has(id)) order.push(node);
  };
  for (const id of nodes.keys()) visit(id);
  return order;
}

/**
 * What cannot change places because of failures: a failed node, whatever reads it, and whatever is still read by a
 * standing node that stays as it is.
 * @param cone as coneOf answers it
 * @param failed unique_ids that could not be made
 * @param standing what the standing version of a node reads
 */
export function heldBack(
  cone: readonly ConeNode[],
  failed: ReadonlySet<string>,
  standing: ReadonlyMap<string, ConeNode>,
): Set<string> {
  const held = new Set(failed);
  const inCone = new Set(cone.map(({ uniqueId }) => uniqueId));
  for (let size = -1; size !== held.size;) {
    size = held.size;
    for (const node of cone) {
      if (node.reads.some((read) => held.has(read))) held.add(node.uniqueId);
    }
    for (const old of standing.values()) {
      if (!held.has(old.uniqueId)) continue;
      for (const read of old.reads) if (inCone.has(read) && standing.has(read)) held.add(read);
    }
  }
  return held;
}
