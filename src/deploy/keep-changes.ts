import type { Connection } from '../engines/connection.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { Project } from '../project/load.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { CHANGES_SINCE, readDeployed } from '../state/nodes.ts';
import { inputTables, writePrograms } from './programs.ts';
import { replacePrograms } from './replace-programs.ts';
import { noteDeployment } from '../state/begin-statement.ts';
import { keepWritersOut, waitForDeployments } from '../state/take-turns.ts';
import { programSearchPath, stateSchemaOf } from './spec.ts';

/**
 * Begins to keep the changes of deployed, maintained nodes: their programs are made again with the changelog in them, in
 * one transaction, and nothing is recomputed. Does nothing for those whose changes are kept already. All at once is much cheaper than one
 * by one: each time, the programs of the whole project are compiled, and planned anew when they run next.
 * @throws SegError SEG704 when one is not deployed or not maintained
 */
export async function keepChangelog(
  connection: Connection,
  project: Project,
  uniqueIds: readonly string[],
): Promise<void> {
  const stateSchema = stateSchemaOf(project);
  const known = await readDeployed(connection, stateSchema);
  if (uniqueIds.every((id) => known.get(id)?.keepChanges === true)) return;
  // Else the programs would be this version's, and nobody would compare what another has left.
  await replacePrograms(connection, project);
  await connection.transaction(async (tx) => {
    await waitForDeployments(tx, stateSchema);
    const deployed = await readDeployed(tx, stateSchema);
    for (const uniqueId of uniqueIds) {
      if (deployed.get(uniqueId)?.kind === 'materialized_view') continue;
      throw segError(
        'SEG704',
        `"${uniqueId.split('.').at(-1)}" is not deployed as a maintained model, so it has no change feed`,
        {
          hint: 'Run "seg build" first; only models materialized as "materialized_view" can be followed.',
          exitCode: 1,
        },
      );
    }
    const wanted = uniqueIds.filter((id) => !deployed.get(id)!.keepChanges);
    if (wanted.length === 0) return;
    // A writer under way would run the programs as they were, and its changes would be missing in the feed.
    await keepWritersOut(tx, inputTables(deployed, stateSchema));
    await noteDeployment(tx, stateSchema);
    const seg = quoteIdentifier(stateSchema);
    await tx.query(
      `UPDATE ${seg}.node SET keep_changes = true,
         settings = settings || jsonb_build_object($2::text, (SELECT ${seg}.begin_step())::text)
       WHERE unique_id IN (SELECT jsonb_array_elements_text($1::jsonb))`,
      [JSON.stringify(wanted), CHANGES_SINCE],
    );
    await writePrograms(tx, {
      stateSchema,
      searchPath: programSearchPath(project),
      deployed: await readDeployed(tx, stateSchema),
      untriggered: new Set(),
      refreshStages: false,
    });
  });
}
