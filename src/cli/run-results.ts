import { join } from 'node:path';
import type { JsonValue } from '../changelog/change.ts';
import type { Project } from '../project/load.ts';
import type { NodeResult, RunResult } from '../run/events.ts';
import type { TestKind, TestResult, TestStatus } from '../testing/test-result.ts';
import { writeArtifact } from './artifacts.ts';
import type { CommandContext } from './context.ts';
import { displayName, isTest } from './report/node-lines.ts';

/** Writes target/run_results.json in dbt's shape (v6). */
export async function writeRunResults(
  context: CommandContext,
  project: Project,
  run: RunResult,
): Promise<void> {
  const artifact = {
    metadata: {
      ...project.manifest.metadata,
      dbt_schema_version: 'https://schemas.getdbt.com/dbt/run-results/v6.json',
      generated_at: new Date().toISOString(),
      invocation_id: context.invocationId,
      invocation_started_at: context.startedAt.toISOString(),
    },
    results: run.results.map(resultRecord),
    elapsed_time: run.seconds,
    args: invocationArgs(context),
  };
  writeArtifact(join(project.targetPath, 'run_results.json'), context.log.scrub(JSON.stringify(artifact)));
}

/** What was asked for, with dbt's names; `seg retry` reads `which` and the flags. */
function invocationArgs({ command, flags }: CommandContext): Record<string, JsonValue> {
  const given = Object.entries(flags.toJSON()).map(
    ([name, value]) => [name.replaceAll('-', '_'), value] as const,
  );
  return { which: command, ...Object.fromEntries(given) };
}

function resultRecord(result: NodeResult): Record<string, JsonValue> {
  const { node, status, message, failures, rows } = result;
  const compiled = 'compiled_code' in node;
  const timing = { started_at: result.startedAt, completed_at: result.completedAt };
  return {
    status,
    timing:
      status === 'skipped'
        ? []
        : [
            { name: 'compile', ...timing, completed_at: result.startedAt },
            { name: 'execute', ...timing },
          ],
    thread_id: 'Thread-1',
    execution_time: result.seconds,
    adapter_response:
      status === 'success' && message !== null ? { _message: message, rows_affected: rows } : {},
    message: message ?? result.diagnostics[0]?.message ?? null,
    failures,
    unique_id: node.unique_id,
    compiled: compiled ? node.compiled : null,
    compiled_code: compiled ? node.compiled_code : null,
    relation_name: 'relation_name' in node ? node.relation_name : null,
    batch_results: null,
  };
}

/** The tests among the results, for reports. */
export function asTestResults(results: readonly NodeResult[]): TestResult[] {
  return results
    .filter(({ node }) => isTest(node))
    .map((result) => ({
      uniqueId: result.node.unique_id,
      kind: result.node.resource_type as TestKind,
      name: displayName(result.node),
      status: result.status as TestStatus,
      failures: result.failures,
      message: result.message ?? result.diagnostics[0]?.message ?? null,
      seconds: result.seconds,
      ...(result.details === null ? {} : { detail: result.details }),
      steps: result.steps,
      edits: result.edits,
      at: result.diagnostics[0]?.at ?? result.node.at,
    }));
}
