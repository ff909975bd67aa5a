/**
 * Functions of the user's that read tables, whatever volatility they are declared with: no trigger of seg's stands on a table that only the
 * body of a function names, so a view that calls one would never follow it.
 *
 * What PostgreSQL knows of a body (BEGIN ATOMIC) it is asked; bodies that are text are parsed. A body that runs a query made at run
 * time may read anything. Functions in C are trusted, as PostgreSQL trusts them.
 */
import { parsePlPgSQLSync } from 'libpg-query';
import { namesInQuery } from '../sql/relations.ts';
import type { NamedFunction } from '../sql/relations.ts';
import type { Connection } from './connection.ts';

/** A function that reads a table, itself or through others that it calls. */
export interface ReadingFunction {
  readonly name: string;
  /** `shop.rate_of(integer)` */
  readonly text: string;
  /** `the table shop.rates`, or what else it reads. */
  readonly reads: string;
}

interface FunctionRow {
  readonly oid: string;
  readonly name: string;
  readonly text: string;
  readonly language: string;
  readonly atomic: boolean;
  readonly source: string;
  /** CREATE FUNCTION ...; null of an aggregate. */
  readonly definition: string | null;
}

/** What a body is seen to do. */
interface Body {
  /** Set when it reads a table. */
  readonly reads?: string;
  readonly calls: readonly NamedFunction[];
}

/** Objects below this number came with the server. */
const FIRST_OF_USERS = 16384;

/**
 * @param roots SQL that answers the object ids (`oid`) of functions that a query calls
 * @param params of `roots`
 * @param stateSchema the schema of seg's state, whose functions the planner knows
 */
export async function readingFunctions(
  tx: Connection,
  roots: string,
  params: readonly unknown[],
  stateSchema: string,
): Promise<ReadingFunction[]> {
  const { rows } = await tx.query<{ oid: string }>(roots, params);
  const found: ReadingFunction[] = [];
  for (const { oid } of rows) {
    const [called] = await functionsAt(tx, [oid], stateSchema);
    if (called === undefined) continue;
    const reads = await readsOf(tx, called, stateSchema, new Set());
    if (reads !== undefined) found.push({ name: called.name, text: called.text, reads });
  }
  return found;
}

async function readsOf(
  tx: Connection,
  called: FunctionRow,
  stateSchema: string,
  seen: Set<string>,
): Promise<string | undefined> {
  if (seen.has(called.oid)) return undefined;
  seen.add(called.oid);
  const body = called.atomic || called.definition === null ? { calls: [] } : bodyOf(called);
  if (body.reads !== undefined) return body.reads;
  const { rows } = await tx.query<{ oid: string | null; reads: string | null }>(dependencies, [
    called.oid,
    JSON.stringify(body.calls.map(({ schema, name }) => ({ schema, name }))),
    called.source,
  ]);
  const table = rows.find(({ reads }) => reads !== null);
  if (table !== undefined) return table.reads ?? undefined;
  for (const inner of await functionsAt(
    tx,
    rows.flatMap(({ oid }) => oid ?? []),
    stateSchema,
  )) {
    const reads = await readsOf(tx, inner, stateSchema, seen);
    if (reads !== undefined) return `${reads} through ${inner.text}`;
  }
  return undefined;
}

/** The relations and functions that a function depends on as far as the catalog knows, and those that its text may mean. */
const dependencies = `
  SELECT DISTINCT CASE d.refclassid WHEN 'pg_proc'::regclass THEN d.refobjid WHEN 'pg_operator'::regclass THEN o.oprcode::oid END::text AS oid,
         CASE WHEN c.relkind IN ('r', 'p', 'v', 'm', 'f') THEN 'the table ' || c.oid::regclass END AS reads
  FROM pg_depend AS d
    LEFT JOIN pg_operator AS o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
    LEFT JOIN pg_class AS c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
  WHERE d.classid = 'pg_proc'::regclass AND d.objid = $1::oid
  UNION
  SELECT unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggmtransfn, aggminvtransfn, aggmfinalfn])::oid::text, NULL
  FROM pg_aggregate WHERE aggfnoid = $1::oid
  UNION
  SELECT p.oid::text, NULL FROM jsonb_to_recordset($2::jsonb) AS called (schema text, name text)
    JOIN pg_proc AS p ON p.proname = called.name JOIN pg_namespace AS n ON n.oid = p.pronamespace AND (called.schema IS NULL OR n.nspname = called.schema)
  UNION
  SELECT o.oprcode::oid::text, NULL FROM pg_operator AS o WHERE o.oid >= ${FIRST_OF_USERS} AND strpos($3, o.oprname) > 0`;

async function functionsAt(
  tx: Connection,
  oids: readonly string[],
  stateSchema: string,
): Promise<FunctionRow[]> {
  const { rows } = await tx.query<FunctionRow>(
    `SELECT p.oid::text AS oid, p.proname::text AS name, p.oid::regprocedure::text AS text, l.lanname::text AS language,
            p.prosqlbody IS NOT NULL AS atomic, p.prosrc AS source, CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END AS definition
     FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang JOIN pg_namespace AS n ON n.oid = p.pronamespace
     WHERE p.oid = ANY (ARRAY(SELECT jsonb_array_elements_text($1::jsonb))::oid[]) AND p.oid >= ${FIRST_OF_USERS}
       AND n.nspname <> $2 AND (p.prokind = 'a' OR l.lanname NOT IN ('c', 'internal')) ORDER BY p.oid`,
    [JSON.stringify(oids), stateSchema],
  );
  return rows;
}

function bodyOf({ language, source, definition }: FunctionRow): Body {
  try {
    if (language === 'sql') return bodyOfQueries([source]);
    if (language === 'plpgsql') return bodyOfProcedure(parsePlPgSQLSync(definition ?? ''));
  } catch {
    return { reads: 'what seg cannot tell, since its body cannot be parsed', calls: [] };
  }
  // PL/Python, PL/Perl, PL/v8 and others reach tables by the names of their interfaces alone.
  return /\b(plpy|plv8|pg)\s*\.\s*\w*(execute|prepare|cursor|query|find)|\bspi_|SPI\b/i.test(source)
    ? { reads: 'tables, as its body says', calls: [] }
    : { calls: [] };
}

function bodyOfQueries(queries: readonly string[]): Body {
  const calls: NamedFunction[] = [];
  for (const query of queries) {
    const { relations, functions } = namesInQuery(query);
    const [first] = relations;
    if (first !== undefined) {
      const name = first.schema === null ? first.name : `${first.schema}.${first.name}`;
      return { reads: `the table ${name}`, calls: [] };
    }
    calls.push(...functions);
  }
  return { calls };
}

/** A parsed PL/pgSQL function: its statements hold their SQL as text. */
function bodyOfProcedure(parsed: unknown): Body {
  const queries: string[] = [];
  let dynamic = false;
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      node.forEach(visit);
      return;
    }
    if (node === null || typeof node !== 'object') return;
    for (const [kind, value] of Object.entries(node)) {
      if (/^PLpgSQL_stmt_dyn|^dynquery$/.test(kind)) dynamic = true;
      if (kind === 'query' && typeof value === 'string') queries.push(asStatement(value));
      visit(value);
    }
  };
  visit(parsed);
  if (dynamic) return { reads: 'what a query made at run time (EXECUTE) names', calls: [] };
  return bodyOfQueries(queries);
}

/** `x + 1` and `y := x + 1` are parts of statements. */
function asStatement(text: string): string {
  if (/^\s*(select|with|values|table|insert|update|delete|merge)\b/i.test(text)) return text;
  const assigned = /^\s*[\w.$"[\]\s]+?\s*:?=\s*([^=>][\s\S]*)$/.exec(text);
  return `SELECT ${assigned?.[1] ?? text}`;
}
