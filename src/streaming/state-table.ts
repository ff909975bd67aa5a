/** Tables in seg's own schema of an engine. */
import type { Connection } from '../engines/connection.ts';
import type { RelationName } from '../ivm/catalog.ts';
import type { Dialect, TableColumn } from './dialect.ts';

export async function stateTableExists(
  db: Connection,
  dialect: Dialect,
  table: RelationName,
): Promise<boolean> {
  const { rows } = await db.query<{ name: string }>(dialect.objectsIn(table.schema));
  return rows.some(({ name }) => name === table.name);
}

/** Makes the schema and the table where they are missing; without a key, which Materialize has not. */
export async function ensureStateTable(
  db: Connection,
  dialect: Dialect,
  table: RelationName,
  columns: readonly TableColumn[],
): Promise<void> {
  if (await stateTableExists(db, dialect, table)) return;
  await db.exec(dialect.createSchema(table.schema));
  for (const statement of dialect.createTable({ name: table, columns, key: [], onConflict: 'last' })) {
    try {
      await db.exec(statement);
    } catch (error) {
      // Somebody else has made it at the same moment.
      if (!(await stateTableExists(db, dialect, table))) throw error;
    }
  }
}
