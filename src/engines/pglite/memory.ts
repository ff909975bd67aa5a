import { PGliteDatabase } from './connection.ts';
import { startServer } from './server.ts';
import { briefStartParams, startParams } from './settings.ts';
import { emptySnapshot } from './snapshot.ts';

export interface OpenMemoryOptions {
  /** A data directory packed by `PGliteDatabase.dump()`; default: an empty one. */
  readonly from?: Blob;
  /** `large`: with the buffers of a database in a directory, for as much data. Default: `brief`, quick to open. */
  readonly size?: 'brief' | 'large';
}

/** A database that lives in this process's memory and goes with it. */
export async function openMemoryDatabase(options: OpenMemoryOptions = {}): Promise<PGliteDatabase> {
  const loadDataDir = options.from ?? (await emptySnapshot());
  const server = await startServer({
    loadDataDir,
    startParams: options.size === 'large' ? startParams : briefStartParams,
  });
  return new PGliteDatabase(server);
}
