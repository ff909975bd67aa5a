import type { CommandHandler } from '../command-definition.ts';
import { runGraph } from '../run-graph.ts';
import { showResults } from '../show-results.ts';

/** `seg build`: seeds, models and tests in the order of their dependencies. */
export const build: CommandHandler = (context) =>
  runGraph(context, {
    mode: 'build',
    types: ['seed', 'model', 'test', 'unit_test', 'scenario'],
    after: showResults(context),
  });
