/** A thread that runs scenarios: sent a WorkerJob, it answers with a WorkerAnswer. Started by run-scenarios.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { directoryImage } from '../engines/pglite/image.ts';
import { adoptPgliteModule } from '../engines/pglite/wasm-module.ts';
import { loadProject, type Project } from '../project/load.ts';
import { parseScenarios } from './parse-scenario.ts';
import type { WorkerAnswer, WorkerJob, WorkerStart } from './run-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { ScenarioHost } from './scenario-host.ts';

const { load, options, module, image } = workerData as WorkerStart;
adoptPgliteModule(module);

let project: Promise<Project> | undefined;
let host: ScenarioHost | undefined;
const parsed = new Map<string, readonly Scenario[]>();

async function run(job: WorkerJob): Promise<WorkerAnswer> {
  project ??= loadProject(load);
  const loaded = await project;
  host ??= new ScenarioHost(load, options, loaded, image && directoryImage(image));
  let scenarios = parsed.get(job.file);
  if (scenarios === undefined) {
    ({ scenarios } = parseScenarios(job.file, loaded.files.get(job.file) ?? ''));
    parsed.set(job.file, scenarios);
  }
  const scenario = scenarios.find(({ name }) => name === job.name);
  if (scenario === undefined) throw new Error(`scenario "${job.name}" is gone from ${job.file}`);
  return { result: await host.run({ uniqueId: job.uniqueId, scenario }) };
}

parentPort?.on('message', (job: WorkerJob) => {
  run(job)
    .catch((error: unknown): WorkerAnswer => ({
      defect: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }))
    .then((answer) => parentPort?.postMessage(answer))
    .catch((error: unknown) => {
      throw error;
    });
});
