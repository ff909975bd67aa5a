/**
 * The family of a table: partitions and inheritance. A table's rows are its own and those of all tables below it. A statement fires the
 * statement triggers of the table it names, and no others: so a table is changed by statements on itself, on tables below it (whose
 * triggers see all that changes of it), and on other tables above any of these (of whose changes only some are its own).
 */

/** @param oid SQL for the table's oid; @returns a query of its relatives: relation, above */
export function familySql(oid: string): string {
  return `(WITH RECURSIVE
      below AS (
        SELECT (${oid})::pg_catalog.oid AS relation
        UNION SELECT i.inhrelid FROM below AS b JOIN pg_catalog.pg_inherits AS i ON i.inhparent = b.relation AND NOT i.inhdetachpending),
      above AS (
        SELECT i.inhparent AS relation FROM below AS b JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = b.relation AND NOT i.inhdetachpending
        UNION SELECT i.inhparent FROM above AS a JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = a.relation AND NOT i.inhdetachpending)
    SELECT relation, false AS above FROM below WHERE relation <> (${oid})
    UNION ALL
    SELECT relation, true FROM above WHERE relation NOT IN (SELECT relation FROM below))`;
}
