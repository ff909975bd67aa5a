/**
 * A freshly initialised, empty data directory, packed at build time: unpacking it takes a tenth of initdb's time.
 * `npm run build` writes it to dist/assets; a checkout that was not built falls back to initdb.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gunzip } from 'node:zlib';
import { promisify } from 'node:util';
import { directoryImage } from './image.ts';

// The same relative path leads there from src/engines/pglite and from dist/engines/pglite.
export const snapshotPath = fileURLToPath(
  new URL('../../../dist/assets/pglite-empty.tar.gz', import.meta.url),
);

let loaded: Promise<Blob | undefined> | undefined;

/** The packed directory as an uncompressed tar; undefined when the build has not made one. Read once per process. */
export function emptySnapshot(): Promise<Blob | undefined> {
  loaded ??= readFile(snapshotPath)
    .then((packed) => promisify(gunzip)(packed))
    .then((tar) => directoryImage(new Uint8Array(tar).buffer))
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
  return loaded;
}
