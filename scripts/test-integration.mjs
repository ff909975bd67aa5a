// Runs the tests that need real servers: starts a PostgreSQL of its own in a temporary directory (installing the
// server first where the machine has none and lets us), runs tests/integration against it, and stops it.
// A server that cannot be had is a failure, never a silent skip.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:net';

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (result.error) throw result.error;
  return result;
}

function serverBinaries() {
  const roots = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt'];
  const candidates = roots.flatMap((root) =>
    existsSync(root) ? readdirSync(root).map((name) => join(root, name, 'bin')) : [],
  );
  const onPath = (process.env.PATH ?? '').split(':');
  return [...candidates, ...onPath].find(
    (bin) => existsSync(join(bin, 'initdb')) && existsSync(join(bin, 'pg_ctl')),
  );
}

let bin = serverBinaries();
const isRoot = process.getuid?.() === 0;
if (bin === undefined && isRoot && existsSync('/usr/bin/apt-get')) {
  run('apt-get', ['update', '-qq']);
  run('apt-get', ['install', '-y', '-qq', 'postgresql'], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  bin = serverBinaries();
}
if (bin === undefined) {
  console.error('test:integration needs a PostgreSQL server (initdb, pg_ctl): install one and run it again.');
  process.exit(1);
}

const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port: free } = probe.address();
    probe.close(() => resolve(free));
  });
});
const directory = mkdtempSync(join(tmpdir(), 'seg-postgres-'));
// PostgreSQL refuses to run as root: there it runs as the user its package made.
const as = (command, args) =>
  isRoot ? run('runuser', ['-u', 'postgres', '--', command, ...args]) : run(command, args);
if (isRoot) run('chown', ['postgres', directory]);
chmodSync(directory, 0o700);

let status;
try {
  const data = join(directory, 'data');
  const ok =
    as(join(bin, 'initdb'), ['-D', data, '-U', 'seg', '-A', 'trust', '-E', 'UTF8', '--no-sync']).status ===
      0 &&
    as(join(bin, 'pg_ctl'), [
      '-D',
      data,
      '-w',
      '-l',
      join(directory, 'log'),
      '-o',
      `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${directory} -c fsync=off`,
      'start',
    ]).status === 0;
  if (!ok) throw new Error('PostgreSQL did not start');
  const env = { ...process.env, SEG_TEST_POSTGRES: `postgres://seg@127.0.0.1:${port}/postgres` };
  status =
    run('npx', ['vitest', 'run', '--config', 'vitest.integration.config.ts', ...process.argv.slice(2)], {
      env,
    }).status ?? 1;
  as(join(bin, 'pg_ctl'), ['-D', data, '-m', 'immediate', 'stop']);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exit(status ?? 1);
