/**
 * What a database needs from time to time, done while it is served: old changes go; and the embedded one, which has no background
 * processes, is checkpointed, and its tables are vacuumed and analyzed when many of their rows have changed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../engines/connection.ts';
import { PGliteDatabase } from '../engines/pglite/connection.ts';
import { pruneChanges } from '../feeds/retention.ts';
import type { Logger } from '../log/logger.ts';
import { giveUpScans } from '../sinks/table-scan.ts';
import { quoteRelation } from '../sql/quote.ts';
import type { ServerState } from './server-state.ts';

const EVERY_MS = 60_000;
/** Rounds between checkpoints. */
const CHECKPOINT_ROUNDS = 5;

export async function keepHouse(
  db: Database,
  state: ServerState,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (let round = 1; !signal.aborted; round++) {
    await sleep(EVERY_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    try {
      const dropped = await pruneChanges(state.shared.as('command'), state.project);
      await giveUpScans(state.shared.as('command'), state.project);
      if (dropped > 0) log.debug(`Dropped ${dropped} old changes`);
      if (!(db instanceof PGliteDatabase)) continue;
      await vacuumMost(state);
      if (round % CHECKPOINT_ROUNDS === 0) await state.shared.alone('command', () => db.checkpoint());
    } catch (error) {
      log.warn(`Housekeeping failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** The table that needs it most, one a round, so that nobody waits long. As PostgreSQL's autovacuum chooses: a fifth dead. */
async function vacuumMost({ shared }: ServerState): Promise<void> {
  const db = shared.as('command');
  const { rows } = await db.query<{ schema: string; name: string }>(
    `SELECT schemaname AS schema, relname AS name FROM pg_catalog.pg_stat_user_tables
     WHERE n_dead_tup > 1000 AND n_dead_tup > n_live_tup / 5 ORDER BY n_dead_tup DESC LIMIT 1`,
  );
  for (const relation of rows) await db.exec(`VACUUM (ANALYZE) ${quoteRelation(relation)}`);
}
