// `npm run test:soak`: compiles the tests' generator and runs the soak (tests/differential/soak.ts), which takes the arguments.
// With `--engine postgres` it starts a server of its own, unless SEG_TEST_POSTGRES names one.
import { spawnSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { startPostgres } from './temporary-postgres.mjs';

const root = join(import.meta.dirname, '..');
const out = join(root, 'target', 'soak');
const args = process.argv.slice(2);
const run = (words, env = {}) =>
  spawnSync(process.execPath, words, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
    .status ?? 1;

/** Nothing of these databases outlives the soak, and every wait for a lock is looked into at once. */
const settings = {
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '256MB',
  deadlock_timeout: '50ms',
  max_connections: '100',
  max_locks_per_transaction: '512',
};

const compiled = run([join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.soak.json']);
if (compiled !== 0) process.exit(compiled);
// The packed start directory of PGlite is found beside the program.
if (!existsSync(join(out, 'dist'))) symlinkSync(join(root, 'dist'), join(out, 'dist'));
const onServer = args.join(' ').includes('--engine postgres') || args.includes('--engine=postgres');
const server =
  onServer && process.env.SEG_TEST_POSTGRES === undefined
    ? await startPostgres({ quiet: true, settings })
    : undefined;
let status;
try {
  const url = server === undefined ? {} : { SEG_TEST_POSTGRES: server.url };
  status = run([join(out, 'tests', 'differential', 'soak.js'), ...args], url);
} finally {
  server?.stop();
}
process.exit(status);
