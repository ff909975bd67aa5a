/**
 * Deployed models → their plans: how each is kept, with the hidden stages and the indexes that takes. A plan is made again
 * whenever programs are, and what it needs is built again only where it differs from what stands.
 */
import { createHash } from 'node:crypto';
import type { Connection } from '../engines/connection.ts';
import { Dag } from '../graph/dag.ts';
import { buildStage, stageQuery, storedStage } from '../incremental/build-stages.ts';
import type { StageNaming } from '../incremental/build-stages.ts';
import { deriveIndexes, dropUnusedIndexes } from '../incremental/derive-indexes.ts';
import { dropGuard, ensureGuard } from '../incremental/guard.ts';
import { emitOptions, installRefresh } from '../incremental/install-programs.ts';
import { makePlan } from '../incremental/make-plan.ts';
import type { MadePlan } from '../incremental/make-plan.ts';
import { deletePlan, readPlans, writePlan } from '../incremental/stored-plan.ts';
import type { StoredPlan } from '../incremental/stored-plan.ts';
import { addressIndex, addressIndexName } from '../ivm/strategies/stored-stage.ts';
import type { StoredStage } from '../ivm/strategies/stored-stage.ts';
import { refreshColumns } from '../ivm/program/emit-program.ts';
import { quoteRelation } from '../sql/quote.ts';
import { searchPathSql } from '../sql/search-path.ts';
import { shortName } from '../sql/short-name.ts';
import type { DeployedNode } from '../state/nodes.ts';
import { installs } from './examine-existing.ts';
import { placeHiddenColumns } from './hidden-columns.ts';
import { placeError } from './place-error.ts';

export interface PlansRequest {
  readonly stateSchema: string;
  readonly searchPath: readonly string[];
  readonly deployed: ReadonlyMap<string, DeployedNode>;
  /** Whether rows may have changed without the programs, so that hidden stages that stand must be brought up to date. */
  readonly refreshStages: boolean;
}

/** Plans every maintained node, builds what plans need, and forgets plans of nodes that are gone. In topological order. */
export async function writePlans(tx: Connection, request: PlansRequest): Promise<StoredPlan[]> {
  const { stateSchema, deployed } = request;
  const standing = new Map((await readPlans(tx, stateSchema)).map((plan) => [plan.key, plan]));
  const maintained = await maintainedNodes(tx, request);
  const unindexable = new Set(
    [...deployed.values()]
      .filter((node) => node.kind === 'existing' && !installs(node, 'indexes'))
      .map(keyOf),
  );
  const plans: StoredPlan[] = [];
  for (const [key, node] of maintained) {
    const naming: StageNaming = {
      label: node.label,
      owner: { title: titleOf(node), schema: node.schema, name: node.relation },
      clock: { schema: stateSchema, name: 'clock' },
      changelog: node.keepChanges
        ? { table: { schema: stateSchema, name: 'changelog' }, node: node.id }
        : null,
      stageTable: (stage) => ({
        schema: stateSchema,
        name: stage === '' ? (node.state ?? '') : shortName(`${node.schema}.${node.relation}#${stage}`),
      }),
      relationTable: (relation) => {
        const other = maintained.get(relation);
        if (other !== undefined) return { schema: stateSchema, name: other.state ?? '' };
        return made.inputs.find((input) => input.key === relation)!.table;
      },
      mayIndex: (relation) => !unindexable.has(relation),
    };
    const made = await named(node, () => planOf(tx, request, node, new Set(maintained.keys()), plans));
    const old = standing.get(key);
    standing.delete(key);
    plans.push(await named(node, () => writeNodePlan(tx, request, { node, key, naming, made, old })));
  }
  for (const gone of standing.values()) {
    await dropStages(tx, gone, request, true);
    await dropGuard(tx, stateSchema, gone.relation);
    await deletePlan(tx, stateSchema, gone.key);
  }
  await dropUnusedIndexes(
    tx,
    stateSchema,
    plans.map(({ key }) => key),
  );
  return plans;
}

/** Keys of the plans that would be others if they were made now. */
export async function replanned(
  tx: Connection,
  request: Omit<PlansRequest, 'refreshStages'>,
  plans: readonly StoredPlan[],
): Promise<Set<string>> {
  const found = new Set<string>();
  const maintained = await maintainedNodes(tx, request);
  for (const [key, node] of maintained) {
    const standing = plans.find((plan) => plan.key === key);
    const asked = (connection: Connection): Promise<MadePlan> =>
      planOf(connection, request, node, new Set(maintained.keys()), plans);
    // What this compiler refuses is refused when the model is deployed, which may be about to change it.
    const made = await tx.transaction(asked).catch(() => undefined);
    if (made === undefined || standing?.fingerprint !== fingerprintOf(made, node)) found.add(key);
  }
  return found;
}

/** By key, in topological order. Their definitions may be read from now on: the search path is the project's. */
async function maintainedNodes(
  tx: Connection,
  { deployed, searchPath }: Pick<PlansRequest, 'deployed' | 'searchPath'>,
): Promise<Map<string, DeployedNode>> {
  await tx.query("SELECT set_config('search_path', $1, true)", [searchPathSql(searchPath)]);
  const dag = new Dag([...deployed.values()].map(({ uniqueId, reads }) => [uniqueId, reads] as const));
  const nodes = dag.order().map((id) => deployed.get(id));
  return new Map(
    nodes.flatMap((node) => (node?.kind === 'materialized_view' ? [[keyOf(node), node] as const] : [])),
  );
}

function fingerprintOf({ stages }: MadePlan, { definition, columns }: DeployedNode): string {
  return createHash('sha256')
    .update(JSON.stringify([stages, definition ?? '', columns]))
    .digest('hex');
}

/** `model "x" (shop.x, models/x.sql)` */
function titleOf({ label, schema, relation, settings }: DeployedNode): string {
  const { file } = settings;
  return `${label} (${schema}.${relation}${typeof file === 'string' ? `, ${file}` : ''})`;
}

/** Errors while intermediate results are filled bear the model's name. */
async function named<T>(node: DeployedNode, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { file } = node.settings;
    throw placeError(error, {
      label: node.label,
      statement: '',
      queryOffset: 0,
      queryLength: 0,
      sourceMap: null,
      at: { file: typeof file === 'string' ? file : node.uniqueId, line: 1, column: 1 },
    });
  }
}

export function keyOf(node: Pick<DeployedNode, 'schema' | 'relation'>): string {
  return quoteRelation({ schema: node.schema, name: node.relation });
}

async function planOf(
  tx: Connection,
  { stateSchema }: Pick<PlansRequest, 'stateSchema'>,
  node: DeployedNode,
  maintained: ReadonlySet<string>,
  below: readonly StoredPlan[],
): Promise<MadePlan> {
  const ask = (maintenance: 'auto' | 'recompute'): Promise<MadePlan> =>
    makePlan(tx, {
      sql: node.definition ?? '',
      maintenance,
      maintained,
      keysOf: (relation) => below.find(({ key }) => key === relation)?.stages.at(-1)?.stage.keys ?? [],
      clock: { schema: stateSchema, name: 'clock' },
    });
  return ask(node.settings['maintenance'] === 'recompute' ? 'recompute' : 'auto');
}

interface NodePlan {
  readonly node: DeployedNode;
  readonly key: string;
  readonly naming: StageNaming;
  readonly made: MadePlan;
  readonly old: StoredPlan | undefined;
}

async function writeNodePlan(
  tx: Connection,
  request: PlansRequest,
  { node, key, naming, made, old }: NodePlan,
): Promise<StoredPlan> {
  const { stateSchema } = request;
  const definition = node.definition ?? '';
  const fingerprint = fingerprintOf(made, node);
  const stands = old !== undefined && old.fingerprint === fingerprint && (await allStand(tx, old));
  if (old !== undefined && !stands) await dropStages(tx, old, request, false);
  const stages: StoredStage[] = [];
  let filled = false;
  for (const stage of made.stages) {
    const query = stageQuery(stage, definition, naming);
    const last = stage.name === '';
    if (last) {
      const table = naming.stageTable(stage.name);
      filled = await placeHiddenColumns(tx, stage, { table, query, visible: node.columns, stands });
    }
    const stored =
      last || stands
        ? await storedStage(tx, stage, query, naming.stageTable(stage.name), naming)
        : await buildStage(tx, stage, definition, naming);
    if (last) {
      // By the same name another plan found its rows by other columns.
      if (!stands) await tx.exec(`DROP INDEX IF EXISTS ${quoteRelation(addressIndexName(stored))}`);
      const index = addressIndex(stored);
      if (index !== null) await tx.exec(index);
    }
    stages.push(stored);
  }
  const plan: StoredPlan = {
    key,
    label: node.label,
    relation: { schema: node.schema, name: node.relation },
    definition,
    fingerprint,
    stages,
    inputs: made.inputs,
    upstream: made.upstream,
    readsClock: made.readsClock,
  };
  await writePlan(tx, stateSchema, plan);
  if (!stands) await dropGuard(tx, stateSchema, plan.relation);
  await ensureGuard(tx, stateSchema, {
    relation: plan.relation,
    title: naming.owner.title,
    definition,
    plan,
  });
  await installRefresh(tx, plan, request);
  if (stands && request.refreshStages) {
    const emit = emitOptions(null, request);
    // The rows of the model itself are right already; what is hidden beside them may not be.
    const hidden = stages.at(-1)!.stage.columns.some((column) => column.hidden);
    for (const stored of hidden && !filled ? stages : stages.slice(0, -1)) {
      await tx.exec(
        `SELECT changed FROM ${quoteRelation(emit.refreshName(stored))}(0, false) AS ${refreshColumns(stored)}`,
      );
    }
  }
  await deriveIndexes(tx, plan, made, naming, stateSchema);
  return plan;
}

async function allStand(tx: Connection, plan: StoredPlan): Promise<boolean> {
  for (const { table } of plan.stages) {
    const { rows } = await tx.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
      quoteRelation(table),
    ]);
    if (rows[0]?.there !== true) return false;
  }
  return true;
}

/** The hidden stages of a plan; the table of the view itself belongs to the node. */
async function dropStages(
  tx: Connection,
  plan: StoredPlan,
  request: PlansRequest,
  all: boolean,
): Promise<void> {
  const emit = emitOptions(null, request);
  for (const stored of [...plan.stages].reverse()) {
    if (stored.stage.name !== '') await tx.exec(`DROP TABLE IF EXISTS ${quoteRelation(stored.table)}`);
    if (stored.stage.name !== '' || all) {
      await tx.exec(`DROP FUNCTION IF EXISTS ${quoteRelation(emit.refreshName(stored))}`);
    }
  }
}
