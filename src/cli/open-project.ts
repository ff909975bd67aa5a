import { resolve } from 'node:path';
import { segError } from '../diagnostics/seg-error.ts';
import { LogFile } from '../log/log-file.ts';
import { loadProject, type LoadOptions, type Project } from '../project/load.ts';
import { findProjectFile } from '../project/project-file.ts';
import { writeManifest } from './artifacts.ts';
import type { CommandContext } from './context.ts';
import { projectFolder } from './project-flags.ts';
import { reportWarnings } from './warnings.ts';

/**
 * Loads the project a command line means, tells its warnings, begins the log file and writes target/manifest.json.
 * Throws SegError with everything that is wrong with the project.
 */
export async function openProject(
  context: CommandContext,
  options: { writeManifest?: boolean } = {},
): Promise<Project> {
  const { flags, log, sources } = context;
  const load = loadOptions(context);
  const { root } = findProjectFile(load.projectDir);
  sources.use(root);
  const logPath = flags.string('log-path');
  startLogFile(context, logPath === undefined ? resolve(root, 'logs') : resolve(context.cwd, logPath));
  const started = performance.now();
  const project = await loadProject({
    ...load,
    onLog: (message, toConsole) => (toConsole ? log.info(message) : log.debug(message)),
  });
  sources.use(project.root, project.files);
  log.debug(`Loaded the project in ${((performance.now() - started) / 1000).toFixed(2)} seconds`);
  reportWarnings(context, project.warnings);
  if (flags.boolean('write-json') && options.writeManifest !== false) writeManifest(project);
  return project;
}

/** What the command line says about where and how to load. Folders are relative to where the command was given. */
export function loadOptions({ flags, cwd, env }: CommandContext): LoadOptions {
  const folder = (name: string) => {
    const given = flags.string(name);
    return given === undefined ? undefined : resolve(cwd, given);
  };
  const threads = flags.integer('threads');
  if (threads !== undefined && threads < 1) {
    throw segError('SEG903', `wrong value "${threads}" for --threads`, { hint: 'It takes a number from 1.' });
  }
  return {
    projectDir: projectFolder(flags, cwd),
    profilesDir: folder('profiles-dir'),
    profile: flags.string('profile'),
    target: flags.string('target'),
    vars: flags.mapping('vars'),
    // A copy: scenarios hand it to their threads.
    env: { ...env },
    targetPath: folder('target-path'),
    threads,
  };
}

function startLogFile({ flags, log }: CommandContext, folder: string): void {
  if (flags.string('log-level-file') === 'none') return;
  try {
    log.attachFile(new LogFile(resolve(folder, 'seg.log')));
  } catch (error) {
    // A read-only project can still be looked at.
    log.warn(`Cannot write ${resolve(folder, 'seg.log')}: ${(error as Error).message}`);
  }
}
