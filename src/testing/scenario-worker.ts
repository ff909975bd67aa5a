/** A thread that runs scenarios: sent a WorkerJob, it answers with a WorkerAnswer. Started by run-scenarios.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadProject, type Project } from '../project/load.ts';
import { parseScenarios } from './parse-scenario.ts';
import type { WorkerAnswer, WorkerJob, WorkerStart } from './run-scenarios.ts';
import { ScenarioHost } from './scenario-host.ts';

const { load, options } = workerData as WorkerStart;

let project: Promise<Project> | undefined;
let host: ScenarioHost | undefined;

async function run(job: WorkerJob): Promise<WorkerAnswer> {
  project ??= loadProject(load);
  const loaded = await project;
  host ??= new ScenarioHost(load, options, loaded);
  const { scenarios } = parseScenarios(job.file, loaded.files.get(job.file) ?? '');
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
