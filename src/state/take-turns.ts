/**
 * Deployments among themselves and beside writers, on a server with many sessions. On an embedded database all of it is
 * free: nobody else is there.
 *
 * A deployment reads inputs, fills views from them and puts triggers on them, so no write may come between: it locks all
 * inputs against writers (readers go on). It does so in one statement, before it holds anything that a writer could wait for, and
 * gives up and tries again before the server would look for a deadlock, so no writer is ever the victim of one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { segError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { Connection } from '../engines/connection.ts';
import { familySql } from '../sql/family.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { searchPathSql } from '../sql/search-path.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { DEPLOYING } from './read-views.ts';
import { DEPLOYMENTS_LOCK } from './locks.ts';

/** Below the server's `deadlock_timeout`, whose default is one second. */
const ATTEMPT_MS = 700;
const PATIENCE_MS = 120_000;

/**
 * Waits until no other deployment into this state schema is under way; it may go on when this transaction ends. It puts the readers of
 * what it changes right itself (state/read-views.ts). Call it before any other query of the transaction.
 * @param searchPath of the transaction; the session's own by default
 */
export async function waitForDeployments(
  tx: Connection,
  stateSchema: string,
  searchPath?: readonly string[],
): Promise<void> {
  // Whatever the session's default: what was committed while it waited for its locks must be seen.
  await tx.exec('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
  // The session's own path may hold names that hide PostgreSQL's.
  if (searchPath !== undefined) await tx.exec(`SET LOCAL search_path = ${searchPathSql(searchPath)}`);
  await tx.query(`SELECT set_config('${DEPLOYING}', 'on', true)`);
  await tx.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [
    DEPLOYMENTS_LOCK,
    quoteIdentifier(stateSchema),
  ]);
}

/**
 * Keeps writers out of tables until the transaction ends, once those that are writing have finished.
 * @throws SegError SEG818 when some of them do not finish within two minutes
 */
export async function keepWritersOut(tx: Connection, tables: readonly RelationName[]): Promise<void> {
  // Somebody may have dropped a table with all that depended on it.
  const { rows: there } = await tx.query<{ name: string }>(
    // Writers come to a table by those above it too; those below are locked with it.
    `WITH wanted AS (SELECT to_regclass(name)::oid AS relation FROM jsonb_array_elements_text($1::jsonb) AS name)
     SELECT format('%I.%I', n.nspname, c.relname) AS name
     FROM (SELECT relation FROM wanted UNION SELECT f.relation FROM wanted CROSS JOIN LATERAL ${familySql('wanted.relation')} AS f WHERE f.above) AS x
       JOIN pg_class AS c ON c.oid = x.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace ORDER BY 1`,
    [JSON.stringify(tables.map(quoteRelation))],
  );
  if (there.length === 0) return;
  const list = there.map(({ name }) => name).join(', ');
  const started = performance.now();
  for (;;) {
    try {
      await tx.transaction(async (savepoint) => {
        const { rows } = await savepoint.query<{ before: string }>(
          `SELECT current_setting('lock_timeout') AS before, set_config('lock_timeout', $1, true)`,
          [`${ATTEMPT_MS}ms`],
        );
        await savepoint.exec(`LOCK TABLE ${list} IN SHARE ROW EXCLUSIVE MODE`);
        await savepoint.query(`SELECT set_config('lock_timeout', $1, true)`, [rows[0]!.before]);
      });
      return;
    } catch (error) {
      if (!BUSY.has(sqlstateOf(error))) throw error;
      if (performance.now() - started > PATIENCE_MS) throw busy(error);
      await sleep(50 + Math.random() * 200);
    }
  }
}

/** lock_not_available, deadlock_detected. */
const BUSY = new Set(['55P03', '40P01']);

/** Of an error of seg's own connections, or of any client the library was given. */
function sqlstateOf(error: unknown): string {
  if (error instanceof DatabaseError) return error.sqlstate;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

function busy(cause: unknown): Error {
  return segError('SEG818', 'a transaction that wrote to a source has been open for over two minutes', {
    hint: 'Deployments wait for writers to finish. Look for it in pg_stat_activity (state "idle in transaction"), and end it.',
    exitCode: 1,
    cause,
  });
}
