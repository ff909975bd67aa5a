import { defineConfig } from 'vitest/config';

/** What needs no server and takes minutes as a whole: `npm test`. What takes longer is in *.slow.test.ts (vitest.integration.config.ts). */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**', 'tests/integration/**', '**/*.slow.test.ts'],
    // Builds dist/ once when it is stale: the end-to-end tests run the built program.
    globalSetup: ['tests/global-setup.ts'],
    // Far beyond what a test takes, also on a machine that is busy with other things.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // PGlite instances are heavy (one WASM PostgreSQL each): one worker per core, no more.
    pool: 'forks',
    // Modules are loaded once for all files of a worker: no test changes what another one sees of them.
    isolate: false,
    maxWorkers: '100%',
  },
});
