import { existsSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { CommandHandler } from '../command-definition.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { findProjectFile, type JsonObject } from '../../project/project-file.ts';
import { loadOptions } from '../open-project.ts';
import { cleanDatabase } from './clean-database.ts';

/** Keys of the project file whose folders hold what a person wrote; clean never touches them. */
const OWN_PATHS: Record<string, readonly string[]> = {
  'model-paths': ['models'],
  'seed-paths': ['seeds'],
  'test-paths': ['tests'],
  'analysis-paths': ['analyses'],
  'macro-paths': ['macros'],
  'snapshot-paths': ['snapshots'],
};

/**
 * `seg clean`: deletes the folders of `clean-targets` (the target folder when the project names none). It reads only the
 * project file, so that a project that does not load can be cleaned. Throws SEG905 for a target outside of the project,
 * the project itself, or a folder of sources, before anything is deleted.
 */
export const clean: CommandHandler = async (context) => {
  if (context.flags.boolean('database')) return cleanDatabase(context);
  const options = loadOptions(context);
  const file = findProjectFile(options.projectDir);
  context.sources.use(file.root);
  const targetPath = text(file.values['target-path']) ?? 'target';
  const names = strings(file.values['clean-targets']) ?? [options.targetPath ?? targetPath];
  const folders = names.map((name) => resolve(file.root, name));
  for (const [index, folder] of folders.entries())
    refuseForeign(folder, names[index]!, file.root, file.values);
  for (const folder of folders) {
    const shown = relative(file.root, folder);
    if (!existsSync(folder)) continue;
    context.log.info(`Checking ${shown}/*`, { name: 'CheckCleanPath', code: 'Z012' });
    rmSync(folder, { recursive: true, force: true });
    context.log.info(`Cleaned ${shown}/*`, { name: 'ConfirmCleanPath', code: 'Z013' });
  }
  context.log.info('Finished cleaning all paths.', { name: 'FinishedCleanPaths', code: 'Z015' });
  return 0;
};

function refuseForeign(folder: string, name: string, root: string, values: JsonObject): void {
  if (!isInside(real(folder), realpathSync(root))) {
    throw segError('SEG905', `clean target "${name}" is not inside of the project`, {
      hint: 'Delete it by hand if that is what you want: seg clean never leaves the project.',
    });
  }
  for (const [key, fallback] of Object.entries(OWN_PATHS)) {
    for (const own of strings(values[key]) ?? fallback) {
      const ownFolder = resolve(root, own);
      if (folder === ownFolder || isInside(ownFolder, folder) || isInside(folder, ownFolder)) {
        throw segError('SEG917', `clean target "${name}" holds sources of the project (${key})`, {
          hint: 'Take it out of "clean-targets" in the project file.',
        });
      }
    }
  }
}

/** The folder with links resolved, as far as it exists: a link must not lead out of the project. */
function real(folder: string): string {
  if (existsSync(folder)) return realpathSync(folder);
  const parent = dirname(folder);
  return parent === folder ? folder : join(real(parent), relative(parent, folder));
}

function isInside(folder: string, root: string): boolean {
  return folder.startsWith(root.endsWith(sep) ? root : root + sep);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function strings(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : undefined;
}
