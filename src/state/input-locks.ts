/**
 * Locks in one order. TRUNCATE has its table to itself before any trigger runs, and waits for its turn then. A writer that had the turn
 * and read that table only later would wait for TRUNCATE, and TRUNCATE for the turn (a deadlock). So writers first lock what programs
 * may read, for reading, and wait for their turn after that: whoever has the turn never waits for TRUNCATE.
 */
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier, quoteLiteral, quoteRelation } from '../sql/quote.ts';
import { announceStatement, ANNOUNCE } from './begin-statement.ts';

/** Migration: the function that locks all inputs; `writeInputLocks` makes it anew when there are others. */
export function inputLocks(seg: string, stateSchema: string): string {
  return `${lockFunction(seg, [])};
    ${announceStatement(stateSchema, { schema: stateSchema, name: ANNOUNCE })};`;
}

/** Call it when views were made or dropped. An embedded database has one session, which waits for nobody. */
export async function writeInputLocks(tx: Connection, stateSchema: string): Promise<void> {
  const seg = quoteIdentifier(stateSchema);
  const { rows } = await tx.query<{ schema: string; name: string }>(
    `SELECT n.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS name
     FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND c.oid IN (SELECT relation FROM ${seg}.read_column) AND pg_catalog.version() !~ 'emcc'
     ORDER BY c.oid`,
  );
  await tx.exec(lockFunction(seg, rows.map(quoteRelation)));
}

function lockFunction(seg: string, tables: readonly string[]): string {
  const lock =
    tables.length === 0
      ? ''
      : `
        LOCK TABLE ${tables.join(', ')} IN ACCESS SHARE MODE;
      EXCEPTION WHEN undefined_table OR invalid_schema_name THEN
        -- Somebody has dropped a table with all that read it.
        NULL;`;
  const body = `
      BEGIN${lock}
      END `;
  return `CREATE OR REPLACE FUNCTION ${seg}.lock_inputs() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp AS ${quoteLiteral(body)}`;
}
