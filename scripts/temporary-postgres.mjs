// A PostgreSQL server in a temporary directory, for tests: installed first where the machine has none and lets us.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const isRoot = process.getuid?.() === 0;

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (result.error) throw result.error;
  return result;
}

/** Folders that may hold programs of PostgreSQL; SEG_POSTGRES_BIN=/path/to/bin names another version than the one that is installed. */
function folders() {
  const roots = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt'];
  return [
    ...(process.env.SEG_POSTGRES_BIN === undefined ? [] : [process.env.SEG_POSTGRES_BIN]),
    ...roots.flatMap((root) =>
      existsSync(root) ? readdirSync(root).map((name) => join(root, name, 'bin')) : [],
    ),
    ...(process.env.PATH ?? '').split(':'),
  ];
}

/** The folder of initdb and pg_ctl; undefined where there is none. */
export function postgresBinaries() {
  return folders().find((bin) => existsSync(join(bin, 'initdb')) && existsSync(join(bin, 'pg_ctl')));
}

/** A TCP port that nobody listens on. */
export function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/**
 * Starts a server; `quiet` hides what its tools print, `settings` are its own. Answers its address, and how to stop it and start it again.
 * A server that cannot be had is an error, never a silent skip.
 */
export async function startPostgres({ quiet = false, install = true, settings = {} } = {}) {
  const stdio = quiet ? 'ignore' : 'inherit';
  let bin = postgresBinaries();
  if (bin === undefined && install && isRoot && existsSync('/usr/bin/apt-get')) {
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-y', '-qq', 'postgresql'], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    bin = postgresBinaries();
  }
  if (bin === undefined) {
    throw new Error('a PostgreSQL server (initdb, pg_ctl) is needed: install one and run it again');
  }
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'seg-postgres-'));
  // PostgreSQL refuses to run as root: there it runs as the user its package made.
  const as = (command, args) =>
    isRoot
      ? run('runuser', ['-u', 'postgres', '--', command, ...args], { stdio })
      : run(command, args, { stdio });
  if (isRoot) run('chown', ['postgres', directory]);
  chmodSync(directory, 0o700);
  const data = join(directory, 'data');
  const stop = () => {
    as(join(bin, 'pg_ctl'), ['-D', data, '-m', 'immediate', 'stop']);
    rmSync(directory, { recursive: true, force: true });
  };
  const more = Object.entries(settings).map(([name, value]) => ` -c ${name}=${value}`);
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${directory} -c fsync=off${more.join('')}`;
  const control = (...words) => as(join(bin, 'pg_ctl'), ['-D', data, '-w', ...words]).status === 0;
  const start = () => control('-l', join(directory, 'log'), '-o', options, 'start');
  const started =
    as(join(bin, 'initdb'), ['-D', data, '-U', 'seg', '-A', 'trust', '-E', 'UTF8', '--no-sync']).status ===
      0 && start();
  if (!started) {
    rmSync(directory, { recursive: true, force: true });
    throw new Error('PostgreSQL did not start');
  }
  return {
    url: `postgres://seg@127.0.0.1:${port}/postgres`,
    // A package of binaries may have the server alone.
    psql: [bin, ...folders()].map((folder) => join(folder, 'psql')).find((path) => existsSync(path)),
    directory,
    stop,
    /** Ends all sessions at once, as a crash does. */
    halt: () => control('-m', 'immediate', 'stop'),
    start,
  };
}
