/** `ingest:`: records delivered to a source, as one batch or, with `any_order`, in other orders and batches. */
import { parse } from 'csv-parse/sync';
import type { Checked, StepContext } from './expect-step.ts';
import { loadText, type LoadedRows } from './load-rows.ts';
import type { IngestStep } from './scenario.ts';
import type { IngestInput, IngestOutcome } from './scenario-engine.ts';
import { randomBatches, shuffled } from './shuffle.ts';
import type { StepFailure } from './step-outcome.ts';
import { plural } from './test-result.ts';

/**
 * @param origin what rejected records are filed under, unique in the scenario
 * @param random set = deliver the records of `any_order` steps in a random order and in random batches
 */
export async function runIngest(
  step: IngestStep,
  context: StepContext,
  origin: string,
  random: (() => number) | null,
): Promise<Checked> {
  const { engine, scenario, root } = context;
  const loaded: LoadedRows =
    step.input.kind === 'generate'
      ? { kind: 'list', rows: engine.generate(step.input.stream, step.input.options) }
      : await loadText(step.input, scenario, root);
  const inputs = step.anyOrder && random !== null ? mixed(loaded, random) : [inputOf(loaded)];
  const outcomes: IngestOutcome[] = [];
  for (const [i, input] of inputs.entries()) {
    outcomes.push(
      await engine.ingest(step.source, input, inputs.length === 1 ? origin : `${origin}, batch ${i + 1}`),
    );
  }
  const total: IngestOutcome = {
    accepted: sum(outcomes.map((outcome) => outcome.accepted)),
    duplicate: sum(outcomes.map((outcome) => outcome.duplicate)),
    rejected: outcomes.flatMap((outcome) => outcome.rejected),
  };
  const note = `${step.source}: ${total.accepted} accepted, ${total.duplicate} duplicate, ${total.rejected.length} rejected`;
  return { failures: judge(step, total, context, inputs.length > 1), note };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

function inputOf(loaded: LoadedRows): IngestInput {
  if (loaded.kind === 'list') return { kind: 'records', records: loaded.rows };
  return { kind: 'text', text: loaded.text, format: loaded.format === 'csv' ? 'csv' : 'json' };
}

/** The same records in another order, cut into batches. Of CSV the first line is the header of every batch. */
function mixed(loaded: LoadedRows, random: () => number): IngestInput[] {
  if (loaded.kind === 'list') {
    return randomBatches(shuffled(loaded.rows, random), random).map((records) => ({
      kind: 'records',
      records,
    }));
  }
  if (loaded.format === 'ndjson') {
    const lines = loaded.text.split('\n').filter((line) => line.trim() !== '');
    return randomBatches(shuffled(lines, random), random).map((batch) => ({
      kind: 'text',
      text: `${batch.join('\n')}\n`,
      format: 'json',
    }));
  }
  const raw = (
    parse(loaded.text, { raw: true, bom: true, relax_column_count: true }) as unknown as { raw: string }[]
  ).map((line) => line.raw.replace(/\r?\n$/, ''));
  const [header = '', ...lines] = raw.filter((line) => line.trim() !== '');
  return randomBatches(shuffled(lines, random), random).map((batch) => ({
    kind: 'text',
    text: `${[header, ...batch].join('\n')}\n`,
    format: 'csv',
  }));
}

/** What the step says of the outcome; what it does not mention must not happen. */
function judge(
  step: IngestStep,
  total: IngestOutcome,
  context: StepContext,
  isMixed: boolean,
): StepFailure[] {
  const failures: StepFailure[] = [];
  const at = context.scenario.locate(step.path);
  const fail = (message: string, count: number, more: { lines?: string[]; hint?: string } = {}): void => {
    failures.push({
      message: `ingest into "${step.source}": ${message}`,
      count: Math.max(1, Math.abs(count)),
      at,
      ...more,
    });
  };
  const reasons = total.rejected.map(({ line, reason }) => `line ${line}: ${reason}`);
  if (step.accepted !== null && step.accepted !== total.accepted) {
    fail(`expected ${step.accepted} accepted, got ${total.accepted}`, step.accepted - total.accepted);
  }
  if (total.duplicate !== (step.duplicate ?? 0)) {
    const hint =
      step.duplicate === null
        ? `Say "duplicate: ${total.duplicate}" when these are meant to be delivered again.`
        : undefined;
    fail(
      step.duplicate === null
        ? `${plural(total.duplicate, 'record')} dropped as delivered before`
        : `expected ${plural(step.duplicate, 'duplicate')}, got ${total.duplicate}`,
      total.duplicate - (step.duplicate ?? 0),
      { hint },
    );
  }
  const { rejected } = step;
  if (rejected === null || typeof rejected === 'number') {
    if (total.rejected.length !== (rejected ?? 0)) {
      fail(
        rejected === null
          ? `${plural(total.rejected.length, 'record')} rejected`
          : `expected ${rejected} rejected, got ${total.rejected.length}`,
        total.rejected.length - (rejected ?? 0),
        { lines: reasons },
      );
    }
    return failures;
  }
  const left = [...total.rejected];
  const missing: string[] = [];
  for (const wanted of rejected) {
    const index = left.findIndex(
      (found) =>
        (wanted.line === undefined || isMixed || wanted.line === found.line) &&
        (wanted.reason === undefined || found.reason.toLowerCase().includes(wanted.reason.toLowerCase())),
    );
    if (index === -1) missing.push(`- line ${wanted.line ?? '(any)'}: ${wanted.reason ?? '(any reason)'}`);
    else left.splice(index, 1);
  }
  if (missing.length + left.length > 0) {
    const extra = left.map(({ line, reason }) => `+ line ${line}: ${reason}`);
    fail('the rejected records are not those expected', missing.length + left.length, {
      lines: [...missing, ...extra],
    });
  }
  return failures;
}
