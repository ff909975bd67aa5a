import type { CommandHandler } from '../command-definition.ts';
import { advanceClock, readClock, setClock } from '../../clock/clock.ts';
import { stateSchemaOf } from '../../deploy/spec.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { openProject } from '../open-project.ts';
import { requirePostgresFamily } from '../postgres-family.ts';
import { withSharedDatabase } from '../with-database.ts';

/** `seg clock [INSTANT]`: moves the project's clock, then prints it. */
export const clock: CommandHandler = async (context) => {
  const [wanted] = context.args;
  const project = await openProject(context, { writeManifest: false });
  const schema = stateSchemaOf(project);
  requirePostgresFamily(project, 'seg clock', 'has a clock of its own, which cannot be moved');
  await withSharedDatabase(context, project, async (db) => {
    if ((await readClock(db, schema)) === null) {
      throw segError('SEG909', 'nothing is deployed, so there is no clock', {
        hint: 'Run "seg run" or "seg build" first.',
        exitCode: 1,
      });
    }
    if (wanted !== undefined) {
      const step = /^\+\s*(.+)$/.exec(wanted)?.[1];
      if (step !== undefined) await advanceClock(db, step, schema);
      else await setClock(db, wanted === 'now' ? new Date().toISOString() : wanted, schema);
    }
    await context.writeOut(`${await readClock(db, schema)}\n`);
  });
  return 0;
};
