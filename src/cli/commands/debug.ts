import { arch, platform, release } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { CommandHandler } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { renderDiagnostics } from '../../diagnostics/render.ts';
import { SegError } from '../../diagnostics/seg-error.ts';
import { DatabaseError } from '../../engines/connection.ts';
import type { Project, Target } from '../../project/load.ts';
import { findProjectFile } from '../../project/project-file.ts';
import { loadOptions, openProject } from '../open-project.ts';
import { counted } from '../report/summary.ts';
import { dialectOf } from '../../streaming/dialect-of.ts';
import { outdatedModels } from '../../deploy/replace-programs.ts';
import { withDatabase } from '../with-database.ts';

/** Fields of a target that are never printed. */
const SECRET_FIELDS = /pass|secret|token|key$/i;

/** `seg debug`: what seg finds and whether it can connect, in dbt's form. Exit code 1 when a check fails. */
export const debug: CommandHandler = async (context) => {
  const { flags, log, version } = context;
  const problems: string[] = [];
  log.info(`seg version: ${version}`);
  log.info(`node version: ${process.versions.node}`);
  log.info(`node path: ${process.execPath}`);
  log.info(`os info: ${platform()}-${release()}-${arch()}`);
  const project = await checkConfiguration(context, problems);
  if (project !== undefined && flags.boolean('config-dir')) {
    await context.writeOut(`${dirname(resolve(project.root, project.profilesFile))}\n`);
    return 0;
  }
  if (!flags.boolean('connection')) {
    log.info('Required dependencies:');
    log.info(` - node ${verdict(context, null)}`);
  }
  log.blank();
  if (project === undefined) log.info(`Connection test skipped since no valid profile was found`);
  else await checkConnection(context, project, problems);
  log.blank();
  if (problems.length === 0) {
    log.info(log.colors.green('All checks passed!'));
    return 0;
  }
  log.error(log.colors.red(`${counted(problems.length, 'check', 'checks')} failed:`));
  for (const problem of problems) log.error(problem);
  return 1;
};

/** Loads the project and says of the profile and the project file whether they are there and valid. */
async function checkConfiguration(context: CommandContext, problems: string[]): Promise<Project | undefined> {
  const { log, sources } = context;
  let file = 'dbt_project.yml';
  let failure: SegError | undefined;
  let project: Project | undefined;
  try {
    const found = findProjectFile(loadOptions(context).projectDir);
    file = found.file;
    log.info(`Using project file at ${resolve(found.root, found.file)}`);
    project = await openProject(context, { writeManifest: false });
    log.info(`Using profiles.yml file at ${resolve(project.root, project.profilesFile)}`);
    log.info(`adapter type: ${project.target.type}`);
  } catch (error) {
    if (!(error instanceof SegError)) throw error;
    failure = error;
  }
  const ofProfile = failure?.diagnostics.some(
    ({ code, at }) => code.startsWith('SEG80') || /profiles\.ya?ml$/.test(at?.file ?? ''),
  );
  log.info('Configuration:');
  log.info(
    `  profiles.yml file ${verdict(context, ofProfile === true ? 'invalid' : null, 'found and valid')}`,
  );
  log.info(
    `  ${file} file ${verdict(context, failure && ofProfile !== true ? 'invalid' : null, 'found and valid')}`,
  );
  if (failure !== undefined) {
    const options = { sourceOf: (name: string) => sources.of(name), colors: log.colors.isColorSupported };
    problems.push(renderDiagnostics(failure.diagnostics, options));
  }
  return project;
}

async function checkConnection(context: CommandContext, project: Project, problems: string[]): Promise<void> {
  const { log } = context;
  log.info('Connection:');
  for (const [name, value] of connectionFields(project.target)) log.info(`  ${name}: ${value}`);
  try {
    const { server, outdated } = await withDatabase(context, project, async (db) => {
      const { rows } = await db.query<{ version: string }>('select version() as version');
      const maintained = dialectOf(project.target) === undefined;
      return { server: rows[0]!.version, outdated: maintained ? await outdatedModels(db, project) : [] };
    });
    log.info(`  server: ${server}`);
    if (outdated.length > 0)
      log.info(`  programs of another version of seg, which "seg run" replaces: ${outdated.join(', ')}`);
    log.info(`  Connection test: ${verdict(context, null, 'connection ok')}`);
  } catch (error) {
    if (!(error instanceof SegError) && !(error instanceof DatabaseError)) throw error;
    log.info(`  Connection test: ${verdict(context, 'connection failed')}`);
    problems.push(error instanceof SegError ? renderDiagnostics(error.diagnostics) : error.message);
  }
}

function connectionFields(target: Target): [string, string][] {
  const fields = Object.entries({
    target: target.name,
    ...target.fields,
    schema: target.schema,
    threads: target.threads,
  });
  return fields
    .filter(([name]) => name !== 'type' && !SECRET_FIELDS.test(name))
    .map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)]);
}

/** `[OK found and valid]` in green, `[ERROR invalid]` in red. */
function verdict({ log }: CommandContext, wrong: string | null, fine = 'found'): string {
  return wrong === null ? `[${log.colors.green(`OK ${fine}`)}]` : `[${log.colors.red(`ERROR ${wrong}`)}]`;
}
