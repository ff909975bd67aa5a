/** Migration: what the plans of views take for granted of the tables they read, and the event trigger that keeps it so. */
import { quoteIdentifier } from '../sql/quote.ts';
import { shortName } from '../sql/short-name.ts';

/** @param seg the state schema, quoted */
export const reliedFacts = (seg: string): string => `
    -- Columns that are never NULL ('not null'), or that tell rows apart ('unique'), on which a view's plan rests (incremental/guard.ts).
    CREATE TABLE ${seg}.relied_fact (
      guard oid NOT NULL,
      title text NOT NULL,
      relation oid NOT NULL,
      kind text NOT NULL CHECK (kind IN ('not null', 'unique')),
      columns name[] NOT NULL
    );
    CREATE FUNCTION ${seg}.refuse_loss() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp AS $$
      DECLARE
        what text;
        readers text;
      BEGIN
        SELECT x.what, string_agg(x.title, ', ' ORDER BY x.title) INTO what, readers
        FROM (
          SELECT DISTINCT r.title, format(
            CASE r.kind WHEN 'not null' THEN 'column %s of %s must stay NOT NULL' ELSE 'the unique key (%s) of %s must stay' END,
            (SELECT string_agg(quote_ident(name), ', ') FROM unnest(r.columns) AS name), r.relation::regclass) AS what
          FROM ${seg}.relied_fact AS r
            JOIN pg_class AS g ON g.oid = r.guard
            JOIN pg_class AS c ON c.oid = r.relation
          WHERE CASE r.kind
            WHEN 'not null' THEN EXISTS (
              SELECT FROM pg_attribute AS a WHERE a.attrelid = r.relation AND a.attname = ANY (r.columns) AND NOT a.attnotnull)
            ELSE NOT EXISTS (
              SELECT FROM pg_index AS i WHERE i.indrelid = r.relation AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
                AND r.columns @> ARRAY(
                  SELECT a.attname FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (number, at)
                    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
                  WHERE k.at <= i.indnkeyatts))
            END
        ) AS x GROUP BY x.what ORDER BY x.what LIMIT 1;
        IF what IS NOT NULL THEN
          RAISE EXCEPTION '%: % relies on it', what, readers
            USING ERRCODE = 'dependent_objects_still_exist',
              HINT = 'How it is kept up to date was planned for the table as it is. Drop it, change the table, and make it anew.';
        END IF;
      END $$;
    -- Managed servers keep event triggers to themselves.
    DO $$ BEGIN
      CREATE EVENT TRIGGER ${quoteIdentifier(shortName('seg_refuse_loss', seg))} ON ddl_command_end
        WHEN TAG IN ('ALTER TABLE', 'DROP INDEX') EXECUTE FUNCTION ${seg}.refuse_loss();
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END $$;`;
