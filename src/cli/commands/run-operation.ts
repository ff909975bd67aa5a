import type { CommandHandler } from '../command-definition.ts';
import { placeError } from '../../deploy/place-error.ts';
import { SourceMap } from '../../diagnostics/source-map.ts';
import { didYouMean } from '../../diagnostics/suggest.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import type { Project } from '../../project/load.ts';
import { openProject } from '../open-project.ts';
import { withSharedDatabase } from '../with-database.ts';

const ORIGIN = '<operation>';

/**
 * `seg run-operation MACRO`: renders the macro and runs the SQL it gives, in one transaction. (In dbt a macro runs SQL
 * by `run_query`; seg renders without a connection, so the text of the macro is what runs.)
 */
export const runOperation: CommandHandler = async (context) => {
  const { flags, log, sources } = context;
  const [macro = ''] = context.args;
  const project = await openProject(context);
  assertMacro(project, macro);
  const { text } = project.callMacro(macro, flags.mapping('args') ?? {});
  const sql = text.trim();
  if (sql === '') {
    log.info(`Macro "${macro}" rendered no SQL: nothing to run`);
    return 0;
  }
  log.debug(sql);
  // Places in the SQL are shown as places in what the macro has rendered.
  sources.use(project.root, new Map([...project.files, [ORIGIN, text]]));
  const started = performance.now();
  await withSharedDatabase(context, project, (db) =>
    db
      .transaction((tx) => tx.exec(text))
      .catch((error: unknown) => {
        throw placeError(error, {
          label: `macro "${macro}"`,
          statement: text,
          queryOffset: 0,
          queryLength: text.length,
          sourceMap: SourceMap.identity(ORIGIN, text),
          at: { file: ORIGIN, line: 1, column: 1 },
        });
      }),
  );
  log.info(`Ran the SQL of macro "${macro}" in ${((performance.now() - started) / 1000).toFixed(2)}s`);
  return 0;
};

/** Throws SEG915 for a macro the project does not have; the name may bear its package. */
function assertMacro(project: Project, name: string): void {
  const macros = Object.values(project.manifest.macros);
  const known = macros.some((macro) => macro.name === name || `${macro.package_name}.${macro.name}` === name);
  if (known) return;
  throw segError('SEG915', `unknown macro "${name}"`, {
    hint:
      didYouMean(
        name,
        macros.map((macro) => macro.name),
      ) ?? 'Macros stand in the folders of "macro-paths".',
  });
}
