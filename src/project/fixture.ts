/** For tests: a project in a temporary folder. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import { loadProject } from './load.ts';
import type { LoadOptions, Project } from './load.ts';

const defaults: Record<string, string> = {
  'dbt_project.yml': 'name: shop\nprofile: shop\n',
  'profiles.yml': 'shop:\n  outputs:\n    default: {type: pglite, path: memory, schema: app}\n',
};

/** Writes files (those of a minimal project are there unless given), runs `use` in their folder and removes it. */
export async function withProject<T>(
  files: Record<string, string | null>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'seg-project-'));
  try {
    for (const [name, text] of Object.entries({ ...defaults, ...files })) {
      if (text === null) continue;
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), text);
    }
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Loads a project made of `files`. */
export function loadFiles(
  files: Record<string, string | null>,
  options: Partial<LoadOptions> = {},
): Promise<Project> {
  return withProject(files, (projectDir) => loadProject({ projectDir, env: {}, ...options }));
}

/** The mistakes of a project that cannot be loaded, as `file:line:column CODE message | hint`. */
export async function mistakes(
  files: Record<string, string | null>,
  options: Partial<LoadOptions> = {},
): Promise<string[]> {
  try {
    await loadFiles(files, options);
  } catch (error) {
    if (!(error instanceof SegError)) throw error;
    return error.diagnostics.filter(({ severity }) => severity === 'error').map(show);
  }
  throw new Error('the project loaded without a mistake');
}

/** One line for a diagnostic. */
export function show({ at, code, message, hint }: Diagnostic): string {
  const place = at === undefined ? '' : `${at.file}:${at.line}:${at.column} `;
  return `${place}${code} ${message}${hint === undefined ? '' : ` | ${hint}`}`;
}
