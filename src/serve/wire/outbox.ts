/**
 * The answer to one unit of a client. The engine makes all of it at once and cannot be held up, so what is more than a few megabytes
 * goes to a file, and from there to the client as it reads: neither a long result nor a slow client takes memory, and the client's
 * turn is over as soon as the engine is done.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';

/** What is kept in memory. */
const MOST_BYTES = 4 * 1024 * 1024;
const PORTION = 256 * 1024;

export class Outbox {
  #parts: Buffer[] = [];
  #size = 0;
  #file: number | undefined;
  #filed = 0;
  #error: Error | undefined;

  /** Never throws: it is called from within the engine. `send` does. */
  add(bytes: Buffer): void {
    if (this.#error !== undefined) return;
    this.#parts.push(bytes);
    this.#size += bytes.length;
    if (this.#size <= (this.#file === undefined ? MOST_BYTES : PORTION)) return;
    try {
      this.#file ??= openNameless();
      this.#filed += writeAll(this.#file, Buffer.concat(this.#parts, this.#size));
    } catch (error) {
      this.#error = error as Error;
    }
    this.#parts = [];
    this.#size = 0;
  }

  /**
   * @param drained resolves when the client has read what was written, or has gone: then with false
   * @throws what the file system does, a full disk above all
   */
  async send(socket: Writable, drained: () => Promise<boolean>): Promise<void> {
    try {
      if (this.#error !== undefined) throw this.#error;
      for (let at = 0; at < this.#filed;) {
        const portion = Buffer.allocUnsafe(Math.min(PORTION, this.#filed - at));
        at += readSync(this.#file!, portion, 0, portion.length, at);
        if (!socket.write(portion) && !(await drained())) return;
      }
      if (this.#size > 0 && !socket.write(Buffer.concat(this.#parts, this.#size))) await drained();
    } finally {
      if (this.#file !== undefined) closeSync(this.#file);
    }
  }
}

/** A file without a name: it is gone when it is closed, also by a kill. */
function openNameless(): number {
  const path = join(tmpdir(), `seg-answer-${randomUUID()}`);
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return file;
}

function writeAll(file: number, bytes: Buffer): number {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
  return bytes.length;
}
