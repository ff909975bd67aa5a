/** The trigger function that announces a statement on an input, under a name of its own. */
import { quoteIdentifier, quoteLiteral, quoteRelation } from '../sql/quote.ts';
import { WRITERS_LOCK } from './schema.ts';

/**
 * What `begin_statement` of the state schema does. For tables of somebody else's: their triggers can be taken away by dropping the
 * function, which needs no right on the table, so it must not be shared. Nothing in it is looked up along the writer's
 * search_path, and it runs with the writer's rights.
 */
export function beginStatement(
  stateSchema: string,
  name: { readonly schema: string; readonly name: string },
): string {
  return `CREATE OR REPLACE FUNCTION ${quoteRelation(name)}() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        answer text;
      BEGIN
        answer := pg_catalog.pg_advisory_xact_lock(${WRITERS_LOCK}, pg_catalog.hashtext(${quoteLiteral(quoteIdentifier(stateSchema))}))::text;
        answer := pg_catalog.set_config('seg.pending', coalesce(pg_catalog.current_setting('seg.pending', true), '') OPERATOR(pg_catalog.||) TG_RELID::text OPERATOR(pg_catalog.||) ',', true);
        RETURN NULL;
      END $$`;
}
