import { stringifyJson } from '../../json/exact-json.ts';
import type { CommandHandler } from '../command-definition.ts';
import { stateSchemaOf } from '../../deploy/spec.ts';
import { dialectOf } from '../../streaming/dialect-of.ts';
import { verifyStreaming } from '../../streaming/verify-streaming.ts';
import { verifyKeys } from '../../verify/unique-keys.ts';
import { verify as verifyViews, type Verification } from '../../verify/verify.ts';
import { openProject } from '../open-project.ts';
import { printRelation } from '../print-relation.ts';
import { grouped } from '../progress.ts';
import { counted } from '../report/summary.ts';
import { selectGraphNodes } from '../selection.ts';
import { withDatabase } from '../with-database.ts';

/** `seg verify`: exit code 1 when a maintained view differs from what its query gives. */
export const verify: CommandHandler = async (context) => {
  const { flags, log } = context;
  const project = await openProject(context, { writeManifest: false });
  const asked =
    flags.list('select').length > 0 || flags.list('exclude').length > 0 || flags.given('selector');
  const ids = asked
    ? new Set(selectGraphNodes(context, project, ['model', 'test']).map((node) => node.unique_id))
    : undefined;
  if (ids?.size === 0) return 0;
  const text = flags.string('output') === 'text';
  const onResult = (result: Verification): void => {
    if (!text) return;
    log[isEqual(result) ? 'info' : 'error'](resultLine(result), {
      name: 'VerifyResult',
      data: { ...result },
    });
  };
  const dialect = dialectOf(project.target);
  const results = await withDatabase(context, project, async (db) => {
    if (dialect !== undefined) return verifyStreaming(db, project, dialect, { ids, onResult });
    const which = { ids, stateSchema: stateSchemaOf(project) };
    const views = await verifyViews(db, { ...which, onResult });
    for (const { message, ...data } of await verifyKeys(db, which))
      log.warn(message, { name: 'KeyNotUnique', data });
    return views;
  });
  const wrong = results.filter((result) => !isEqual(result)).length;
  if (flags.string('output') === 'json') {
    for (const result of results) await context.writeOut(`${stringifyJson({ ...result })}\n`);
  } else if (!text) {
    await printRelation(
      context,
      {
        columns: ['name', 'rows', 'missing', 'extra', 'seconds'],
        rows: results.map((result) => [
          result.name,
          result.rows,
          result.missing,
          result.extra,
          result.seconds.toFixed(3),
        ]),
      },
      flags.string('output') as 'table' | 'csv',
    );
  }
  const views = counted(results.length, 'maintained view', 'maintained views');
  if (wrong === 0) log.info(log.colors.green(`Verified ${views}: each equals its recomputation`));
  else
    log.error(log.colors.red(`Verified ${views}: ${counted(wrong, 'differs', 'differ')} from recomputation`));
  return wrong === 0 ? 0 : 1;
};

function isEqual({ missing, extra }: Verification): boolean {
  return missing === 0 && extra === 0;
}

function resultLine(result: Verification): string {
  const { name, rows, missing, extra, samples, seconds } = result;
  if (isEqual(result)) return `OK ${name}: ${grouped(rows)} rows in ${seconds.toFixed(2)}s`;
  const lines = samples.map(
    ({ row, weight }) => `  ${weight > 0 ? 'missing' : 'extra  '} ${stringifyJson(row)}`,
  );
  return [
    `DIFFERS ${name}: ${grouped(missing)} missing, ${grouped(extra)} extra of ${grouped(rows)} rows`,
    ...lines,
  ].join('\n');
}
