/** Runs one scenario on one engine, step by step, until the first step that fails. */
import type { Position } from '../changelog/change.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import { checkChanges } from './changes-step.ts';
import { checkExpect, findRelation, type Checked, type StepContext } from './expect-step.ts';
import type { ExpectationEdit } from './expectation-edit.ts';
import { failureText, stepTitle, type FailureTextOptions } from './failure-text.ts';
import { runIngest } from './ingest-step.ts';
import { loadRows } from './load-rows.ts';
import type { Scenario, Step } from './scenario.ts';
import type { ScenarioEngine } from './scenario-engine.ts';
import { errorLines, StepMistake, type StepFailure } from './step-outcome.ts';
import { checkSink } from './sink-step.ts';
import { seededRandom } from './shuffle.ts';
import { plural, type StepResult, type TestResult } from './test-result.ts';

export interface RunScenarioOptions extends FailureTextOptions {
  readonly uniqueId: string;
  /** The project's folder, for files. */
  readonly root: string;
  /** 0 = records as written; n = the n-th random order of the steps that say `any_order`. */
  readonly order?: number;
}

/** Runs all steps; never throws for what the scenario or the project does wrong. The engine is left open. */
export async function runScenario(
  scenario: Scenario,
  engine: ScenarioEngine,
  options: RunScenarioOptions,
): Promise<TestResult> {
  const run = new ScenarioRun(scenario, engine, options);
  return run.run();
}

class ScenarioRun {
  readonly #scenario: Scenario;
  readonly #engine: ScenarioEngine;
  readonly #options: RunScenarioOptions;
  readonly #context: StepContext;
  readonly #steps: StepResult[] = [];
  readonly #asked = new Map<string, Position>();
  readonly #random: (() => number) | null;
  readonly #edits: ExpectationEdit[] = [];
  #notes: string[] = [];

  constructor(scenario: Scenario, engine: ScenarioEngine, options: RunScenarioOptions) {
    this.#scenario = scenario;
    this.#engine = engine;
    this.#options = options;
    this.#context = { engine, scenario, root: options.root };
    const order = options.order ?? 0;
    this.#random = order === 0 ? null : seededRandom(scenario.orders.seed * 1_000_003 + order);
  }

  async run(): Promise<TestResult> {
    const started = performance.now();
    const failed = (await this.#try(null, () => this.#begin())) ?? (await this.#allSteps());
    return {
      uniqueId: this.#options.uniqueId,
      kind: 'scenario',
      name: this.#scenario.name,
      status: failed?.status ?? 'pass',
      failures: failed?.failures ?? 0,
      message: failed?.message ?? null,
      seconds: (performance.now() - started) / 1000,
      ...(failed === null ? {} : { detail: failed.detail }),
      at: failed?.at ?? this.#scenario.locate([...this.#scenario.path, 'name']),
      steps: this.#steps,
      ...(this.#edits.length === 0 ? {} : { edits: this.#edits }),
    };
  }

  /** Sets the clock and starts the recording of every model whose changes are asked for later. */
  async #begin(): Promise<StepFailure[]> {
    if (this.#scenario.at !== null) await this.#setClock(this.#scenario.at, [...this.#scenario.path, 'at']);
    const ids = new Set<string>();
    for (const { model, path } of this.#scenario.steps.flatMap((step) => step.changes)) {
      const { id } = findRelation(this.#engine, model, path);
      if (ids.has(id)) continue;
      ids.add(id);
      await this.#engine.keepChanges([id]).catch((error: unknown) => {
        throw error instanceof SegError ? placed(error, path) : error;
      });
    }
    const sinks = new Map(this.#scenario.steps.flatMap((step) => step.sinks.map((of) => [of.sink, of.path])));
    // What they send first is what was there at the start.
    for (const [sink, path] of sinks) {
      await this.#engine.sent(sink, path).catch((error: unknown) => {
        throw error instanceof SegError ? placed(error, path) : error;
      });
    }
    if (ids.size === 0) return [];
    const start = await this.#engine.position();
    for (const id of ids) this.#asked.set(id, start);
    return [];
  }

  async #allSteps(): Promise<Failed | null> {
    for (const step of this.#scenario.steps) {
      const started = performance.now();
      this.#notes = [];
      const failed = await this.#try(step, () => this.#step(step));
      this.#steps.push({
        number: step.number,
        title: stepTitle(step),
        status: failed?.status ?? 'pass',
        seconds: (performance.now() - started) / 1000,
        clock: await this.#clock(),
        notes: this.#notes,
      });
      if (failed !== null) return failed;
    }
    return null;
  }

  async #try(step: Step | null, work: () => Promise<StepFailure[]>): Promise<Failed | null> {
    try {
      const failures = await work();
      if (failures.length === 0) return null;
      const edits = failures.flatMap(({ edit }) => edit ?? []);
      if (this.#options.update === true && this.#random === null && edits.length === failures.length) {
        this.#edits.push(...edits);
        this.#notes.push(`${plural(edits.length, 'expectation')} to be updated`);
        return null;
      }
      return await this.#failed(step, 'fail', failures);
    } catch (error) {
      const known =
        error instanceof StepMistake || error instanceof SegError || error instanceof DatabaseError;
      const [first = 'error', ...lines] = errorLines(error);
      const diagnostic = error instanceof SegError ? error.diagnostics[0] : undefined;
      const message = diagnostic?.message ?? first;
      if (diagnostic?.at !== undefined) lines.unshift(first);
      if (!known && error instanceof Error && error.stack !== undefined)
        lines.push(...error.stack.split('\n').slice(1, 6));
      const path =
        (error instanceof StepMistake ? error.path : undefined) ?? step?.path ?? this.#scenario.path;
      // What is found out at the start may be about a later step.
      const about =
        step ?? this.#scenario.steps.find((other) => other.path.every((key, i) => path[i] === key)) ?? null;
      return this.#failed(about, 'error', [{ message, lines, count: 1, at: this.#scenario.locate(path) }]);
    }
  }

  async #failed(
    step: Step | null,
    status: 'fail' | 'error',
    failures: readonly StepFailure[],
  ): Promise<Failed> {
    const order = this.#options.order ?? 0;
    const context =
      order === 0
        ? null
        : `with the records of "any_order" steps in random order ${order} of ${this.#scenario.orders.count} (seed ${this.#scenario.orders.seed})`;
    const { at, message } = failures[0]!;
    const more = failures.length > 1 ? ` (and ${plural(failures.length - 1, 'more failure')})` : '';
    return {
      status,
      failures: failures.reduce((sum, failure) => sum + failure.count, 0),
      message: `${stepTitle(step)}: ${message}${more}`,
      detail: failureText(step, at, await this.#clock(), context, failures, this.#options),
      at,
    };
  }

  async #step(step: Step): Promise<StepFailure[]> {
    const engine = this.#engine;
    if (step.at !== null) await this.#setClock(step.at, [...step.path, 'at']);
    if (step.advance !== null) await this.#advance(step.advance, [...step.path, 'advance']);
    if (step.restart !== null) await engine.restart(step.restart);
    if (step.seed !== null) {
      const rows =
        step.seed.rows === null ? null : await loadRows(step.seed.rows, this.#scenario, this.#options.root);
      await engine.loadSeed(step.seed.seed, rows);
    }
    if (step.run !== null) await engine.run(step.run === true ? null : step.run);
    const failures: StepFailure[] = [];
    const collect = ({ failures: found, note }: Checked): void => {
      failures.push(...found);
      this.#notes.push(note);
    };
    if (step.sql !== null) failures.push(...(await this.#sql(step.sql)));
    if (step.ingest !== null) {
      collect(
        await runIngest(
          step.ingest,
          this.#context,
          `${this.#scenario.name}, step ${step.number}`,
          this.#random,
        ),
      );
    }
    for (const expect of step.expect) collect(await checkExpect(expect, this.#context));
    for (const changes of step.changes) {
      const { id } = findRelation(engine, changes.model, changes.path);
      const batches = await engine.changes(id, this.#asked.get(id)!);
      const last = batches.at(-1);
      if (last !== undefined) this.#asked.set(id, last.position);
      collect(await checkChanges(changes, batches, this.#context));
    }
    for (const sink of step.sinks) {
      collect(
        await checkSink(sink, this.#context).catch((error: unknown) => {
          throw error instanceof SegError ? placed(error, sink.path) : error;
        }),
      );
    }
    if (step.verify !== false || this.#scenario.verifyEachStep) {
      const names = Array.isArray(step.verify) ? (step.verify as readonly string[]) : null;
      const path = step.verify === false ? step.path : [...step.path, 'verify'];
      for (const { title, missing, extra, samples } of await engine.verify(names)) {
        if (missing + extra === 0) continue;
        failures.push({
          message: `${title} differs from its recomputation: ${plural(missing, 'row')} missing, ${plural(extra, 'row')} too many`,
          lines: samples,
          count: missing + extra,
          at: this.#scenario.locate(path),
        });
      }
    }
    return failures;
  }

  async #sql({ sql, error, path }: NonNullable<Step['sql']>): Promise<StepFailure[]> {
    const text = this.#engine.render(sql, this.#scenario.file);
    try {
      await this.#engine.db.exec(text);
    } catch (cause) {
      if (!(cause instanceof DatabaseError)) throw cause;
      if (error !== null && errorLines(cause).join('\n').toLowerCase().includes(error.toLowerCase()))
        return [];
      if (error === null) {
        const [message, ...lines] = errorLines(cause);
        throw new StepMistake(`the statement failed: ${[message, ...lines].join('\n    ')}`, { path, cause });
      }
      const message = 'the statement failed, but with another error than expected';
      const lines = [`expected: ${error}`, `actual:   ${errorLines(cause).join('; ')}`];
      return [{ message, lines, count: 1, at: this.#scenario.locate(path) }];
    }
    if (error === null) return [];
    const message = `the statement was expected to fail with "${error}", but it did not fail`;
    return [{ message, count: 1, at: this.#scenario.locate(path) }];
  }

  async #setClock(instant: string, path: readonly (string | number)[]): Promise<void> {
    try {
      await this.#engine.setClock(instant);
    } catch (error) {
      if (error instanceof DatabaseError && error.sqlstate.startsWith('22')) {
        throw new StepMistake(`"${instant}" is no instant`, {
          path,
          hint: 'Write it as 2021-03-19T17:00:00Z.',
          cause: error,
        });
      }
      throw error instanceof SegError ? placed(error, path) : error;
    }
  }

  async #advance(interval: string, path: readonly (string | number)[]): Promise<void> {
    const now = await this.#engine.readClock();
    let next: string;
    try {
      const { rows } = await this.#engine.db.transaction((tx) =>
        tx.query<{ next: string }>('select ($1::timestamptz + $2::interval)::text as next', [now, interval]),
      );
      next = rows[0]!.next;
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      throw new StepMistake(`"${interval}" is no interval`, {
        path,
        hint: 'Write it as 30 minutes or 2 days.',
        cause: error,
      });
    }
    await this.#setClock(next, path);
  }

  async #clock(): Promise<string> {
    try {
      return await this.#engine.readClock();
    } catch {
      return 'unknown';
    }
  }
}

interface Failed {
  readonly status: 'fail' | 'error';
  readonly failures: number;
  readonly message: string;
  readonly detail: string;
  readonly at: TestResult['at'];
}

function placed(error: SegError, path: readonly (string | number)[]): StepMistake {
  const [first] = error.diagnostics;
  return new StepMistake(first?.message ?? error.message, { hint: first?.hint, path, cause: error });
}
