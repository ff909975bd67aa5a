// Runs the tests that need real servers: starts a PostgreSQL and a Kafka of its own (scripts/temporary-*.mjs), installs what
// else they need, runs tests/integration against them, and stops them.
import { spawnSync } from 'node:child_process';
import { installSchemathesis } from './schemathesis.mjs';
import { startKafka } from './temporary-kafka.mjs';
import { startPostgres } from './temporary-postgres.mjs';

const postgres = await startPostgres();
let kafka;
let status;
try {
  kafka = await startKafka();
  const result = spawnSync(
    'npx',
    ['vitest', 'run', '--config', 'vitest.integration.config.ts', ...process.argv.slice(2)],
    {
      stdio: 'inherit',
      env: {
        ...process.env,
        SEG_TEST_POSTGRES: postgres.url,
        SEG_TEST_PSQL: postgres.psql,
        SEG_TEST_KAFKA: kafka.brokers,
        SEG_TEST_SCHEMATHESIS: installSchemathesis(),
      },
    },
  );
  if (result.error) throw result.error;
  status = result.status ?? 1;
} finally {
  kafka?.stop();
  postgres.stop();
}
process.exit(status);
