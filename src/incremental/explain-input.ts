/** What hangs on a relation that is no maintained view: who follows it, in which order, and the indexes made on it. */
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import type { StoredPlan } from './stored-plan.ts';

export interface ExplainedInput {
  /** Labels of the maintained views that a change of it brings up to date, in their order. */
  readonly followers: readonly string[];
  /** Indexes that maintenance made on it, as `CREATE INDEX` texts. */
  readonly indexes: readonly string[];
}

/** @param key the relation, `"schema"."name"` */
export async function explainInput(
  connection: Connection,
  plans: readonly StoredPlan[],
  relation: { readonly schema: string; readonly name: string; readonly key: string },
  stateSchema: string,
): Promise<ExplainedInput> {
  const touched = new Set<string>();
  const followers: string[] = [];
  for (const { key, label, inputs, upstream } of plans) {
    if (!inputs.some((input) => input.key === relation.key) && !upstream.some((up) => touched.has(up)))
      continue;
    touched.add(key);
    followers.push(label);
  }
  const { rows } = await connection.query<{ text: string }>(
    `SELECT DISTINCT x.indexdef AS text FROM ${quoteIdentifier(stateSchema)}.derived_index AS d
     JOIN pg_indexes AS x ON x.schemaname = d.schema_name AND x.indexname = d.index_name
     WHERE x.schemaname = $1 AND x.tablename = $2 ORDER BY 1`,
    [relation.schema, relation.name],
  );
  return { followers, indexes: rows.map(({ text }) => text) };
}
