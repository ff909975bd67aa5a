/** How views are kept, as data. */
import type { Connection } from '../engines/connection.ts';
import type { Strategy } from '../ivm/plan/stage.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { loadSqlParser } from '../sql/parse.ts';
import { analysisOf, viewsBelow } from './analysis.ts';
import type { Analysis } from './analysis.ts';
import { connectionOf } from './client.ts';
import type { QueryClient } from './client.ts';
import { explainClock } from './explain-clock.ts';
import type { ExplainedClock } from './explain-clock.ts';
import { explainOperators } from './explain-operators.ts';
import type { ExplainedOperator } from './explain-operators.ts';
import { inputsOf } from './install-programs.ts';
import type { InstallOptions } from './install-programs.ts';
import { measureInputs } from './measure.ts';
import { readPlans } from './stored-plan.ts';

export interface ExplainedStage {
  /** `null` for the view itself, else the number of the intermediate result. */
  readonly number: string | null;
  readonly strategy: Strategy;
  readonly reason: string;
  /** What a change costs, in words. */
  readonly cost: string;
  /** Whether it reads the clock. */
  readonly readsClock: boolean;
  /** What a move of the clock does to it; null when it does not read the clock. */
  readonly clock: ExplainedClock | null;
  /** Relations it reads; intermediate results of the same view as `#1`. */
  readonly reads: readonly string[];
  readonly table: string;
  /** How its query was read; null when it was not understood, and its text is run as it is. */
  readonly operators: ExplainedOperator | null;
}

export interface ExplainedView {
  readonly view: string;
  /** In the order they are maintained; the view is the last. */
  readonly stages: readonly ExplainedStage[];
  /** Indexes made for its maintenance, as `CREATE INDEX` texts. */
  readonly indexes: readonly string[];
  /** `"schema"."name" (expressions)`: relations that a step reads as a whole, since no index can be made on these. */
  readonly unindexed: readonly string[];
  /** Statements for indexes that would serve it, on tables where seg may make none. */
  readonly offered: readonly string[];
  /** Measured times and rows of its steps; only where asked for. */
  readonly analysis?: Analysis;
}

export interface ExplainOptions {
  readonly schema?: string;
  readonly stateSchema?: string;
  /**
   * Measure: the last rows of each table that the view reads are taken out and put in again, in a transaction that is rolled back.
   * Other writers wait meanwhile. Needs the right to write to the tables. Default false.
   */
  readonly analyze?: boolean;
  /** As for `createIncrementalView`. */
  readonly searchPath?: readonly string[];
}

/** @returns undefined when there is no such view */
export async function explainIncrementalView(
  client: QueryClient | Connection,
  name: string,
  options: ExplainOptions = {},
): Promise<ExplainedView | undefined> {
  const { schema = 'public', stateSchema = '_seg', searchPath = ['public', 'pg_catalog'] } = options;
  const connection = connectionOf(client);
  const key = quoteRelation({ schema, name });
  const view = (await explainViews(connection, stateSchema)).get(key);
  if (view === undefined || options.analyze !== true) return view;
  const analyses = await analyzeViews(connection, [key], { stateSchema, searchPath });
  return { ...view, analysis: analyses.get(key)! };
}

/** Measures the inputs of the given views (by key), each once. */
export async function analyzeViews(
  connection: Connection,
  keys: readonly string[],
  install: InstallOptions,
): Promise<Map<string, Analysis>> {
  await loadSqlParser();
  const plans = await readPlans(connection, install.stateSchema);
  const below = new Set(keys.flatMap((key) => [...viewsBelow(plans, key)]));
  const inputs = inputsOf(
    plans.filter((plan) => below.has(plan.key)),
    install.stateSchema,
  );
  const measured = await measureInputs(connection, plans, inputs, install);
  return new Map(keys.map((key) => [key, analysisOf(plans, key, measured)]));
}

/** All maintained views by their quoted relation, a view after those it reads. */
export async function explainViews(
  connection: Connection,
  stateSchema: string,
): Promise<Map<string, ExplainedView>> {
  const plans = await readPlans(connection, stateSchema);
  const { rows } = await connection.query<{ view: string; text: string }>(
    `SELECT d.view, x.indexdef AS text FROM ${quoteIdentifier(stateSchema)}.derived_index AS d
     JOIN pg_indexes AS x ON x.schemaname = d.schema_name AND x.indexname = d.index_name ORDER BY 1, 2`,
  );
  return new Map(
    plans.map(({ key, stages, unindexed = [], offered = [] }) => [
      key,
      {
        view: key,
        stages: stages.map(({ stage, table }) => ({
          number: stage.name === '' ? null : stage.name,
          strategy: stage.strategy,
          reason: stage.reason,
          cost: stage.cost,
          readsClock: stage.readsClock,
          clock: stage.readsClock ? explainClock(stage) : null,
          reads: stage.reads,
          table: quoteRelation(table),
          operators: stage.root === null ? null : explainOperators(stage.root),
        })),
        indexes: rows.filter(({ view }) => view === key).map(({ text }) => text),
        unindexed,
        offered,
      },
    ]),
  );
}
