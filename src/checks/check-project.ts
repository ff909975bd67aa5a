/**
 * Everything about a project that can be known without data and loading does not look at: columns in queries, keys,
 * tests, scenarios and sinks, intervals, variables that sinks read. `seg parse` and `seg compile` report it; `seg build` and
 * `seg test` what concerns their scenarios and unit tests, before anything runs.
 */
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { allNodes } from '../project/manifest.ts';
import type { Project } from '../project/load.ts';
import type { GraphNode } from '../project/nodes.ts';
import { checkKeys } from './check-keys.ts';
import { checkQueries } from './check-queries.ts';
import { checkScenarioFiles } from './check-scenarios.ts';
import { checkSinks } from './check-sinks.ts';
import { checkUnitTests } from './check-unit-tests.ts';
import { projectColumns } from './project-columns.ts';

/** Every mistake, in the order of the files. */
export async function checkProject(project: Project): Promise<Diagnostic[]> {
  const columns = await projectColumns(project);
  const nodes = [...allNodes(project.manifest).values()];
  const queries = checkQueries(project, columns);
  const keys = checkKeys([...ofType(nodes, 'model'), ...ofType(nodes, 'seed')], columns);
  const sinks = ofType(nodes, 'sink').filter(({ config }) => config.enabled);
  const tests = await checkTests(project, nodes, columns);
  return [...queries, ...keys, ...tests, ...checkSinks(project, columns, sinks)];
}

/** Mistakes of the unit tests and scenarios among `nodes`. */
export async function checkTests(
  project: Project,
  nodes: readonly GraphNode[],
  known?: Awaited<ReturnType<typeof projectColumns>>,
): Promise<Diagnostic[]> {
  const scenarios = new Set(ofType(nodes, 'scenario').map(({ original_file_path: file }) => file));
  const unitTests = ofType(nodes, 'unit_test');
  if (scenarios.size === 0 && unitTests.length === 0) return [];
  const columns = known ?? (await projectColumns(project));
  return [
    ...checkUnitTests(project, columns, unitTests),
    ...(await checkScenarioFiles(project, columns, scenarios)),
  ];
}

function ofType<T extends GraphNode['resource_type']>(
  nodes: readonly GraphNode[],
  type: T,
): Extract<GraphNode, { resource_type: T }>[] {
  return nodes.filter(
    (node): node is Extract<GraphNode, { resource_type: T }> => node.resource_type === type,
  );
}
