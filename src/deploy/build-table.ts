/** Kinds that are tables in the user's schema: sources, seeds, and models materialized as `table`. */
import { segError } from '../diagnostics/seg-error.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { readersOf } from '../incremental/guard.ts';
import { recomputeSql } from '../ivm/strategies/recompute.ts';
import type { DeployedNode } from '../state/nodes.ts';
import type { BuildContext, Built } from './build-context.ts';
import { readColumns, sameColumns } from './catalog.ts';
import type { RelationName } from './catalog.ts';
import { columnDefinition, createIndexes, createRejectedTable, createTable } from './ddl.ts';
import { checkColumns } from '../incremental/maintainable.ts';
import { countDifference } from './difference.ts';
import { runDefinition } from './run-definition.ts';
import type { NodeSpec } from './spec.ts';
import { ensureSchema, refuseForeign } from './stand-in-place.ts';

/**
 * The table of a source or a seed, empty when new. A seed's table is made anew when its columns change (its rows come
 * from its file); a source's rows came from outside, so its table only ever grows columns, unless it is empty.
 */
export async function buildBaseTable(
  context: BuildContext,
  spec: NodeSpec,
  old: DeployedNode | undefined,
  fullRefresh: boolean,
): Promise<Built> {
  const { tx } = context;
  const relation = { schema: spec.schema, name: spec.relation };
  if (old === undefined) {
    await ensureSchema(tx, spec.schema);
    await refuseForeign(tx, spec, relation);
    await create(context, spec);
    return table(await readColumns(tx, relation), { reshaped: false, recreated: true });
  }
  const added = await columnsToAdd(context, spec, old);
  const remake = spec.kind === 'seed' ? added !== 'same' || fullRefresh : added === 'remake';
  if (remake) {
    await context.detachReaders(spec.uniqueId);
    await tx.exec(`DROP TABLE ${quoteRelation(relation)}`);
    await create(context, spec);
  } else if (Array.isArray(added) && added.length > 0) {
    await tx.exec(
      `ALTER TABLE ${quoteRelation(relation)} ${added.map((definition) => `ADD COLUMN ${definition}`).join(', ')}`,
    );
  }
  const columns = await readColumns(tx, relation);
  return table(columns, { reshaped: !sameColumns(old.columns, columns), recreated: remake });
}

async function create(context: BuildContext, spec: NodeSpec): Promise<void> {
  await createDeclared(context.tx, spec, createTable(spec, context.stateSchema));
  if (spec.kind === 'source') await context.tx.exec(createRejectedTable(spec));
}

/**
 * @returns `same`, `remake`, or the definitions of the columns that are new
 * @throws SegError SEG412 when a source that has rows would lose or change a column
 */
async function columnsToAdd(
  context: BuildContext,
  spec: NodeSpec,
  old: DeployedNode,
): Promise<'same' | 'remake' | string[]> {
  const { tx } = context;
  const relation = { schema: spec.schema, name: spec.relation };
  const wanted = await probeColumns(tx, spec, context.stateSchema);
  const sameKey = spec.key.length === old.key.length && spec.key.every((name, i) => name === old.key[i]);
  const notNullChanged = !sameColumns(old.columns, wanted);
  if (!notNullChanged && sameKey) return 'same';
  if (spec.kind === 'seed') return 'remake';
  const { rows } = await tx.query<{ filled: boolean }>(
    `SELECT EXISTS (SELECT FROM ${quoteRelation(relation)}) AS filled`,
  );
  if (rows[0]?.filled !== true) return 'remake';
  const oldByName = new Map(old.columns.map((column) => [column.name, column.type]));
  const wantedByName = new Map(wanted.map((column) => [column.name, column.type]));
  const readers = await readersOf(tx, context.stateSchema, relation);
  const read = (name: string): string =>
    readers.has(name) ? `, and it is read by ${readers.get(name)!.join(', ')}` : '';
  const problems = [
    ...old.columns
      .filter(({ name }) => !wantedByName.has(name))
      .map(({ name }) => `column "${name}" is gone${read(name)}`),
    ...wanted
      .filter(({ name, type }) => oldByName.has(name) && oldByName.get(name) !== type)
      .map(({ name, type }) => `column "${name}" was ${oldByName.get(name)} and is now ${type}${read(name)}`),
    ...(sameKey ? [] : ['the key changed']),
  ];
  if (problems.length > 0) {
    throw segError(
      'SEG412',
      `${spec.label} has rows, and its table cannot follow its declaration: ${problems.join('; ')}`,
      {
        at: spec.at,
        hint: 'Ingested rows are not thrown away. Deploy models that do not read the column, then alter the table by hand; or declare a new source and ingest into it.',
        exitCode: 1,
      },
    );
  }
  return spec.declared
    .filter(({ name }) => !oldByName.has(name))
    .map((column) => columnDefinition(column, spec, context.stateSchema));
}

/** @throws SegError SEG417 when a declared type does not exist, or does not take its arguments */
async function createDeclared(tx: Connection, spec: NodeSpec, statement: string): Promise<void> {
  try {
    await tx.exec(statement);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    const wanted = /^type "(.+)" does not exist$/.exec(error.message)?.[1];
    throw segError('SEG417', `${spec.label}: ${error.message}`, {
      at: spec.at,
      hint:
        (wanted === undefined ? undefined : didYouMean(wanted, USUAL_TYPES)) ??
        'Declare the columns with types of PostgreSQL.',
      exitCode: 1,
      cause: error,
    });
  }
}

const USUAL_TYPES = [
  ...['text', 'varchar', 'bigint', 'integer', 'smallint', 'numeric', 'real', 'double precision', 'boolean'],
  ...['date', 'time', 'timestamp', 'timestamptz', 'interval', 'uuid', 'json', 'jsonb', 'bytea', 'inet'],
];

/**
 * The declared columns as the catalog would show them.
 * @throws SegError SEG408, SEG417 for a type that is none
 */
export async function probeColumns(
  tx: Connection,
  spec: NodeSpec,
  stateSchema: string,
): Promise<Built['columns']> {
  const probe = { schema: stateSchema, name: 'probe' };
  const text = createTable({ ...spec, schema: probe.schema, relation: probe.name, key: [] }, stateSchema);
  await createDeclared(tx, spec, text);
  const columns = await readColumns(tx, probe);
  await tx.exec(`DROP TABLE ${quoteRelation(probe)}`);
  return columns;
}

/**
 * A model materialized as `table`: computed when it is run. What is there is brought in line by the difference, so
 * maintained models that read it follow by their programs' triggers, and its rows never disappear for a reader.
 */
export async function buildTable(
  context: BuildContext,
  spec: NodeSpec,
  old: DeployedNode | undefined,
): Promise<Built> {
  const { tx, stateSchema } = context;
  const relation = { schema: spec.schema, name: spec.relation };
  const next: RelationName = { schema: stateSchema, name: 'next' };
  await ensureSchema(tx, spec.schema);
  if (old === undefined) await refuseForeign(tx, spec, relation);
  await runDefinition(context, spec, `CREATE TABLE ${quoteRelation(next)} AS\n`, '\nWITH NO DATA');
  const columns = await readColumns(tx, next);
  await checkColumns(tx, quoteRelation(next), columns, spec);
  if (old !== undefined && sameColumns(old.columns, columns)) {
    await tx.exec(`DROP TABLE ${quoteRelation(next)}`);
    const view = { table: relation, columns, query: spec.definition ?? '' };
    const { inserted, deleted } = await countDifference(tx, view);
    if (inserted + deleted > 0) await tx.query(recomputeSql(view, null));
    return { columns, state: null, rows: null, inserted, deleted, reshaped: false, recreated: false };
  }
  if (old !== undefined) {
    await context.detachReaders(spec.uniqueId);
    await tx.exec(`DROP TABLE ${quoteRelation(relation)}`);
  }
  await tx.exec(
    `ALTER TABLE ${quoteRelation(next)} RENAME TO ${quoteIdentifier(spec.relation)};
     ALTER TABLE ${quoteRelation({ schema: stateSchema, name: spec.relation })} SET SCHEMA ${quoteIdentifier(spec.schema)}`,
  );
  const { rowCount } = await tx.query(`INSERT INTO ${quoteRelation(relation)} ${spec.definition ?? ''}`);
  for (const index of createIndexes(spec, relation)) await tx.exec(index);
  return {
    columns,
    state: null,
    rows: rowCount,
    inserted: rowCount,
    deleted: 0,
    reshaped: old !== undefined,
    recreated: true,
  };
}

function table(columns: Built['columns'], more: { reshaped: boolean; recreated: boolean }): Built {
  return { columns, state: null, rows: null, inserted: 0, deleted: 0, ...more };
}
