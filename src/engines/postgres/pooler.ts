/** A pooler between seg and the server: one in transaction mode hands each transaction another session. */
import pg from 'pg';
import type { Client, PoolConfig } from 'pg';
import { segError } from '../../diagnostics/seg-error.ts';
import type { Target } from '../../project/profiles.ts';

/**
 * Two clients that are connected at the same time are one session of the server only where a pooler takes sessions back between
 * transactions. A direct connection, known by the number of its session, is not asked twice.
 * @throws SegError SEG842
 */
export async function refusePooler(
  client: Client,
  config: PoolConfig,
  target: Target,
  place: string,
): Promise<void> {
  const session = await sessionOf(client);
  if (session === null || session === announced(client)) return;
  const other = new pg.Client(config);
  other.on('error', () => {});
  try {
    await other.connect();
    // Whoever asks in turn gets the session that has just become free.
    for (let asked = 0; asked < 3; asked++) {
      if ((await sessionOf(other)) !== (await sessionOf(client))) continue;
      throw segError(
        'SEG842',
        `target "${target.name}" (${place}) is reached through a pooler in transaction mode`,
        {
          hint: 'seg needs sessions of its own: settings, LISTEN for feeds, locks. Connect to the server itself, or to a pool in session mode (PgBouncer: pool_mode = session).',
          exitCode: 1,
        },
      );
    }
  } finally {
    await other.end().catch(() => {});
  }
}

/** null where the server has no such function (engines that speak the protocol only). */
async function sessionOf(client: Client): Promise<number | null> {
  const { rows } = await client
    .query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    .catch(() => ({ rows: [] }));
  return rows[0]?.pid ?? null;
}

/** What the server said when it let the client in; a pooler says a number of its own. */
function announced(client: Client): number | undefined {
  return (client as unknown as { readonly processID?: number }).processID;
}
