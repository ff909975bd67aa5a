/**
 * Columns that maintenance keeps beside those of a model (the key of its partitions, the state of its groups), in the model's
 * own table: users read a view of the visible ones.
 */
import type { Connection } from '../engines/connection.ts';
import { columnsOf } from '../engines/introspect.ts';
import type { RelationName } from '../ivm/catalog.ts';
import type { Stage } from '../ivm/plan/stage.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';

export interface HiddenRequest {
  readonly table: RelationName;
  /** A SELECT of the stage's columns, the hidden ones after the others. */
  readonly query: string;
  readonly visible: readonly { readonly name: string }[];
  /** Whether columns of the right names hold what they should, up to rows written since. */
  readonly stands: boolean;
}

/**
 * Makes the table hold exactly the stage's hidden columns beside the visible ones, and fills the table anew when they were not there.
 * @returns whether it was filled
 */
export async function placeHiddenColumns(
  tx: Connection,
  stage: Stage,
  { table, query, visible, stands }: HiddenRequest,
): Promise<boolean> {
  const wanted = stage.columns.filter(({ hidden }) => hidden).map(({ name }) => name);
  const shown = new Set(visible.map(({ name }) => name));
  const present = (await columnsOf(tx, table)).map(({ name }) => name).filter((name) => !shown.has(name));
  if (stands && JSON.stringify(present) === JSON.stringify(wanted)) return false;
  if (present.length + wanted.length === 0) return false;
  const target = quoteRelation(table);
  const changes = present.map((name) => `DROP COLUMN ${quoteIdentifier(name)}`);
  for (const { name, definition } of await definitions(tx, query, wanted))
    changes.push(`ADD COLUMN ${quoteIdentifier(name)} ${definition}`);
  await tx.exec(`ALTER TABLE ${target} ${changes.join(', ')}`);
  if (wanted.length === 0) return false;
  const list = stage.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  await tx.exec(`TRUNCATE ${target}`);
  await tx.exec(`INSERT INTO ${target} (${list}) ${query}`);
  return true;
}

/** Types and collations of some columns of a query. */
async function definitions(
  tx: Connection,
  query: string,
  names: readonly string[],
): Promise<{ name: string; definition: string }[]> {
  if (names.length === 0) return [];
  await tx.exec(`CREATE TEMPORARY VIEW "_seg_types" AS ${query}`);
  const { rows } = await tx.query<{ name: string; definition: string }>(
    `SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) || coalesce(' COLLATE ' || CASE
              WHEN a.attcollation <> t.typcollation THEN quote_ident(n.nspname) || '.' || quote_ident(c.collname) END, '') AS definition
     FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
     LEFT JOIN pg_collation AS c ON c.oid = a.attcollation LEFT JOIN pg_namespace AS n ON n.oid = c.collnamespace
     WHERE a.attrelid = 'pg_temp._seg_types'::regclass AND a.attname = ANY (ARRAY(SELECT jsonb_array_elements_text($1::jsonb)))
     ORDER BY a.attnum`,
    [JSON.stringify(names)],
  );
  await tx.exec('DROP VIEW pg_temp."_seg_types"');
  return rows;
}
