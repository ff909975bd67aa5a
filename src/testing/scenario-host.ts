/** Runs scenarios one after the other in this thread; keeps a base per set of vars. */
import type { JsonValue } from '../changelog/change.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import { loadProject, type LoadOptions, type Project } from '../project/load.ts';
import type { FailureTextOptions } from './failure-text.ts';
import { runScenario } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';
import { buildScenarioBase, type ScenarioBase } from './scenario-base.ts';
import { openScenarioWorld } from './scenario-world.ts';
import { errorLines } from './step-outcome.ts';
import type { TestResult } from './test-result.ts';

/** A scenario to run: its node's id and the parsed steps. */
export interface ScenarioJob {
  readonly uniqueId: string;
  readonly scenario: Scenario;
}

/** Equal for scenarios that can start from the same base. */
export function baseKey(scenario: Scenario): string {
  const sorted = Object.entries(scenario.vars).sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.length === 0 ? '' : JSON.stringify(sorted);
}

export class ScenarioHost {
  readonly #load: LoadOptions;
  readonly #options: FailureTextOptions;
  readonly #bases = new Map<string, Promise<ScenarioBase>>();
  readonly #project: Project | undefined;

  /**
   * @param project the project as loaded with `load`, when it is at hand
   * @param image `project` deployed, when another thread has done it
   */
  constructor(load: LoadOptions, options: FailureTextOptions, project?: Project, image?: Blob) {
    this.#load = load;
    this.#options = options;
    this.#project = project;
    if (project !== undefined && image !== undefined)
      this.#bases.set('', Promise.resolve({ project, image }));
  }

  /** Runs one scenario in every order it asks for. Never throws: what cannot be run is a result of status `error`. */
  async run({ uniqueId, scenario }: ScenarioJob): Promise<TestResult> {
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    const broken = (what: string, error: unknown, place: string): TestResult => {
      const lines = errorLines(error);
      const isKnown = error instanceof SegError || error instanceof DatabaseError;
      if (!isKnown && error instanceof Error && error.stack !== undefined) lines.push(error.stack);
      return {
        uniqueId,
        kind: 'scenario',
        name: scenario.name,
        status: 'error',
        failures: null,
        message: `${what}: ${(error instanceof SegError ? error.diagnostics[0]?.message : undefined) ?? lines[0]}`,
        seconds: seconds(),
        detail: lines.join('\n'),
        at: scenario.locate([...scenario.path, place]),
      };
    };
    let base: ScenarioBase;
    try {
      base = await this.#base(scenario);
    } catch (error) {
      return broken('the project cannot be deployed', error, 'vars');
    }
    try {
      return { ...(await this.#allOrders(base, uniqueId, scenario)), seconds: seconds() };
    } catch (error) {
      return broken('the scenario could not be run', error, 'name');
    }
  }

  async #allOrders(base: ScenarioBase, uniqueId: string, scenario: Scenario): Promise<TestResult> {
    const { nodes, sinks } = base.project.manifest;
    const subjects = new Map(Object.values(sinks).map(({ name, from }) => [name, nodes[from]?.name ?? name]));
    const mentioned = scenario.steps.flatMap((step) => [
      ...[...step.expect, ...step.changes].map(({ model }) => model),
      ...step.sinks.map(({ sink }) => subjects.get(sink) ?? sink),
    ]);
    const { root } = base.project;
    let first: TestResult | undefined;
    for (let order = 0; order <= scenario.orders.count; order++) {
      const engine = await openScenarioWorld(base, mentioned);
      try {
        const result = await runScenario(scenario, engine, { ...this.#options, uniqueId, root, order });
        first ??= result;
        if (result.status !== 'pass') return result;
        // What is to be rewritten would fail in every other order.
        if (result.edits !== undefined) return result;
      } finally {
        await engine.close();
      }
    }
    return first!;
  }

  #base(scenario: Scenario): Promise<ScenarioBase> {
    const key = baseKey(scenario);
    let base = this.#bases.get(key);
    if (base === undefined) {
      base = this.#build(scenario.vars);
      this.#bases.set(key, base);
    }
    return base;
  }

  async #build(vars: Readonly<Record<string, JsonValue>>): Promise<ScenarioBase> {
    const plain = Object.keys(vars).length === 0;
    const project =
      plain && this.#project !== undefined
        ? this.#project
        : await loadProject({ ...this.#load, vars: { ...this.#load.vars, ...vars } });
    return buildScenarioBase(project);
  }
}
