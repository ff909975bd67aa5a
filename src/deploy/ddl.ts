/** DDL of the Postgres family, as text. Everything here is pure. */
import { segError } from '../diagnostics/seg-error.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { shortName } from '../sql/short-name.ts';
import { isTypeName } from '../sql/type-name.ts';
import type { RelationName } from './catalog.ts';
import type { DeclaredColumn, NodeSpec } from './spec.ts';

/** The table that holds a maintained view's rows. */
export function stateTable(stateSchema: string, spec: Pick<NodeSpec, 'schema' | 'relation'>): RelationName {
  return { schema: stateSchema, name: shortName(`${spec.schema}.${spec.relation}`) };
}

export function rejectedTable(spec: Pick<NodeSpec, 'schema' | 'relation'>): RelationName {
  return { schema: spec.schema, name: shortName(`${spec.relation}__rejected`) };
}

export function createTable(spec: NodeSpec, stateSchema: string): string {
  const columns = spec.declared.map((column) => `  ${columnDefinition(column, spec, stateSchema)}`);
  // A seed's key is checked when its file is read, with line and column; a primary key would say less, later.
  const key =
    spec.kind === 'source' && spec.key.length > 0
      ? [`  PRIMARY KEY (${spec.key.map(quoteIdentifier).join(', ')})`]
      : [];
  return `CREATE TABLE ${quoteRelation({ schema: spec.schema, name: spec.relation })} (\n${[...columns, ...key].join(',\n')}\n)`;
}

/** @throws SegError SEG408 when the declared type is no type name */
export function columnDefinition(column: DeclaredColumn, spec: NodeSpec, stateSchema: string): string {
  if (!isTypeName(column.type)) {
    throw segError(
      'SEG408',
      `column "${column.name}" of ${spec.label} has the type "${column.type}", which is no type's name`,
      {
        at: spec.at,
        hint: 'Write a type of PostgreSQL, such as text, bigint, numeric(10, 2), timestamptz or jsonb.',
      },
    );
  }
  const generated =
    column.generated === 'position'
      ? ' GENERATED ALWAYS AS IDENTITY'
      : column.generated === 'received_at'
        ? ` NOT NULL DEFAULT ${quoteIdentifier(stateSchema)}.now()`
        : '';
  const notNull = column.notNull && column.generated === undefined ? ' NOT NULL' : '';
  return `${quoteIdentifier(column.name)} ${column.type}${generated}${notNull}`;
}

export function createRejectedTable(spec: NodeSpec): string {
  return `CREATE TABLE IF NOT EXISTS ${quoteRelation(rejectedTable(spec))} (
  rejected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  origin text NOT NULL,
  line bigint,
  reason text NOT NULL,
  payload text
)`;
}

/** The plain relation users see: exactly the model's columns, over the table that holds them; not to be written to. */
export function createMaintainedView(
  spec: Pick<NodeSpec, 'schema' | 'relation'>,
  state: RelationName,
  columns: readonly { name: string }[],
  stateSchema: string,
): string[] {
  const view = quoteRelation({ schema: spec.schema, name: spec.relation });
  return [
    `CREATE OR REPLACE VIEW ${view} AS SELECT ${columns.map(({ name }) => quoteIdentifier(name)).join(', ')} FROM ${quoteRelation(state)}`,
    `CREATE OR REPLACE TRIGGER seg_maintained INSTEAD OF INSERT OR UPDATE OR DELETE ON ${view}
     FOR EACH ROW EXECUTE FUNCTION ${quoteIdentifier(stateSchema)}.refuse_write()`,
  ];
}

export function createIndexes(spec: NodeSpec, table: RelationName): string[] {
  return spec.indexes.map(({ columns, unique, type }) => {
    const name = shortName(`${spec.relation}_${columns.join('_')}_${unique === true ? 'key' : 'idx'}`);
    const method = type === undefined ? '' : ` USING ${quoteIdentifier(type)}`;
    return `CREATE ${unique === true ? 'UNIQUE ' : ''}INDEX ${quoteIdentifier(name)} ON ${quoteRelation(table)}${method} (${columns.map(quoteIdentifier).join(', ')})`;
  });
}
