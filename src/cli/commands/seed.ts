import type { CommandHandler } from '../command-definition.ts';
import { runGraph } from '../run-graph.ts';
import { showResults } from '../show-results.ts';

/** `seg seed`: loads the selected seeds. */
export const seed: CommandHandler = (context) =>
  runGraph(context, { mode: 'seed', types: ['seed'], after: showResults(context) });
