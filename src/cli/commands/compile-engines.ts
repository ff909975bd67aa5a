import { checkProject } from '../../compatibility/check-project.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { renderDiagnostics } from '../../diagnostics/render.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { loadProject } from '../../project/load.ts';
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
    const project = await loadProject({
      ...loadOptions(context),
      engine,
      onLog: (message, toConsole) => (toConsole ? log.info(message) : log.debug(message)),
    });
    sources.use(project.root, project.files);
    reportWarnings(context, project.warnings);
    const nodes = selectGraphNodes(context, project, ['model', 'test', 'source']);
    const found = checkProject(project, nodes);
    const errors = found.filter(({ severity }) => severity === 'error').length;
    lacking += errors;
    if (json) {
      for (const diagnostic of found)
        await context.writeOut(`${JSON.stringify({ engine, ...plain(diagnostic) })}\n`);
    } else if (found.length > 0) {
      const options = { sourceOf: (name: string) => sources.of(name), colors: log.colors.isColorSupported };
      log[errors > 0 ? 'error' : 'warn'](renderDiagnostics(found, options));
    }
    const what = counted(nodes.length, 'node', 'nodes');
    if (errors === 0) log.info(`${log.colors.green('OK')} ${engine}: ${what}, nothing is lacking`);
    else
      log.error(
        `${log.colors.red('LACKING')} ${engine}: ${counted(errors, 'construct', 'constructs')} in ${what}`,
      );
  }
  return lacking === 0 ? 0 : 1;
}

function plain({ severity, code, message, at, hint }: Diagnostic): object {
  return { severity, code, message, file: at?.file, line: at?.line, column: at?.column, hint };
}
