/** Functions whose answer does not last: by the catalog's word for each function and operator that a query really calls. */
import { quoteIdentifier } from '../sql/quote.ts';
import { fleetingSyntax } from '../sql/fleeting.ts';
import type { NamedFunction } from '../sql/relations.ts';
import type { Connection } from './connection.ts';
import { readingFunctions } from './table-reads.ts';

/** A call that makes a stored answer wrong after a while. */
export interface UnstableCall {
  /** As the query names it, without schema. */
  readonly name: string;
  /** `random()`, `shop.wrap(integer)`, for people. */
  readonly text: string;
  /**
   * `time`: it reads the time of the call. `volatile`: it answers differently at each call, as far as the catalog says. `session`: it
   * depends on who asks. `reads`: it reads a table that the query does not name. `place`: a system column, which tells where a row lies. `sample`, `lock`: as in sql/fleeting.ts.
   */
  readonly kind: 'time' | 'volatile' | 'session' | 'reads' | 'place' | 'sample' | 'lock';
  /** Of kind `reads`: what, for people. */
  readonly reads?: string;
  /** The plain view that calls it; null when the query does itself. */
  readonly via: string | null;
}

/** Not volatile by the catalog, and nevertheless another answer in another statement. */
const timeFunctions = new Set([
  'now',
  'current_timestamp',
  'current_date',
  'current_time',
  'localtimestamp',
  'localtime',
  'transaction_timestamp',
  'statement_timestamp',
]);
/** Stable within a statement, and another answer in another session, or another transaction. */
const sessionFunctions =
  /^((current|session)_user|user|current_role|getpgusername|current_schemas?|current_setting|txid_current(_if_assigned|_snapshot)?|pg_current_(xact_id(_if_assigned)?|snapshot)|pg_backend_pid|inet_(client|server)_(addr|port)|pg_my_temp_schema|row_security_active|has_\w+_privilege|pg_has_role|txid_status|pg_xact_status|pg_stat_get_\w+)$/;
/** Volatile, and about the time too. */
const clocks = new Set(['clock_timestamp', 'timeofday']);

/** A call, and the plain view in whose text it stands. */
export type PlacedCall = NamedFunction & { readonly via: string | null };

/**
 * @param calls functions called by name, in the query and in the plain views it reads; names of the system's own are not qualified
 * @param view the query as a view that stands: its dependencies tell the user's functions and operators, also those of casts
 * @param stateSchema the schema of seg's state
 */
export async function unstableCalls(
  tx: Connection,
  calls: readonly PlacedCall[],
  view: { readonly schema: string; readonly name: string },
  stateSchema: string,
): Promise<UnstableCall[]> {
  const own = calls.filter(({ schema }) => schema === null || schema === 'pg_catalog');
  // ts_rewrite has a volatile form, which runs a query given as text.
  const { rows: builtIn } = await tx.query<{ name: string }>(
    `SELECT DISTINCT proname::text AS name FROM pg_proc
     WHERE pronamespace = 'pg_catalog'::regnamespace AND provolatile = 'v' AND proname <> 'ts_rewrite'
       AND proname = ANY (ARRAY(SELECT jsonb_array_elements_text($1::jsonb)))`,
    [JSON.stringify([...new Set(own.map(({ name }) => name))])],
  );
  const volatile = new Set(builtIn.map(({ name }) => name));
  const named = own.flatMap(({ name, via, args }): UnstableCall[] => {
    // age(x) is the age at the beginning of today.
    const time = timeFunctions.has(name) || clocks.has(name) || (name === 'age' && args === 1);
    const session = sessionFunctions.test(name);
    if (!time && !session && !volatile.has(name)) return [];
    return [{ name, text: `${name}()`, kind: time ? 'time' : session ? 'session' : 'volatile', via }];
  });
  const probe = `${quoteIdentifier(view.schema)}.${quoteIdentifier(view.name)}`;
  const { rows: users } = await tx.query<UnstableCall>(
    `${viewsRead}
     SELECT DISTINCT x.name, x.text, x.kind, CASE WHEN r.view <> $1::regclass THEN r.view::regclass::text END AS via
     FROM reads AS r JOIN pg_rewrite AS w ON w.ev_class = r.view
       JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
       CROSS JOIN LATERAL (
         SELECT p.proname::text, p.oid::regprocedure::text, 'volatile' FROM pg_proc AS p
         WHERE p.provolatile = 'v' AND p.oid = CASE d.refclassid
           WHEN 'pg_proc'::regclass THEN d.refobjid
           WHEN 'pg_operator'::regclass THEN (SELECT o.oprcode FROM pg_operator AS o WHERE o.oid = d.refobjid) END
         UNION ALL
         -- tableoid stays what it is as long as the row does.
         SELECT a.attname::text, a.attname::text, 'place' FROM pg_attribute AS a
         WHERE d.refclassid = 'pg_class'::regclass AND d.refobjsubid < 0 AND a.attname <> 'tableoid'
           AND a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
       ) AS x (name, text, kind)
     ORDER BY x.kind DESC, x.name, x.text`,
    [probe],
  );
  const reading = await readingFunctions(tx, functionsCalled, [probe], stateSchema);
  return [
    ...named,
    ...users,
    ...reading.map((call): UnstableCall => ({ ...call, kind: 'reads', via: null })),
  ];
}

/** The view $1 and the plain views that it reads, through others too. */
const viewsRead = `WITH RECURSIVE reads (view) AS (
       SELECT $1::regclass::oid
       UNION
       SELECT c.oid FROM reads AS r JOIN pg_rewrite AS w ON w.ev_class = r.view
         JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
         JOIN pg_class AS c ON c.oid = d.refobjid AND c.relkind = 'v')`;

/** The functions that the view $1 calls: by name, by operators, and in the CHECKs of the domains it casts to; through plain views too. */
const functionsCalled = `${viewsRead},
     needed (classid, objid) AS (
       SELECT d.refclassid, d.refobjid FROM reads AS r JOIN pg_rewrite AS w ON w.ev_class = r.view
         JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
       UNION
       SELECT d.refclassid, d.refobjid FROM needed AS t
         JOIN pg_constraint AS c ON t.classid = 'pg_type'::regclass AND c.contypid = t.objid
         JOIN pg_depend AS d ON d.classid = 'pg_constraint'::regclass AND d.objid = c.oid)
     SELECT DISTINCT CASE WHEN n.classid = 'pg_proc'::regclass THEN n.objid ELSE o.oprcode::oid END::text AS oid
     FROM needed AS n LEFT JOIN pg_operator AS o ON n.classid = 'pg_operator'::regclass AND o.oid = n.objid
     WHERE n.classid = 'pg_proc'::regclass OR o.oid IS NOT NULL ORDER BY 1`;

/**
 * What a query says that has no lasting answer whatever the catalog says.
 * @param written the query as its author wrote it
 * @param printed as PostgreSQL prints it, which by then has read 'today' as a date: a view would keep that day
 */
export function unstableSyntax(written: string, printed: string): UnstableCall[] {
  const literals = (sql: string): string[] =>
    fleetingSyntax(sql).flatMap(({ kind, text }) => (kind === 'literal' ? [text] : []));
  const left = literals(printed);
  const read = literals(written).filter((text) => {
    const at = left.indexOf(text);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return [
    ...syntaxOf(written, null),
    ...read.map((text): UnstableCall => ({ name: text, text, kind: 'time', via: null })),
  ];
}

/** @param via the plain view whose text it is */
export function syntaxOf(sql: string, via: string | null): UnstableCall[] {
  return fleetingSyntax(sql).flatMap(({ kind, text }) =>
    kind === 'literal' ? [] : [{ name: text, text, kind, via }],
  );
}
