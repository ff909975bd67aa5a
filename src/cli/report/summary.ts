/** What dbt says at the end of a run, as lines without time. */
import type { GraphNode } from '../../project/nodes.ts';
import type { NodeResult, RunResult } from '../../run/events.ts';
import { summaryLine, type TestStatus } from '../../testing/test-result.ts';
import { isTest } from './node-lines.ts';

export interface Tally {
  readonly pass: number;
  readonly warn: number;
  readonly error: number;
  readonly skip: number;
  readonly noOp: number;
  readonly total: number;
}

export function tally(results: readonly NodeResult[]): Tally {
  const count = (...statuses: NodeResult['status'][]) =>
    results.filter(({ status }) => statuses.includes(status)).length;
  return {
    pass: count('success', 'pass'),
    warn: count('warn'),
    error: count('error', 'fail'),
    skip: count('skipped'),
    noOp: count('no-op'),
    total: results.length,
  };
}

/** `Done. PASS=4 WARN=1 ERROR=1 SKIP=0 NO-OP=0 TOTAL=6`. */
export function statsLine(counts: Tally): string {
  const { pass, warn, error, skip, noOp, total } = counts;
  return `Done. PASS=${pass} WARN=${warn} ERROR=${error} SKIP=${skip} NO-OP=${noOp} TOTAL=${total}`;
}

/** `Finished running 1 seed, 3 data tests, 1 view model in 0 hours 0 minutes and 0.61 seconds (0.61s).` */
export function finishedLine(
  { results, seconds }: Pick<RunResult, 'results' | 'seconds'>,
  hooks: number,
): string {
  const counts = new Map<string, number>();
  for (const { node } of results) counts.set(rawType(node), (counts.get(rawType(node)) ?? 0) + 1);
  if (hooks > 0) counts.set('project hook', hooks);
  // By the raw name and not by what is printed: that is why data tests stand between "table" and "view" in dbt.
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const what = sorted.map(([type, count]) =>
    `${count} ${count === 1 ? type : plural(type)}`.replaceAll('_', ' '),
  );
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const time = `${hours} hours ${minutes} minutes and ${(seconds % 60).toFixed(2)} seconds`;
  return `Finished running ${what.join(', ')} in ${time} (${seconds.toFixed(2)}s).`;
}

function rawType(node: GraphNode): string {
  return node.resource_type === 'model' ? `${node.config.materialized} model` : node.resource_type;
}

function plural(type: string): string {
  return type === 'test' ? 'data tests' : `${type}s`;
}

/** `Completed successfully`, or with how many errors and warnings. */
export function completedLine(
  counts: Tally,
  interrupted: boolean,
): { text: string; paint: 'green' | 'yellow' | 'red' } {
  const warnings = counted(counts.warn, 'warning', 'warnings');
  if (interrupted) return { text: 'Exited because of keyboard interrupt', paint: 'yellow' };
  if (counts.error > 0) {
    const errors = counted(counts.error, 'error', 'errors');
    return { text: `Completed with ${errors}, 0 partial successes, and ${warnings}:`, paint: 'red' };
  }
  if (counts.warn > 0) return { text: `Completed with ${warnings}:`, paint: 'yellow' };
  return { text: 'Completed successfully', paint: 'green' };
}

/** `Ran 12 tests, 12 passed, 0 failed`; undefined when no test was among the results. */
export function testsLine(results: readonly NodeResult[]): string | undefined {
  const tests = results.filter(({ node }) => isTest(node));
  return tests.length === 0 ? undefined : summaryLine(tests as { status: TestStatus }[]);
}

export function counted(many: number, one: string, several: string): string {
  return `${many} ${many === 1 ? one : several}`;
}
