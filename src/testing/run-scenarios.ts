/** Runs many scenarios, each in a fresh engine, on worker threads where that is possible. */
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import { sharedBytes } from '../engines/pglite/image.ts';
import { pgliteModule, type WasmModule } from '../engines/pglite/wasm-module.ts';
import type { LoadOptions, Project } from '../project/load.ts';
import type { ScenarioNode } from '../project/nodes.ts';
import type { ExpectationEdit } from './expectation-edit.ts';
import type { FailureTextOptions } from './failure-text.ts';
import { parseScenarios } from './parse-scenario.ts';
import { buildScenarioBase } from './scenario-base.ts';
import { baseKey, ScenarioHost, type ScenarioJob } from './scenario-host.ts';
import type { TestResult } from './test-result.ts';
import { applyEdits } from './update-expectations.ts';

export interface RunScenariosOptions extends FailureTextOptions {
  /** Scenarios run at once; default, and at most: one per core. */
  readonly threads?: number;
  /** Called with every result as it comes. */
  readonly onResult?: (result: TestResult) => void;
  /** Called when a scenario begins. */
  readonly onStart?: (uniqueId: string) => void;
  /** Scenarios that have not begun when it is aborted are left out of the results. */
  readonly signal?: AbortSignal;
}

/** What a worker is started with, and what it is sent. */
export interface WorkerStart {
  readonly load: LoadOptions;
  readonly options: FailureTextOptions;
  readonly module: WasmModule;
  /** What scenarios without vars of their own start from, when several do. */
  readonly image: SharedArrayBuffer | undefined;
}
export interface WorkerJob {
  readonly uniqueId: string;
  readonly file: string;
  readonly name: string;
}
export type WorkerAnswer = { readonly result: TestResult } | { readonly defect: string };

/**
 * Checks scenarios without running them.
 * Throws a SegError with every mistake in their files, with places; the command ends with exit code 2.
 */
export function checkScenarios(
  project: Pick<Project, 'files'>,
  nodes: readonly ScenarioNode[],
): ScenarioJob[] {
  const jobs: ScenarioJob[] = [];
  const errors: Diagnostic[] = [];
  for (const file of new Set(nodes.map((node) => node.original_file_path))) {
    const { scenarios, errors: found } = parseScenarios(file, project.files.get(file) ?? '');
    errors.push(...found);
    for (const node of nodes) {
      const scenario = scenarios.find(({ name }) => node.original_file_path === file && name === node.name);
      if (scenario !== undefined) jobs.push({ uniqueId: node.unique_id, scenario });
    }
  }
  if (errors.length > 0) throw new SegError(errors);
  return jobs;
}

/**
 * Runs the scenarios of `nodes`; the results are in the order of `nodes`, `onResult` hears them as they come.
 * @param load how `project` was loaded: workers, and scenarios with vars of their own, load it again
 * @throws SegError for mistakes in the files, before any is run
 */
export async function runScenarios(
  load: LoadOptions,
  project: Project,
  nodes: readonly ScenarioNode[],
  options: RunScenariosOptions = {},
): Promise<TestResult[]> {
  const jobs = checkScenarios(project, nodes);
  // Scenarios of one base next to each other: a thread that has it goes on with it.
  const queue = jobs
    .map((job) => ({ job, key: baseKey(job.scenario) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ job }) => job);
  // Nothing is waited for here but the processor: more threads than cores only load the project more often.
  const cores = availableParallelism();
  const threads = Math.min(options.threads ?? cores, cores, queue.length);
  const results = new Map<string, TestResult>();
  const next = (): ScenarioJob | undefined => {
    const job = options.signal?.aborted === true ? undefined : queue.shift();
    if (job !== undefined) options.onStart?.(job.uniqueId);
    return job;
  };
  const done = (result: TestResult): void => {
    results.set(result.uniqueId, result);
    options.onResult?.(result);
  };
  const { colors, most, update } = options;
  const entry = workerEntry();
  if (threads <= 1 || entry === undefined) {
    const host = new ScenarioHost(load, { colors, most, update }, project);
    for (let job = next(); job !== undefined; job = next()) done(await host.run(job));
  } else {
    // A function cannot cross to another thread.
    const { onLog: _, ...plain } = load;
    const start: WorkerStart = {
      load: plain,
      options: { colors, most, update },
      module: await pgliteModule(),
      image: await sharedImage(project, jobs),
    };
    await Promise.all(Array.from({ length: threads }, () => serve(entry, start, next, done)));
  }
  return nodes.flatMap((node) => results.get(node.unique_id) ?? []);
}

/**
 * Writes what an `update` run found into the scenarios' files. A scenario that failed all the same is left alone.
 * Returns how many expectations were rewritten, by file.
 */
export async function writeUpdates(
  root: string,
  results: readonly TestResult[],
): Promise<Map<string, number>> {
  const byFile = new Map<string, ExpectationEdit[]>();
  for (const { status, edits, at } of results) {
    if (status === 'pass' && edits !== undefined)
      byFile.set(at.file, [...(byFile.get(at.file) ?? []), ...edits]);
  }
  for (const [file, edits] of byFile) {
    const absolute = path.resolve(root, file);
    await writeFile(absolute, applyEdits(await readFile(absolute, 'utf8'), edits));
  }
  return new Map([...byFile].map(([file, edits]) => [file, edits.length]));
}

/**
 * The base most scenarios start from, made once for all threads. Undefined when few need it, and when the project cannot be
 * deployed: the scenarios find that out themselves, and say so with their place.
 */
async function sharedImage(
  project: Project,
  jobs: readonly ScenarioJob[],
): Promise<SharedArrayBuffer | undefined> {
  if (jobs.filter(({ scenario }) => baseKey(scenario) === '').length < 2) return undefined;
  try {
    return await sharedBytes((await buildScenarioBase(project)).image);
  } catch (error) {
    if (error instanceof SegError || error instanceof DatabaseError) return undefined;
    throw error;
  }
}

/** Node cannot run TypeScript in a worker on all versions seg supports: from source, scenarios run in this thread. */
function workerEntry(): URL | undefined {
  return import.meta.url.endsWith('.js') ? new URL('./scenario-worker.js', import.meta.url) : undefined;
}

/** One worker until the queue is empty; a worker that dies costs its scenario an `error` and is replaced. */
async function serve(
  entry: URL,
  start: WorkerStart,
  next: () => ScenarioJob | undefined,
  done: (result: TestResult) => void,
): Promise<void> {
  let worker: Worker | undefined;
  for (let job = next(); job !== undefined; job = next()) {
    worker ??= new Worker(entry, { workerData: start });
    try {
      done(await ask(worker, { uniqueId: job.uniqueId, file: job.scenario.file, name: job.scenario.name }));
    } catch (error) {
      await worker.terminate();
      worker = undefined;
      done(defect(job, error));
    }
  }
  await worker?.terminate();
}

function ask(worker: Worker, job: WorkerJob): Promise<TestResult> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      end();
    };
    const onMessage = (answer: WorkerAnswer): void =>
      settle(() => ('result' in answer ? resolve(answer.result) : reject(new Error(answer.defect))));
    const onError = (error: Error): void => settle(() => reject(error));
    const onExit = (code: number): void =>
      settle(() => reject(new Error(`the worker ended with code ${code}`)));
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(job);
  });
}

function defect({ uniqueId, scenario }: ScenarioJob, error: unknown): TestResult {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    uniqueId,
    kind: 'scenario',
    name: scenario.name,
    status: 'error',
    failures: null,
    message: `the scenario could not be run: ${text.split('\n')[0]}`,
    seconds: 0,
    detail: text,
    at: scenario.locate([...scenario.path, 'name']),
  };
}
