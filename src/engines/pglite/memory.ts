import { PGlite } from '@electric-sql/pglite';
import { PGliteDatabase } from './connection.ts';
import { startParams } from './settings.ts';
import { emptySnapshot } from './snapshot.ts';

/**
 * A database that lives in this process's memory and goes with it.
 * @param options.from a data directory packed by `PGliteDatabase.dump()`; default: an empty one
 */
export async function openMemoryDatabase(options: { from?: Blob } = {}): Promise<PGliteDatabase> {
  const loadDataDir = options.from ?? (await emptySnapshot());
  const client = await PGlite.create({ loadDataDir, startParams });
  return new PGliteDatabase(client);
}
