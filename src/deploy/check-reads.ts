/** What a node may read: nodes that are deployed, and not itself. */
import { segError } from '../diagnostics/seg-error.ts';
import type { Dag } from '../graph/dag.ts';
import type { Project } from '../project/load.ts';
import { CLOCK } from '../state/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';
import type { NodeSpec } from './spec.ts';

/** @throws SegError SEG409 naming what is read and not deployed */
export function requireReads(
  spec: NodeSpec,
  deployed: ReadonlyMap<string, DeployedNode>,
  project: Project,
): void {
  const missing = spec.reads.filter((id) => id !== CLOCK && id !== spec.uniqueId && !deployed.has(id));
  if (missing.length === 0) return;
  const { nodes, sources } = project.manifest;
  const labels = missing.map((id) => {
    const node = nodes[id] ?? sources[id];
    return node === undefined ? id : `${node.resource_type} "${node.name}"`;
  });
  const are = missing.length > 1 ? 'are' : 'is';
  throw segError('SEG409', `${spec.label} reads ${labels.join(' and ')}, which ${are} not deployed`, {
    at: spec.at,
    hint: missing.some((id) => id.startsWith('seed.'))
      ? 'Load the seeds first: "seg seed", or "seg build" for everything.'
      : `Select what it reads too: --select +${spec.name}.`,
    exitCode: 1,
  });
}

/**
 * A definition may name relations directly, so the project's graph has not seen every loop.
 * @throws SegError SEG415
 */
export function refuseLoop(spec: NodeSpec, deployed: ReadonlyMap<string, DeployedNode>, dag: Dag): void {
  const id = spec.uniqueId;
  const through = spec.reads.find(
    (read) => read === id || (deployed.has(id) && dag.upstream([read]).has(id)),
  );
  if (through === undefined) return;
  const what = through === id ? 'itself' : `${deployed.get(through)!.label}, which is computed from it`;
  throw segError('SEG415', `${spec.label} reads ${what}`, {
    at: spec.at,
    hint: 'A maintained relation is a function of its inputs: read those instead.',
    exitCode: 1,
  });
}
