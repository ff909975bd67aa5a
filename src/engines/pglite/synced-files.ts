/**
 * Which files of a data directory have reached the disk. fdatasync costs a millisecond or two also for a file that has not
 * changed, and a database of 500 models has 2,000 files; without this, closing it took seconds.
 */
import {
  chmodSync,
  closeSync,
  fdatasyncSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { OF_OTHERS } from './private.ts';

/** A file as it was when it was synced; any write changes the time, a file in its place changes the inode. */
type Mark = readonly [inode: number, size: number, mtimeMs: number];

/** Two writes within one tick of the kernel's clock leave the same time behind. A mark as young as that is not kept. */
const clockTickMs = 50;

export class SyncedFiles {
  readonly #directory: string;
  readonly #file: string;
  readonly #syncToDisk: (descriptor: number) => void;
  #marks: Map<string, Mark> | undefined;

  constructor(directory: string, syncToDisk: (descriptor: number) => void = fdatasyncSync) {
    this.#directory = directory;
    this.#syncToDisk = syncToDisk;
    this.#file = join(directory, 'seg_synced.json');
  }

  /**
   * Syncs the files that are not marked as they now are, and marks them. The marks are kept in the directory, so the next
   * process has them; when they are lost, or the directory is a copy, all files are synced once more.
   */
  sync(): void {
    const known = (this.#marks ??= this.#read());
    const marks = new Map<string, Mark>();
    for (const entry of readdirSync(this.#directory, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      if (path === this.#file) continue;
      const { ino, size, mtimeMs, mode } = statSync(path);
      // The server makes some of its files with the process's umask.
      if ((mode & OF_OTHERS) !== 0) chmodSync(path, 0o600);
      const name = relative(this.#directory, path);
      const mark = known.get(name);
      if (mark === undefined || mark[0] !== ino || mark[1] !== size || mark[2] !== mtimeMs) {
        const descriptor = openSync(path, 'r+');
        try {
          this.#syncToDisk(descriptor);
        } finally {
          closeSync(descriptor);
        }
      }
      if (Math.abs(Date.now() - mtimeMs) > clockTickMs) marks.set(name, [ino, size, mtimeMs]);
    }
    this.#marks = marks;
    // Written after the last sync and only then: what stands in it is true whenever it is found.
    try {
      writeFileSync(this.#file, JSON.stringify([...marks]), { mode: 0o600 });
    } catch {
      // The data are on the disk. Without marks (there is no room for them) the next process syncs all files once more.
      rmSync(this.#file, { force: true });
    }
  }

  #read(): Map<string, Mark> {
    try {
      return new Map(JSON.parse(readFileSync(this.#file, 'utf8')) as [string, Mark][]);
    } catch {
      // None yet, or cut short by a power failure.
      return new Map();
    }
  }
}
