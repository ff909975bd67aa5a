/** The examples of the library, as a user runs them: on the built package, by its own name. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'examples', 'incremental');

test('the PGlite example prints what its README shows', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'pglite.mjs')], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  });
  expect(stdout).toContain('2 - {"customer":"bob","orders":1,"total":25}');
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  expect(readme).toContain(`\`\`\`\n${stdout}\`\`\`\n`);
});
