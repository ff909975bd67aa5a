import type { Database } from '../engines/connection.ts';
import type { Project } from '../project/load.ts';
import { dialectOf } from '../streaming/dialect-of.ts';
import type { CommandContext } from './context.ts';

/** Opens the project's database, works with it, and closes it whatever happens. `alone`: as its owner, or not at all. */
export async function withDatabase<T>(
  context: CommandContext,
  project: Project,
  work: (db: Database) => Promise<T>,
  options: { readonly alone?: boolean; readonly serves?: boolean } = {},
): Promise<T> {
  const { openDatabase } = await import('../engines/registry.ts');
  const started = performance.now();
  const command = `seg ${context.command}`;
  const db = await openDatabase(project.target, { root: project.root, command, ...options });
  context.log.debug(`Opened the database in ${((performance.now() - started) / 1000).toFixed(2)} seconds`);
  try {
    await checkState(db, project);
    return await work(db);
  } finally {
    await db.close();
  }
}

/** @throws SegError SEG806 when a newer seg has deployed there: this one would misread what it finds, and write what that one cannot read */
async function checkState(db: Database, project: Project): Promise<void> {
  if (dialectOf(project.target) !== undefined) return;
  const { checkStateVersion } = await import('../state/schema.ts');
  const { stateSchemaOf } = await import('../deploy/spec.ts');
  await checkStateVersion(db, stateSchemaOf(project));
}

/**
 * The same for work that takes a while: meanwhile `seg subscribe` in other processes is answered, because the embedded
 * database belongs to this one.
 */
export async function withSharedDatabase<T>(
  context: CommandContext,
  project: Project,
  work: (db: Database) => Promise<T>,
  options: { readonly alone?: boolean } = {},
): Promise<T> {
  const shared = async (db: Database): Promise<T> => {
    const { DirectoryDatabase } = await import('../engines/pglite/open.ts');
    if (!(db instanceof DirectoryDatabase)) return work(db);
    const { startRelay } = await import('../feeds/relay.ts');
    const { FeedHub } = await import('../feeds/hub.ts');
    const relay = await startRelay(new FeedHub(db, () => project, { pollMs: 100, oneSession: true }));
    try {
      await db.lock.announce(relay.address);
      return await work(db);
    } finally {
      await relay.close();
    }
  };
  return withDatabase(context, project, shared, options);
}

/** A database that is opened when it is first used: unit tests and scenarios never need the project's own. */
export function lazyDatabase(open: () => Promise<Database>): Database {
  let opened: Promise<Database> | undefined;
  const db = () => (opened ??= open());
  return {
    query: async (sql, params) => (await db()).query(sql, params),
    exec: async (sql) => (await db()).exec(sql),
    transaction: async (work) => (await db()).transaction(work),
    copyFrom: async (target, columns, lines) => (await db()).copyFrom(target, columns, lines),
    close: async () => (await opened)?.close(),
  };
}
