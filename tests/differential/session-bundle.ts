/** A number → one generated case of tables, queries and schedules of several sessions, run on a PostgreSQL server. */
import fc from 'fast-check';
import type { Connection, Database } from '../../src/engines/connection.ts';
import { DatabaseError } from '../../src/engines/connection.ts';
import { createIncrementalView } from '../../src/incremental/incremental-view.ts';
import type { IncrementalView } from '../../src/incremental/incremental-view.ts';
import { quoteIdentifier } from '../../src/sql/quote.ts';
import { mixed } from './bundle.ts';
import type { Counts, Outcome } from './bundle.ts';
import type { FeatureChoice } from './features.ts';
import { expectedView, installOracle } from './oracle.ts';
import { renderCase } from './render-case.ts';
import { scheduleOf, truncatesCross } from './session-steps.ts';
import { Sessions } from './sessions.ts';
import { openSession } from './open-session.ts';
import type { SessionStep } from './sessions.ts';
import { shrunk } from './shrink.ts';
import { specs } from './spec.ts';
import type { Size, Spec } from './spec.ts';
import { tableOf } from './tables.ts';
import { prepare } from './trace-runner.ts';
import type { Case, CaseView } from './trace-runner.ts';
import { WorkClock } from './work-clock.ts';

/** A case of several sessions, as it is written down. */
export interface SessionCase extends Omit<Case, 'history'> {
  /** Each begins with empty tables; all transactions have ended when it ends. */
  readonly schedules: readonly (readonly SessionStep[])[];
}

interface SessionTrace {
  readonly created: readonly IncrementalView[];
  readonly refused: readonly string[];
  readonly statements: number;
  readonly errors: Counts;
  readonly mismatch: string | null;
}

export function renderSessionCase(spec: Spec, chosen: FeatureChoice, sessions: number): SessionCase {
  const { schema, before, views, history: _, ...rest } = renderCase({ ...spec, histories: [] }, chosen);
  const tables = spec.tables.map((table, i) => tableOf(table, i, chosen));
  const empty = `TRUNCATE ${tables.map(({ name }) => name).join(', ')}`;
  const late = views.filter((view) => view.plain !== true && isLate(view, views)).map(({ name }) => name);
  const schedules = spec.histories.map((steps, i) => {
    const made = late.filter((_name, j) => j % spec.histories.length === i);
    const schedule = scheduleOf(steps, tables, made, sessions);
    return i === 0 ? schedule : [{ session: 0, sql: empty }, ...schedule];
  });
  return { ...rest, schema, ...(before === undefined ? {} : { before }), views, schedules };
}

/** Whether a view is made meanwhile: one that no other reads, of every second one. */
function isLate(view: CaseView, views: readonly CaseView[]): boolean {
  const at = views.indexOf(view);
  return at % 2 === 1 && !views.some(({ sql }) => sql.includes(quoteIdentifier(view.name)));
}

export class SessionRunner {
  readonly #size: Size;
  readonly #shrinkSeconds: number;
  readonly #features: FeatureChoice;
  readonly #monitor: Database;
  readonly #url: string;
  readonly #count: number;
  #sessions: Sessions | undefined;

  constructor(size: Size, shrinkSeconds: number, features: FeatureChoice, url: string, sessions: number) {
    this.#count = sessions;
    this.#size = size;
    this.#shrinkSeconds = shrinkSeconds;
    this.#features = features;
    this.#url = url;
    this.#monitor = openSession(url);
  }

  async run(seed: number): Promise<Outcome> {
    const clock = new WorkClock();
    const spec = fc.sample(specs(this.#size, this.#features.sought), { seed: mixed(seed), numRuns: 1 })[0]!;
    const input = renderSessionCase(spec, this.#features, this.#count);
    const trace = await this.#trace(input);
    const constructs: Counts = {};
    const strategies: Counts = {};
    for (const { constructs: list } of input.views)
      for (const name of list ?? []) constructs[name] = (constructs[name] ?? 0) + 1;
    for (const view of trace.created)
      for (const { strategy } of view.stages) strategies[strategy] = (strategies[strategy] ?? 0) + 1;
    for (const [code, count] of Object.entries(trace.errors)) strategies[`error ${code}`] = count;
    clock.lap('statements');
    return {
      seed,
      cases: trace.mismatch === null ? trace.created.length * spec.histories.length : 0,
      queries: trace.created.length,
      statements: trace.statements,
      refused: trace.refused,
      declined: [],
      unanswerable: 0,
      milliseconds: clock.laps,
      constructs,
      strategies,
      recomputed: [],
      failure: trace.mismatch === null ? null : await this.#failure(spec, trace.mismatch),
    };
  }

  async close(): Promise<void> {
    await this.#sessions?.close();
    await this.#monitor.close();
  }

  async #failure(spec: Spec, what: string): Promise<Outcome['failure']> {
    const kind = what.replace(/^v\d+: /, '').slice(0, 12);
    const fails = async (candidate: Spec): Promise<boolean> => {
      const { mismatch } = await this.#trace(renderSessionCase(candidate, this.#features, this.#count));
      return mismatch !== null && mismatch.replace(/^v\d+: /, '').slice(0, 12) === kind;
    };
    const least = await shrunk(spec, specs(this.#size, this.#features.sought), fails, this.#shrinkSeconds);
    return { what, smallest: renderSessionCase(least, this.#features, this.#count) };
  }

  async #trace(input: SessionCase): Promise<SessionTrace> {
    try {
      return await this.#runCase(input, true);
    } catch (error) {
      await this.#sessions?.close().catch(() => {});
      this.#sessions = undefined;
      return {
        created: [],
        refused: [],
        statements: 0,
        errors: {},
        mismatch: `the run ended: ${String(error)}`,
      };
    }
  }

  /** @param maintained whether there are views at all: without them, deadlocks are the writers' own */
  async #runCase(input: SessionCase, maintained: boolean): Promise<SessionTrace> {
    const db = this.#monitor;
    const sessions = (this.#sessions ??= await Sessions.open(this.#url, this.#count, db));
    await prepare(db, { schema: input.schema, before: input.before ?? [] });
    const created: IncrementalView[] = [];
    const refused: string[] = [];
    const byName = new Map(input.views.map((view) => [view.name, view]));
    const late = new Set(input.schedules.flat().flatMap(({ make }) => make ?? []));
    const missing = new Set<string>();
    const make = async (on: Connection, view: CaseView): Promise<boolean> => {
      const made = await createIncrementalView(on, view.name, view.sql, { changes: view.silent !== true });
      created.push(made);
      return true;
    };
    const answer = (mismatch: string | null): SessionTrace => ({
      created,
      refused,
      statements: input.schedules.flat().length,
      errors,
      mismatch,
    });
    const errors: Counts = {};
    for (const view of maintained ? input.views : []) {
      const name = quoteIdentifier(view.name);
      if ([...missing].some((each) => view.sql.includes(each))) {
        missing.add(name);
        continue;
      }
      try {
        await db.exec(
          `CREATE VIEW ${view.plain === true ? `public.${name}` : expectedView(view.name)} AS ${view.sql}`,
        );
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        missing.add(name);
        refused.push(error.message);
        continue;
      }
      if (view.plain === true || late.has(view.name)) continue;
      try {
        await make(db, view);
      } catch (error) {
        missing.add(name);
        if (view.refusal === undefined)
          return answer(`the view cannot be made: ${String(error)}\n${view.sql}`);
      }
    }
    const early = input.views.filter(
      ({ name, plain }) => plain !== true && !late.has(name) && !missing.has(quoteIdentifier(name)),
    );
    if (maintained) await installOracle(db, early);
    const checks = ['check'];
    for (const [i, schedule] of input.schedules.entries()) {
      const made: CaseView[] = [];
      const steps = maintained
        ? schedule.filter(({ make: name }) => name === undefined || !missing.has(quoteIdentifier(name)))
        : schedule.filter(({ make: name }) => name === undefined);
      const outcome = await sessions.run(steps, async (on, name) => {
        if (await make(on, byName.get(name)!)) made.push(byName.get(name)!);
      });
      for (const [code, count] of Object.entries(outcome.errors)) errors[code] = (errors[code] ?? 0) + count;
      if (!maintained) continue;
      const bad = outcome.maintenance.find(({ error }) => error.sqlstate !== '40001');
      if (bad !== undefined && bad.error.sqlstate !== '40P01') {
        const { error, step } = bad;
        return answer(
          `schedule ${i}: ${step.sql ?? `making ${step.make}`} fails: ${error.sqlstate} ${error.message}\n${error.context?.slice(0, 1500) ?? ''}`,
        );
      }
      if (made.length > 0) {
        checks.push(`check${i}`);
        await installOracle(db, made, `check${i}`);
      }
      for (const check of checks) {
        const what = await difference(db, check);
        if (what === undefined) return answer(null);
        if (what !== null) return answer(`${what} (schedule ${i})`);
      }
    }
    if (maintained && (errors['40P01'] ?? 0) > 0 && !input.schedules.some(truncatesCross)) {
      const without = await this.#runCase(input, false);
      if ((without.errors['40P01'] ?? 0) === 0)
        return answer(`deadlock: ${errors['40P01']} that writers do not have without views`);
    }
    return answer(null);
  }
}

/** What differs; undefined when that cannot be told, since the query of a view fails on the rows that are there (class 22). */
async function difference(db: Connection, check: string): Promise<string | null | undefined> {
  try {
    const { rows } = await db.query<{ what: string | null }>(`SELECT oracle.${check}(false) AS what`);
    return rows[0]!.what;
  } catch (error) {
    if (error instanceof DatabaseError && error.sqlstate.startsWith('22')) return undefined;
    throw error;
  }
}
