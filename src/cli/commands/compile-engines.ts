import { checkProject } from '../../compatibility/check-project.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { renderDiagnostics } from '../../diagnostics/render.ts';
import { SegError, segError } from '../../diagnostics/seg-error.ts';
import { lacksOfTheTarget } from '../../project/build/connector.ts';
import { loadProject } from '../../project/load.ts';
import type { Project } from '../../project/load.ts';
import type { TargetType } from '../../project/profiles.ts';
import type { CommandContext } from '../context.ts';
import { loadOptions } from '../open-project.ts';
import { counted } from '../report/summary.ts';
import { selectGraphNodes } from '../selection.ts';
import { reportWarnings } from '../warnings.ts';

const engines: readonly TargetType[] = ['pglite', 'postgres', 'risingwave', 'materialize'];

/**
 * `seg compile --engine all|NAME`: compiles the selected nodes for engines, without a connection, and says what each engine
 * lacks. Exit code 1 when something is lacking.
 */
export async function compileForEngines(context: CommandContext): Promise<0 | 1> {
  const { flags, log, sources } = context;
  if (flags.given('inline')) {
    throw segError('SEG904', '--engine excludes --inline', {
      hint: 'Name nodes to compile, or none for all.',
    });
  }
  const asked = flags.string('engine');
  const json = flags.string('output') === 'json';
  let lacking = 0;
  for (const engine of engines.filter((name) => asked === 'all' || asked === name)) {
    const project = await loadFor(context, engine);
    if (!('manifest' in project)) {
      lacking += project.length;
      await report(context, engine, project, json);
      log.error(
        `${log.colors.red('LACKING')} ${engine}: ${counted(project.length, 'thing', 'things')} it has not`,
      );
      continue;
    }
    sources.use(project.root, project.files);
    reportWarnings(context, project.warnings);
    const nodes = selectGraphNodes(context, project, ['model', 'test', 'source']);
    const found = checkProject(project, nodes);
    const errors = found.filter(({ severity }) => severity === 'error').length;
    lacking += errors;
    await report(context, engine, found, json);
    const what = counted(nodes.length, 'node', 'nodes');
    if (errors === 0) log.info(`${log.colors.green('OK')} ${engine}: ${what}, nothing is lacking`);
    else
      log.error(
        `${log.colors.red('LACKING')} ${engine}: ${counted(errors, 'construct', 'constructs')} in ${what}`,
      );
  }
  return lacking === 0 ? 0 : 1;
}

/** The project for an engine, or what the engine cannot give it. @throws SegError for every other mistake */
async function loadFor(
  context: CommandContext,
  engine: TargetType,
): Promise<Project | readonly Diagnostic[]> {
  const { log } = context;
  try {
    return await loadProject({
      ...loadOptions(context),
      engine,
      onLog: (message, toConsole) => (toConsole ? log.info(message) : log.debug(message)),
    });
  } catch (error) {
    if (!(error instanceof SegError)) throw error;
    const errors = error.diagnostics.filter(({ severity }) => severity === 'error');
    if (!errors.every(({ code }) => lacksOfTheTarget.has(code))) throw error;
    return errors;
  }
}

async function report(
  context: CommandContext,
  engine: TargetType,
  found: readonly Diagnostic[],
  json: boolean,
): Promise<void> {
  const { log, sources } = context;
  if (json) {
    for (const diagnostic of found)
      await context.writeOut(`${JSON.stringify({ engine, ...plain(diagnostic) })}\n`);
  } else if (found.length > 0) {
    const options = { sourceOf: (name: string) => sources.of(name), colors: log.colors.isColorSupported };
    const errors = found.some(({ severity }) => severity === 'error');
    log[errors ? 'error' : 'warn'](renderDiagnostics(found, options));
  }
}

function plain({ severity, code, message, at, hint }: Diagnostic): object {
  return { severity, code, message, file: at?.file, line: at?.line, column: at?.column, hint };
}
