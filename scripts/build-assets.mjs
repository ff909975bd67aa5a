// Packs a freshly initialised PGlite data directory, so that nobody who installs seg waits for initdb.
// Runs after tsc, from the compiled output; does nothing when the asset of this PGlite version is there already.
//
// Every byte of it is copied each time a database in memory is opened, so it is made small (40 MB → 17 MB):
// - the template databases go: there is one session and one database, nobody can say CREATE DATABASE;
// - the write-ahead log has segments of 4 MB. Smaller ones would save little more here, but a database in a directory
//   looks at each of its segments at every commit (wal-sync.ts).
//
// Also notes a digest of the compiler (src/incremental/compiler-version.ts), and makes the command executable: npm does so for what it installs, not for a checkout that is built again.
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PGlite } from '@electric-sql/pglite';
import { snapshotPath } from '../dist/engines/pglite/snapshot.js';

const recipe = 2; // to be raised whenever the way it is made changes
const manifest = new URL('../node_modules/@electric-sql/pglite/package.json', import.meta.url);
const { version } = JSON.parse(await readFile(manifest, 'utf8'));
const wanted = `${version} ${recipe}`;
const stamp = `${snapshotPath}.version`;
const packed = await readFile(stamp, 'utf8').catch(() => '');
const present = await stat(snapshotPath).then(
  () => true,
  () => false,
);
await chmod(new URL('../dist/cli/main.js', import.meta.url), 0o755);
await writeFile(new URL('../dist/compiler.sha256', import.meta.url), await compilerDigest());
if (packed !== wanted || !present) {
  await mkdir(dirname(snapshotPath), { recursive: true });
  const tar = await makeImage();
  await writeFile(`${snapshotPath}.tmp`, gzipSync(tar, { level: 9 }));
  await rename(`${snapshotPath}.tmp`, snapshotPath);
  await writeFile(stamp, wanted);
}

/** Of the files that decide what a program looks like. */
async function compilerDigest() {
  const hash = createHash('sha256');
  for (const part of ['deploy', 'incremental', 'ivm', 'sql', 'state']) {
    const folder = new URL(`../dist/${part}/`, import.meta.url);
    const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.js'));
    for (const name of files.sort()) hash.update(name).update(await readFile(new URL(name, folder)));
  }
  return hash.digest('hex').slice(0, 12);
}

async function makeImage() {
  const database = await PGlite.create({
    initDbStartParams: ['--wal-segsize=4'],
    // The least there can be, so that the checkpoints below let go of the log that initdb has written.
    startParams: [...PGlite.defaultStartParams, '-c', 'min_wal_size=8MB', '-c', 'max_wal_size=8MB'],
  });
  try {
    for (const statement of [
      'UPDATE pg_database SET datistemplate = false, datallowconn = true',
      'DROP DATABASE template0',
      'DROP DATABASE template1',
      'VACUUM FULL',
      'VACUUM (FREEZE, ANALYZE)',
      'CHECKPOINT',
      'SELECT pg_switch_wal()',
      'CHECKPOINT',
    ]) {
      await database.exec(statement);
    }
    return Buffer.from(await (await database.dumpDataDir('none')).arrayBuffer());
  } finally {
    await database.close();
  }
}
