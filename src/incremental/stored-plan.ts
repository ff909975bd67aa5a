/** Plans as they are kept in the state schema, so that programs can be compiled again without planning again. */
import type { Connection } from '../engines/connection.ts';
import type { PlannedView } from '../ivm/program/program-data.ts';
import type { StoredStage } from '../ivm/strategies/stored-stage.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { quoteIdentifier } from '../sql/quote.ts';

/** A relation that a plan reads and that no plan makes. */
export interface InputTable {
  readonly key: string;
  readonly table: RelationName;
  readonly keys: readonly (readonly string[])[];
  /** Whether it was planned as one with children, which keep none of its keys. */
  readonly parent?: boolean | undefined;
}

export interface StoredPlan extends PlannedView {
  /** The relation users see. */
  readonly relation: RelationName;
  readonly definition: string;
  /** Equal fingerprints: the same stages, so tables that stand can stay. */
  readonly fingerprint: string;
  readonly inputs: readonly InputTable[];
  /** Maintained views it reads, by key. */
  readonly upstream: readonly string[];
  readonly readsClock: boolean;
  readonly stages: readonly StoredStage[];
  /** Relations, with what an index on them was to hold, that steps read as a whole since there can be no such index. */
  readonly unindexed?: readonly string[];
  /** Statements for indexes on tables of somebody else's, which seg may not make: without them those are read as a whole. */
  readonly offered?: readonly string[];
}

/** All plans, a view after those it reads. */
export async function readPlans(tx: Connection, stateSchema: string): Promise<StoredPlan[]> {
  const { rows } = await tx.query<{ plan: StoredPlan }>(
    `SELECT plan FROM ${quoteIdentifier(stateSchema)}.plan ORDER BY node`,
  );
  const plans = new Map(rows.map(({ plan }) => [plan.key, plan]));
  const ordered: StoredPlan[] = [];
  const seen = new Set<string>();
  const visit = (plan: StoredPlan | undefined): void => {
    if (plan === undefined || seen.has(plan.key)) return;
    seen.add(plan.key);
    for (const key of plan.upstream) visit(plans.get(key));
    ordered.push(plan);
  };
  for (const plan of plans.values()) visit(plan);
  return ordered;
}

export async function writePlan(tx: Connection, stateSchema: string, plan: StoredPlan): Promise<void> {
  await tx.query(
    `INSERT INTO ${quoteIdentifier(stateSchema)}.plan (view, plan) VALUES ($1, $2::json)
     ON CONFLICT (view) DO UPDATE SET plan = excluded.plan`,
    [plan.key, JSON.stringify(plan)],
  );
}

export async function deletePlan(tx: Connection, stateSchema: string, key: string): Promise<void> {
  await tx.query(`DELETE FROM ${quoteIdentifier(stateSchema)}.plan WHERE view = $1`, [key]);
}
