/** A session of its own on a PostgreSQL server, which stays open. */
import pg from 'pg';
import type { Database } from '../../src/engines/connection.ts';
import { PostgresDatabase } from '../../src/engines/postgres/connection.ts';
import { parserOf } from '../../src/engines/postgres/open.ts';

const SETTINGS =
  '-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres -c extra_float_digits=1 -c statement_timeout=60000 -c check_function_bodies=off -c client_min_messages=error -c search_path=public,pg_catalog';

export function openSession(url: string): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    idleTimeoutMillis: 0,
    options: SETTINGS,
    types: { getTypeParser: (oid: number, format?: string) => parserOf(oid, format) },
  });
  pool.on('error', () => {});
  return new PostgresDatabase(pool);
}
