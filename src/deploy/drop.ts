import { dropGuard } from '../incremental/guard.ts';
import { quoteRelation } from '../sql/quote.ts';
import type { DeployedNode } from '../state/nodes.ts';
import type { BuildContext } from './build-context.ts';
import { releaseTable } from './build-existing.ts';
import { rejectedTable } from './ddl.ts';

/**
 * Drops what a deployed node is made of. A source's table goes with its rows and its dead letters; one that somebody else made
 * stays, without seg's triggers.
 */
export async function dropNode(
  context: Pick<BuildContext, 'tx' | 'stateSchema'>,
  node: DeployedNode,
): Promise<void> {
  const relation = quoteRelation({ schema: node.schema, name: node.relation });
  switch (node.kind) {
    case 'source':
      await context.tx.exec(
        `DROP TABLE IF EXISTS ${relation}; DROP TABLE IF EXISTS ${quoteRelation(rejectedTable(node))}`,
      );
      break;
    case 'existing':
      await releaseTable(context.tx, context.stateSchema, node);
      break;
    case 'seed':
    case 'table':
      await context.tx.exec(`DROP TABLE IF EXISTS ${relation}`);
      break;
    case 'view':
      await context.tx.exec(`DROP VIEW IF EXISTS ${relation}`);
      break;
    case 'materialized_view':
      await dropGuard(context.tx, context.stateSchema, { schema: node.schema, name: node.relation });
      await context.tx.exec(
        `DROP VIEW IF EXISTS ${relation}; DROP TABLE IF EXISTS ${quoteRelation({ schema: context.stateSchema, name: node.state ?? '' })}`,
      );
      break;
  }
}
