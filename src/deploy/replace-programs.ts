/** Programs that another version of seg has made: found, and replaced without a change of the project. */
import type { Connection } from '../engines/connection.ts';
import { compilerVersion } from '../incremental/compiler-version.ts';
import type { Project } from '../project/load.ts';
import { deployedCompiler } from '../state/compiler.ts';
import { readDeployed } from '../state/nodes.ts';
import { ensureState, stateVersion } from '../state/schema.ts';
import { Deployer } from './deployer.ts';
import { keyOf } from './plans.ts';
import { outdatedViews } from './programs.ts';
import { programSearchPath, stateSchemaOf } from './spec.ts';

class Undo extends Error {}

/**
 * Makes the programs of what is deployed anew where this version of seg makes others, and brings their views in line by the
 * difference. Does nothing when they are this version's, or nothing is deployed.
 * @returns names of the models concerned
 * @throws SegError when one of them fails; nothing is changed then
 */
export async function replacePrograms(db: Connection, project: Project): Promise<readonly string[]> {
  const stateSchema = stateSchemaOf(project);
  if ((await stateVersion(db, stateSchema)) === 0) return [];
  return db.transaction(async (tx) => {
    await ensureState(tx, stateSchema);
    if ((await deployedCompiler(tx, stateSchema)) === compilerVersion) return [];
    const deployer = await Deployer.begin(tx, project);
    await deployer.finish();
    return deployer.outdated;
  });
}

/** Names of the deployed models that `replacePrograms` would concern. Changes nothing. */
export async function outdatedModels(db: Connection, project: Project): Promise<readonly string[]> {
  const stateSchema = stateSchemaOf(project);
  if ((await stateVersion(db, stateSchema)) === 0) return [];
  let names: readonly string[] = [];
  try {
    await db.transaction(async (tx) => {
      await ensureState(tx, stateSchema);
      if ((await deployedCompiler(tx, stateSchema)) !== compilerVersion) {
        const deployed = await readDeployed(tx, stateSchema);
        const keys = await outdatedViews(tx, {
          stateSchema,
          searchPath: programSearchPath(project),
          deployed,
        });
        names = [...deployed.values()].filter((node) => keys.has(keyOf(node))).map(({ name }) => name);
      }
      throw new Undo();
    });
  } catch (error) {
    if (!(error instanceof Undo)) throw error;
  }
  return names;
}

/** What is said of models whose programs another version of seg has made. */
export function replacedText(models: readonly string[]): string {
  const some = models.slice(0, 10).join(', ');
  const more = models.length > 10 ? ` and ${models.length - 10} more` : '';
  return `Deployed by another version of seg, which kept these models in another way; they are compared with their queries and get new programs: ${some}${more}`;
}
