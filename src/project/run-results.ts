import path from 'node:path';
import type { JsonValue } from '../changelog/change.ts';
import { artifactMetadata, writeAtomically } from './artifact.ts';
import type { ArtifactMetadata } from './manifest.ts';

export type RunStatus =
  'success' | 'error' | 'skipped' | 'partial success' | 'no-op' | 'pass' | 'fail' | 'warn' | 'runtime error';

export interface Timing {
  name: 'compile' | 'execute';
  /** ISO 8601. */
  started_at: string | null;
  completed_at: string | null;
}

/** What happened to one node, in the shape of dbt's run_results.json (v6). */
export interface RunResult {
  status: RunStatus;
  timing: Timing[];
  thread_id: string;
  /** Seconds. */
  execution_time: number;
  adapter_response: Record<string, JsonValue>;
  message: string | null;
  /** Failing rows of a test; null for other nodes. */
  failures: number | null;
  unique_id: string;
  compiled: boolean | null;
  compiled_code: string | null;
  relation_name: string | null;
  batch_results: null;
}

export interface RunResults {
  metadata: ArtifactMetadata;
  results: RunResult[];
  /** Seconds. */
  elapsed_time: number;
  args: Record<string, JsonValue>;
}

/** Fills in what a caller has nothing to say about. */
export function runResult(result: Pick<RunResult, 'status' | 'unique_id'> & Partial<RunResult>): RunResult {
  return {
    timing: [],
    thread_id: 'Thread-1',
    execution_time: 0,
    adapter_response: {},
    message: null,
    failures: null,
    compiled: null,
    compiled_code: null,
    relation_name: null,
    batch_results: null,
    ...result,
  };
}

/** Writes `run_results.json` into the target folder, whole or not at all. Returns its path. */
export function writeRunResults(
  targetPath: string,
  results: readonly RunResult[],
  options: {
    invocation: { id: string; startedAt: Date; env: Readonly<Record<string, string | undefined>> };
    /** Seconds. */
    elapsedTime: number;
    args?: Record<string, JsonValue>;
  },
): string {
  const content: RunResults = {
    metadata: artifactMetadata(options.invocation, 'run-results/v6'),
    results: [...results],
    elapsed_time: options.elapsedTime,
    args: options.args ?? {},
  };
  const file = path.join(targetPath, 'run_results.json');
  writeAtomically(file, JSON.stringify(content));
  return file;
}
