import { searchPathSql } from '../sql/search-path.ts';
import type { BuildContext } from './build-context.ts';
import { placeError } from './place-error.ts';
import type { NodeSpec } from './spec.ts';

/**
 * Sends `before` + the node's compiled SQL + `after`; an error of the server is placed in the node's template.
 * The statement runs with the settings the programs run with, so a view is built as it is maintained.
 */
export async function runDefinition(
  context: BuildContext,
  spec: NodeSpec,
  before: string,
  after: string,
): Promise<void> {
  if (spec.definition === null) throw new Error(`invariant: ${spec.label} has no definition`);
  const statement = `${before}${spec.definition}${after}`;
  try {
    await context.tx.query("SELECT set_config('search_path', $1, true)", [searchPathSql(context.searchPath)]);
    await context.tx.query(statement);
  } catch (error) {
    throw placeError(error, {
      label: spec.label,
      statement,
      queryOffset: before.length,
      queryLength: spec.definition.length,
      sourceMap: spec.sourceMap,
      at: spec.at,
      knownColumns: context.columnsRead(spec),
    });
  }
}
