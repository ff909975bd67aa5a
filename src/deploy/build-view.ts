import { DatabaseError } from '../engines/connection.ts';
import { quoteRelation } from '../sql/quote.ts';
import type { DeployedNode } from '../state/nodes.ts';
import type { BuildContext, Built } from './build-context.ts';
import { readColumns, sameColumns } from './catalog.ts';
import { runDefinition } from './run-definition.ts';
import type { NodeSpec } from './spec.ts';
import { ensureSchema, refuseForeign } from './stand-in-place.ts';

/** A plain view. Replaced in place while its columns allow it; otherwise dropped, with the views that read it, and made again. */
export async function buildView(
  context: BuildContext,
  spec: NodeSpec,
  old: DeployedNode | undefined,
): Promise<Built> {
  const { tx } = context;
  const relation = { schema: spec.schema, name: spec.relation };
  if (old === undefined) {
    await ensureSchema(tx, spec.schema);
    await refuseForeign(tx, spec, relation);
  }
  const create = (): Promise<void> =>
    runDefinition(context, spec, `CREATE OR REPLACE VIEW ${quoteRelation(relation)} AS\n`, '');
  try {
    await tx.transaction(create);
  } catch (error) {
    // 42P16: a view cannot lose columns or change their names or types in place.
    const cause = error instanceof Error ? error.cause : undefined;
    if (!(cause instanceof DatabaseError && cause.sqlstate === '42P16') || old === undefined) throw error;
    await context.detachReaders(spec.uniqueId);
    await tx.exec(`DROP VIEW ${quoteRelation(relation)}`);
    await create();
  }
  const columns = await readColumns(tx, relation);
  return {
    columns,
    state: null,
    rows: null,
    inserted: 0,
    deleted: 0,
    reshaped: old !== undefined && !sameColumns(old.columns, columns),
    recreated: false,
  };
}
