import {
  closeSync,
  existsSync,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** dbt's figures: the file rolls at 10 MiB and five older ones are kept (`seg.log.1` is the youngest). */
export const MAX_BYTES = 10 * 1024 * 1024;
const KEPT = 5;

/**
 * A log file that is only ever appended to and rolls when it is full. Each line is written at once, so a killed
 * process has logged what it did.
 */
export class LogFile {
  readonly path: string;
  readonly #maxBytes: number;
  #descriptor: number;
  #size: number;

  /** Creates missing folders. Throws what the file system throws. */
  constructor(path: string, maxBytes = MAX_BYTES) {
    this.path = path;
    this.#maxBytes = maxBytes;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#descriptor = openPrivate(path);
    this.#size = fstatSync(this.#descriptor).size;
  }

  /** Appends one line; the newline is added. Answers why it could not: nothing else is to fail for the log's sake. */
  write(line: string): Error | undefined {
    const bytes = Buffer.from(`${line}\n`);
    try {
      if (this.#size > 0 && this.#size + bytes.length > this.#maxBytes) this.#roll();
      writeSync(this.#descriptor, bytes);
      this.#size += bytes.length;
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #roll(): void {
    closeSync(this.#descriptor);
    for (let age = KEPT - 1; age >= 0; age--) {
      const from = age === 0 ? this.path : `${this.path}.${age}`;
      if (existsSync(from)) renameSync(from, `${this.path}.${age + 1}`);
    }
    this.#descriptor = openPrivate(this.path);
    this.#size = fstatSync(this.#descriptor).size;
  }
}

/** Its owner's alone: reasons of rejected records and statements that failed quote data. A file of an earlier version was open to others. */
function openPrivate(path: string): number {
  const descriptor = openSync(path, 'a', 0o600);
  const { mode, uid } = fstatSync(descriptor);
  if ((mode & 0o077) !== 0 && uid === process.getuid?.()) fchmodSync(descriptor, 0o600);
  return descriptor;
}
