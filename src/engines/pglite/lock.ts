/**
 * One owner per data directory: two PGlite processes on one directory both open without an error and lose most of what
 * they write, so the lock must stand before PGlite is opened.
 *
 * The lock is a file beside the directory (`<directory>.lock`), created exclusively, that names its owner. It is stale when its process is gone
 * (same host, no such pid, or the pid now belongs to a process that started later). Recovery is itself exclusive (`.lock.recover`), so that two
 * processes that find the same stale lock cannot both take it.
 */
import { mkdir, open, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { readFileSync, realpathSync, statSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { segError } from '../../diagnostics/seg-error.ts';

export interface LockOwner {
  readonly pid: number;
  readonly host: string;
  /** What the owner was started as: `seg ingest`, `seg serve` ... */
  readonly command: string;
  /** ISO 8601. */
  readonly since: string;
  /** Ticks since boot at which the process started, where the system tells (Linux); guards against reused pids. */
  readonly started: string | null;
  /** The directory that is held, as it is found without links: a lock that was copied with its folder holds nothing. */
  readonly directory?: Place;
  /** Changes with each boot of the machine, where the system tells: after one, process ids and their times begin anew. */
  readonly boot?: string | null;
  /** Where the owner answers followers of its feeds, once it does: `port` on loopback, and the word to say first. */
  readonly address?: {
    readonly port: number;
    readonly token: string;
    /** Where it speaks the Postgres protocol, if it does; `token` is the password of its own commands. */
    readonly postgres?: { readonly host: string; readonly port: number };
  };
}

interface Place {
  readonly path: string;
  /** Of the folder that holds the lock: a copy of it is another one, also where the path is the same. */
  readonly inode: string;
}

export interface DirectoryLock {
  readonly path: string;
  /** Publishes where the owner can be reached. */
  announce(address: NonNullable<LockOwner['address']>): Promise<void>;
  release(): Promise<void>;
}

/** The command of owners that only read, for a moment: others wait for them. */
export const READER_COMMAND = 'seg subscribe';

/** How long others wait for a reader; reading takes well under a second unless a model is very large. */
const READER_PATIENCE_MS = 10_000;

/** Beside the directory itself: several links to it lead to one lock. */
export function lockPath(directory: string): string {
  return `${realPath(directory).replace(/[/\\]+$/, '')}.lock`;
}

/** Without links, as far as there is something. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}

/** Where a lock lies. */
function placeOf(lock: string): Place {
  const folder = dirname(lock);
  return { path: lock, inode: String(statSync(folder, { bigint: true }).ino) };
}

/** The live owner of a directory, or undefined when it is free (or its lock is stale). */
export async function readOwner(directory: string): Promise<LockOwner | undefined> {
  const owner = await parseLock(lockPath(directory));
  return owner !== undefined && isAlive(owner) ? owner : undefined;
}

/**
 * Takes the directory's lock. A reader (`seg subscribe`) that holds it is waited for.
 * @throws SegError SEG801 naming the owner when another live process holds it; SEG802 when the place is not writable, SEG841 when
 *   its disk is full
 */
export async function acquireLock(directory: string, command: string): Promise<DirectoryLock> {
  const path = lockPath(directory);
  try {
    await makeFolder(dirname(path));
    const self: LockOwner = {
      pid: process.pid,
      host: hostname(),
      command,
      since: new Date().toISOString(),
      started: startTicks(process.pid),
      directory: placeOf(path),
      boot: bootId(),
    };
    const deadline = Date.now() + READER_PATIENCE_MS;
    for (let attempt = 0; ; attempt++) {
      if (await createExclusively(path, self)) return held(path, self);
      const owner = await parseLock(path);
      if (owner?.command === READER_COMMAND && isAlive(owner) && Date.now() < deadline) {
        attempt--;
        await sleep(25);
        continue;
      }
      if (owner !== undefined && isAlive(owner)) throw heldBy(directory, owner);
      if (attempt > 50) throw heldBy(directory, owner);
      await removeStale(path);
    }
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw segError('SEG841', `the disk of "${directory}" is full: cannot create "${path}" (${code})`, {
        hint: 'Nothing is lost: make room on it, and run the command again.',
        exitCode: 1,
        cause: error,
      });
    }
    if (syscall !== undefined) {
      throw segError('SEG802', `cannot create "${path}" (${code})`, {
        hint: 'The data directory must lie in a folder that can be written to; set SEG_DATA or the target\'s "path" to another one.',
        cause: error,
      });
    }
    throw error;
  }
}

/** mkdir -p. Node's own never returns where a folder cannot be made although its parent is there (/proc). */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(path) !== path && !(await isFolder(dirname(path)))) {
      await makeFolder(dirname(path));
      await mkdir(path);
    } else if (!(await isFolder(path))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function held(path: string, self: LockOwner): DirectoryLock {
  let released = false;
  // A process that ends without closing (process.exit in a signal handler) must not leave its lock behind.
  const atExit = (): void => {
    try {
      if ((JSON.parse(readFileSync(path, 'utf8')) as LockOwner).pid === self.pid) unlinkSync(path);
    } catch {
      // Gone already, or not readable: a later process recovers it.
    }
  };
  process.once('exit', atExit);
  return {
    path,
    async announce(address) {
      const temporary = `${path}.${process.pid}`;
      await writeFile(temporary, JSON.stringify({ ...self, address }), { mode: 0o600 });
      await rename(temporary, path);
    },
    async release() {
      if (released) return;
      released = true;
      process.removeListener('exit', atExit);
      await rm(path, { force: true });
    },
  };
}

async function createExclusively(path: string, owner: LockOwner): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(JSON.stringify(owner));
    } catch (error) {
      // A full disk takes the file and not its content.
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function parseLock(path: string): Promise<LockOwner | undefined> {
  // Between its creation and its first byte a lock is empty: give its writer a moment before calling it broken.
  for (let attempt = 0; attempt < 20; attempt++) {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const owner = ownerOf(JSON.parse(text));
      // Of a folder that was copied while its database was held: the owner holds the original.
      return owner?.directory === undefined || isHere(owner.directory, path) ? owner : undefined;
    } catch {
      await sleep(25);
    }
  }
  return undefined;
}

/** What is no lock of seg's names no owner. */
function ownerOf(json: unknown): LockOwner | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { pid, host } = json as Partial<Record<keyof LockOwner, unknown>>;
  if (!Number.isInteger(pid) || (pid as number) <= 0 || typeof host !== 'string') return undefined;
  return json as LockOwner;
}

function isHere(place: Place, path: string): boolean {
  try {
    const here = placeOf(path);
    // A volume has another path in another container, and its inodes go with it.
    return here.inode === place.inode;
  } catch {
    return false;
  }
}

async function removeStale(path: string): Promise<void> {
  const guard = `${path}.recover`;
  try {
    await (await open(guard, 'wx')).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // Somebody else is recovering; a guard left by a crash in these few lines is dropped after ten seconds.
    const age = await stat(guard).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > 10_000) await rm(guard, { force: true });
    await sleep(50);
    return;
  }
  try {
    const owner = await parseLock(path);
    if (owner === undefined || !isAlive(owner)) await unlink(path).catch(() => {});
  } finally {
    await rm(guard, { force: true });
  }
}

function isAlive(owner: LockOwner): boolean {
  // A directory shared between hosts: this host cannot see the other's processes, so the lock counts.
  if (owner.host !== hostname()) return true;
  const boot = bootId();
  if (typeof owner.boot === 'string' && boot !== null && owner.boot !== boot) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const started = startTicks(owner.pid);
  return owner.started === null || started === null || started === owner.started;
}

function bootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
}

/** Field 22 of /proc/<pid>/stat; null where there is no such file. */
function startTicks(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function heldBy(directory: string, owner: LockOwner | undefined): Error {
  const who =
    owner === undefined
      ? 'another process'
      : `"${owner.command}" (process ${owner.pid} on ${owner.host}, since ${owner.since})`;
  return segError('SEG801', `the data directory "${directory}" is held by ${who}`, {
    hint:
      owner === undefined || owner.host === hostname()
        ? 'An embedded database belongs to one process at a time: wait for it to end, or stop it.'
        : `An embedded database belongs to one process at a time, and from here that of another host or container cannot be seen. If it is gone for good, remove "${lockPath(directory)}" and run the command again.`,
  });
}
