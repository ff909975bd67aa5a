// The fuzzer of OpenAPI documents, in a virtual environment of its own: installed once, kept in a cache folder.
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const VERSION = '4.32.5';
const folder = join(import.meta.dirname, '..', 'node_modules', '.cache', 'schemathesis');

/** Its command. Throws when Python or the package cannot be had. */
export function installSchemathesis() {
  const command = join(folder, 'bin', 'schemathesis');
  const complete = join(folder, `installed-${VERSION}`);
  if (existsSync(complete)) return command;
  rmSync(folder, { recursive: true, force: true });
  execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
  const pip = ['install', '--quiet', '--disable-pip-version-check', `schemathesis==${VERSION}`];
  execFileSync(join(folder, 'bin', 'pip'), pip, { stdio: 'inherit' });
  writeFileSync(complete, '');
  return command;
}
