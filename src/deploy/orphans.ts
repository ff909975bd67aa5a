/** Deployed nodes that are gone from the project. */
import type { Connection } from '../engines/connection.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { Dag } from '../graph/dag.ts';
import type { Project } from '../project/load.ts';
import { quoteRelation } from '../sql/quote.ts';
import type { DeployedNode } from '../state/nodes.ts';
import { isGone } from './make-room.ts';

/** Readers first, so that each can be dropped before what it reads. */
export function orphans(
  project: Project,
  deployed: ReadonlyMap<string, DeployedNode>,
  dag: Dag,
): DeployedNode[] {
  return dag
    .order()
    .reverse()
    .flatMap((id) => (isGone(project, id) ? (deployed.get(id) ?? []) : []));
}

/** A source's rows came from outside and cannot be computed again: they are not dropped with the declaration. */
export async function holdsForeignRows(
  tx: Connection,
  { kind, schema, relation }: DeployedNode,
): Promise<boolean> {
  if (kind !== 'source') return false;
  const { rows } = await tx.query<{ filled: boolean }>(
    `SELECT EXISTS (SELECT FROM ${quoteRelation({ schema, name: relation })}) AS filled`,
  );
  return rows[0]!.filled;
}

/** @throws SegError SEG411 when a deployed node still reads an orphan */
export function refuseRead(orphan: DeployedNode, deployed: ReadonlyMap<string, DeployedNode>): void {
  const readers = [...deployed.values()].filter(({ reads }) => reads.includes(orphan.uniqueId));
  if (readers.length === 0) return;
  const names = readers.map(({ label }) => label).join(', ');
  throw segError('SEG411', `${orphan.label} is gone from the project but is still read by ${names}`, {
    hint: 'Deploy the readers too (run without --select), then prune.',
    exitCode: 1,
  });
}
