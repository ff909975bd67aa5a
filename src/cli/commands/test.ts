import type { CommandHandler } from '../command-definition.ts';
import { runGraph } from '../run-graph.ts';

/** `seg test`: data tests on the database as it is, unit tests and scenarios in engines of their own. */
export const test: CommandHandler = (context) =>
  runGraph(context, { mode: 'test', types: ['test', 'unit_test', 'scenario'] });
