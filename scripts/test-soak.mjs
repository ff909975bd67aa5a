// `npm run test:soak`: compiles the tests' generator and runs the soak (tests/differential/soak.ts), which takes the arguments.
import { spawnSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const root = join(import.meta.dirname, '..');
const out = join(root, 'target', 'soak');
const run = (args) => {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};
run([join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.soak.json']);
// The packed start directory of PGlite is found beside the program.
if (!existsSync(join(out, 'dist'))) symlinkSync(join(root, 'dist'), join(out, 'dist'));
run([join(out, 'tests', 'differential', 'soak.js'), ...process.argv.slice(2)]);
