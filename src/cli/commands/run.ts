import type { CommandHandler } from '../command-definition.ts';
import { runGraph } from '../run-graph.ts';

/** `seg run`: deploys the selected models. */
export const run: CommandHandler = (context) => runGraph(context, { mode: 'run', types: ['model'] });
