/** Migration: plain views that maintained ones read through stay what they were. */
import { quoteIdentifier } from '../sql/quote.ts';
import { shortName } from '../sql/short-name.ts';

/** Set for a transaction that puts the readers right itself: a deployment, or the library. */
export const DEPLOYING = 'seg.deploying';

/** @param seg the state schema, quoted */
export const readViews = (seg: string): string => `
    -- Of a plain view, what it was when its readers were planned (incremental/guard.ts).
    ALTER TABLE ${seg}.read_column ADD COLUMN rule text;
    CREATE FUNCTION ${seg}.rule_of(relation oid) RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
      $$ SELECT md5(pg_get_viewdef(oid)) FROM pg_class WHERE oid = relation AND relkind = 'v' $$;
    ${refuseReplacement(seg)};
    -- Managed servers keep event triggers to themselves.
    DO $$ BEGIN
      CREATE EVENT TRIGGER ${quoteIdentifier(shortName('seg_refuse_replacement', seg))} ON ddl_command_end
        WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE VIEW') EXECUTE FUNCTION ${seg}.refuse_replacement();
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END $$;`;

export function refuseReplacement(seg: string): string {
  return `CREATE OR REPLACE FUNCTION ${seg}.refuse_replacement() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp AS $$
      DECLARE
        what text;
        readers text;
      BEGIN
        IF current_setting('${DEPLOYING}', true) = 'on' THEN RETURN; END IF;
        SELECT x.what, string_agg(DISTINCT x.title, ', ' ORDER BY x.title) INTO what, readers
        FROM (
          SELECT r.title, CASE WHEN r.rule <> ${seg}.rule_of(c.oid) THEN format('view %I.%I cannot be replaced', r.schema_name, r.relation_name) END AS what
          FROM (SELECT DISTINCT guard, title, relation, schema_name, relation_name, rule FROM ${seg}.read_column) AS r
            JOIN pg_class AS g ON g.oid = r.guard
            JOIN pg_class AS c ON c.oid = r.relation
        ) AS x WHERE x.what IS NOT NULL GROUP BY x.what ORDER BY x.what LIMIT 1;
        IF what IS NOT NULL THEN
          RAISE EXCEPTION '%: it is read by %', what, readers
            USING ERRCODE = 'dependent_objects_still_exist',
              HINT = 'Its readers would not notice. Drop them first and make them again after; in a project, deploy the change with seg.';
        END IF;
      END $$`;
}
