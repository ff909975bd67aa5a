/** What running a test of any kind (data, unit, scenario) gives. Plain data: it crosses threads and goes to JSON. */
import type { Diagnostic, Location } from '../diagnostics/diagnostic.ts';
import type { ExpectationEdit } from './expectation-edit.ts';

export type TestStatus = 'pass' | 'fail' | 'warn' | 'error' | 'skipped';
export type TestKind = 'test' | 'unit_test' | 'scenario';

/** One step of a scenario, as it ran. */
export interface StepResult {
  /** From 1. */
  readonly number: number;
  readonly title: string;
  readonly status: 'pass' | 'fail' | 'error';
  readonly seconds: number;
  /** The project's clock after the step, as PostgreSQL writes it in UTC. */
  readonly clock: string;
  /** Facts for `-v`: `3 accepted`, `segment_toggles: 2 rows as expected`. */
  readonly notes: readonly string[];
}

export interface TestResult {
  readonly uniqueId: string;
  readonly kind: TestKind;
  /** As shown to people: `unique_x_id`, `model::unit_test`, the scenario's name. */
  readonly name: string;
  readonly status: TestStatus;
  /** dbt's count: failing rows of a data test; differing rows of a unit test or scenario; null when it did not run. */
  readonly failures: number | null;
  /** One line; null when passed. */
  readonly message: string | null;
  readonly seconds: number;
  /** The row diff, a sample of failing rows, or the engine's own words; several lines, coloured when asked for. */
  readonly detail?: string;
  /** Where the test, or the step of it that failed, is written. */
  readonly at: Location;
  /** What was thrown, for a test that could not run. */
  readonly diagnostics?: readonly Diagnostic[];
  readonly steps?: readonly StepResult[];
  /** With `update`: what to write into the scenario's file so that it passes. */
  readonly edits?: readonly ExpectationEdit[];
}

/**
 * The last line of a test run: `Ran 12 tests, 12 passed, 0 failed`. Warnings and skips are named when there are any;
 * a test that could not run counts as failed.
 */
export function summaryLine(results: readonly Pick<TestResult, 'status'>[]): string {
  const count = (...statuses: TestStatus[]): number =>
    results.filter((r) => statuses.includes(r.status)).length;
  const parts = [
    `Ran ${results.length} ${results.length === 1 ? 'test' : 'tests'}`,
    `${count('pass')} passed`,
    `${count('fail', 'error')} failed`,
  ];
  if (count('warn') > 0) parts.push(`${count('warn')} warned`);
  if (count('skipped') > 0) parts.push(`${count('skipped')} skipped`);
  return parts.join(', ');
}

/** `1 row`, `3 rows`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
