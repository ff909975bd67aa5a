/** Sinks and the server on a streaming engine: they work on a copy that its feeds keep up to date (streaming/replica). */
import type { Database } from '../engines/connection.ts';
import type { PostgresDatabase } from '../engines/postgres/connection.ts';
import type { Project } from '../project/load.ts';
import type { Replica } from '../streaming/replica/replica.ts';
import type { CommandContext } from './context.ts';

/** The copy's database alone, for what needs no engine: how sinks are. The project is as it is known there. */
export async function withOutbox<T>(
  context: CommandContext,
  project: Project,
  work: (db: Database, copy: Project) => Promise<T>,
  options: { readonly alone?: boolean; readonly serves?: boolean } = {},
): Promise<T> {
  const { openDatabase } = await import('../engines/registry.ts');
  const { replicaTarget } = await import('../streaming/replica/replica.ts');
  const { replicaProject } = await import('../streaming/replica/replica-project.ts');
  const target = replicaTarget(project);
  const opening = { root: project.root, command: `seg ${context.command}`, ...options };
  const db = await openDatabase(target, opening);
  try {
    return await work(db, replicaProject(project, target, []));
  } finally {
    await db.close();
  }
}

/**
 * Opens the engine and the copy, as its only user, and sees that the copy has these relations; they are read when `work` says so.
 * @param uniqueIds null: everything that is deployed and has changes of its own
 */
export async function withReplica<T>(
  context: CommandContext,
  project: Project,
  uniqueIds: readonly string[] | null,
  work: (db: Database, replica: Replica, engine: PostgresDatabase) => Promise<T>,
): Promise<T> {
  const { openStreaming } = await import('../engines/streaming/open.ts');
  const { Replica } = await import('../streaming/replica/replica.ts');
  const engine = await openStreaming(project.target, {
    root: project.root,
    command: `seg ${context.command}`,
  });
  try {
    const ids = uniqueIds ?? (await Replica.deployed(engine, project));
    const working = async (db: Database): Promise<T> =>
      work(db, await Replica.open(engine, db, project, ids), engine);
    return await withOutbox(context, project, working, { alone: true, serves: true });
  } finally {
    await engine.close();
  }
}

/** What the copy tells on the way. */
export function replicaListener(context: CommandContext) {
  return {
    onGap: (label: string, reason: string): void =>
      context.log.warn(`${label} is compared with its snapshot: ${reason}`),
    onLost: (reason: string): void => context.log.warn(`The engine is away, trying again: ${reason}`),
  };
}
