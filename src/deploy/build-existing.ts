/** Sources whose tables somebody else made: seg remembers them, and takes its triggers away when they go. */
import type { Connection } from '../engines/connection.ts';
import { removeProgram } from '../incremental/install-programs.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import type { DeployedNode } from '../state/nodes.ts';
import type { BuildContext, Built } from './build-context.ts';
import { sameColumns } from './catalog.ts';
import { examineExisting, requireColumns, triggersFire } from './examine-existing.ts';
import type { NodeSpec } from './spec.ts';

/**
 * Nothing is made: its columns are noted. A table that is another one than before, or whose triggers did not fire, has rows that
 * nobody followed: then it counts as made anew, and whoever reads it is settled.
 */
export async function buildExisting(
  context: BuildContext,
  spec: NodeSpec,
  old: DeployedNode | undefined,
): Promise<Built> {
  const { tx, stateSchema } = context;
  const { oid, columns } = await examineExisting(tx, spec, stateSchema);
  await requireColumns(tx, spec, columns, stateSchema);
  const another = old !== undefined && old.settings['oid'] !== oid;
  const reshaped = another || (old !== undefined && !sameColumns(old.columns, columns));
  if (reshaped) await context.detachReaders(spec.uniqueId);
  const recreated = old === undefined || another || !(await triggersFire(tx, old, stateSchema));
  const settings = { oid };
  return { columns, state: null, rows: null, inserted: 0, deleted: 0, reshaped, recreated, settings };
}

/** Takes seg's program and triggers from a table that stays. */
export async function releaseTable(tx: Connection, stateSchema: string, node: DeployedNode): Promise<void> {
  const table = { schema: node.schema, name: node.relation };
  await removeProgram(tx, table, { stateSchema, searchPath: [] });
  await tx.query(`DELETE FROM ${quoteIdentifier(stateSchema)}.program WHERE input = $1`, [node.uniqueId]);
}
