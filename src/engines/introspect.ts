/** What an engine's catalog knows of a query: its canonical text, and every relation and function in it. */
import { familySql } from '../sql/family.ts';
import { quoteRelation } from '../sql/quote.ts';
import { namesInQuery } from '../sql/relations.ts';
import type { Connection } from './connection.ts';
import { typeToHash, withHashable } from './hashable.ts';
import { syntaxOf, unstableCalls, unstableSyntax } from './lasting.ts';
import type { PlacedCall, UnstableCall } from './lasting.ts';

export interface IntrospectedColumn {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly hashable: boolean;
  /** GENERATED ALWAYS AS IDENTITY. */
  readonly identity: boolean;
  /** Its collation, where that holds texts for equal that are not the same. */
  readonly loose: string | null;
}

export interface IntrospectedRelation {
  readonly schema: string;
  readonly name: string;
  /** `other`: system relations, foreign tables, temporary ones: what statement triggers do not cover. */
  readonly kind: 'table' | 'view' | 'other';
  /** Whether its rows are its own and those of tables that inherit from it, which keep neither its keys nor its numbers. */
  readonly parent?: boolean;
  readonly columns: readonly IntrospectedColumn[];
  /** Of a view. */
  readonly definition: string | null;
  /** Unique and not null column lists. */
  readonly keys: readonly (readonly string[])[];
  /** Column lists of plain btree indexes, partial ones left out. */
  readonly indexes: readonly (readonly string[])[];
}

export interface Introspection {
  readonly canonical: string;
  readonly columns: readonly IntrospectedColumn[];
  readonly relations: readonly IntrospectedRelation[];
  readonly functions: ReadonlyMap<string, { aggregate: boolean; volatile: boolean; returnsSet: boolean }>;
  /** Calls whose answer does not last, in the query and in the plain views it reads. */
  readonly unstable: readonly UnstableCall[];
}

/**
 * Asks the engine what a SELECT means, by a temporary view that is gone afterwards. `loadSqlParser` must have been awaited.
 * Names are looked up along the connection's search_path.
 * @param opaque relations not to look into (`"schema"."name"`): maintained views, whose definition does not matter here
 * @param stateSchema the schema of seg's state
 * @throws DatabaseError when the query is not valid
 */
export async function introspect(
  connection: Connection,
  query: string,
  opaque: ReadonlySet<string> = new Set(),
  stateSchema = '_seg',
): Promise<Introspection> {
  return connection.transaction(async (tx) => {
    await tx.exec(`CREATE TEMPORARY VIEW "_seg_probe" AS ${query}`);
    const { rows: settings } = await tx.query<{ path: string }>(
      `SELECT current_setting('search_path') AS path`,
    );
    // With nothing else on the path every other name is printed with its schema.
    await tx.query(`SELECT set_config('search_path', 'pg_catalog, pg_temp', true)`);
    const probe = { schema: 'pg_temp', name: '_seg_probe' };
    const canonical = await definitionOf(tx, probe);
    const columns = await columnsOf(tx, probe);
    const relations = new Map<string, IntrospectedRelation>();
    const functions = new Set<string>();
    const calls: PlacedCall[] = [];
    const syntax = unstableSyntax(query, canonical);
    const pending: { text: string; via: string | null }[] = [{ text: canonical, via: null }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { text, via } = next;
      const names = namesInQuery(text);
      for (const call of names.functions) {
        functions.add(call.name);
        calls.push({ ...call, via });
      }
      for (const { schema, name } of names.relations) {
        if (schema === null) {
          // Only system relations and temporary tables are printed without their schema.
          const other = { kind: 'other', columns: [], definition: null, keys: [], indexes: [] } as const;
          relations.set(quoteRelation({ schema: 'pg_catalog', name }), {
            schema: 'pg_catalog',
            name,
            ...other,
          });
          continue;
        }
        const key = quoteRelation({ schema, name });
        if (relations.has(key)) continue;
        const relation = await relationOf(tx, { schema, name }, opaque.has(key));
        relations.set(key, relation);
        if (relation.definition === null) continue;
        const read = { text: relation.definition, via: `${schema}.${name}` };
        pending.push(read);
        syntax.push(...syntaxOf(read.text, read.via));
      }
    }
    const traits = await functionTraits(tx, [...functions]);
    const unstable = [...(await unstableCalls(tx, calls, probe, stateSchema)), ...syntax];
    await tx.exec('DROP VIEW pg_temp."_seg_probe"');
    await tx.query(`SELECT set_config('search_path', $1, true)`, [settings[0]!.path]);
    return { canonical, columns, relations: [...relations.values()], functions: traits, unstable };
  });
}

interface Name {
  readonly schema: string;
  readonly name: string;
}

async function definitionOf(tx: Connection, relation: Name): Promise<string> {
  const { rows } = await tx.query<{ definition: string }>(
    'SELECT pg_get_viewdef($1::regclass) AS definition',
    [quoteRelation(relation)],
  );
  return rows[0]!.definition.replace(/;\s*$/, '');
}

export async function columnsOf(tx: Connection, relation: Name): Promise<IntrospectedColumn[]> {
  const { rows } = await tx.query<Omit<IntrospectedColumn, 'hashable'> & { toHash: number | null }>(
    `SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS "notNull",
            ${typeToHash} AS "toHash", a.attidentity = 'a' AS identity,
            (SELECT l.collname::text FROM pg_collation l WHERE l.oid = a.attcollation AND NOT l.collisdeterministic) AS loose
     FROM pg_attribute a
     WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [quoteRelation(relation)],
  );
  return withHashable(tx, rows);
}

async function relationOf(tx: Connection, relation: Name, opaque: boolean): Promise<IntrospectedRelation> {
  const { rows } = await tx.query<{ relkind: string; covered: boolean; children: boolean }>(
    `SELECT c.relkind::text, c.relnamespace <> 'pg_catalog'::regnamespace AND f.covered AS covered, f.children
     FROM pg_class AS c CROSS JOIN LATERAL (
       SELECT bool_and(m.relkind IN ('r', 'p') AND m.relpersistence = 'p') AS covered, bool_or(f.above IS FALSE) AS children
       FROM (SELECT c.oid AS relation, NULL::boolean AS above UNION ALL SELECT relation, above FROM ${familySql('c.oid')} AS x) AS f
         JOIN pg_class AS m ON m.oid = f.relation) AS f
     WHERE c.oid = $1::regclass`,
    [quoteRelation(relation)],
  );
  const kind =
    rows[0]?.covered === true
      ? 'table'
      : rows[0]?.relkind === 'v' && !isSystem(relation.schema)
        ? 'view'
        : 'other';
  const { rows: indexes } = await tx.query<{ columns: string[]; key: boolean }>(
    `SELECT to_jsonb(array_agg(a.attname ORDER BY k.place)) AS columns,
            i.indisunique AND i.indimmediate AND bool_and(a.attnotnull) AS key
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
     CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
     WHERE i.indrelid = $1::regclass AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid AND m.amname = 'btree'
       AND k.place <= i.indnkeyatts
     GROUP BY i.indexrelid, i.indisunique, i.indimmediate ORDER BY count(*), i.indexrelid`,
    [quoteRelation(relation)],
  );
  const family = rows[0]?.children === true;
  const parent = family && rows[0]?.relkind === 'r';
  const columns = await columnsOf(tx, relation);
  return {
    ...relation,
    kind,
    ...(parent ? { parent } : {}),
    // Tables that were attached bring numbers of their own.
    columns: columns.map((column) => ({
      ...column,
      notNull: column.notNull && !parent,
      identity: column.identity && !family,
    })),
    definition: kind === 'view' && !opaque ? await definitionOf(tx, relation) : null,
    keys: parent ? [] : indexes.filter(({ key }) => key).map(({ columns }) => columns),
    indexes: indexes.map(({ columns }) => columns),
  };
}

function isSystem(schema: string): boolean {
  return schema === 'pg_catalog' || schema === 'information_schema';
}

/** Where overloads of a name differ, the more careful answer: functions of the user's must be immutable. */
async function functionTraits(
  tx: Connection,
  names: readonly string[],
): Promise<Map<string, { aggregate: boolean; volatile: boolean; returnsSet: boolean }>> {
  const { rows } = await tx.query<{ name: string; aggregate: boolean; volatile: boolean; sets: boolean }>(
    `SELECT proname::text AS name, bool_or(prokind = 'a') AS aggregate, bool_or(proretset) AS sets,
            bool_or(prokind <> 'a' AND (provolatile = 'v' OR provolatile = 's' AND pronamespace <> 'pg_catalog'::regnamespace)) AS volatile
     FROM pg_proc WHERE proname = ANY (ARRAY(SELECT jsonb_array_elements_text($1::jsonb))) GROUP BY proname`,
    [JSON.stringify(names)],
  );
  return new Map(
    rows.map(({ name, aggregate, volatile, sets }) => [name, { aggregate, volatile, returnsSet: sets }]),
  );
}
