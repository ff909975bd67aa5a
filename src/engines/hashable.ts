/** Whether values of a column's type can be hashed as part of a row: `hash_record_extended` asks the same of PostgreSQL's type cache. */
import type { Connection } from './connection.ts';

/** Types of PostgreSQL's own that can be. For all others the catalog is asked, which takes longer than all else about a column. */
const known = (
  'bool int2 int4 int8 float4 float8 numeric text varchar bpchar name uuid bytea jsonb ' +
  'date time timetz timestamp timestamptz interval'
)
  .split(' ')
  .map((name) => `'pg_catalog.${name}'::pg_catalog.regtype`);

/** An expression for a column `a` of pg_attribute: its type where the catalog has to be asked (`withHashable`), null where it is known to be hashable. */
export const typeToHash = `CASE WHEN a.atttypid NOT IN (${known.join(', ')}) THEN a.atttypid::pg_catalog.int8 END`;

/**
 * Columns with what can be hashed of them. Domains stand for their base types; arrays, ranges and composites are hashable when all they
 * are made of is.
 * @param columns `toHash` is what `typeToHash` has said
 */
export async function withHashable<C extends { readonly toHash: bigint | number | null }>(
  tx: Connection,
  columns: readonly C[],
): Promise<(Omit<C, 'toHash'> & { readonly hashable: boolean })[]> {
  const types = [...new Set(columns.flatMap(({ toHash }) => (toHash === null ? [] : [String(toHash)])))];
  const hashable = new Map<string, boolean>();
  if (types.length > 0) {
    const { rows } = await tx.query<{ type: string; hashable: boolean }>(
      `SELECT a.type::text AS type, (
         WITH RECURSIVE parts (oid) AS (
           SELECT a.type::oid
           UNION
           SELECT x.oid FROM parts AS p JOIN pg_type AS t ON t.oid = p.oid CROSS JOIN LATERAL (
             SELECT t.typbasetype WHERE t.typtype = 'd'
             UNION ALL SELECT t.typelem WHERE t.typcategory = 'A' AND t.typelem <> 0 AND t.typtype = 'b'
             UNION ALL SELECT r.rngsubtype FROM pg_range AS r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
             UNION ALL SELECT b.atttypid FROM pg_attribute AS b WHERE t.typtype = 'c' AND b.attrelid = t.typrelid AND b.attnum > 0 AND NOT b.attisdropped
           ) AS x (oid)
         )
         SELECT coalesce(bool_and(t.typtype IN ('d', 'e', 'c', 'r', 'm') OR t.typcategory = 'A' AND t.typelem <> 0 OR EXISTS (
           SELECT FROM pg_opclass AS c JOIN pg_am AS m ON m.oid = c.opcmethod
             JOIN pg_amproc AS f ON f.amprocfamily = c.opcfamily AND f.amproclefttype = c.opcintype AND f.amprocnum = 2
           WHERE m.amname = 'hash' AND c.opcdefault AND (c.opcintype = t.oid OR EXISTS (
             SELECT FROM pg_cast AS k WHERE k.castsource = t.oid AND k.casttarget = c.opcintype AND k.castmethod = 'b' AND k.castcontext = 'i'))
         )), false)
         FROM parts AS p JOIN pg_type AS t ON t.oid = p.oid) AS hashable
       FROM jsonb_array_elements_text($1::jsonb) AS a (type)`,
      [JSON.stringify(types)],
    );
    for (const row of rows) hashable.set(row.type, row.hashable);
  }
  return columns.map(({ toHash, ...column }) => ({
    ...column,
    hashable: toHash === null || hashable.get(String(toHash)) === true,
  }));
}
