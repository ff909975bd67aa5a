// Runs the tests that need real servers: starts a PostgreSQL of its own (scripts/temporary-postgres.mjs), runs
// tests/integration against it, and stops it.
import { spawnSync } from 'node:child_process';
import { startPostgres } from './temporary-postgres.mjs';

const postgres = await startPostgres();
let status;
try {
  const result = spawnSync(
    'npx',
    ['vitest', 'run', '--config', 'vitest.integration.config.ts', ...process.argv.slice(2)],
    {
      stdio: 'inherit',
      env: { ...process.env, SEG_TEST_POSTGRES: postgres.url, SEG_TEST_PSQL: postgres.psql },
    },
  );
  if (result.error) throw result.error;
  status = result.status ?? 1;
} finally {
  postgres.stop();
}
process.exit(status);
