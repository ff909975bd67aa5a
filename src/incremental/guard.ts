/**
 * A view's query as a plain view that nobody reads: so PostgreSQL knows which columns, tables, views and functions the
 * maintenance of it needs, and refuses to drop or alter them, naming who depends on them:
 *
 *     ERROR:  cannot drop column amount of table shop.orders because other objects depend on it
 *     DETAIL:  view _seg."model shop.rates" depends on column amount of table shop.orders
 *
 * The views that users see cannot say so: they read the tables of the state schema. What PostgreSQL lets through, a RENAME
 * (views follow it, programs cannot), is refused by an event trigger where the role may create one (state/schema.ts); it
 * compares the names in `read_column` with the catalog.
 */
import { segError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import type { RelationName } from '../ivm/catalog.ts';
import type { StoredPlan } from './stored-plan.ts';
import { quoteIdentifier, quoteLiteral, quoteRelation } from '../sql/quote.ts';
import { shortName } from '../sql/short-name.ts';

export interface GuardedView {
  readonly relation: RelationName;
  /** `model "rates" (shop.rates, models/rates.sql)`: begins with the word for what it is. */
  readonly title: string;
  readonly definition: string;
  readonly plan: Pick<StoredPlan, 'stages' | 'inputs'>;
}

/**
 * Makes the guard unless it stands; the definition's names are looked up along the connection's search_path.
 * @throws SegError SEG439 for a view that reads a virtual generated column
 */
export async function ensureGuard(tx: Connection, stateSchema: string, view: GuardedView): Promise<void> {
  const name = { schema: stateSchema, name: guardName(view.title.split(' ')[0]!, view.relation) };
  const quoted = quoteRelation(name);
  const { rows } = await tx.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    quoted,
  ]);
  if (rows[0]?.there === true) {
    await tx.query(
      `UPDATE ${quoteIdentifier(stateSchema)}.read_column SET title = $2 WHERE guard = $1::regclass AND title <> $2`,
      [quoted, view.title],
    );
    await noteViews(tx, stateSchema, quoted);
    await noteReliedFacts(tx, stateSchema, quoted, view);
    return;
  }
  await tx.exec(
    `CREATE VIEW ${quoted} AS\n${view.definition};
     COMMENT ON VIEW ${quoted} IS ${quoteLiteral(`Never read. While it stands, nothing that ${view.title} needs can be dropped.`)}`,
  );
  await tx.query(
    `WITH RECURSIVE reads (view) AS (
       SELECT $1::regclass::oid
       UNION
       SELECT c.oid FROM reads AS r JOIN pg_rewrite AS w ON w.ev_class = r.view
         JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
         JOIN pg_class AS c ON c.oid = d.refobjid AND c.relkind = 'v')
     INSERT INTO ${quoteIdentifier(stateSchema)}.read_column (guard, title, relation, number, schema_name, relation_name, column_name)
     SELECT DISTINCT $1::regclass::oid, $2, c.oid, a.attnum, n.nspname, c.relname, a.attname
     FROM reads AS r JOIN pg_rewrite AS w ON w.ev_class = r.view
       JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
       JOIN pg_class AS c ON c.oid = d.refobjid AND c.oid <> r.view JOIN pg_namespace AS n ON n.oid = c.relnamespace
       LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid AND a.attnum > 0
     WHERE n.nspname <> $3`,
    [quoted, view.title, stateSchema],
  );
  await refuseVirtual(tx, stateSchema, quoted, view.title);
  await noteViews(tx, stateSchema, quoted);
  await noteReliedFacts(tx, stateSchema, quoted, view);
}

/** Writes down what the plain views are that it reads, so that none is replaced by another under the same name. */
async function noteViews(tx: Connection, stateSchema: string, guard: string): Promise<void> {
  const seg = quoteIdentifier(stateSchema);
  await tx.query(
    `UPDATE ${seg}.read_column SET rule = ${seg}.rule_of(relation) WHERE guard = $1::regclass AND rule IS DISTINCT FROM ${seg}.rule_of(relation)`,
    [guard],
  );
}

/**
 * Writes down what the plan takes for granted, so that it is not taken away (state/relied-facts.ts): that unique keys are, where rows are
 * told apart by them, and that columns are never NULL, where places in an order are compared.
 */
async function noteReliedFacts(
  tx: Connection,
  stateSchema: string,
  guard: string,
  { title, plan }: GuardedView,
): Promise<void> {
  const seg = quoteIdentifier(stateSchema);
  const strategies = new Set(plan.stages.map(({ stage }) => stage.strategy));
  // The views above rest on the keys of this one.
  const keyed =
    plan.stages.at(-1)?.stage.keys !== undefined ||
    ['rekey', 'suffix', 'merge'].some((strategy) => strategies.has(strategy as 'merge'));
  const keys = keyed
    ? plan.inputs.flatMap(({ table, keys: known }) =>
        known.filter((key) => key.length > 0).map((columns) => ({ table: quoteRelation(table), columns })),
      )
    : [];
  await tx.query(
    `WITH gone AS (DELETE FROM ${seg}.relied_fact WHERE guard = $1::regclass),
       keys AS (SELECT (k ->> 'table')::regclass::oid AS relation, ARRAY(SELECT jsonb_array_elements_text(k -> 'columns'))::name[] AS columns
                FROM jsonb_array_elements($3::jsonb) AS k)
     INSERT INTO ${seg}.relied_fact (guard, title, relation, kind, columns)
     SELECT $1::regclass::oid, $2, relation, kind, columns FROM keys, unnest(ARRAY['unique', 'not null']) AS kind
     UNION
     SELECT r.guard, $2, r.relation, 'not null', ARRAY[r.column_name] FROM ${seg}.read_column AS r
       JOIN pg_attribute AS a ON a.attrelid = r.relation AND a.attnum = r.number AND a.attnotnull
     WHERE $4 AND r.guard = $1::regclass`,
    [guard, title, JSON.stringify(keys), strategies.has('suffix')],
  );
}

/** What a trigger is handed of a changed row has NULL in a virtual generated column (PostgreSQL 18). */
async function refuseVirtual(
  tx: Connection,
  stateSchema: string,
  guard: string,
  title: string,
): Promise<void> {
  const { rows } = await tx.query<{ name: string }>(
    `SELECT format('%I of %I.%I', r.column_name, r.schema_name, r.relation_name) AS name
     FROM ${quoteIdentifier(stateSchema)}.read_column AS r
       JOIN pg_attribute AS a ON a.attrelid = r.relation AND a.attnum = r.number
     WHERE r.guard = $1::regclass AND a.attgenerated = 'v' ORDER BY 1 LIMIT 1`,
    [guard],
  );
  if (rows[0] === undefined) return;
  throw segError(
    'SEG439',
    `${title} reads the virtual generated column ${rows[0].name}, whose values no trigger sees`,
    {
      hint: 'Make the column STORED, or write its expression in the query.',
      exitCode: 1,
    },
  );
}

/** Takes the guard away, so that what it protects can be changed. Does nothing where none stands. */
export async function dropGuard(tx: Connection, stateSchema: string, relation: RelationName): Promise<void> {
  const names = kinds.map((kind) => quoteRelation({ schema: stateSchema, name: guardName(kind, relation) }));
  await tx.query(
    `DELETE FROM ${quoteIdentifier(stateSchema)}.read_column
     WHERE guard = ANY (ARRAY(SELECT to_regclass(name)::oid FROM jsonb_array_elements_text($1::jsonb) AS name))
        OR guard NOT IN (SELECT oid FROM pg_class WHERE relkind = 'v')`,
    [JSON.stringify(names)],
  );
  await tx.query(
    `DELETE FROM ${quoteIdentifier(stateSchema)}.relied_fact WHERE guard NOT IN (SELECT guard FROM ${quoteIdentifier(stateSchema)}.read_column)`,
  );
  await tx.exec(names.map((name) => `DROP VIEW IF EXISTS ${name}`).join('; '));
}

/** The titles of the maintained views that read a relation, by column. */
export async function readersOf(
  tx: Connection,
  stateSchema: string,
  relation: RelationName,
): Promise<Map<string, string[]>> {
  const { rows } = await tx.query<{ column: string; titles: string[] }>(
    `SELECT column_name::text AS "column", to_jsonb(array_agg(DISTINCT title ORDER BY title)) AS titles
     FROM ${quoteIdentifier(stateSchema)}.read_column
     WHERE schema_name = $1 AND relation_name = $2 AND column_name IS NOT NULL GROUP BY 1`,
    [relation.schema, relation.name],
  );
  return new Map(rows.map(({ column, titles }) => [column, titles]));
}

/** What can be maintained: a node may change from one to another under the same name. */
const kinds = ['model', 'test', 'view'];

function guardName(kind: string, relation: RelationName): string {
  return shortName(`${kind} ${relation.schema}.${relation.name}`);
}
