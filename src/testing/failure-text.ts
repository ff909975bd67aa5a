/** A failed or broken scenario step as text: what, where, when by the scenario's clock, and the rows that differ. */
import colors from 'picocolors';
import type { Location } from '../diagnostics/diagnostic.ts';
import { diffText } from './row-diff-text.ts';
import type { Step } from './scenario.ts';
import type { StepFailure } from './step-outcome.ts';

export interface FailureTextOptions {
  readonly colors?: boolean;
  /** Differences shown per expectation. */
  readonly most?: number;
  /** Expectations that do not hold are to be rewritten instead of failing. */
  readonly update?: boolean;
}

/** `step 3 "bob leaves"`, `step 3 (expect segment_toggles)`; `the start` before the first step. */
export function stepTitle(step: Step | null): string {
  if (step === null) return 'the start';
  return step.name === null
    ? `step ${step.number} (${stepActions(step)})`
    : `step ${step.number} "${step.name}"`;
}

function stepActions(step: Step): string {
  const actions: string[] = [];
  if (step.at !== null) actions.push(`at ${step.at}`);
  if (step.advance !== null) actions.push(`advance ${step.advance}`);
  if (step.restart !== null) actions.push(step.restart);
  if (step.seed !== null) actions.push(`seed ${step.seed.seed}`);
  if (step.run !== null) actions.push('run');
  if (step.sql !== null) actions.push('sql');
  if (step.ingest !== null) actions.push(`ingest ${step.ingest.source}`);
  if (step.expect.length > 0) actions.push(`expect ${step.expect.map(({ model }) => model).join(', ')}`);
  if (step.changes.length > 0) actions.push(`changes ${step.changes.map(({ model }) => model).join(', ')}`);
  if (step.sinks.length > 0) actions.push(`expect_sink ${step.sinks.map(({ sink }) => sink).join(', ')}`);
  if (step.verify !== false) actions.push('verify');
  return actions.join(', ');
}

export function placeText(at: Location): string {
  return `${at.file}:${at.line}:${at.column}`;
}

/**
 * ```
 * tests/toggles.yml:21:9: step 3 "bob leaves", clock 2021-03-19 17:30:00+00
 *   model "segment_toggles": 1 row differs: 1 missing (2 as expected)
 *     user_id | remove
 *   - bob     | true
 * ```
 */
export function failureText(
  step: Step | null,
  at: Location,
  clock: string,
  context: string | null,
  failures: readonly StepFailure[],
  options: FailureTextOptions,
): string {
  const paint = colors.createColors(options.colors ?? false);
  const lines = [`${paint.cyan(placeText(at))}: ${stepTitle(step)}, clock ${clock}`];
  if (context !== null) lines.push(`  ${context}`);
  for (const failure of failures) {
    lines.push(`  ${paint.bold(failure.message)}`);
    if (failure.diff !== undefined) {
      lines.push(
        ...diffText(failure.diff, options)
          .split('\n')
          .map((line) => `  ${line}`),
      );
    }
    for (const line of failure.lines ?? []) lines.push(`    ${line}`);
    if (failure.hint !== undefined) lines.push(`    hint: ${failure.hint}`);
  }
  return lines.join('\n');
}
