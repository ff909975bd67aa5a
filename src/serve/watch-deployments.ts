import { setTimeout as sleep } from 'node:timers/promises';
import { stampSql } from '../deploy/project-stamp.ts';
import type { Logger } from '../log/logger.ts';
import type { Project } from '../project/load.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import type { ServerState } from './server-state.ts';

const EVERY_MS = 2000;

/**
 * Until `signal`: when another process has deployed (seg run through the Postgres port), the server takes the project's
 * new files too. A project that cannot be loaded is told once, and the server goes on with what it has.
 */
export async function watchDeployments(
  state: ServerState,
  { reload, log, signal }: { reload: () => Promise<Project>; log: Logger; signal: AbortSignal },
): Promise<void> {
  let known = await stamp(state);
  while (!signal.aborted) {
    await sleep(EVERY_MS, undefined, { signal }).catch(() => {});
    const now = await stamp(state);
    if (now === known || signal.aborted) continue;
    known = now;
    try {
      state.replaceProject(await reload());
      log.info('The project was deployed anew; its files are read again');
    } catch (error) {
      log.warn(
        `The project was deployed anew, but its files cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}

/** Changes with every deployment of another version, but not with queries that are followed; empty before the first one. */
async function stamp({ shared, stateSchema }: ServerState): Promise<string> {
  try {
    const { rows } = await shared.as('read').query<{ stamp: string | null }>(
      `SELECT concat_ws(' ', count(*), max(deployed_at), ${stampSql(stateSchema)}) AS stamp FROM ${quoteIdentifier(stateSchema)}.node
       WHERE name NOT LIKE 'seg\\_inline\\_%'`,
    );
    return rows[0]?.stamp ?? '';
  } catch {
    return '';
  }
}
