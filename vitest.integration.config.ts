import { defineConfig } from 'vitest/config';

/** Tests that need real servers or the registry; scripts/test-integration.mjs starts the servers and runs them. */
export default defineConfig({
  test: {
    include: ['tests/integration/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    pool: 'forks',
    fileParallelism: false,
  },
});
