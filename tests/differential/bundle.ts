/** A number → one generated case of several queries and histories, run in a database of its own; and what came of it. */
import fc from 'fast-check';
import { CaseRunner } from './case-runner.ts';
import type { Database } from '../../src/engines/connection.ts';
import { featuresOf } from './features.ts';
import type { FeatureChoice } from './features.ts';
import { needlesslyRecomputed } from './maintained.ts';
import { renderCase } from './render-case.ts';
import { openSession } from './open-session.ts';
import { shrunk } from './shrink.ts';
import { specs } from './spec.ts';
import type { Size, Spec } from './spec.ts';
import { runCase } from './trace-runner.ts';
import type { Case, Trace } from './trace-runner.ts';
import { WorkClock } from './work-clock.ts';
import type { Phase } from './work-clock.ts';

/** Counts of what was met, by name. */
export type Counts = Record<string, number>;

export interface Outcome {
  readonly seed: number;
  /** Queries times histories: each query was held against its recomputation after each statement of each history. */
  readonly cases: number;
  readonly queries: number;
  readonly statements: number;
  readonly refused: readonly string[];
  readonly declined: readonly string[];
  readonly unanswerable: number;
  readonly milliseconds: Readonly<Record<Phase, number>>;
  readonly constructs: Counts;
  readonly strategies: Counts;
  /** Queries that are recomputed and should not be (maintained.ts). */
  readonly recomputed: readonly string[];
  /** `smallest` is what is written down: a Case, or one of several sessions. */
  readonly failure: { readonly what: string; readonly smallest: object } | null;
}

/** Neighbouring seeds must not give similar cases: fast-check's generator takes them nearly as they are. */
export function mixed(seed: number): number {
  let x = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) | 0;
}

export function specOf(seed: number, size: Size, { sought }: FeatureChoice = featuresOf('usual')): Spec {
  return fc.sample(specs(size, sought), { seed: mixed(seed), numRuns: 1 })[0]!;
}

export class Runner {
  readonly #size: Size;
  readonly #shrinkSeconds: number;
  readonly #features: FeatureChoice;
  /** A database on a server; without it each is one in memory. */
  readonly #url: string | undefined;
  #db: Database | undefined;
  #server: number | undefined;
  readonly #cases = new CaseRunner();

  constructor(size: Size, shrinkSeconds: number, features: FeatureChoice, url?: string) {
    this.#url = url;
    this.#size = size;
    this.#features = features;
    this.#shrinkSeconds = shrinkSeconds;
  }

  async run(seed: number): Promise<Outcome> {
    const spec = specOf(seed, this.#size, this.#features);
    const input = renderCase(spec, this.#features);
    const trace = await this.#trace(input);
    const constructs: Counts = {};
    const strategies: Counts = {};
    for (const { constructs: list } of input.views)
      for (const name of list ?? []) constructs[name] = (constructs[name] ?? 0) + 1;
    for (const view of trace.created)
      for (const { strategy, reason } of view.stages) {
        const name = strategy === 'recompute' ? `recompute: ${reason}` : strategy;
        strategies[name] = (strategies[name] ?? 0) + 1;
      }
    const histories = trace.mismatch === null ? spec.histories.length : 0;
    return {
      seed,
      cases: trace.created.length * histories,
      queries: trace.created.length,
      statements: trace.compared,
      refused: trace.refused.map(({ why }) => why),
      declined: trace.declined.map(({ why }) => why),
      unanswerable: trace.unanswerable,
      milliseconds: trace.milliseconds,
      constructs,
      strategies,
      recomputed: needlesslyRecomputed(input.views, trace.created),
      failure: trace.mismatch === null ? null : await this.#failure(spec, trace.mismatch.what),
    };
  }

  async close(): Promise<void> {
    if (this.#url === undefined) await this.#cases.close();
    else await this.#db?.close();
    this.#db = undefined;
    this.#server = undefined;
  }

  async #failure(spec: Spec, what: string): Promise<Outcome['failure']> {
    const kind = kindOf(what);
    const fails = async (candidate: Spec): Promise<boolean> => {
      const trace = await this.#trace(renderCase(candidate, this.#features));
      return trace.mismatch !== null && kindOf(trace.mismatch.what) === kind;
    };
    const least = await shrunk(spec, specs(this.#size, this.#features.sought), fails, this.#shrinkSeconds);
    const smallest = renderCase(least, this.#features);
    const trace = await this.#trace(smallest);
    const last = trace.mismatch?.what ?? what;
    return { what: kindOf(last) === kind ? last : what, smallest };
  }

  async #trace(input: Case): Promise<Trace> {
    if (this.#url === undefined) this.#db = await this.#cases.database(input.views.length);
    else this.#db ??= openSession(this.#url);
    try {
      if (this.#url !== undefined && this.#server === undefined) {
        const { rows } = await this.#db.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
        this.#server = rows[0]!.pid;
      }
      return await runCase(this.#db, input, this.#server);
    } catch (error) {
      // The server is gone, or its answer makes no sense: that too is a failure of the case.
      await this.close().catch(() => {});
      const what = `the run ended: ${String(error)}`;
      return {
        ...{ created: [], refused: [], declined: [], compared: 0, unanswerable: 0 },
        mismatch: { step: -1, statement: '', what },
        milliseconds: new WorkClock().laps,
      };
    }
  }
}

/** What kind of fault a message tells of, names and rows left out: shrinking must not wander to another one. */
function kindOf(what: string): string {
  return what
    .split('\n')[0]!
    .replace(/^v\d+: (view|intermediate).*?: .*$/s, 'stage')
    .replace(/^v\d+: /, '')
    .replace(/: \[.*$/s, '')
    .replace(/"[^"]*"|\d+/g, '#');
}
