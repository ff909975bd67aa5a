import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { CommandHandler } from '../command-definition.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { projectFiles } from '../init/project-files.ts';

/** `seg init [name]`: a new project in a folder of that name, or in this folder when it is empty. */
export const init: CommandHandler = async (context) => {
  const { flags, log, cwd } = context;
  const [given] = context.args;
  const folder = resolve(cwd, given ?? '.');
  const name = projectName(basename(folder), given !== undefined);
  refuseUsed(folder, given ?? '.');
  const files = projectFiles(name, { profile: !flags.boolean('skip-profile-setup') });
  for (const [path, text] of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { flag: 'wx' });
    log.debug(`wrote ${relative(cwd, file)}`);
  }
  log.info(
    `Your new seg project "${name}" was created: ${files.size} files in ${relative(cwd, folder) || '.'}`,
  );
  log.info(`Go on with: ${given === undefined ? '' : `cd ${relative(cwd, folder)} && `}seg build`);
  return 0;
};

/** dbt's rule for names. Throws SEG913. */
function projectName(name: string, given: boolean): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  const near = name.replace(/\W+/g, '_').replace(/^(?=\d)/, '_');
  throw segError('SEG913', `"${name}" is not a valid project name`, {
    hint: given
      ? `A name has letters, digits and underscores, and begins with no digit: "${near}".`
      : `This folder cannot give the project its name. Choose one: seg init ${near}`,
  });
}

/** Throws SEG914 for a folder that holds anything. */
function refuseUsed(folder: string, shown: string): void {
  if (!existsSync(folder)) return;
  const entries = readdirSync(folder).filter((entry) => entry !== '.git');
  if (entries.length === 0) return;
  throw segError('SEG914', `folder "${shown}" is not empty`, {
    hint: 'Choose another name, or an empty folder.',
  });
}
