/**
 * PGlite never calls fsync, with `fsync = on` too (seen with strace), so a power cut could lose what a commit has
 * acknowledged. PostgreSQL's promise rests on the write-ahead log reaching the disk at commit: `sync` does that part,
 * and `syncAll` puts the data pages there too, which a checkpoint must have before its log may go.
 *
 * What remains: the server offers no hook between a checkpoint's last page and its control file, so a power cut in the
 * milliseconds between CHECKPOINT and `syncAll` could find the new control file with an old page. docs/operations.md
 * says so.
 */
import { closeSync, fdatasyncSync, openSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SyncedFiles } from './synced-files.ts';

interface OpenSegment {
  readonly fd: number;
  readonly inode: number;
  mtimeMs: number;
}

export class WalSync {
  readonly #directory: string;
  readonly #open = new Map<string, OpenSegment>();
  readonly #synced: SyncedFiles;

  constructor(dataDirectory: string) {
    this.#directory = dataDirectory;
    this.#synced = new SyncedFiles(dataDirectory);
  }

  /** Puts every log segment written since the last call on the disk; a fraction of a millisecond when none was. */
  sync(): void {
    const log = join(this.#directory, 'pg_wal');
    const seen = new Set<string>();
    for (const name of readdirSync(log)) {
      if (!/^[0-9A-F]{24}$/.test(name)) continue;
      seen.add(name);
      const path = join(log, name);
      const { mtimeMs, ino } = statSync(path);
      let segment = this.#open.get(name);
      // Segments are recycled by renaming, so a name can come to mean another file.
      if (segment !== undefined && segment.inode !== ino) {
        closeSync(segment.fd);
        segment = undefined;
      }
      if (segment?.mtimeMs === mtimeMs) continue;
      segment ??= { fd: openSync(path, 'r+'), inode: ino, mtimeMs };
      fdatasyncSync(segment.fd);
      segment.mtimeMs = mtimeMs;
      this.#open.set(name, segment);
    }
    for (const [name, { fd }] of this.#open) {
      if (seen.has(name)) continue;
      closeSync(fd);
      this.#open.delete(name);
    }
  }

  /** Puts every file of the data directory on the disk that is not there yet. */
  syncAll(): void {
    this.#synced.sync();
  }

  close(): void {
    for (const { fd } of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }
}
