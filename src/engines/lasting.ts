/** Functions whose answer does not last: by the catalog's word for each function and operator that a query really calls. */
import { quoteIdentifier } from '../sql/quote.ts';
import type { NamedFunction } from '../sql/relations.ts';
import type { Connection } from './connection.ts';

/** A call that makes a stored answer wrong after a while. */
export interface UnstableCall {
  /** As the query names it, without schema. */
  readonly name: string;
  /** `random()`, `shop.wrap(integer)`, for people. */
  readonly text: string;
  /** `time`: it reads the time of the call. `volatile`: it answers differently at each call, as far as the catalog says. */
  readonly kind: 'time' | 'volatile';
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
/** Volatile, and about the time too. */
const clocks = new Set(['clock_timestamp', 'timeofday']);

/** A call, and the plain view in whose text it stands. */
export type PlacedCall = NamedFunction & { readonly via: string | null };

/**
 * @param calls functions called by name, in the query and in the plain views it reads; names of the system's own are not qualified
 * @param view the query as a view that stands: its dependencies tell the user's functions and operators, also those of casts
 */
export async function unstableCalls(
  tx: Connection,
  calls: readonly PlacedCall[],
  view: { readonly schema: string; readonly name: string },
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
    if (!time && !volatile.has(name)) return [];
    return [{ name, text: `${name}()`, kind: time ? 'time' : 'volatile', via }];
  });
  const { rows: users } = await tx.query<UnstableCall>(
    `WITH RECURSIVE reads (view) AS (
       SELECT $1::regclass::oid
       UNION
       SELECT c.oid FROM reads AS r JOIN pg_rewrite AS w ON w.ev_class = r.view
         JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
         JOIN pg_class AS c ON c.oid = d.refobjid AND c.relkind = 'v')
     SELECT DISTINCT p.proname::text AS name, p.oid::regprocedure::text AS text, 'volatile' AS kind,
            CASE WHEN r.view <> $1::regclass THEN r.view::regclass::text END AS via
     FROM reads AS r JOIN pg_rewrite AS w ON w.ev_class = r.view
       JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
       LEFT JOIN pg_operator AS o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
       JOIN pg_proc AS p ON p.oid = CASE WHEN d.refclassid = 'pg_proc'::regclass THEN d.refobjid ELSE o.oprcode END
     WHERE p.provolatile = 'v' ORDER BY 1, 2`,
    [`${quoteIdentifier(view.schema)}.${quoteIdentifier(view.name)}`],
  );
  return [...named, ...users];
}
