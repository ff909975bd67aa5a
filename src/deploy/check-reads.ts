/** What a node may read: nodes that are deployed, and not itself. */
import type { Location } from '../diagnostics/diagnostic.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { Dag } from '../graph/dag.ts';
import type { Project } from '../project/load.ts';
import { CLOCK } from '../state/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';
import { isFollowed } from './examine-existing.ts';
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

/**
 * A maintained relation is kept right by triggers on what it reads, through plain views too.
 * @param reads what `label` reads
 * @throws SegError SEG438 when that is a table of somebody else's on which seg may put none
 */
export function refuseUnfollowed(
  { label, reads, at }: { readonly label: string; readonly reads: readonly string[]; readonly at?: Location },
  deployed: ReadonlyMap<string, DeployedNode>,
): void {
  const seen = new Set<string>();
  const visit = (id: string): void => {
    const node = deployed.get(id);
    if (node === undefined || seen.has(id)) return;
    seen.add(id);
    if (node.kind === 'view') node.reads.forEach(visit);
    if (node.kind !== 'existing' || isFollowed(node)) return;
    throw segError(
      'SEG438',
      `${label} is maintained and reads ${node.label}, an existing table on which seg may put no triggers`,
      {
        at,
        hint: 'Write "install: triggers" beside "existing: true" of the source, or materialize the model as "view" or "table".',
        exitCode: 1,
      },
    );
  };
  reads.forEach(visit);
}
