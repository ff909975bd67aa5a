/**
 * Room on the disk for the worst case. PostgreSQL undoes a statement that finds the disk full, unless it was writing its log: then it gives
 * up, and the recovery needs room for a log segment again. So where space is short a file of that size is kept beside the data, writes are
 * refused before the last of the space is used, and the file is dropped for a recovery.
 */
import { closeSync, existsSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseError } from '../connection.ts';

const MEGABYTE = 2 ** 20;
/** Two log segments: the one that could not be made, and the one behind it. */
const RESERVE = 32 * MEGABYTE;
/** From here down space is short, and the reserve is made. */
const SHORT = 1024 * MEGABYTE;
/** What must be free for a write to begin. */
const FREE_TO_WRITE = 16 * MEGABYTE;
/** How often is looked; the call takes microseconds, and statements too. */
const LOOK_EVERY_MS = 20;

export class DiskReserve {
  readonly #directory: string;
  readonly #file: string;
  #lookedAt = -Infinity;

  constructor(directory: string) {
    this.#directory = directory;
    this.#file = join(directory, 'seg.reserve');
  }

  /** @throws DatabaseError 53100 when the disk is too full for a write to begin */
  check(): void {
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_EVERY_MS) return;
    const free = this.#free();
    if (free < SHORT && !existsSync(this.#file) && !(free > RESERVE + FREE_TO_WRITE && this.#make()))
      throw this.#full(free);
    if (free < FREE_TO_WRITE) throw this.#full(free);
    this.#lookedAt = now;
  }

  /** Makes room for a recovery. */
  spend(): void {
    rmSync(this.#file, { force: true });
    this.#lookedAt = -Infinity;
  }

  #free(): number {
    const { bavail, bsize } = statfsSync(this.#directory);
    return bavail * bsize;
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

  #full(free: number): DatabaseError {
    return new DatabaseError(
      `the disk of "${this.#directory}" is full (${Math.floor(free / MEGABYTE)} MB left)`,
      {
        sqlstate: '53100',
        hint: 'Nothing was written. Reads go on; make room on that disk, and writes are taken again.',
      },
    );
  }
}
