import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { segError } from '../../diagnostics/seg-error.ts';
import { bufferMegabytes, databaseBytes, megabytesOf, SERVING } from './buffers.ts';
import { DatabaseError } from '../connection.ts';
import type { Connection } from '../connection.ts';
import { PGliteDatabase } from './connection.ts';
import { DiskGuard } from './disk-guard.ts';
import { DiskReserve } from './disk-reserve.ts';
import { moduleOf } from './failure.ts';
import { acquireLock, READER_COMMAND } from './lock.ts';
import type { DirectoryLock } from './lock.ts';
import { keepPrivate } from './private.ts';
import { startServer } from './server.ts';
import type { PGliteServer } from './server.ts';
import { startParams, startParamsWith } from './settings.ts';
import { emptySnapshot } from './snapshot.ts';
import { WalSync } from './wal-sync.ts';

/** Megabytes. */
const FEWEST_BUFFERS = 16;

export interface OpenDirectoryOptions {
  /** What the owner is called in the lock file and in the message another process gets. */
  readonly command: string;
  /**
   * `commit` (default): what a commit has acknowledged survives a power cut (the WAL is synced to the disk).
   * `process`: it survives the process, not the machine.
   */
  readonly durability?: 'commit' | 'process';
  /** For a server, which keeps its memory for long. */
  readonly serves?: boolean;
  /** How much memory pages are kept in (`256MB`); default: as the database needs, and little for a server. */
  readonly buffers?: string;
}

interface Place {
  readonly path: string;
  readonly reserve: DiskReserve;
  readonly serves: boolean | undefined;
  /** Buffers that the profile asks for. */
  readonly asked: string | undefined;
}

/** A database in a directory, and the lock it is held under. */
export class DirectoryDatabase extends PGliteDatabase {
  readonly lock: DirectoryLock;
  readonly #walSync: WalSync | undefined;
  readonly #guard: DiskGuard;

  constructor(place: Place, server: PGliteServer, lock: DirectoryLock, walSync: WalSync | undefined) {
    const { reserve } = place;
    const guard = new DiskGuard(reserve);
    guard.watch(moduleOf(server.client));
    const { mostLog } = reserve;
    const keepLogShort = async (session: Connection): Promise<void> => {
      if (!guard.isCheckpointDue(mostLog)) return;
      await guard.checkpoint(() => session.exec('CHECKPOINT'));
      walSync?.syncAll();
    };
    super(server, {
      beforeWrite: async (session) => {
        await keepLogShort(session);
        reserve.check();
      },
      afterStatement: () => guard.settle(),
      afterCommit: () => walSync?.sync(),
      // What fails here is told to whoever writes next.
      betweenTransactions: (session) => keepLogShort(session).catch(() => {}),
      explain: (error) => guard.explain(error),
      restart: async () => {
        reserve.spend();
        const next = await recover(place);
        guard.watch(moduleOf(next.client));
        return next;
      },
      onClose: async () => {
        try {
          walSync?.syncAll();
          walSync?.close();
        } finally {
          await lock.release();
        }
      },
    });
    this.lock = lock;
    this.#walSync = walSync;
    this.#guard = guard;
  }

  /** Writes all pages, lets go of the log that is no longer needed. The embedded server never does it by itself. */
  override async checkpoint(): Promise<void> {
    await this.#guard.checkpoint(() => super.checkpoint());
    this.#walSync?.syncAll();
  }
}

/**
 * Opens (or creates) the database of a directory, alone.
 * @throws SegError SEG801 when another process holds it, SEG802/SEG803 when it cannot be created or opened
 */
export async function openDirectoryDatabase(
  directory: string,
  options: OpenDirectoryOptions,
): Promise<DirectoryDatabase> {
  const path = resolve(directory);
  const reserve = new DiskReserve(path);
  const lock = await acquireLock(path, options.command).catch((error: unknown) => {
    if (!isDiskFull(error) || !reserve.spend()) throw error;
    return acquireLock(path, options.command);
  });
  try {
    if (!directoryExists(path)) await createDirectory(path);
    // What a database that was killed needs to open again.
    if (reserve.isShort) reserve.spend();
    // Before the first write: a follower that finds the same mark again has missed nothing, also after a kill.
    if (options.command !== READER_COMMAND) await writeFile(writerMark(path), randomUUID(), { mode: 0o600 });
    keepPrivate(path);
    const place = { path, reserve, serves: options.serves, asked: options.buffers };
    const server = await recover(place);
    const walSync = options.durability === 'process' ? undefined : new WalSync(path);
    return new DirectoryDatabase(place, server, lock, walSync);
  } catch (error) {
    await lock.release();
    if (error instanceof Error && error.name === 'SegError') throw error;
    const limit = isDiskFull(error)
      ? 'make room on its disk'
      : isOutOfMemory(error)
        ? 'give it more memory'
        : undefined;
    if (limit !== undefined) {
      throw segError('SEG841', `the database in "${path}" cannot be opened now: ${firstLine(error)}`, {
        hint: `Nothing is lost: ${limit}, and run the command again.`,
        exitCode: 1,
        cause: error,
      });
    }
    throw segError('SEG803', `cannot open the database in "${path}": ${firstLine(error)}`, {
      hint:
        'If the disk is full or not writable, mend that first. If the directory was damaged or made by another version of PostgreSQL, ' +
        'move it away: "seg build" makes a new one from seeds and sources.',
      cause: error,
    });
  }
}

/** Starts a server on a directory; it recovers what the last one had committed. Where memory is short it gets fewer buffers. */
async function recover({ path, reserve, serves = false, asked }: Place): Promise<PGliteServer> {
  const log = Math.floor(reserve.mostLog / 2 ** 20);
  const fitting = (): number => (serves ? SERVING : bufferMegabytes(databaseBytes(path), memoryBytes()));
  for (let buffers = asked === undefined ? fitting() : megabytesOf(asked); ; buffers /= 2) {
    try {
      const params = startParamsWith({ buffers, log }, { serves });
      const server = await startServer({ dataDir: path, startParams: params });
      // For the next one, if there is room now.
      reserve.keep();
      return server;
    } catch (error) {
      if (!isOutOfMemory(error) || buffers <= FEWEST_BUFFERS) throw error;
    }
  }
}

/** Of the machine, or of the container where that has less. */
function memoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(totalmem(), limit) : totalmem();
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof DatabaseError && error.sqlstate === '53200';
}

/** What the server, or the operating system, says of a disk on which nothing more goes. */
function isDiskFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof DatabaseError && at.sqlstate === '53100') return true;
    if (['ENOSPC', 'EDQUOT'].includes((at as NodeJS.ErrnoException).code ?? '')) return true;
  }
  return false;
}

/** Whether a database has been made there. */
export function directoryExists(path: string): boolean {
  return existsSync(join(path, 'PG_VERSION'));
}

/** Names the last process that opened the directory and could write; undefined when none has. */
export async function lastWriter(path: string): Promise<string | undefined> {
  return readFile(writerMark(path), 'utf8').catch(() => undefined);
}

/** Within the directory, so that it goes where the data goes; PostgreSQL passes over files it does not know. */
function writerMark(path: string): string {
  return join(path, 'seg.writer');
}

/** Built beside its place and renamed into it, so that a kill in between never leaves half a database. */
async function createDirectory(path: string): Promise<void> {
  const temporary = `${path}.new-${process.pid}`;
  await mkdir(dirname(path), { recursive: true });
  await rm(temporary, { recursive: true, force: true });
  try {
    const loadDataDir = await emptySnapshot();
    const { client } = await startServer({ dataDir: temporary, loadDataDir, startParams });
    await client.close();
    keepPrivate(temporary);
    // A folder that exists already may be replaced only if it is empty, which is what rename allows.
    await rename(temporary, path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      throw segError('SEG804', `"${path}" is not empty and is no PGlite data directory`, {
        hint: 'Point SEG_DATA or the target\'s "path" at an empty or new folder.',
      });
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
