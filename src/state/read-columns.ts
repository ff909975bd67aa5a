/** Migration: what the maintenance of each view reads, and the event trigger that keeps its names. */
import { quoteIdentifier } from '../sql/quote.ts';
import { shortName } from '../sql/short-name.ts';

/** @param seg the state schema, quoted */
export const readColumns = (seg: string): string => `
    -- What the maintenance of each view reads, by the names its programs use (incremental/guard.ts).
    CREATE TABLE ${seg}.read_column (
      guard oid NOT NULL,
      title text NOT NULL,
      relation oid NOT NULL,
      number smallint,
      schema_name name NOT NULL,
      relation_name name NOT NULL,
      column_name name
    );
    CREATE FUNCTION ${seg}.refuse_rename() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp AS $$
      DECLARE
        what text;
        readers text;
      BEGIN
        SELECT x.what, string_agg(x.title, ', ' ORDER BY x.title) INTO what, readers
        FROM (
          SELECT DISTINCT r.title,
                 CASE WHEN n.nspname <> r.schema_name OR c.relname <> r.relation_name THEN format('%I.%I', r.schema_name, r.relation_name)
                      ELSE format('column %I of %I.%I', r.column_name, r.schema_name, r.relation_name) END AS what
          FROM ${seg}.read_column AS r
            JOIN pg_class AS g ON g.oid = r.guard
            JOIN pg_class AS c ON c.oid = r.relation
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            LEFT JOIN pg_attribute AS a ON a.attrelid = r.relation AND a.attnum = r.number
          WHERE n.nspname <> r.schema_name OR c.relname <> r.relation_name OR a.attname <> r.column_name
        ) AS x GROUP BY x.what ORDER BY x.what LIMIT 1;
        IF what IS NOT NULL THEN
          RAISE EXCEPTION '% cannot be renamed: it is read by %', what, readers
            USING ERRCODE = 'dependent_objects_still_exist',
              HINT = 'Add what bears the new name beside it, let its readers read that, deploy them, then drop the old one.';
        END IF;
      END $$;
    -- Managed servers keep event triggers to themselves: there the next write to the table fails, and names the reader.
    DO $$ BEGIN
      CREATE EVENT TRIGGER ${quoteIdentifier(shortName('seg_refuse_rename', seg))} ON ddl_command_end
        WHEN TAG IN ('ALTER TABLE', 'ALTER VIEW', 'ALTER SCHEMA') EXECUTE FUNCTION ${seg}.refuse_rename();
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END $$;`;
