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
    // The end-to-end tests start real processes, whose timing a busy machine can upset once; a defect fails twice.
    retry: process.env['CI'] === undefined ? 0 : 1,
  },
});
