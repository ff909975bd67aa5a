/**
 * The trigger function that announces a statement on an input before it changes a row: it waits for the writer's turn, and notes
 * that the statement is open until its AFTER trigger has run (ivm/program/emit-program.ts).
 */
import { createHash } from 'node:crypto';
import type { Connection } from '../engines/connection.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { quoteIdentifier, quoteLiteral, quoteRelation } from '../sql/quote.ts';
import { WRITERS_LOCK } from './locks.ts';

/** A setting that lives as long as a transaction; several state schemas may have triggers on one table, so each has its own. */
export function transactionSetting(stateSchema: string, name: string): string {
  if (stateSchema === '_seg') return `seg.${name}`;
  return `seg.${name}_${createHash('sha256').update(stateSchema).digest('hex').slice(0, 12)}`;
}

/** The statements that are open: `oid/level,oid/level,`. */
export const OPEN = 'open';

/** The function that announces statements on tables of seg's own; each table of somebody else's has one itself. */
export const ANNOUNCE = 'announce_statement';

/**
 * A table of somebody else's has a function of its own: its triggers can be taken away by dropping the function, which needs no right
 * on the table. Nothing in it is looked up along the writer's search_path.
 *
 * A trigger on another table of the input's family has the input's name as its argument (state/followed-tables.ts).
 *
 * The level tells the triggers of one query (ON CONFLICT DO UPDATE, MERGE) from those of a statement that runs within it (in a
 * trigger or a function of the user's): whatever runs a statement adds a line to the context.
 */
export function announceStatement(stateSchema: string, name: RelationName): string {
  const seg = quoteIdentifier(stateSchema);
  const open = quoteLiteral(transactionSetting(stateSchema, OPEN));
  const locked = quoteLiteral(transactionSetting(stateSchema, 'locked'));
  return `CREATE OR REPLACE FUNCTION ${quoteRelation(name)}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      DECLARE
        answer pg_catalog.text;
        context pg_catalog.text;
      BEGIN
        -- Before the turn (state/input-locks.ts); undone with a savepoint, as the locks are.
        IF coalesce(pg_catalog.current_setting(${locked}, true), '') OPERATOR(pg_catalog.=) '' AND TG_OP OPERATOR(pg_catalog.<>) 'TRUNCATE' THEN
          PERFORM ${seg}.lock_inputs();
          answer := pg_catalog.set_config(${locked}, 'on', true);
        END IF;
        answer := pg_catalog.pg_advisory_xact_lock(${WRITERS_LOCK}, pg_catalog.hashtext(${quoteLiteral(seg)}))::pg_catalog.text;
        IF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.<>) 'read committed' THEN
          PERFORM ${seg}.require_recent_snapshot();
        END IF;
        answer := pg_catalog.setval(${quoteLiteral(`${seg}.last_writer`)}::pg_catalog.regclass, pg_catalog.txid_current())::pg_catalog.text;
        GET DIAGNOSTICS context = PG_CONTEXT;
        answer := pg_catalog.set_config(${open}, pg_catalog.concat(pg_catalog.current_setting(${open}, true), coalesce(TG_ARGV[0]::pg_catalog.regclass::pg_catalog.oid, TG_RELID), '/', pg_catalog.length(context), ','), true);
        RETURN NULL;
      END $$`;
}

/**
 * Migration: a transaction that reads from a snapshot of its own (REPEATABLE READ, SERIALIZABLE) would maintain views from rows that
 * are out of date. It must fail (40001) when a writer or a deployment has committed since its snapshot was taken. Both leave
 * their transaction's number in a sequence, which every snapshot reads as it is now, even one that is older than the sequence.
 * Writers have the turn until they end, and deployments run one after the other: so the last one of each is enough.
 */
export function recentSnapshots(seg: string, stateSchema: string): string {
  return `
    CREATE SEQUENCE ${seg}.last_writer;
    CREATE SEQUENCE ${seg}.last_deployment;
    CREATE FUNCTION ${seg}.require_recent_snapshot() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp AS $$
      DECLARE
        last bigint;
      BEGIN
        FOR last IN SELECT last_value FROM ${seg}.last_writer UNION ALL SELECT last_value FROM ${seg}.last_deployment LOOP
          BEGIN
            -- A number of another server, from which the database was restored, is an error here.
            PERFORM pg_xact_status(last::text::xid8);
            IF last = txid_current() OR pg_visible_in_snapshot(last::text::xid8, pg_current_snapshot()) THEN CONTINUE; END IF;
          EXCEPTION WHEN invalid_parameter_value THEN CONTINUE;
          END;
          RAISE EXCEPTION 'could not serialize access: incremental views have changed since this transaction''s snapshot was taken'
            USING ERRCODE = 'serialization_failure', HINT = 'Run the transaction again.';
        END LOOP;
      END $$;
    ${announceStatement(stateSchema, { schema: stateSchema, name: ANNOUNCE })};`;
}

/** Notes that views are made or changed: writers whose snapshot is older will fail. */
export async function noteDeployment(tx: Connection, stateSchema: string): Promise<void> {
  await tx.query('SELECT pg_catalog.setval($1::pg_catalog.regclass, pg_catalog.txid_current())', [
    `${quoteIdentifier(stateSchema)}.last_deployment`,
  ]);
}
