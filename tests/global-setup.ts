import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

const root = join(import.meta.dirname, '..');

/**
 * End-to-end tests run the built program: when some are about to run, it is built once before the first test, unless
 * dist/ is newer than src/. Type errors do not stop it; `npm run check` is for those.
 */
export default async function setup(project: TestProject): Promise<void> {
  // What was asked for on vitest's command line; not in its types, and without it every run would count.
  const { filenamePattern } = project.vitest as unknown as { filenamePattern?: string[] };
  const { testFiles } = await project.globTestFiles(filenamePattern);
  if (!testFiles.some((file) => /\.e2e\.(slow\.)?test\.ts$/.test(file))) return;
  const main = join(root, 'dist', 'cli', 'main.js');
  if (existsSync(main) && newest(join(root, 'src')) <= newest(join(root, 'dist'))) return;
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  if (!existsSync(main)) throw new Error('the program could not be built: see the messages of tsc above');
}

function newest(folder: string): number {
  let latest = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) latest = Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return latest;
}
