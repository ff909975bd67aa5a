/** An embedded database that `seg serve` holds, through its Postgres port: for every other command it is a server like any. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LockOwner } from './lock.ts';
import { readOwner } from './lock.ts';
import type { PostgresDatabase } from '../postgres/connection.ts';

export interface FoundServer {
  readonly host: string;
  readonly port: number;
  readonly token: string;
}

/** The command that serves; it says where as soon as its port is open. */
export const SERVER_COMMAND = 'seg serve';
/** The user that the server takes the lock's token from. */
const COMMAND_USER = 'seg_command';
/** How long a server that has just taken the directory is waited for: opening it takes a second. */
const PATIENCE_MS = 20_000;

/** Where the server of a directory listens; undefined when none holds it. A server that is starting is waited for. */
export async function findServer(directory: string): Promise<FoundServer | undefined> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(50)) {
    const owner: LockOwner | undefined = await readOwner(directory);
    const postgres = owner?.address?.postgres;
    if (postgres !== undefined) return { ...postgres, token: owner!.address!.token };
    if (owner?.command !== SERVER_COMMAND) return undefined;
    // It serves without the Postgres port: nobody gets through it.
    if (owner.address !== undefined) return undefined;
  }
  return undefined;
}

export async function openServed(server: FoundServer, command: string): Promise<PostgresDatabase> {
  const { default: pg } = await import('pg');
  const { PostgresDatabase } = await import('../postgres/connection.ts');
  const { parserOf } = await import('../postgres/open.ts');
  const pool = new pg.Pool({
    host: server.host,
    port: server.port,
    user: COMMAND_USER,
    password: server.token,
    database: 'postgres',
    application_name: command,
    max: 4,
    types: { getTypeParser: (oid: number, format?: string) => parserOf(oid, format) },
  });
  pool.on('error', () => {});
  return new PostgresDatabase(pool);
}
