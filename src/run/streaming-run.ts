/**
 * The nodes of a run on a streaming engine. Models change places all together (streaming/streaming-deployer.ts), so a run goes by
 * kinds: sources and seeds, then models and stored tests, then data tests; within the models by the graph.
 */
import { readSeed } from '../connectors/seeds.ts';
import type { Connection } from '../engines/connection.ts';
import { stateSchemaOf, storesFailures } from '../deploy/spec.ts';
import { checkQuery } from '../compatibility/check-project.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { SegError, segError } from '../diagnostics/seg-error.ts';
import type { Project } from '../project/load.ts';
import type { GraphNode, ModelNode, SeedNode, SourceNode, TestNode } from '../project/nodes.ts';
import { Claims } from '../streaming/claims.ts';
import type { Holder } from '../streaming/claims.ts';
import { sinkNodes } from '../streaming/connectors/sink-nodes.ts';
import { sourceNodes } from '../streaming/connectors/source-nodes.ts';
import { desiredNode } from '../streaming/desired-node.ts';
import type { DesiredNode } from '../streaming/desired-node.ts';
import type { Dialect } from '../streaming/dialect.ts';
import { nodeError } from '../streaming/engine-error.ts';
import { loadStreamingSeed } from '../streaming/load-seed.ts';
import { patientConnection, recoveryTimeoutMs } from '../streaming/patient-connection.ts';
import { NodeStore } from '../streaming/stored-node.ts';
import type { StoredNode } from '../streaming/stored-node.ts';
import { StreamingDeployer } from '../streaming/streaming-deployer.ts';
import type { StreamingOutcome } from '../streaming/outcomes.ts';
import { runDataTest } from '../testing/data-tests.ts';
import { quoteRelation } from '../sql/quote.ts';
import type { NodeResult, NodeStatus, RunListener } from './events.ts';
import { runHooks } from './hooks.ts';
import { errorDiagnostics, testOutcome } from './result.ts';
import type { ResultClock } from './result.ts';

export interface StreamingRun {
  readonly project: Project;
  readonly dialect: Dialect;
  readonly db: Connection;
  readonly nodes: readonly GraphNode[];
  /** Whether nothing but tests run: no hooks, no deployment. */
  readonly testsOnly: boolean;
  readonly fullRefresh: boolean;
  readonly dryRun: boolean;
  readonly prune: boolean;
  readonly colors?: boolean;
  readonly signal?: AbortSignal;
  readonly listener: RunListener;
  /** Announces a node; the clock makes its result. */
  readonly start: (node: GraphNode) => ResultClock;
  readonly done: (result: NodeResult) => void;
  /** Whether something upstream has failed, so that the node is skipped. */
  readonly blocked: (node: GraphNode) => boolean;
}

/** @returns what was done, or with `dryRun` would be done: nothing is written then */
export async function runStreaming(run: StreamingRun): Promise<StreamingOutcome[]> {
  const { project, dialect, listener, signal } = run;
  const told = (text: string): void => listener({ kind: 'message', level: 'info', text });
  const db = patientConnection(run.db, {
    timeoutMs: recoveryTimeoutMs(project.target.fields),
    signal,
    onWait: () => told(`${dialect.title} is recovering: waiting for it`),
  });
  const patient = { ...run, db };
  const claims = new Claims(db, dialect, stateSchemaOf(project));
  const work = (): Promise<StreamingOutcome[]> => runNodes(patient, claims);
  const deploys = !run.dryRun && (!run.testsOnly || run.nodes.some(isStoredTest));
  if (!deploys) return work();
  const onWait = ({ host, pid }: Holder): void =>
    told(`another seg (process ${pid} on ${host}) deploys to this target: waiting for it to end`);
  return claims.hold(`deploy ${project.target.schema}`, work, { signal, onWait });
}

function isStoredTest(node: GraphNode): boolean {
  return node.resource_type === 'test' && storesFailures(node);
}

async function runNodes(run: StreamingRun, claims: Claims): Promise<StreamingOutcome[]> {
  const { project, db, dialect, nodes, listener } = run;
  const store = new NodeStore(db, dialect, stateSchemaOf(project));
  const deployer = new StreamingDeployer(db, dialect, store, claims);
  const outcomes: StreamingOutcome[] = [];
  if (!run.testsOnly) {
    if (!run.dryRun) await store.ensure();
    if (!run.dryRun) await runHooks(db, project, 'on-run-start', listener);
    outcomes.push(...(await deploySources(run, deployer)));
  }
  for (const node of ofType<SeedNode>(nodes, 'seed')) outcomes.push(...(await seed(run, deployer, node)));
  const models = nodes.filter(
    (node): node is ModelNode | TestNode =>
      node.resource_type === 'model' ||
      (node.resource_type === 'test' && storesFailures(node) && !run.testsOnly),
  );
  const deployed = await deployModels(run, deployer, models);
  outcomes.push(...deployed);
  const stood = new Set(
    deployed.filter(({ action }) => action !== 'failed' && action !== 'held').map(({ uniqueId }) => uniqueId),
  );
  if (!run.testsOnly) outcomes.push(...(await orphans(run, store, deployer)));
  const tests = ofType<TestNode>(nodes, 'test');
  if (tests.length > 0 && dialect.flush !== null && !run.dryRun) await db.exec(dialect.flush);
  if (!run.dryRun) for (const node of tests) await test(run, node, stood);
  if (!run.testsOnly && !run.dryRun) await runHooks(db, project, 'on-run-end', listener);
  return outcomes;
}

function ofType<N extends GraphNode>(nodes: readonly GraphNode[], type: N['resource_type']): N[] {
  return nodes.filter((node): node is N => node.resource_type === type);
}

/** The tables of all sources, and those for what they refuse. */
async function deploySources(run: StreamingRun, deployer: StreamingDeployer): Promise<StreamingOutcome[]> {
  const { project, dialect } = run;
  const all: SourceNode[] = Object.values(project.manifest.sources);
  await requireExisting(
    run,
    all.filter(({ config }) => config.existing),
  );
  const sources = all.filter(({ config }) => !config.existing);
  const wanted = sources.flatMap((source) => sourceNodes(project, dialect, source));
  const outcomes = await deployer.deploy(wanted, options(run));
  const failed = outcomes.find(({ action }) => action === 'failed');
  if (failed !== undefined) throw failed.error;
  for (const outcome of outcomes) tell(run, outcome);
  return outcomes;
}

/** @throws SegError SEG435 when a source that somebody else should have made is not there */
async function requireExisting({ db, dialect }: StreamingRun, sources: readonly SourceNode[]): Promise<void> {
  for (const source of sources) {
    const { rows } = await db.query<{ name: string }>(dialect.objectsIn(source.schema));
    if (rows.some(({ name }) => name === source.identifier)) continue;
    throw segError(
      'SEG435',
      `source "${source.source_name}.${source.name}" is declared as existing, but there is no "${source.schema}.${source.identifier}"`,
      {
        at: source.at,
        hint: `Make it in ${dialect.title} (CREATE SOURCE, or CREATE TABLE with a connector), or leave "existing" out and ingest with seg.`,
        exitCode: 1,
      },
    );
  }
}

function options(run: StreamingRun) {
  return {
    dryRun: run.dryRun,
    signal: run.signal,
    recoveryTimeoutMs: recoveryTimeoutMs(run.project.target.fields),
    onProgress: (node: DesiredNode, progress: string) =>
      run.listener({ kind: 'message', level: 'info', text: `${node.label} is being filled: ${progress}` }),
  };
}

async function seed(
  run: StreamingRun,
  deployer: StreamingDeployer,
  node: SeedNode,
): Promise<StreamingOutcome[]> {
  const { project, dialect, db } = run;
  const clock = run.start(node);
  let outcomes: StreamingOutcome[] = [];
  const finish = (status: NodeStatus, more: Partial<NodeResult>): StreamingOutcome[] => {
    run.done(clock.finish(project, node, status, more));
    return outcomes;
  };
  if (run.blocked(node)) return finish('skipped', {});
  try {
    const data = await readSeed(node, project.root);
    const desired = desiredNode(project, dialect, node, data.columns);
    outcomes = await deployer.deploy([desired], options(run));
    const [outcome] = outcomes;
    if (outcome!.action === 'failed') throw outcome!.error;
    if (run.dryRun)
      return finish(outcome!.action === 'unchanged' ? 'no-op' : 'success', { message: outcome!.action });
    const { inserted, deleted } = await loadStreamingSeed(db, dialect, desired, data);
    if (inserted + deleted === 0 && outcome!.action === 'unchanged')
      return finish('no-op', { message: 'unchanged', rows: 0 });
    const message = [`INSERT ${inserted}`, ...(deleted > 0 ? [`DELETE ${deleted}`] : [])].join(' ');
    return finish('success', { message, rows: inserted + deleted });
  } catch (error) {
    return finish('error', { diagnostics: errorDiagnostics(error, node) });
  }
}

async function deployModels(
  run: StreamingRun,
  deployer: StreamingDeployer,
  models: readonly (ModelNode | TestNode)[],
): Promise<StreamingOutcome[]> {
  const { project } = run;
  const clocks = new Map<string, ResultClock>();
  const wanted: DesiredNode[] = [];
  for (const node of models) {
    if (node.resource_type === 'test') {
      // One that the engine refuses is told when it is run.
      if (refusedText(run, node).length === 0) wanted.push(...desired(run, node));
      continue;
    }
    const clock = run.start(node);
    if (run.blocked(node)) {
      run.done(clock.finish(project, node, 'skipped'));
      continue;
    }
    try {
      const refused = refusedText(run, node);
      if (refused.length > 0) throw new SegError(refused, { exitCode: 1 });
      wanted.push(...desired(run, node));
      clocks.set(node.unique_id, clock);
    } catch (error) {
      run.done(clock.finish(project, node, 'error', { diagnostics: errorDiagnostics(error, node) }));
    }
  }
  if (wanted.length === 0) return [];
  const outcomes = await deployer.deploy(wanted, { ...options(run), fullRefresh: run.fullRefresh });
  const byId = new Map(outcomes.map((outcome) => [outcome.uniqueId, outcome]));
  for (const node of models) {
    const outcome = byId.get(node.unique_id);
    const clock = clocks.get(node.unique_id);
    if (outcome === undefined || clock === undefined) continue;
    byId.delete(node.unique_id);
    if (outcome.action === 'held') tell(run, outcome);
    run.done(modelResult(run, node, clock, outcome));
  }
  for (const outcome of byId.values()) tell(run, outcome);
  return outcomes;
}

function desired({ project, dialect }: StreamingRun, node: ModelNode | TestNode): DesiredNode[] {
  return node.resource_type === 'model' && node.config.materialized === 'sink'
    ? sinkNodes(project, dialect, node)
    : [desiredNode(project, dialect, node)];
}

/** What the engine is known to refuse of a query, before anything is sent; what it answers otherwise is a warning. */
function refusedText({ project, listener }: StreamingRun, node: ModelNode | TestNode): Diagnostic[] {
  const found = checkQuery(project, node);
  for (const { code, message, hint } of found)
    if (code === 'SEG441') listener({ kind: 'message', level: 'warn', text: `${message}. ${hint ?? ''}` });
  return found.filter(({ code }) => code === 'SEG433');
}

function modelResult(
  { project }: StreamingRun,
  node: ModelNode | TestNode,
  clock: ResultClock,
  outcome: StreamingOutcome,
): NodeResult {
  const made =
    {
      view: 'CREATE VIEW',
      sink: 'CREATE SINK',
    }[node.config.materialized as 'view' | 'sink'] ?? 'CREATE MATERIALIZED VIEW';
  switch (outcome.action) {
    case 'failed':
      return clock.finish(project, node, 'error', { diagnostics: errorDiagnostics(outcome.error, node) });
    case 'held':
      return clock.finish(project, node, 'skipped', { message: heldText(outcome) });
    case 'unchanged':
    case 'dropped':
    case 'orphaned':
      return clock.finish(project, node, 'no-op', { message: 'unchanged' });
    case 'created':
      return clock.finish(project, node, 'success', { message: made });
    case 'changed':
    case 'rebuilt':
      return clock.finish(project, node, 'success', { message: `REPLACE ${made.slice('CREATE '.length)}` });
  }
}

function heldText({ label, error }: StreamingOutcome): string {
  const reason = error instanceof Error ? `: ${error.message}` : '';
  return `${label} is left as it was, because what belongs to the same change failed${reason}`;
}

/** What became of a node that was not asked for, and why one was left alone. */
function tell({ listener }: StreamingRun, outcome: StreamingOutcome): void {
  const { label, action, error } = outcome;
  const [level, text] = {
    rebuilt: ['info', `${label} followed: it was made again on what it reads`] as const,
    created: ['info', `created ${label}`] as const,
    changed: ['info', `changed ${label}`] as const,
    dropped: ['warn', `dropped ${label}: a view has none`] as const,
    failed: ['warn', error instanceof Error ? error.message : `${label} failed`] as const,
    held: ['warn', heldText(outcome)] as const,
    unchanged: ['info', undefined] as const,
    orphaned: ['info', undefined] as const,
  }[action];
  if (text !== undefined) listener({ kind: 'message', level, text });
}

async function orphans(
  run: StreamingRun,
  store: NodeStore,
  deployer: StreamingDeployer,
): Promise<StreamingOutcome[]> {
  const { project, prune, dryRun, db, listener } = run;
  const parts = [
    ...Object.values(project.manifest.sources).flatMap((source) =>
      source.config.existing ? [] : sourceNodes(project, run.dialect, source, true),
    ),
    ...Object.values(project.manifest.nodes).flatMap((node) =>
      node.resource_type === 'model' && node.config.materialized === 'sink'
        ? sinkNodes(project, run.dialect, node, true)
        : [],
    ),
  ];
  const known = new Set([
    ...Object.keys(project.manifest.nodes),
    ...Object.keys(project.manifest.sources),
    ...parts.map(({ uniqueId }) => uniqueId),
  ]);
  const gone = [...(await store.read()).values()].filter(
    ({ uniqueId, kind, reads }) => !known.has(kind === 'subscription' ? (reads[0] ?? '') : uniqueId),
  );
  const dropped: StoredNode[] = [];
  const kept: StoredNode[] = [];
  for (const node of gone) {
    const holdsRows = node.connector === undefined ? node.kind === 'table' : node.connector.lasting;
    const filled =
      holdsRows &&
      node.uniqueId.startsWith('source.') &&
      (await db.query(`SELECT 1 AS one FROM ${quoteRelation(node.relation)} LIMIT 1`)).rows.length > 0;
    if (!prune || filled) {
      const rest = prune
        ? 'and holds rows that cannot be computed again: drop its table by hand'
        : 'but still deployed; --prune drops it';
      listener({ kind: 'message', level: 'warn', text: `${node.label} is gone from the project ${rest}` });
      kept.push(node);
    } else dropped.push(node);
  }
  const outcomes = [
    ...dropped.map(({ uniqueId, label }) => ({ uniqueId, label, action: 'dropped' as const })),
    ...kept.map(({ uniqueId, label }) => ({ uniqueId, label, action: 'orphaned' as const })),
  ];
  if (dryRun || dropped.length === 0) return outcomes;
  const remaining = [...(await store.read()).values()].filter((node) => !dropped.includes(node));
  const ids = new Set(dropped.map(({ uniqueId }) => uniqueId));
  const reader = remaining.find(
    ({ uniqueId, reads }) => !ids.has(uniqueId) && reads.some((id) => ids.has(id)),
  );
  if (reader !== undefined) {
    throw segError('SEG411', `${reader.label} still reads a node that is gone from the project`, {
      hint: 'Deploy the readers too (run without --select), then prune.',
      exitCode: 1,
    });
  }
  await deployer.remove(dropped);
  for (const { label } of dropped)
    listener({ kind: 'message', level: 'info', text: `dropped ${label}, which is gone from the project` });
  return outcomes;
}

async function test(run: StreamingRun, node: TestNode, stood: ReadonlySet<string>): Promise<void> {
  const { project, db, colors } = run;
  const clock = run.start(node);
  if (run.blocked(node)) {
    run.done(clock.finish(project, node, 'skipped'));
    return;
  }
  const refused = refusedText(run, node);
  if (refused.length > 0) {
    run.done(clock.finish(project, node, 'error', { diagnostics: refused }));
    return;
  }
  // The engine keeps the failing rows of a stored test; what stands is read, anything else is computed.
  const stored = stood.has(node.unique_id) && node.relation_name !== null;
  const asked: TestNode = {
    ...node,
    config: { ...node.config, store_failures: false },
    compiled_code: stored ? `select * from ${node.relation_name}` : node.compiled_code,
  };
  const refusal = (error: unknown, text: string, linesBefore: number): unknown =>
    nodeError(error, `test "${node.name}"`, node.at, run.dialect.title, {
      query: {
        text,
        linesBefore,
        sourceMap: stored ? null : (project.sourceMaps.get(node.unique_id) ?? null),
      },
    });
  const result = await runDataTest(db, project, asked, { colors, refusal });
  const { status, ...more } = testOutcome(result);
  run.done(
    clock.finish(project, node, status, { ...more, failuresRelation: stored ? node.relation_name : null }),
  );
}
