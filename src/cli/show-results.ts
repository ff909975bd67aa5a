import { preview, queriesOf } from './commands/show.ts';
import type { CommandContext } from './context.ts';
import type { RunGraphOptions } from './run-graph.ts';

/** `--show`: some rows of every seed and model that a run has brought up to date. */
export function showResults(context: CommandContext): RunGraphOptions['after'] {
  if (!context.flags.boolean('show')) return undefined;
  return async (db, project, { results }) => {
    const nodes = results
      .filter(
        ({ node, status }) =>
          ['model', 'seed'].includes(node.resource_type) && ['success', 'no-op'].includes(status),
      )
      .map(({ node }) => node);
    for (const shown of await queriesOf(db, project, nodes)) await preview(context, db, shown);
  };
}
