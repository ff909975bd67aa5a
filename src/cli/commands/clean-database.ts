import type { CommandHandler } from '../command-definition.ts';
import { removeDeployment } from '../../deploy/remove-deployment.ts';
import { stateSchemaOf } from '../../deploy/spec.ts';
import { dialectOf } from '../../streaming/dialect-of.ts';
import { removeStreamingDeployment } from '../../streaming/remove-deployment.ts';
import { openProject } from '../open-project.ts';
import { withDatabase } from '../with-database.ts';

/** `seg clean --database`: exit code 1 when sources hold rows and `--drop-sources` was not given; nothing is dropped then. */
export const cleanDatabase: CommandHandler = async (context) => {
  const { flags, log } = context;
  const project = await openProject(context, { writeManifest: false });
  const dialect = dialectOf(project.target);
  if (dialect !== undefined) {
    const options = { dropSources: flags.boolean('drop-sources') };
    const labels = await withDatabase(context, project, (db) =>
      removeStreamingDeployment(db, dialect, stateSchemaOf(project), options),
    );
    for (const label of labels) log.info(`Dropped ${label}`, { name: 'CleanedRelation' });
    log.info(labels.length === 0 ? 'Nothing is deployed.' : 'Nothing of seg is left in the database.');
    return 0;
  }
  const removed = await withDatabase(
    context,
    project,
    (db) =>
      db.transaction((tx) =>
        removeDeployment(tx, stateSchemaOf(project), { dropSources: flags.boolean('drop-sources') }),
      ),
    { alone: true },
  );
  for (const { label, kept } of removed)
    log.info(kept ? `Released ${label}: its table stays` : `Dropped ${label}`, {
      name: 'CleanedRelation',
    });
  log.info(removed.length === 0 ? 'Nothing is deployed.' : 'Nothing of seg is left in the database.');
  return 0;
};
