/** Models materialized as `materialized_view`: a table in the state schema, and a plain view of exactly its columns. */
import { FILL_FACTOR } from '../incremental/build-stages.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { recomputeSql, rowAsJson } from '../ivm/strategies/recompute.ts';
import type { ChangelogTarget, StoredView } from '../ivm/strategies/recompute.ts';
import { introspect } from '../engines/introspect.ts';
import type { DeployedNode } from '../state/nodes.ts';
import type { BuildContext, Built } from './build-context.ts';
import { readColumns, sameColumns } from './catalog.ts';
import { createIndexes, createMaintainedView, stateTable } from './ddl.ts';
import { countDifference } from './difference.ts';
import { checkCalls, checkColumns } from '../incremental/maintainable.ts';
import { placeError } from './place-error.ts';
import { runDefinition } from './run-definition.ts';
import type { NodeSpec } from './spec.ts';
import { ensureSchema, refuseForeign } from './stand-in-place.ts';

/**
 * @param options.mayReshape false when only rows upstream changed, so the columns cannot have
 * @param options.rebuild true: fill a new table even if the columns are the same (--full-refresh)
 * @param options.moved true: `old` stood at another place, and its view there is dropped already
 */
export async function buildMaintained(
  context: BuildContext,
  spec: NodeSpec,
  old: DeployedNode | undefined,
  options: { mayReshape: boolean; rebuild: boolean; moved: boolean },
): Promise<Built> {
  if (old !== undefined && !options.mayReshape) return settle(context, spec, old, old.columns);
  const { tx, stateSchema } = context;
  const next = { schema: stateSchema, name: 'next' };
  await runDefinition(
    context,
    spec,
    `CREATE TABLE ${quoteRelation(next)} WITH (fillfactor = ${FILL_FACTOR}) AS\n`,
    '\nWITH NO DATA',
  );
  const columns = await readColumns(tx, next);
  await checkColumns(tx, quoteRelation(next), columns, spec);
  const sql = spec.definition ?? '';
  checkCalls((await introspect(tx, sql, new Set(), context.stateSchema)).unstable, { ...spec, sql });
  const standsStill = old !== undefined && sameColumns(old.columns, columns) && sameIndexes(old, spec);
  if (standsStill && !options.rebuild && !options.moved) {
    await tx.exec(`DROP TABLE ${quoteRelation(next)}`);
    return settle(context, spec, old, columns);
  }
  return replace(context, spec, old, columns, options.moved);
}

/** The same columns: what is stored moves by the difference, and so does the change feed. */
async function settle(
  context: BuildContext,
  spec: NodeSpec,
  old: DeployedNode,
  columns: Built['columns'],
): Promise<Built> {
  const { tx, stateSchema } = context;
  const table = { schema: stateSchema, name: old.state ?? '' };
  const view: StoredView = { table, columns, query: spec.definition ?? '' };
  const { inserted, deleted } = await placed(spec, () => countDifference(tx, view));
  if (inserted + deleted > 0) await tx.query(recomputeSql(view, await changelog(context, old)));
  return { columns, state: table.name, rows: null, inserted, deleted, reshaped: false, recreated: false };
}

/** New, or with other columns: filled beside what stands there, then put in its place. */
async function replace(
  context: BuildContext,
  spec: NodeSpec,
  old: DeployedNode | undefined,
  columns: Built['columns'],
  moved: boolean,
): Promise<Built> {
  const { tx, stateSchema } = context;
  const relation = { schema: spec.schema, name: spec.relation };
  const next = { schema: stateSchema, name: 'next' };
  const state = stateTable(stateSchema, spec);
  await ensureSchema(tx, spec.schema);
  if (old === undefined || moved) await refuseForeign(tx, spec, relation);
  const { rowCount } = await placed(spec, () =>
    tx.query(`INSERT INTO ${quoteRelation(next)}\n${spec.definition ?? ''}`),
  );
  let difference = { inserted: rowCount, deleted: 0 };
  const reshaped = old !== undefined && !sameColumns(old.columns, columns);
  if (old !== undefined) {
    difference = await compare(context, old, { table: next, columns, query: '' });
    if (reshaped && !moved) {
      await context.detachReaders(spec.uniqueId);
      await tx.exec(`DROP VIEW ${quoteRelation(relation)}`);
    }
  }
  const retired = { schema: stateSchema, name: 'retired' };
  if (old?.state === state.name) await rename(context, state, retired.name);
  // A table that lost its view to somebody's DROP ... CASCADE may still lie here.
  else await tx.exec(`DROP TABLE IF EXISTS ${quoteRelation(state)} CASCADE`);
  await rename(context, next, state.name);
  for (const statement of createMaintainedView(spec, state, columns, stateSchema)) await tx.exec(statement);
  await tx.exec(`DROP TABLE IF EXISTS ${quoteRelation(retired)}`);
  if (moved && old?.state != null && old.state !== state.name) {
    await tx.exec(`DROP TABLE ${quoteRelation({ schema: stateSchema, name: old.state })}`);
  }
  for (const index of createIndexes(spec, state)) await tx.exec(index);
  return { columns, state: state.name, rows: rowCount, ...difference, reshaped, recreated: false };
}

/**
 * The difference between what stood there and what will, as JSON rows since the columns may differ; recorded in the
 * change feed when it is kept, so that a follower moves from the old rows to the new ones.
 */
async function compare(
  context: BuildContext,
  old: DeployedNode,
  next: StoredView,
): Promise<{ inserted: number; deleted: number }> {
  const { tx, stateSchema } = context;
  const before = quoteRelation({ schema: stateSchema, name: old.state ?? '' });
  const difference = `
    SELECT "row", sum(weight)::integer AS weight FROM (
      SELECT ${rowAsJson(next, 'n')} AS "row", 1 AS weight FROM ${quoteRelation(next.table)} AS n
      UNION ALL
      SELECT ${rowAsJson({ columns: old.columns }, 'o')}, -1 FROM ${before} AS o
    ) AS both_sides GROUP BY "row" HAVING sum(weight) <> 0`;
  const target = await changelog(context, old);
  const logged =
    target === null
      ? ''
      : `, logged AS (
           INSERT INTO ${quoteRelation(target.table)} (epoch, node, weight, "row")
           SELECT ${target.epoch}, ${target.node}, weight, "row" FROM difference)`;
  const { rows } = await tx.query<{ inserted: number; deleted: number }>(
    `WITH difference AS MATERIALIZED (${difference})${logged}
     SELECT coalesce(sum(weight) FILTER (WHERE weight > 0), 0)::bigint AS inserted,
            coalesce(-sum(weight) FILTER (WHERE weight < 0), 0)::bigint AS deleted FROM difference`,
  );
  return rows[0] ?? { inserted: 0, deleted: 0 };
}

async function changelog(context: BuildContext, old: DeployedNode): Promise<ChangelogTarget | null> {
  if (!old.keepChanges) return null;
  return {
    table: { schema: context.stateSchema, name: 'changelog' },
    node: old.id,
    epoch: await context.epoch(),
  };
}

async function rename(
  context: BuildContext,
  table: { schema: string; name: string },
  to: string,
): Promise<void> {
  await context.tx.exec(`ALTER TABLE ${quoteRelation(table)} RENAME TO ${quoteIdentifier(to)}`);
}

function sameIndexes(old: DeployedNode, spec: NodeSpec): boolean {
  return JSON.stringify(old.settings['indexes'] ?? []) === JSON.stringify(spec.indexes);
}

/** Errors while rows are computed (a division by zero, a failing cast) bear the model's name. */
async function placed<T>(spec: NodeSpec, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw placeError(error, {
      label: spec.label,
      statement: '',
      queryOffset: 0,
      queryLength: 0,
      sourceMap: null,
      at: spec.at,
    });
  }
}
