/** A measurement, as far as one view is concerned: its own steps, and those of the views below it. */
import type { MeasuredBatch, MeasuredStep, Measurement } from './measure.ts';
import type { StoredPlan } from './stored-plan.ts';

export interface AnalyzedStep extends MeasuredStep {
  readonly strategy: string;
  /** Of the whole statement's time, from 0 to 1. */
  readonly share: number;
}

export interface AnalyzedBatch extends Omit<MeasuredBatch, 'steps'> {
  readonly steps: readonly AnalyzedStep[];
  /** Steps of views that this one does not read, in the same statement. */
  readonly others: { readonly steps: number; readonly meanMs: number };
}

export interface Analysis {
  readonly batches: readonly AnalyzedBatch[];
  readonly notes: readonly string[];
}

/** The keys of a view and of the maintained views it reads, directly or through others. */
export function viewsBelow(plans: readonly StoredPlan[], key: string): Set<string> {
  const byKey = new Map(plans.map((plan) => [plan.key, plan]));
  const below = new Set<string>();
  const visit = (at: string): void => {
    if (below.has(at)) return;
    below.add(at);
    for (const up of byKey.get(at)?.upstream ?? []) visit(up);
  };
  visit(key);
  return below;
}

export function analysisOf(plans: readonly StoredPlan[], key: string, measured: Measurement): Analysis {
  const below = viewsBelow(plans, key);
  const inputs = new Set(plans.filter((plan) => below.has(plan.key)).flatMap((plan) => inputKeys(plan)));
  const strategies = new Map(
    plans.flatMap((plan) =>
      plan.stages.map(({ stage }) => [JSON.stringify([plan.key, stage.name]), stage.strategy] as const),
    ),
  );
  const concerned = measured.batches.filter((batch) => batch.steps.some(({ view }) => view === key));
  return {
    batches: concerned.map((batch) => {
      const others = batch.steps.filter(({ view }) => !below.has(view));
      return {
        ...batch,
        steps: batch.steps
          .filter(({ view }) => below.has(view))
          .map((step) => ({
            ...step,
            strategy: strategies.get(JSON.stringify([step.view, step.number ?? ''])) ?? '',
            share: batch.statementMs === 0 ? 0 : step.meanMs / batch.statementMs,
          })),
        others: { steps: others.length, meanMs: others.reduce((sum, { meanMs }) => sum + meanMs, 0) },
      };
    }),
    notes: measured.notes.filter((note) => [...inputs].some((input) => note.startsWith(input))),
  };
}

function inputKeys({ inputs }: StoredPlan): string[] {
  return inputs.map(({ key }) => key);
}

/** The figures of inserts as tables, of deletes in a line. */
export function analysisText({ batches, notes }: Analysis): string {
  const lines = ['measured on the last rows of each input, taken out and put in again, and rolled back:'];
  for (const batch of batches) {
    const { input, statement, rows, runs, statementMs, steps, others } = batch;
    const inside = steps.reduce((sum, { meanMs }) => sum + meanMs, 0);
    const what = statement === 'UPDATE' ? 'the clock moves by a second' : `${statement} of ${count(rows)}`;
    const where = statement === 'UPDATE' ? '' : ` ${statement === 'DELETE' ? 'from' : 'into'} ${input}`;
    lines.push(
      '',
      `${what}${where}: ${ms(statementMs)} ms (mean of ${runs}), of which ${ms(inside)} ms for the steps of this view and of those it reads`,
    );
    if (statement === 'DELETE') continue;
    const table = [
      ['step', 'strategy', 'rows in', 'rows out', 'ms', 'share'],
      ...steps.map((step) => [
        `${step.view}${step.number === null ? '' : ` #${step.number}`}`,
        step.rowsIn === null ? 'refresh' : step.strategy,
        step.rowsIn === null ? 'all' : String(step.rowsIn),
        String(step.rowsOut),
        ms(step.meanMs),
        percent(step.share),
      ]),
      ...(others.steps === 0
        ? []
        : [
            [
              `other views (${others.steps} ${others.steps === 1 ? 'step' : 'steps'})`,
              '',
              '',
              '',
              ms(others.meanMs),
              percent(statementMs === 0 ? 0 : others.meanMs / statementMs),
            ],
          ]),
    ];
    lines.push(...aligned(table).map((line) => `  ${line}`));
  }
  if (batches.length === 0 && notes.length === 0) lines.push('  no input');
  return [...lines, ...notes.map((note) => `  ${note}`)].join('\n');
}

/** Columns side by side, the first two to the left. */
function aligned(table: readonly (readonly string[])[]): string[] {
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  return table.map((row) =>
    row
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}

const ms = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
const percent = (value: number): string => `${Math.round(value * 100)} %`;
const count = (rows: number): string => `${rows} ${rows === 1 ? 'row' : 'rows'}`;
