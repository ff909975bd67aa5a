/** How a view is kept, as data and as text. */
import type { Connection } from '../engines/connection.ts';
import type { Strategy } from '../ivm/plan/stage.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { connectionOf } from './client.ts';
import type { QueryClient } from './client.ts';
import { readPlans } from './stored-plan.ts';

export interface ExplainedStage {
  /** `null` for the view itself, else the number of the intermediate result. */
  readonly number: string | null;
  readonly strategy: Strategy;
  readonly reason: string;
  /** What a change costs, in words. */
  readonly cost: string;
  /** Relations it reads; intermediate results of the same view as `#1`. */
  readonly reads: readonly string[];
  readonly table: string;
}

export interface ExplainedView {
  readonly view: string;
  /** In the order they are maintained; the view is the last. */
  readonly stages: readonly ExplainedStage[];
  /** Indexes made for its maintenance, as `CREATE INDEX` texts. */
  readonly indexes: readonly string[];
}

/** @returns undefined when there is no such view */
export async function explainIncrementalView(
  client: QueryClient | Connection,
  name: string,
  options: { readonly schema?: string; readonly stateSchema?: string } = {},
): Promise<ExplainedView | undefined> {
  const { schema = 'public', stateSchema = '_seg' } = options;
  const connection = connectionOf(client);
  const view = quoteRelation({ schema, name });
  const plan = (await readPlans(connection, stateSchema)).find(({ key }) => key === view);
  if (plan === undefined) return undefined;
  const { rows } = await connection.query<{ text: string }>(
    `SELECT x.indexdef AS text FROM ${quoteIdentifier(stateSchema)}.derived_index AS d
     JOIN pg_indexes AS x ON x.schemaname = d.schema_name AND x.indexname = d.index_name
     WHERE d.view = $1 ORDER BY 1`,
    [view],
  );
  return {
    view,
    indexes: rows.map(({ text }) => text),
    stages: plan.stages.map(({ stage, table }) => ({
      number: stage.name === '' ? null : stage.name,
      strategy: stage.strategy,
      reason: stage.reason,
      cost: stage.cost,
      reads: stage.reads,
      table: quoteRelation(table),
    })),
  };
}

/** The explanation for people. */
export function explanationText(explained: ExplainedView): string {
  const lines = [`view ${explained.view}`];
  for (const stage of [...explained.stages].reverse()) {
    const what = stage.number === null ? '' : `#${stage.number} `;
    lines.push(`  ${what}${stage.strategy}: ${stage.reason}`);
    lines.push(`    cost of a change: ${stage.cost}`);
    lines.push(`    reads ${stage.reads.join(', ')}; kept in ${stage.table}`);
  }
  if (explained.indexes.length > 0) lines.push('  indexes made for it:');
  for (const index of explained.indexes) lines.push(`    ${index}`);
  return lines.join('\n');
}
