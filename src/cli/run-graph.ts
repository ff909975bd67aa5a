import { relative, resolve } from 'node:path';
import { allNodes } from '../project/manifest.ts';
import type { GraphNode } from '../project/nodes.ts';
import type { Project } from '../project/load.ts';
import type { Database } from '../engines/connection.ts';
import { executeGraph, type ExecuteResult, type RunMode } from '../run/execute.ts';
import { writeArtifact, writeCompiled } from './artifacts.ts';
import { checkedTests } from './check-project.ts';
import type { ExitStatus } from './command-definition.ts';
import type { CommandContext } from './context.ts';
import { loadOptions, openProject } from './open-project.ts';
import { foundLine } from './report/found-line.ts';
import { RunReporter } from './report/run-reporter.ts';
import { counted } from './report/summary.ts';
import { writeRunResults } from './run-results.ts';
import { selectGraphNodes } from './selection.ts';
import { withStoredFailures } from './store-failures.ts';
import { lazyDatabase } from './with-database.ts';

export interface RunGraphOptions {
  readonly mode: RunMode;
  /** The kinds of nodes the command runs. */
  readonly types: readonly GraphNode['resource_type'][];
  /** Instead of what the flags select: what `seg retry` repeats. */
  readonly only?: ReadonlySet<string>;
  /** With the database still open, after the run. */
  readonly after?: (db: Database, project: Project, result: ExecuteResult) => Promise<void>;
}

/** What run, seed, test, build and retry have in common. Exit code 1 when a node failed or was skipped, 2 on Ctrl-C. */
export async function runGraph(context: CommandContext, options: RunGraphOptions): Promise<ExitStatus> {
  const { flags, log } = context;
  const loaded = await openProject(context);
  const project = given(context, 'store-failures') ? withStoredFailures(loaded) : loaded;
  log.info(foundLine(project.manifest), { name: 'FoundStats', code: 'W006' });
  const { only } = options;
  const selected =
    only === undefined
      ? selectGraphNodes(context, project, options.types)
      : [...allNodes(project.manifest).values()].filter((node) => only.has(node.unique_id));
  if (selected.length === 0) return 0;
  await checkedTests(project, selected);
  const db = lazyDatabase(() => openTarget(context, project));
  try {
    const result = await execute(context, project, db, selected, options.mode);
    if (flags.boolean('write-json')) {
      writeCompiled(project, selected);
      await writeRunResults(context, project, result);
    }
    await writeJunit(context, result);
    if (given(context, 'update')) await updateScenarios(context, project, result);
    await options.after?.(db, project, result);
    if (options.mode === 'run' || options.mode === 'build') await dropOldChanges(db, project);
    return exitStatus(result);
  } finally {
    await db.close();
  }
}

async function execute(
  context: CommandContext,
  project: Project,
  db: Database,
  selected: readonly GraphNode[],
  mode: RunMode,
): Promise<ExecuteResult> {
  const { flags, log, sources } = context;
  const width = flags.integer('printer-width')!;
  const reporter = new RunReporter({ log, sources, width, verbose: given(context, 'verbose') });
  return executeGraph({
    project,
    load: loadOptions(context),
    db,
    mode,
    selected: new Set(selected.map((node) => node.unique_id)),
    listener: reporter.listen,
    fullRefresh: given(context, 'full-refresh'),
    failFast: flags.boolean('fail-fast'),
    prune: given(context, 'prune'),
    update: given(context, 'update'),
    now: flags.has('now') ? flags.string('now') : undefined,
    colors: log.colors.isColorSupported,
    threads: project.target.threads,
    signal: context.signal,
  });
}

export async function openTarget(context: CommandContext, project: Project): Promise<Database> {
  const { openDatabase } = await import('../engines/registry.ts');
  return openDatabase(project.target, { root: project.root, command: `seg ${context.command}` });
}

/** Where `seg serve` does not do it by itself. */
async function dropOldChanges(db: Database, project: Project): Promise<void> {
  if (project.target.type !== 'pglite' && project.target.type !== 'postgres') return;
  const { pruneChanges } = await import('../feeds/retention.ts');
  await pruneChanges(db, project);
  const { giveUpScans } = await import('../sinks/table-scan.ts');
  await giveUpScans(db, project);
}

function exitStatus(result: ExecuteResult): ExitStatus {
  if (result.stopped === 'interrupted') return 2;
  return result.results.some(({ status }) => ['error', 'fail', 'skipped'].includes(status)) ? 1 : 0;
}

/** A boolean flag that only some of the commands have. */
function given({ flags }: CommandContext, name: string): boolean {
  return flags.has(name) && flags.boolean(name);
}

/** `--update`: the rows that are there become the expectations, in the scenarios' files. */
async function updateScenarios(
  { log }: CommandContext,
  project: Project,
  result: ExecuteResult,
): Promise<void> {
  const { writeUpdates } = await import('../testing/run-scenarios.ts');
  const { asTestResults } = await import('./run-results.ts');
  const written = await writeUpdates(project.root, asTestResults(result.results));
  for (const [file, count] of written)
    log.info(`Updated ${counted(count, 'expectation', 'expectations')} in ${file}`);
  if (written.size === 0) log.info('No expectation to update');
}

async function writeJunit(context: CommandContext, result: ExecuteResult): Promise<void> {
  const { flags } = context;
  const file = flags.has('junit-xml') ? flags.string('junit-xml') : undefined;
  if (file === undefined) return;
  const { junitXml } = await import('../testing/junit.ts');
  const { asTestResults } = await import('./run-results.ts');
  const path = resolve(context.cwd, file);
  writeArtifact(
    path,
    junitXml(asTestResults(result.results), {
      name: `seg ${context.command}`,
      timestamp: context.startedAt.toISOString(),
    }),
  );
  context.log.info(`Wrote ${relative(context.cwd, path)}`);
}
