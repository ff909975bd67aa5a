/** Relations whose changes seg cannot follow: what each is, where the query reads it, and what to do instead. */
import { locationAt } from '../diagnostics/source-map.ts';
import type { Connection } from '../engines/connection.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { namesInQuery } from '../sql/relations.ts';

export class NotMaintainable extends Error {
  /** The code that a project gives the same refusal. */
  readonly code = 'SEG436';
  readonly relation: string;

  constructor(relation: string, message: string) {
    super(message);
    this.name = 'NotMaintainable';
    this.relation = relation;
  }
}

const kinds: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  temporary: ['a temporary table or view', 'Use a table: a session that ends would take the rows along.'],
  unlogged: [
    'an unlogged table',
    'ALTER TABLE ... SET LOGGED: after a crash it is empty, and what was computed from it is not.',
  ],
  system: ['a system relation', 'Keep what you need of it in a table.'],
  family: [
    'a table with partitions, parents or children of which one is foreign, unlogged or temporary',
    'Take that one out (DETACH PARTITION, NO INHERIT), or copy its rows into a table.',
  ],
  m: ['a materialized view', 'Read what it reads, or make its query an incremental view.'],
  f: ['a foreign table', 'Copy its rows into a table.'],
  S: ['a sequence', 'Write the number into the row where it is made.'],
  other: ['no plain table or view', 'Read a table.'],
};

/** The error for a relation that is neither a table nor a view that triggers cover. */
export async function notMaintainable(
  tx: Connection,
  relation: RelationName,
  sql: string,
): Promise<NotMaintainable> {
  // Without a schema only system relations and temporary ones are printed.
  const name = relation.schema === 'pg_catalog' ? quoteIdentifier(relation.name) : quoteRelation(relation);
  const { rows } = await tx.query<{ kind: string; name: string }>(
    `SELECT CASE WHEN c.relpersistence = 't' THEN 'temporary'
                 WHEN n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast') THEN 'system'
                 WHEN c.relpersistence = 'u' THEN 'unlogged'
                 WHEN c.relkind IN ('r', 'p') THEN 'family'
                 ELSE c.relkind::text END AS kind,
            quote_ident(CASE WHEN c.relpersistence = 't' THEN 'pg_temp' ELSE n.nspname END) || '.' || quote_ident(c.relname) AS name
     FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)`,
    [name],
  );
  const [what, remedy] = kinds[rows[0]?.kind ?? 'other'] ?? kinds['other']!;
  return new NotMaintainable(
    quoteRelation(relation),
    `${rows[0]?.name ?? name} is ${what}, so changes to it cannot be followed${placeIn(sql, relation)}. ${remedy}`,
  );
}

/** The error for a relation with a column whose name programs use for their own; undefined when there is none. */
export function reservedColumn(
  relation: RelationName & { readonly columns: readonly { readonly name: string }[] },
  sql: string,
): NotMaintainable | undefined {
  const reserved = relation.columns.find(({ name }) => name.startsWith('_seg_'));
  if (reserved === undefined) return undefined;
  const key = quoteRelation(relation);
  return new NotMaintainable(
    key,
    `${key} has the column "${reserved.name}", and names that begin with "_seg_" are those of seg's programs, so changes to it cannot be followed${placeIn(sql, relation)}. Rename the column.`,
  );
}

function placeIn(sql: string, relation: RelationName): string {
  const at = namesInQuery(sql).relations.find((named) => named.name === relation.name);
  const { line, column } = locationAt('', sql, at?.offset ?? 0);
  return at === undefined ? ' (through a plain view)' : ` (line ${line}, column ${column})`;
}
