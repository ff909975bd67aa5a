/**
 * Runs a selection of nodes: seeds are loaded, models deployed, tests run, in the order of their dependencies.
 *
 * Everything that changes the database happens in ONE transaction that is committed at the end, so a kill in the
 * middle leaves what was there before, and readers see all of a run or nothing. A node that fails is undone
 * alone (a savepoint) and what depends on it is skipped; the others are kept.
 */
import type { Connection, Database } from '../engines/connection.ts';
import { readSeed, loadSeed } from '../connectors/seeds.ts';
import { setClock } from '../clock/clock.ts';
import { Deployer } from '../deploy/deployer.ts';
import { replacedText } from '../deploy/replace-programs.ts';
import type { NodeOutcome } from '../deploy/outcome.ts';
import { noteProject } from '../deploy/project-stamp.ts';
import { isDeployable, stateSchemaOf, storesFailures } from '../deploy/spec.ts';
import type { LoadOptions, Project } from '../project/load.ts';
import type { GraphNode, ModelNode, SeedNode, TestNode } from '../project/nodes.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { dialectOf } from '../streaming/dialect-of.ts';
import type { Dialect } from '../streaming/dialect.ts';
import type { StreamingAction, StreamingOutcome } from '../streaming/outcomes.ts';
import { runDataTest } from '../testing/data-tests.ts';
import type { NodeResult, RunListener, RunResult } from './events.ts';
import { runHooks } from './hooks.ts';
import { indexWarning } from './index-warning.ts';
import { keyWarning } from './key-warning.ts';
import { runOrder } from './order.ts';
import { recomputeWarning } from './recompute-warning.ts';
import { ResultClock, afterwards, errorDiagnostics, outcomeMessage, testOutcome } from './result.ts';
import { runDetachedTests } from './detached-tests.ts';
import { runStreaming } from './streaming-run.ts';

/** What a command does with the nodes it has selected. */
export type RunMode = 'run' | 'seed' | 'test' | 'build';

export interface ExecuteRequest {
  readonly project: Project;
  /** How the project was loaded; scenarios load it again in their threads. */
  readonly load: LoadOptions;
  readonly db: Database;
  /** unique_ids, in any order; nodes that the mode does not run are left out. */
  readonly selected: ReadonlySet<string>;
  readonly mode: RunMode;
  readonly listener: RunListener;
  readonly fullRefresh?: boolean;
  readonly failFast?: boolean;
  /** Drop relations of nodes that are gone from the project. */
  readonly prune?: boolean;
  /** Move the project's clock there first: an instant, or `now`. */
  readonly now?: string;
  /** Undo everything at the end: the outcomes tell what would happen. */
  readonly dryRun?: boolean;
  readonly colors?: boolean;
  /** Scenarios note what their expectations should say instead of failing (`edits` of the results). */
  readonly update?: boolean;
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/** What `seg plan` shows beside the results: nodes settled because something upstream changed, and orphans. */
export interface ExecuteResult extends RunResult {
  readonly outcomes: readonly NodeOutcome[];
}

class Undo extends Error {}

/**
 * @throws SegError when a change would break a deployed node that was not selected (nothing is changed then), or when
 *   the clock cannot move there
 */
export async function executeGraph(request: ExecuteRequest): Promise<ExecuteResult> {
  const run = new Run(request);
  return run.execute();
}

const modeTypes: Record<RunMode, readonly GraphNode['resource_type'][]> = {
  run: ['model'],
  seed: ['seed'],
  test: ['test', 'unit_test', 'scenario'],
  build: ['seed', 'model', 'test', 'unit_test', 'scenario'],
};

class Run {
  readonly #request: ExecuteRequest;
  readonly #results: NodeResult[] = [];
  readonly #outcomes: NodeOutcome[] = [];
  readonly #blocked = new Set<string>();
  readonly #started = performance.now();
  #index = 0;
  #total = 0;
  #stopped: RunResult['stopped'] = null;

  constructor(request: ExecuteRequest) {
    this.#request = request;
  }

  async execute(): Promise<ExecuteResult> {
    const { project, selected, mode, listener, db } = this.#request;
    const { order, dag } = runOrder(project.manifest, selected, mode === 'build');
    const nodes = order.filter((node) => modeTypes[mode].includes(node.resource_type) && !isEphemeral(node));
    this.#total = nodes.length;
    listener({
      kind: 'runStart',
      total: nodes.length,
      // Everything else is one transaction, or one step after the other.
      threads: nodes.some(isDetached) ? (this.#request.threads ?? project.target.threads) : 1,
      target: project.target.name,
    });
    const block = (id: string): void => {
      for (const below of dag.downstream([id])) this.#blocked.add(below);
    };

    // Unit tests and scenarios run in engines of their own, several at once: unit tests before the models they may
    // stop, scenarios after everything else.
    await this.#detached(
      nodes.filter(({ resource_type: type }) => type === 'unit_test'),
      block,
    );
    const attached = nodes.filter((node) => !isDetached(node));
    const dialect = dialectOf(project.target);
    if (attached.length > 0 && dialect === undefined) await this.#transaction(db, attached, block);
    if (attached.length > 0 && dialect !== undefined) await this.#streaming(dialect, attached, block);
    await this.#detached(
      nodes.filter(({ resource_type: type }) => type === 'scenario'),
      block,
    );

    const result: ExecuteResult = {
      results: this.#results,
      outcomes: this.#outcomes,
      seconds: (performance.now() - this.#started) / 1000,
      stopped: this.#stopped,
    };
    listener({ kind: 'runFinish', result });
    return result;
  }

  async #transaction(db: Database, nodes: readonly GraphNode[], block: (id: string) => void): Promise<void> {
    const { project, mode, listener } = this.#request;
    try {
      await db.transaction(async (tx) => {
        const changes =
          mode !== 'test' || nodes.some((node) => node.resource_type === 'test' && storesFailures(node));
        const deployer = changes ? await Deployer.begin(tx, project) : undefined;
        if (deployer !== undefined && deployer.outdated.length > 0)
          listener({ kind: 'message', level: 'info', text: replacedText(deployer.outdated) });
        if (this.#request.now !== undefined) {
          const instant = this.#request.now === 'now' ? new Date().toISOString() : this.#request.now;
          await setClock(tx, instant, stateSchemaOf(project), { farAhead: 'refused' });
        }
        if (mode !== 'test') await runHooks(tx, project, 'on-run-start', listener);
        if (deployer !== undefined) await this.#deploySources(deployer);
        for (const node of nodes) {
          if (this.#request.signal?.aborted === true) throw new Interrupted();
          await this.#node(tx, deployer, node, block);
        }
        if (deployer !== undefined) await this.#finish(tx, deployer);
        if (mode !== 'test') await runHooks(tx, project, 'on-run-end', listener);
        if (this.#request.dryRun === true) throw new Undo();
      });
    } catch (error) {
      if (error instanceof Interrupted) this.#stopped = 'interrupted';
      else if (!(error instanceof Undo)) throw error;
    }
  }

  async #streaming(
    dialect: Dialect,
    nodes: readonly GraphNode[],
    block: (id: string) => void,
  ): Promise<void> {
    const { project, db, mode, listener, fullRefresh, dryRun, prune, colors, signal } = this.#request;
    if (this.#request.now !== undefined) {
      throw segError('SEG929', `--now does not work on ${dialect.title}, which has a clock of its own`, {
        hint: 'Leave --now out, or run on a target of type pglite or postgres.',
      });
    }
    try {
      const outcomes = await runStreaming({
        ...{ project, dialect, db, nodes, listener, colors, signal },
        testsOnly: mode === 'test',
        fullRefresh: fullRefresh === true,
        dryRun: dryRun === true,
        prune: prune === true,
        start: (node) => this.#start(node),
        done: (result) => this.#done(result, block),
        blocked: (node) => this.#stopped !== null || this.#blocked.has(node.unique_id),
      });
      this.#outcomes.push(...asNodeOutcomes(outcomes));
    } catch (error) {
      if (signal?.aborted !== true) throw error;
      this.#stopped = 'interrupted';
    }
  }

  /** The tables of all sources: they cost nothing when they stand, and every model may read them. */
  async #deploySources(deployer: Deployer): Promise<void> {
    for (const source of Object.values(this.#request.project.manifest.sources)) {
      const outcome = await deployer.deploy(source);
      if (outcome.action !== 'unchanged') this.#outcomes.push(outcome);
      for (const change of outcome.intake ?? [])
        this.#request.listener({ kind: 'message', level: 'info', text: `${outcome.label}: ${change}` });
    }
  }

  async #finish(tx: Connection, deployer: Deployer): Promise<void> {
    const { listener, prune } = this.#request;
    for (const outcome of await deployer.finish({ prune })) {
      this.#outcomes.push(outcome);
      const message = afterwards(outcome, prune === true);
      if (message !== undefined) listener({ kind: 'message', ...message });
    }
    await noteProject(tx, deployer.stateSchema, this.#request.project.manifest);
    const warning = await recomputeWarning(tx, deployer, this.#outcomes);
    const missing = await indexWarning(tx, deployer, this.#outcomes);
    const keys = await keyWarning(tx, deployer, this.#outcomes);
    for (const text of [warning, missing, keys])
      if (text !== null) listener({ kind: 'message', level: 'warn', text });
  }

  async #node(
    tx: Connection,
    deployer: Deployer | undefined,
    node: GraphNode,
    block: (id: string) => void,
  ): Promise<void> {
    const clock = this.#start(node);
    if (this.#stopped !== null || this.#blocked.has(node.unique_id)) {
      const message = this.#stopped === 'fail-fast' ? 'Skipping due to fail_fast' : null;
      this.#done(clock.finish(this.#request.project, node, 'skipped', { message }), block);
      return;
    }
    try {
      this.#done(await this.#work(tx, deployer, node, clock), block);
    } catch (error) {
      const diagnostics = errorDiagnostics(error, node);
      this.#done(clock.finish(this.#request.project, node, 'error', { diagnostics }), block);
    }
  }

  async #work(
    tx: Connection,
    deployer: Deployer | undefined,
    node: GraphNode,
    clock: ResultClock,
  ): Promise<NodeResult> {
    switch (node.resource_type) {
      case 'seed':
        return this.#seed(required(deployer), node, clock);
      case 'model':
        return this.#model(tx, required(deployer), node, clock);
      case 'test':
        return this.#test(tx, deployer, node, clock);
      case 'source':
      case 'unit_test':
      case 'scenario':
      case 'sink':
        throw new Error(`invariant: a ${node.resource_type} is not run in the transaction`);
    }
  }

  async #seed(deployer: Deployer, node: SeedNode, clock: ResultClock): Promise<NodeResult> {
    const { project, fullRefresh } = this.#request;
    const data = await readSeed(node, project.root);
    const outcome = await deployer.deploy(node, { seedColumns: data.columns, fullRefresh });
    const loaded = await deployer.load(node.unique_id, (tx) => loadSeed(tx, node, data, { fullRefresh }));
    this.#outcomes.push({
      ...outcome,
      inserted: loaded.inserted + loaded.updated,
      deleted: loaded.deleted + loaded.updated,
    });
    const written = loaded.inserted + loaded.updated + loaded.deleted;
    if (written === 0 && outcome.action === 'unchanged') {
      return clock.finish(project, node, 'no-op', { message: 'unchanged', rows: 0 });
    }
    const parts = [
      ...(loaded.updated > 0 ? [`UPDATE ${loaded.updated}`] : []),
      ...(loaded.deleted > 0 ? [`DELETE ${loaded.deleted}`] : []),
    ];
    const message =
      loaded.inserted > 0 || parts.length === 0 ? [`INSERT ${loaded.inserted}`, ...parts] : parts;
    return clock.finish(project, node, 'success', { message: message.join(' '), rows: written });
  }

  async #model(tx: Connection, deployer: Deployer, node: ModelNode, clock: ResultClock): Promise<NodeResult> {
    const { project, fullRefresh } = this.#request;
    const outcome = await tx.transaction(async (savepoint) => {
      await runHooks(savepoint, project, 'pre-hook', this.#request.listener, node);
      const done = await deployer.deploy(node, { fullRefresh });
      await runHooks(savepoint, project, 'post-hook', this.#request.listener, node);
      return done;
    });
    this.#outcomes.push(outcome);
    const unchanged = outcome.action === 'unchanged';
    return clock.finish(project, node, unchanged ? 'no-op' : 'success', {
      message: outcomeMessage(node, outcome),
      rows: outcome.rows ?? outcome.inserted + outcome.deleted,
    });
  }

  async #test(
    tx: Connection,
    deployer: Deployer | undefined,
    node: TestNode,
    clock: ResultClock,
  ): Promise<NodeResult> {
    const { project, colors } = this.#request;
    const stored = deployer !== undefined && storesFailures(node) && isDeployable(node);
    if (stored) this.#outcomes.push(await deployer.deploy(node));
    const result = await inSavepoint(tx, (savepoint) => runDataTest(savepoint, project, node, { colors }));
    return clock.finish(project, node, result.status, {
      ...testOutcome(result),
      failuresRelation: stored ? node.relation_name : null,
    });
  }

  async #detached(nodes: readonly GraphNode[], block: (id: string) => void): Promise<void> {
    if (nodes.length === 0) return;
    const waiting = nodes.filter((node) => {
      if (this.#stopped === null && this.#request.signal?.aborted !== true) return true;
      this.#done(this.#start(node).finish(this.#request.project, node, 'skipped'), block);
      return false;
    });
    const clocks = new Map<string, ResultClock>();
    await runDetachedTests(this.#request.project, waiting, {
      load: this.#request.load,
      colors: this.#request.colors,
      threads: this.#request.threads,
      update: this.#request.update,
      signal: this.#request.signal,
      onStart: (node) => clocks.set(node.unique_id, this.#start(node)),
      onResult: (node, result) => {
        const clock = clocks.get(node.unique_id) ?? this.#start(node);
        const { status, ...more } = testOutcome(result);
        this.#done(
          clock.finish(this.#request.project, node, status, { ...more, seconds: result.seconds }),
          block,
        );
      },
    });
  }

  #start(node: GraphNode): ResultClock {
    this.#index++;
    this.#request.listener({ kind: 'nodeStart', index: this.#index, total: this.#total, node });
    return new ResultClock();
  }

  #done(result: NodeResult, block: (id: string) => void): void {
    this.#results.push(result);
    this.#request.listener({ kind: 'nodeFinish', index: this.#results.length, total: this.#total, result });
    if (result.status === 'error' || result.status === 'fail') {
      block(result.node.unique_id);
      if (this.#request.failFast === true) this.#stopped ??= 'fail-fast';
    } else if (result.status === 'skipped') block(result.node.unique_id);
  }
}

class Interrupted extends Error {}

/** Whether it runs in an engine of its own. */
function isDetached({ resource_type: type }: GraphNode): boolean {
  return type === 'unit_test' || type === 'scenario';
}

const ACTIONS: Readonly<Record<StreamingAction, NodeOutcome['action'] | null>> = {
  created: 'created',
  changed: 'changed',
  rebuilt: 'refreshed',
  unchanged: 'unchanged',
  dropped: 'dropped',
  orphaned: 'orphaned',
  // What fails is among the results.
  failed: null,
  held: null,
};

/** In the words of every engine; a node of which two steps tell is what the first that did something says. */
function asNodeOutcomes(outcomes: readonly StreamingOutcome[]): NodeOutcome[] {
  const byId = new Map<string, NodeOutcome>();
  for (const { uniqueId, label, action } of outcomes) {
    const told = ACTIONS[action];
    const known = byId.get(uniqueId);
    if (told === null || (known !== undefined && known.action !== 'unchanged')) continue;
    byId.set(uniqueId, {
      uniqueId,
      label,
      action: told,
      rows: null,
      inserted: 0,
      deleted: 0,
      reshaped: false,
    });
  }
  return [...byId.values()];
}

/** A test's SQL error ends the transaction it runs in: the savepoint is rolled back, the result is kept. */
async function inSavepoint<T extends { readonly status: string }>(
  tx: Connection,
  work: (savepoint: Connection) => Promise<T>,
): Promise<T> {
  let result: T | undefined;
  try {
    await tx.transaction(async (savepoint) => {
      result = await work(savepoint);
      if (result.status === 'error') throw new Undo();
    });
  } catch (error) {
    if (!(error instanceof Undo)) throw error;
  }
  return result!;
}

function required(deployer: Deployer | undefined): Deployer {
  if (deployer === undefined) throw new Error('invariant: this mode deploys');
  return deployer;
}

function isEphemeral(node: GraphNode): boolean {
  return node.resource_type === 'model' && node.config.materialized === 'ephemeral';
}
