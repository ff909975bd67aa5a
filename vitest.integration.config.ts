import { defineConfig } from 'vitest/config';

/**
 * Tests that need real servers or the registry, and those that take long (*.slow.test.ts); scripts/test-integration.mjs starts the
 * servers and runs them. The slow ones need none: `npx vitest run --config vitest.integration.config.ts tests/cost`.
 */
export default defineConfig({
  test: {
    include: ['tests/integration/**/*.test.ts', '{src,tests}/**/*.slow.test.ts'],
    globalSetup: ['tests/global-setup.ts'],
    setupFiles: ['tests/integration/own-database.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
    // Modules are loaded once for all files of a worker: no test changes what another one sees of them.
    isolate: false,
    maxWorkers: '100%',
  },
});
