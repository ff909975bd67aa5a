/**
 * Incremental views on a user's own tables, with any client: what pg_ivm does, without an extension.
 *
 *     await createIncrementalView(client, 'order_totals', 'SELECT customer, sum(amount) FROM orders GROUP BY customer')
 *
 * The view is an ordinary relation that follows every statement on the tables it reads, in that statement's own
 * transaction, whoever writes. State lives in a schema of its own (`_seg`).
 */
import type { Connection } from '../engines/connection.ts';
import type { RelationName } from '../ivm/catalog.ts';
import type { Stage } from '../ivm/plan/stage.ts';
import type { StoredStage } from '../ivm/strategies/stored-stage.ts';
import { loadSqlParser } from '../sql/parse.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { shortName } from '../sql/short-name.ts';
import { isClaimed } from '../state/claim.ts';
import { ensureState } from '../state/schema.ts';
import { noteDeployment } from '../state/begin-statement.ts';
import { keepWritersOut, waitForDeployments } from '../state/take-turns.ts';
import { buildStage } from './build-stages.ts';
import type { StageNaming } from './build-stages.ts';
import { connectionOf } from './client.ts';
import type { QueryClient } from './client.ts';
import { deriveIndexes, dropUnusedIndexes } from './derive-indexes.ts';
import { dropGuard, ensureGuard } from './guard.ts';
import { emitOptions, inputsOf, installPrograms, installRefresh } from './install-programs.ts';
import type { InstallOptions } from './install-programs.ts';
import { makePlan } from './make-plan.ts';
import { refuseName, refuseQuery, refuseUnwatched } from './refuse.ts';
import { deletePlan, readPlans, writePlan } from './stored-plan.ts';
import type { StoredPlan } from './stored-plan.ts';

export interface IncrementalViewOptions {
  /** Schema of the view; default `public`. */
  readonly schema?: string;
  /** Schema of seg's state; default `_seg`. */
  readonly stateSchema?: string;
  /** `recompute` runs the whole query after each change: slow, and beyond doubt. */
  readonly maintenance?: 'auto' | 'recompute';
  /** Keep a change feed, for `readChanges`. Default false. */
  readonly changes?: boolean;
  /** Where unqualified names of the query and of its functions are looked up; default `public`; `pg_catalog` comes first always. */
  readonly searchPath?: readonly string[];
}

/** How a created view is kept. */
export interface IncrementalView {
  readonly name: string;
  readonly stages: readonly (Pick<Stage, 'name' | 'strategy' | 'reason' | 'cost'> & {
    readonly reads: readonly string[];
  })[];
  readonly indexes: readonly string[];
}

/**
 * Creates the view, fills it, and hangs its maintenance on the tables it reads. All in one transaction.
 * @param client one session, outside a transaction
 * @throws Error when the query calls a volatile function, has a column of a type without equality, or reads
 *   what cannot be followed (nothing is created then); the client's own error for SQL that PostgreSQL refuses
 */
export async function createIncrementalView(
  client: QueryClient | Connection,
  name: string,
  sql: string,
  options: IncrementalViewOptions = {},
): Promise<IncrementalView> {
  await loadSqlParser();
  const stateSchema = options.stateSchema ?? '_seg';
  const install: InstallOptions = { stateSchema, searchPath: options.searchPath ?? ['public', 'pg_catalog'] };
  const relation = { schema: options.schema ?? 'public', name };
  const key = quoteRelation(relation);
  return connectionOf(client).transaction(async (tx) => {
    await waitForDeployments(tx, stateSchema, install.searchPath);
    await ensureState(tx, stateSchema);
    if (await isClaimed(tx, stateSchema)) {
      throw new Error(
        `the state schema "${stateSchema}" belongs to a seg project: give the view another "stateSchema"`,
      );
    }
    await tx.query(
      "SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, MDY', true), set_config('IntervalStyle', 'postgres', true), set_config('jit', 'off', true)",
    );
    const plans = await readPlans(tx, stateSchema);
    if (plans.some((plan) => plan.key === key)) throw new Error(`the incremental view ${key} exists`);
    await refuseName(tx, relation, sql);
    const byKey = new Map(plans.map((plan) => [plan.key, plan]));
    const clock = { schema: stateSchema, name: 'clock' };
    const made = await makePlan(tx, {
      sql,
      maintenance: options.maintenance ?? 'auto',
      maintained: new Set(byKey.keys()),
      keysOf: (of) => byKey.get(of)?.stages.at(-1)?.stage.keys ?? [],
      clock,
    });
    await refuseQuery(tx, relation, sql, made);
    await refuseUnwatched(tx, stateSchema, made.inputs);
    const below = made.upstream.flatMap((view) => inputsBelow(plans, view, stateSchema));
    await keepWritersOut(tx, distinctTables([...made.inputs, ...below]));
    await noteDeployment(tx, stateSchema);
    const node = await reserve(tx, stateSchema, key);
    const naming: StageNaming = {
      label: `view ${key}`,
      owner: { title: `view ${key}`, ...relation },
      clock,
      changelog:
        options.changes === true ? { table: { schema: stateSchema, name: 'changelog' }, node } : null,
      stageTable: (stage) => ({ schema: stateSchema, name: stageTableName(relation, stage) }),
      relationTable: (of) => tableOf(byKey, of) ?? made.inputs.find((input) => input.key === of)!.table,
    };
    const stages: StoredStage[] = [];
    for (const stage of made.stages) stages.push(await buildStage(tx, stage, sql, naming));
    const visible = made.introspection.columns.map((column) => quoteIdentifier(column.name)).join(', ');
    await tx.exec(`CREATE VIEW ${key} AS SELECT ${visible} FROM ${quoteRelation(stages.at(-1)!.table)}`);
    const plan: StoredPlan = {
      key,
      label: `view ${key}`,
      relation,
      definition: sql,
      fingerprint: '',
      stages,
      inputs: made.inputs,
      upstream: made.upstream,
      readsClock: made.readsClock,
    };
    await ensureGuard(tx, stateSchema, { relation, title: plan.label, definition: sql, plan });
    await writePlan(tx, stateSchema, plan);
    const indexes = await deriveIndexes(tx, plan, made, naming, stateSchema);
    await installRefresh(tx, plan, install);
    const all = await readPlans(tx, stateSchema);
    await installPrograms(tx, all, inputsBelow(all, key, stateSchema), install);
    return {
      name,
      stages: stages.map(({ stage }) => ({
        name: stage.name,
        strategy: stage.strategy,
        reason: stage.reason,
        cost: stage.cost,
        reads: stage.reads,
      })),
      indexes,
    };
  });
}

/** Drops the view with its state, and the parts of programs and indexes that only it needed. */
export async function dropIncrementalView(
  client: QueryClient | Connection,
  name: string,
  options: Pick<IncrementalViewOptions, 'schema' | 'stateSchema' | 'searchPath'> = {},
): Promise<void> {
  const stateSchema = options.stateSchema ?? '_seg';
  const install: InstallOptions = { stateSchema, searchPath: options.searchPath ?? ['public', 'pg_catalog'] };
  const key = quoteRelation({ schema: options.schema ?? 'public', name });
  await connectionOf(client).transaction(async (tx) => {
    await waitForDeployments(tx, stateSchema, install.searchPath);
    const plans = await readPlans(tx, stateSchema);
    const plan = plans.find((candidate) => candidate.key === key);
    if (plan === undefined) throw new Error(`there is no incremental view ${key}`);
    const reader = plans.find(({ upstream }) => upstream.includes(key));
    if (reader !== undefined) throw new Error(`${key} is read by the incremental view ${reader.key}`);
    const inputs = inputsBelow(plans, key, stateSchema);
    await keepWritersOut(tx, distinctTables(inputs));
    const [seg, node] = [quoteIdentifier(stateSchema), plan.stages.at(-1)!.changelog?.node];
    if (node !== undefined) await tx.query(`DELETE FROM ${seg}.changelog WHERE node = $1`, [node]);
    await deletePlan(tx, stateSchema, key);
    await installPrograms(
      tx,
      plans.filter((other) => other !== plan),
      inputs,
      install,
    );
    await dropGuard(tx, stateSchema, plan.relation);
    await tx.exec(`DROP VIEW ${key}`);
    const emit = emitOptions(null, install);
    for (const stored of [...plan.stages].reverse()) {
      await tx.exec(`DROP FUNCTION IF EXISTS ${quoteRelation(emit.refreshName(stored))}`);
      await tx.exec(`DROP TABLE ${quoteRelation(stored.table)}`);
    }
    await dropUnusedIndexes(
      tx,
      stateSchema,
      plans.filter((other) => other !== plan).map((other) => other.key),
    );
  });
}

/** The inputs of a view, through the maintained views it reads. */
function inputsBelow(
  plans: readonly StoredPlan[],
  key: string,
  stateSchema: string,
): ReturnType<typeof inputsOf> {
  const below = new Set<string>([key]);
  for (const plan of [...plans].reverse())
    if (below.has(plan.key)) for (const up of plan.upstream) below.add(up);
  return inputsOf(
    plans.filter((plan) => below.has(plan.key)),
    stateSchema,
  );
}

function distinctTables(inputs: readonly { readonly table: RelationName }[]): RelationName[] {
  return [...new Map(inputs.map(({ table }) => [quoteRelation(table), table])).values()];
}

function tableOf(plans: ReadonlyMap<string, StoredPlan>, key: string): StoredStage['table'] | undefined {
  return plans.get(key)?.stages.at(-1)?.table;
}

export function stageTableName(relation: { schema: string; name: string }, stage: string): string {
  return shortName(`${relation.schema}.${relation.name}${stage === '' ? '' : `#${stage}`}`);
}

async function reserve(tx: Connection, stateSchema: string, key: string): Promise<number> {
  const { rows } = await tx.query<{ node: number }>(
    `INSERT INTO ${quoteIdentifier(stateSchema)}.plan (view, plan) VALUES ($1, 'null') RETURNING node`,
    [key],
  );
  return rows[0]!.node;
}
