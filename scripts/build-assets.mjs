// Packs a freshly initialised PGlite data directory, so that nobody who installs seg waits for initdb.
// Runs after tsc, from the compiled output; does nothing when the asset of this PGlite version is there already.
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PGlite } from '@electric-sql/pglite';
import { snapshotPath } from '../dist/engines/pglite/snapshot.js';

const manifest = new URL('../node_modules/@electric-sql/pglite/package.json', import.meta.url);
const { version } = JSON.parse(await readFile(manifest, 'utf8'));
const stamp = `${snapshotPath}.version`;
const packed = await readFile(stamp, 'utf8').catch(() => '');
const present = await stat(snapshotPath).then(
  () => true,
  () => false,
);
if (packed !== version || !present) {
  await mkdir(dirname(snapshotPath), { recursive: true });
  const database = await PGlite.create();
  const tar = await (await database.dumpDataDir('none')).arrayBuffer();
  await database.close();
  await writeFile(`${snapshotPath}.tmp`, gzipSync(Buffer.from(tar), { level: 9 }));
  await rename(`${snapshotPath}.tmp`, snapshotPath);
  await writeFile(stamp, version);
}
