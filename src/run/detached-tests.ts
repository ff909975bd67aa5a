/** Unit tests and scenarios: they bring their own inputs and run in engines of their own, not in the user's database. */
import { loadProject } from '../project/load.ts';
import type { LoadOptions, Project } from '../project/load.ts';
import { allNodes } from '../project/manifest.ts';
import type { GraphNode, ScenarioNode, UnitTestNode } from '../project/nodes.ts';
import { dialectOf } from '../streaming/dialect-of.ts';
import type { TestResult } from '../testing/test-result.ts';

export interface DetachedOptions {
  readonly load: LoadOptions;
  readonly colors?: boolean;
  readonly threads?: number;
  /** Scenarios note what their expectations should say instead of failing. */
  readonly update?: boolean;
  readonly signal?: AbortSignal;
  readonly onStart: (node: GraphNode) => void;
  readonly onResult: (node: GraphNode, result: TestResult) => void;
}

/** Runs the unit tests and scenarios among `nodes`; other kinds are left out. */
export async function runDetachedTests(
  deployed: Project,
  asked: readonly GraphNode[],
  options: DetachedOptions,
): Promise<void> {
  if (!asked.some(({ resource_type: type }) => type === 'unit_test' || type === 'scenario')) return;
  // The engine they run in is the embedded one, whatever the target is.
  const foreign = dialectOf(deployed.target) !== undefined;
  const load: LoadOptions = foreign ? { ...options.load, engine: 'pglite' } : options.load;
  const project = foreign ? await loadProject(load) : deployed;
  const all = allNodes(project.manifest);
  const nodes = asked.map((node) => all.get(node.unique_id) ?? node);
  const byId = new Map(nodes.map((node) => [node.unique_id, node]));
  const shared = {
    colors: options.colors,
    threads: options.threads,
    signal: options.signal,
    onStart: (uniqueId: string) => options.onStart(byId.get(uniqueId)!),
    onResult: (result: TestResult) => options.onResult(byId.get(result.uniqueId)!, result),
  };
  const unitTests = nodes.filter((node): node is UnitTestNode => node.resource_type === 'unit_test');
  if (unitTests.length > 0) {
    const { runUnitTests } = await import('../testing/unit-tests.ts');
    await runUnitTests(project, unitTests, shared);
  }
  const scenarios = nodes.filter((node): node is ScenarioNode => node.resource_type === 'scenario');
  if (scenarios.length > 0) {
    const { runScenarios } = await import('../testing/run-scenarios.ts');
    await runScenarios(load, project, scenarios, { ...shared, update: options.update });
  }
}
