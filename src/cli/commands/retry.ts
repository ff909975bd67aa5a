import { resolve } from 'node:path';
import type { CommandHandler } from '../command-definition.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { findProjectFile } from '../../project/project-file.ts';
import type { GraphNode } from '../../project/nodes.ts';
import type { RunMode } from '../../run/execute.ts';
import { readArtifact, readResults } from '../../selectors/previous-state.ts';
import { isRecord } from '../../selectors/selectable.ts';
import { loadOptions } from '../open-project.ts';
import { runGraph } from '../run-graph.ts';

const TYPES: Record<RunMode, readonly GraphNode['resource_type'][]> = {
  run: ['model'],
  seed: ['seed'],
  test: ['test', 'unit_test', 'scenario'],
  build: ['seed', 'model', 'test', 'unit_test', 'scenario'],
};

/** `seg retry`: the command of the last run_results.json again, on the nodes that failed or were skipped in it. */
export const retry: CommandHandler = async (context) => {
  const { flags, cwd, log } = context;
  const options = loadOptions(context);
  const { root, values } = findProjectFile(options.projectDir);
  const target = typeof values['target-path'] === 'string' ? values['target-path'] : 'target';
  const state = flags.string('state');
  const folder = state === undefined ? (options.targetPath ?? resolve(root, target)) : resolve(cwd, state);
  const artifact = readArtifact(folder, 'run_results.json');
  if (artifact === null) {
    throw segError('SEG912', `no run_results.json in "${folder}"`, {
      hint: 'There is no earlier run to retry; --state names the folder of its artifacts.',
    });
  }
  const which = isRecord(artifact['args']) ? String(artifact['args']['which']) : '';
  if (!Object.hasOwn(TYPES, which)) {
    throw segError('SEG916', `the last run was \`seg ${which}\`, which cannot be retried`, {
      hint: 'seg run, seed, test and build can.',
    });
  }
  const failed = [...readResults(artifact, 'status')!].filter(([, status]) =>
    ['error', 'fail', 'skipped'].includes(status),
  );
  if (failed.length === 0) {
    log.info('Nothing to retry: the last run had no failures.');
    return 0;
  }
  log.info(`Retrying \`seg ${which}\` on ${failed.length} nodes that failed or were skipped`);
  const mode = which as RunMode;
  return runGraph(context, { mode, types: TYPES[mode], only: new Set(failed.map(([id]) => id)) });
};
