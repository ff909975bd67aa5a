/** Whether values of a column's type can be hashed as part of a row: `hash_record_extended` asks the same of PostgreSQL's type cache. */

/**
 * An item of FROM with the one column `hashable`, for a column `a` of pg_attribute. Domains stand for their base types; arrays, ranges
 * and composites are hashable when all they are made of is.
 */
export const hashableColumn = `LATERAL (
  WITH RECURSIVE parts (oid) AS (
    SELECT a.atttypid
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
  )), false) AS hashable
  FROM parts AS p JOIN pg_type AS t ON t.oid = p.oid
) AS h`;
