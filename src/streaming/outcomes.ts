/** What a deployment has done, or would do, node by node. */
import type { DesiredNode } from './desired-node.ts';
import type { StoredNode } from './stored-node.ts';

/** What became of a node. `rebuilt`: its definition is the same, but something it reads was replaced. */
export type StreamingAction =
  'created' | 'changed' | 'rebuilt' | 'unchanged' | 'failed' | 'held' | 'dropped' | 'orphaned';

export interface StreamingOutcome {
  readonly uniqueId: string;
  readonly label: string;
  readonly action: StreamingAction;
  /** Of `failed`; of `held` the first error of what it belongs together with. */
  readonly error?: unknown;
}

/** What has been found out of the nodes, by unique_id. */
export interface Found {
  readonly standing: ReadonlyMap<string, StoredNode>;
  readonly failed: ReadonlyMap<string, unknown>;
  readonly held: ReadonlySet<string>;
  readonly altered: ReadonlyMap<string, unknown>;
  /** Feeds of nodes that have none any more. */
  readonly dropped: readonly StoredNode[];
}

/** @returns an outcome for each wanted node, and for every other node of the cone */
export function outcomesOf(
  wanted: readonly DesiredNode[],
  cone: readonly DesiredNode[],
  { standing, failed, held, altered, dropped }: Found,
): StreamingOutcome[] {
  const inCone = new Set(cone.map(({ uniqueId }) => uniqueId));
  const outcome = (node: DesiredNode): StreamingOutcome => {
    const { uniqueId, label } = node;
    if (failed.has(uniqueId)) return { uniqueId, label, action: 'failed', error: failed.get(uniqueId) };
    if (held.has(uniqueId)) return { uniqueId, label, action: 'held', error: [...failed.values()][0] };
    if (altered.has(uniqueId)) return { uniqueId, label, action: 'changed' };
    if (!inCone.has(uniqueId)) return { uniqueId, label, action: 'unchanged' };
    const old = standing.get(uniqueId);
    const action =
      old === undefined ? 'created' : old.fingerprint === node.fingerprint ? 'rebuilt' : 'changed';
    return { uniqueId, label, action };
  };
  const asked = new Set(wanted.map(({ uniqueId }) => uniqueId));
  return [
    ...[...wanted, ...cone.filter(({ uniqueId }) => !asked.has(uniqueId))].map(outcome),
    ...dropped.map(({ uniqueId, label }): StreamingOutcome => ({ uniqueId, label, action: 'dropped' })),
  ];
}
