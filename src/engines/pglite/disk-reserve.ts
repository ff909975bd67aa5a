/**
 * Room on the disk for what must not fail. PostgreSQL undoes a statement that finds the disk full, unless it was writing its log: then it
 * gives up, and the recovery needs room for the log again. So where space is short a file of two log segments is kept beside the data,
 * writes are refused before the last of the space is used (here before a statement, in disk-guard.ts in the middle of one), and the file is
 * dropped for the log, for a recovery and for opening.
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseError } from '../connection.ts';

const MEGABYTE = 2 ** 20;
/** A file of PostgreSQL's log; it is written in whole when it is made. */
export const LOG_SEGMENT = 16 * MEGABYTE;
/** Two log segments: the one that could not be made, and the one behind it. */
const RESERVE = 2 * LOG_SEGMENT;
/** From here down space is short, and the reserve is made. */
const SHORT = 1024 * MEGABYTE;
/** What must be free for a write to begin or a table to grow: what is undone or committed then may need another log segment. */
export const FREE_TO_WRITE = LOG_SEGMENT + 8 * MEGABYTE;
/** What the log may grow to: as much as is quick to recover from, and less on a small disk. PostgreSQL needs two segments. */
const MOST_LOG = 256 * MEGABYTE;
const LEAST_LOG = 2 * LOG_SEGMENT;
const LOG_PART_OF_DISK = 12;
/** Files that must be left where a file system counts them. */
const FILES_TO_WRITE = 32;
/** How often is looked; the call takes microseconds, and statements too. */
const LOOK_EVERY_MS = 20;

/** Names the path. */
export class DiskFull extends DatabaseError {}

export class DiskReserve {
  readonly #directory: string;
  readonly #file: string;
  #lookedAt = -Infinity;

  constructor(directory: string) {
    this.#directory = directory;
    this.#file = join(directory, 'seg.reserve');
  }

  /** @throws DatabaseError 53100 when the disk is too full for a write to begin, 58030 when it cannot be written to */
  check(): void {
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_EVERY_MS) return;
    try {
      accessSync(this.#directory, constants.W_OK);
    } catch (error) {
      throw this.#readOnly(error);
    }
    if (!this.keep() || this.free() < FREE_TO_WRITE) throw this.full();
    this.#lookedAt = now;
  }

  /** Makes the reserve where space is short. Answers whether there was room for it. */
  keep(): boolean {
    const free = this.free();
    return free >= SHORT || this.#isThere() || (free > RESERVE && this.#make());
  }

  /** Whether it is time to give back what can be given back, such as the log of what is on the disk already. */
  get isShort(): boolean {
    return this.free() < 2 * RESERVE;
  }

  /** How much log may be written until a checkpoint lets go of it. */
  get mostLog(): number {
    const { blocks, bsize } = statfsSync(this.#directory);
    return Math.min(MOST_LOG, Math.max(LEAST_LOG, Math.floor((blocks * bsize) / LOG_PART_OF_DISK)));
  }

  /** Bytes that may still be used; none when no file can be made. */
  free(): number {
    const { bavail, bsize, ffree, files } = statfsSync(this.#directory);
    return files > 0 && ffree < FILES_TO_WRITE ? 0 : bavail * bsize;
  }

  /** Makes room. Answers whether there was anything to give. */
  spend(): boolean {
    this.#lookedAt = -Infinity;
    if (!existsSync(this.#file)) return false;
    rmSync(this.#file, { force: true });
    return true;
  }

  /** What is told of a disk that is full, with the server's own words where there are some. */
  full(error?: DatabaseError): DiskFull {
    const left = Math.max(0, this.free() - (this.#isThere() ? 0 : RESERVE));
    const words =
      error?.message ??
      `${Math.floor(left / MEGABYTE)} MB left, and ${FREE_TO_WRITE / MEGABYTE} are needed to begin a write`;
    return new DiskFull(`the disk of "${this.#directory}" is full: ${words}`, {
      sqlstate: '53100',
      hint: 'What was not committed is undone. Reads go on; make room on that disk, and writes are taken again.',
      fatal: error?.fatal,
      cause: error,
    });
  }

  #readOnly(cause: unknown): DatabaseError {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    return new DatabaseError(`the directory "${this.#directory}" cannot be written to (${code})`, {
      sqlstate: '58030',
      hint: 'Nothing was written. Make it writable again.',
      cause,
    });
  }

  /** A file that was cut short by a full disk or a kill is none. */
  #isThere(): boolean {
    try {
      const descriptor = openSync(this.#file, 'r');
      try {
        return fstatSync(descriptor).size >= RESERVE;
      } finally {
        closeSync(descriptor);
      }
    } catch {
      return false;
    }
  }

  /** Whether there was room for it. Its bytes are written: a file of holes would reserve nothing. */
  #make(): boolean {
    const chunk = Buffer.alloc(MEGABYTE, 0x73);
    try {
      const descriptor = openSync(this.#file, 'w', 0o600);
      try {
        for (let written = 0; written < RESERVE;) written += writeSync(descriptor, chunk);
      } finally {
        closeSync(descriptor);
      }
      return true;
    } catch {
      this.spend();
      return false;
    }
  }
}
