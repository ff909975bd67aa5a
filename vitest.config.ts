import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**', 'tests/integration/**'],
    // Builds dist/ once when it is stale: the end-to-end tests run the built program.
    globalSetup: ['tests/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // PGlite instances are heavy (one WASM PostgreSQL each): one worker per core, no more.
    pool: 'forks',
  },
});
