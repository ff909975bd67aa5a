/** Stages → tables: created, filled, and indexed for maintenance. */
import type { Connection } from '../engines/connection.ts';
import { columnsOf } from '../engines/introspect.ts';
import type { RelationName } from '../ivm/catalog.ts';
import type { Stage } from '../ivm/plan/stage.ts';
import { topByLength } from '../ivm/plan/top.ts';
import { selectSql } from '../ivm/relation/to-sql.ts';
import { addressIndex, addressable } from '../ivm/strategies/stored-stage.ts';
import type { StoredStage } from '../ivm/strategies/stored-stage.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { withinStack } from './within-stack.ts';

export interface StageNaming {
  readonly label: string;
  readonly owner: StoredStage['owner'];
  readonly clock: RelationName;
  /** The table of a stage of this view. */
  readonly stageTable: (stage: string) => RelationName;
  /** Where the rows of a relation that is no stage of this view lie (a maintained view's are in its state table). */
  readonly relationTable: (relation: string) => RelationName;
  /** Changelog of the view itself; hidden stages have none. */
  readonly changelog: StoredStage['changelog'];
  /** false for a relation that seg may make no index on; all, when left out. */
  readonly mayIndex?: (relation: string) => boolean;
}

/**
 * Room on each page of a stage's table, in percent used: a row that is updated finds a place beside itself, which spares its
 * index entries, and the next update reclaims the place it left. The embedded server never vacuums by itself.
 */
export const FILL_FACTOR = 85;

/** The SELECT that computes a stage from the tables as they are. */
export function stageQuery(stage: Stage, sql: string, naming: StageNaming): string {
  if (stage.root === null) return stage.text ?? sql;
  const root = stage.top === undefined ? stage.root : topByLength(stage.root, stage.top);
  return selectSql(root, stage.columns, {
    now: `(SELECT "now" FROM ${quoteRelation(naming.clock)})`,
    from: ({ relation }) =>
      quoteRelation(
        relation.startsWith('#') ? naming.stageTable(relation.slice(1)) : naming.relationTable(relation),
      ),
  });
}

/**
 * Creates and fills the table of one stage, in its place. Stages must be built in their order.
 * @param sql the view's own text, for a stage that is recomputed from it
 */
export async function buildStage(
  tx: Connection,
  planned: Stage,
  sql: string,
  naming: StageNaming,
): Promise<StoredStage> {
  const table = naming.stageTable(planned.name);
  const query = await withinStack(() => stageQuery(planned, sql, naming));
  await tx.exec(
    `CREATE TABLE ${quoteRelation(table)} WITH (fillfactor = ${FILL_FACTOR}) AS ${query} WITH NO DATA`,
  );
  const stored = await storedStage(tx, planned, query, table, naming);
  const list = stored.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  await tx.exec(`INSERT INTO ${quoteRelation(table)} (${list}) ${query}`);
  const index = addressIndex(stored);
  if (index !== null) await tx.exec(index);
  return stored;
}

/** A stage whose table stands. One whose rows cannot be addressed by hash becomes a recomputed one. */
export async function storedStage(
  tx: Connection,
  stage: Stage,
  query: string,
  table: RelationName,
  naming: StageNaming,
): Promise<StoredStage> {
  const columns = await columnsOf(tx, table);
  const { rows } = await tx.query<{ oid: number }>('SELECT $1::regclass::oid::integer AS oid', [
    quoteRelation(table),
  ]);
  const stored: StoredStage = {
    stage,
    table,
    oid: rows[0]!.oid,
    columns: columns.map(({ name, type, hashable }) => ({ name, type, hashable })),
    query,
    label: stage.name === '' ? naming.label : `${naming.label}, intermediate result ${stage.name}`,
    owner: naming.owner,
    changelog: stage.name === '' ? naming.changelog : null,
  };
  if (stage.strategy === 'recompute' || addressable(stored)) return stored;
  const type = columns.find(({ hashable }) => !hashable)!.type;
  return {
    ...stored,
    stage: {
      ...stage,
      strategy: 'recompute',
      key: [],
      reason: `values of type ${type} cannot be hashed`,
      cost: 'the whole query',
    },
  };
}
