/** A stage as it lies in the database, and the fragments of SQL that every strategy shares. */
import { quoteIdentifier, quoteRelation } from '../../sql/quote.ts';
import { jsonObject } from '../../sql/row-json.ts';
import { shortName } from '../../sql/short-name.ts';
import type { RelationName } from '../catalog.ts';
import { directionSql } from '../plan/positions.ts';
import type { Stage } from '../plan/stage.ts';
import { hashOfRow } from '../relation/row-hash.ts';

export interface StoredColumnType {
  readonly name: string;
  /** As format_type prints it. */
  readonly type: string;
  readonly hashable: boolean;
}

export interface StoredStage {
  readonly stage: Stage;
  /** The table that holds it; its row type is the element of the arrays that carry its change. */
  readonly table: RelationName;
  /** The table's oid: a program compiled for another table of the same name must be made again. */
  readonly oid: number;
  /** Columns of the table, hidden ones included, in the table's order. */
  readonly columns: readonly StoredColumnType[];
  /** A SELECT of these columns in this order, from the tables as they are. */
  readonly query: string;
  /** For comments and messages: the view it belongs to, and its number. */
  readonly label: string;
  /** The view users see; `title` names it in errors: `model "x" (shop.x, models/x.sql)`. */
  readonly owner: { readonly title: string } & RelationName;
  /** Where the change is recorded for readers. */
  readonly changelog: { readonly table: RelationName; readonly node: number } | null;
}

export function columnList(stored: StoredStage, alias?: string): string {
  const prefix = alias === undefined ? '' : `${alias}.`;
  return stored.columns.map(({ name }) => `${prefix}${quoteIdentifier(name)}`).join(', ');
}

/** The hash of some columns of a row, as indexed on the stage's table. */
export function rowHash(names: readonly string[], alias?: string): string {
  const prefix = alias === undefined ? '' : `${alias}.`;
  return hashOfRow(names.map((name) => `${prefix}${quoteIdentifier(name)}`));
}

/** The columns by which maintenance finds rows of the stage's table: its key, or whole rows. None: there is one row. */
export function addressColumns(stored: StoredStage): string[] {
  const { stage, columns } = stored;
  const keyed = stage.strategy === 'rekey' || stage.strategy === 'suffix' || stage.strategy === 'merge';
  if (!keyed) return columns.map(({ name }) => name);
  return stage.key.map((id) => stage.columns.find((column) => column.id === id)!.name);
}

/**
 * The index that makes it cheap; null when the stage is always recomputed as a whole. Groups have one row each, so theirs is a hash
 * index: a probe takes half of a btree's, an entry two thirds. Where many rows may be alike a bucket would become a long chain.
 */
export function addressIndex(stored: StoredStage): string | null {
  const { strategy } = stored.stage;
  if (strategy === 'recompute' || strategy === 'top') return null;
  const address = addressColumns(stored);
  const parts = [...(address.length === 0 ? [] : [rowHash(address)]), ...orderColumns(stored)];
  if (parts.length === 0) return null;
  const { name } = addressIndexName(stored);
  const method = strategy === 'merge' ? 'hash' : 'btree';
  return `CREATE INDEX IF NOT EXISTS ${quoteIdentifier(name)} ON ${quoteRelation(stored.table)} USING ${method} (${parts.join(', ')})`;
}

export function addressIndexName({ table }: Pick<StoredStage, 'table'>): RelationName {
  return { schema: table.schema, name: shortName('seg address', table.name) };
}

/** What follows the partition in the index of a stage that is kept by suffixes. */
function orderColumns({ stage }: StoredStage): string[] {
  const { suffix } = stage;
  if (suffix === undefined) return [];
  return suffix.order
    .slice(0, suffix.indexed)
    .map((sort) => `${quoteIdentifier(columnName(stage, suffix.shown[sort.id]!))}${directionSql(sort)}`);
}

/** The table's column of an id in the stage's output. */
export function columnName(stage: Stage, id: string): string {
  return stage.columns.find((column) => column.id === id)!.name;
}

/** Whether rows can be addressed by hash; a stage with other types must be recomputed. */
export function addressable(stored: StoredStage): boolean {
  const names = new Set(addressColumns(stored));
  return stored.columns.every(({ name, hashable }) => hashable || !names.has(name));
}

/** The row users see, as a JSON object. */
export function visibleRowAsJson(
  stored: StoredStage,
  alias: string,
  valueOf = (name: string): string => `${alias}.${quoteIdentifier(name)}`,
): string {
  const types = new Map(stored.columns.map(({ name, type }) => [name, type]));
  const visible = stored.stage.columns.filter(({ hidden }) => !hidden);
  return jsonObject(visible.map(({ name }) => ({ name, value: valueOf(name), type: types.get(name) })));
}
