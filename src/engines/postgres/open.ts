import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { ClientBase, PoolConfig } from 'pg';
import { segError } from '../../diagnostics/seg-error.ts';
import type { Target } from '../../project/profiles.ts';
import { quoteLiteral } from '../../sql/quote.ts';
import { parsersByOid, asText } from '../value-parsers.ts';
import { connectError, isTlsError, isTransient } from './connect-errors.ts';
import { PostgresDatabase } from './connection.ts';
import { refusePooler } from './pooler.ts';
import { postgresSettings } from './settings.ts';
import type { PostgresSettings } from './settings.ts';

/** PostgreSQL 15 is the oldest with what the programs use (MERGE's triggers, security of views, jsonb functions). */
const OLDEST = 150000;

/**
 * Connects to a PostgreSQL server, and sees that it can be used.
 * @throws SegError SEG811 unreachable, SEG812 login refused, SEG813 no such database, SEG814 TLS, SEG815 too old, SEG816 busy, SEG817 read-only,
 *   SEG842 a pooler in transaction mode
 */
export async function openPostgres(
  target: Target,
  options: { readonly root: string; readonly command: string },
): Promise<PostgresDatabase> {
  const settings = postgresSettings(target, options);
  const database = await openPool(target, settings, [settingStatement(settings)]);
  try {
    await check(database, target, settings.place);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

function settingStatement({ session }: PostgresSettings): string {
  return `SELECT ${session.map(([name, value]) => `set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, false)`).join(', ')}`;
}

/**
 * A pool of sessions, each of which begins with `statements`. One has connected when it is answered.
 * @throws SegError SEG811..SEG814, SEG816
 */
export async function openPool(
  target: Target,
  settings: PostgresSettings,
  statements: readonly string[],
): Promise<PostgresDatabase> {
  const config = await reachable(target, settings);
  const pool = new pg.Pool({
    ...config,
    types: { getTypeParser: (oid: number, format?: string) => parserOf(oid, format) },
    onConnect: (client) => startSession(client, statements),
  });
  // An idle session that the server ends is simply not there any more.
  pool.on('error', () => {});
  return new PostgresDatabase(pool);
}

/** Before the pool hands a session out; it waits for the promise, which its types do not tell. */
function startSession(client: ClientBase, statements: readonly string[]): void {
  const start = async (): Promise<void> => {
    for (const statement of statements) await client.query(statement);
  };
  return start() as unknown as void;
}

/** Values as Connection promises them. */
export function parserOf(oid: number, format: string | undefined): (value: string) => unknown {
  if (format === 'binary') return (value) => value;
  return parsersByOid.get(oid) ?? asText;
}

/** The configuration that connects: with TLS, or without where that is allowed and the server offers none. */
async function reachable(target: Target, settings: PostgresSettings): Promise<PoolConfig> {
  let { pool } = settings;
  for (let attempt = 0; ; attempt++) {
    const client = new pg.Client(pool);
    // An error after the one that connect() throws would otherwise end the process.
    client.on('error', () => {});
    try {
      await client.connect();
      if (target.type === 'postgres') await refusePooler(client, pool, target, settings.place);
      await client.end();
      return pool;
    } catch (error) {
      await client.end().catch(() => {});
      const message = error instanceof Error ? error.message : '';
      if (settings.sslOptional && pool.ssl !== false && isTlsError(error, message)) {
        pool = { ...pool, ssl: false };
        attempt--;
        continue;
      }
      if (attempt >= settings.retries || !isTransient(error)) {
        throw connectError(error, target.name, settings.place);
      }
      await sleep(500 * 2 ** attempt * (0.5 + Math.random()));
    }
  }
}

async function check(database: PostgresDatabase, target: Target, place: string): Promise<void> {
  const { rows } = await database
    .query<{ version: string; number: number; standby: boolean; readonly: boolean }>(
      `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::integer AS number,
              pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only') = 'on' AS readonly`,
    )
    .catch((error: unknown) => {
      throw connectError(error, target.name, place);
    });
  const server = rows[0]!;
  if (server.number < OLDEST) {
    throw segError('SEG815', `target "${target.name}" (${place}) is PostgreSQL ${server.version}`, {
      hint: 'seg needs PostgreSQL 15 or newer.',
      exitCode: 1,
    });
  }
  if (server.standby || server.readonly) {
    throw segError(
      'SEG817',
      `target "${target.name}" (${place}) is read-only${server.standby ? ': it is a standby' : ''}`,
      { hint: 'Point "host" at the primary server.', exitCode: 1 },
    );
  }
}
