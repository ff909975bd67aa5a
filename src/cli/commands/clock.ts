import type { CommandHandler } from '../command-definition.ts';
import { advanceClock, readClock, setClock } from '../../clock/clock.ts';
import { stateSchemaOf } from '../../deploy/spec.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { isMemory } from '../../engines/registry.ts';
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
      // A database in memory is gone with its process, and the clock with it.
      const free = context.flags.boolean('confirm') || isMemory(project.target);
      const move = { farAhead: free ? 'allowed' : 'refused' } as const;
      if (step !== undefined) await advanceClock(db, step, schema, move);
      else await setClock(db, wanted === 'now' ? new Date().toISOString() : wanted, schema, move);
    }
    await context.writeOut(`${await readClock(db, schema)}\n`);
  });
  return 0;
};
