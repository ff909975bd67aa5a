import type { DeployedNode } from '../state/nodes.ts';
import type { BuildContext, Built } from './build-context.ts';
import { buildExisting } from './build-existing.ts';
import { buildMaintained } from './build-maintained.ts';
import { buildBaseTable, buildTable } from './build-table.ts';
import { buildView } from './build-view.ts';
import type { NodeSpec } from './spec.ts';

/** Why a deployed node must be settled: the rows it reads changed, or their columns did. */
export type Mark = 'rows' | 'columns';

/** Builds a node as its kind asks, on what stands there (`old`; undefined when nothing does). */
export async function buildNode(
  context: BuildContext,
  spec: NodeSpec,
  old: DeployedNode | undefined,
  { mark, fullRefresh, moved }: { mark: Mark | undefined; fullRefresh: boolean; moved: boolean },
): Promise<Built> {
  switch (spec.kind) {
    case 'source':
    case 'seed':
      return buildBaseTable(context, spec, old, fullRefresh);
    case 'existing':
      return buildExisting(context, spec, old);
    case 'table':
      return buildTable(context, spec, old);
    case 'view':
      return buildView(context, spec, old);
    case 'materialized_view':
      return buildMaintained(context, spec, old, {
        mayReshape: mark !== 'rows' || old?.fingerprint !== spec.fingerprint,
        rebuild: fullRefresh,
        moved,
      });
  }
}
