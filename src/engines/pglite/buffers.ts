/** How much memory the embedded server keeps pages in. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const LEAST = 128;
/**
 * Each page that is not in the buffers is a call out of WebAssembly, and so is each that has to make room: with a million events of
 * history under five models, batches of 10,000 took 1.8 times as long in 128 MB as in 512. More would cost more than it
 * gives: the server writes over all of its buffers when it starts (0.1 s for 512 MB, 0.35 s for 1,024).
 */
const MOST = 512;

/** Megabytes for a database of so many bytes, on a machine of so many: a power of two, at most an eighth of the memory. */
export function bufferMegabytes(databaseBytes: number, memoryBytes: number): number {
  let size = LEAST;
  while (size < MOST && size * 2 ** 20 < databaseBytes * 1.5 && size * 2 * 8 * 2 ** 20 <= memoryBytes)
    size *= 2;
  return size;
}

/** What a server has, whose process is to stay below 400 MB beside whatever is sent to it. */
export const SERVING = 64;

/** Megabytes of a setting like PostgreSQL's: `256MB`, `1GB`. */
export function megabytesOf(setting: string): number {
  const [, number, unit] = /^(\d+) ?(MB|GB)$/.exec(setting)!;
  return Number(number) * (unit === 'GB' ? 1024 : 1);
}

/** Bytes of all relations in a data directory; 0 when it cannot be read. */
export function databaseBytes(dataDirectory: string): number {
  let sum = 0;
  try {
    for (const database of readdirSync(join(dataDirectory, 'base'))) {
      const folder = join(dataDirectory, 'base', database);
      for (const file of readdirSync(folder)) sum += statSync(join(folder, file)).size;
    }
  } catch {
    return sum;
  }
  return sum;
}
