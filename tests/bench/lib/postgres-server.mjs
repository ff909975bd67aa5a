// A PostgreSQL server for a benchmark, where the machine has one.
import { existsSync } from 'node:fs';
import process from 'node:process';
import pg from 'pg';
import { postgresBinaries, startPostgres } from '../../../scripts/temporary-postgres.mjs';

/** With what a server for work would have; undefined where there is none, which `say` tells. */
export async function benchServer(say) {
  if (postgresBinaries() === undefined) {
    say(
      'no PostgreSQL server is installed here (SEG_POSTGRES_BIN=/path/to/bin names one): measured on PGlite alone',
    );
    return undefined;
  }
  const server = await startPostgres({
    quiet: true,
    install: false,
    settings: { shared_buffers: '512MB', max_wal_size: '4GB' },
  });
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const { rows } = await client.query('SHOW server_version');
  await client.end();
  // Ctrl-C must not leave a server behind.
  const stopped = () => server.stop();
  process.once('exit', stopped);
  return {
    ...server,
    name: `PostgreSQL ${rows[0].server_version.split(' ')[0]}`,
    stop: () => {
      process.off('exit', stopped);
      if (existsSync(server.directory)) server.stop();
    },
  };
}
