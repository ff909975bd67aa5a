/**
 * A copy of relations of a streaming engine in a database of the Postgres family, which their change feeds keep up to date. The engine
 * has no transactions in which "sent" and "how far" could be noted together; the copy has them. So everything that seg keeps
 * about its sinks lives here, with the rows they send, and sinks and the server run on it as on any database.
 *
 * Rows and position are written in one transaction, so after a kill the feed goes on exactly behind what is here. Where that is
 * not to be had any more, the relation's snapshot is compared with the copy, and only the differences are written.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Deployer } from '../../deploy/deployer.ts';
import { stateSchemaOf } from '../../deploy/spec.ts';
import { SegError } from '../../diagnostics/seg-error.ts';
import { DatabaseError } from '../../engines/connection.ts';
import type { Connection, Database } from '../../engines/connection.ts';
import type { PostgresDatabase } from '../../engines/postgres/connection.ts';
import type { FeedItem } from '../../feeds/hub.ts';
import { pruneChanges } from '../../feeds/retention.ts';
import type { Project } from '../../project/load.ts';
import type { Target } from '../../project/profiles.ts';
import { quoteIdentifier, quoteRelation } from '../../sql/quote.ts';
import { shortName } from '../../sql/short-name.ts';
import { dialectOf } from '../dialect-of.ts';
import { isConnectionLost, isRecovering } from '../engine-error.ts';
import { followStreaming } from '../follow.ts';
import { NodeStore } from '../stored-node.ts';
import { followedRelation } from '../subscription.ts';
import { applyItem, forgetPosition, preparePlaces, readPosition } from './apply.ts';
import { copyTable, replicaProject } from './replica-project.ts';
import type { Copied } from './replica-project.ts';

/** Where the copy lives: `outbox` of the target, a folder or a target of the Postgres family; else a folder of the project. */
export function replicaTarget(project: Pick<Project, 'target' | 'root'>): Target {
  const { target, root } = project;
  const written = target.fields['outbox'];
  const base = {
    name: `${target.name} (outbox)`,
    profileName: target.profileName,
    schema: target.schema,
    threads: target.threads,
  };
  if (written !== null && typeof written === 'object' && !Array.isArray(written)) {
    const database = written['dbname'] ?? written['database'];
    return {
      ...base,
      type: 'postgres',
      database: typeof database === 'string' ? database : 'postgres',
      fields: { ...written, type: 'postgres', state_schema: stateSchemaOf(project) },
    };
  }
  const path = typeof written === 'string' && written !== '' ? written : join('.seg', 'outbox', target.name);
  return {
    ...base,
    type: 'pglite',
    database: 'postgres',
    fields: {
      type: 'pglite',
      path: path.startsWith('/') ? path : join(root, path),
      state_schema: stateSchemaOf(project),
    },
  };
}

export interface ReplicaOptions {
  readonly signal: AbortSignal;
  /** Rows were written. */
  readonly onApplied?: (uniqueId: string, rows: number) => void;
  /** A relation was made anew, or its changes were not kept: its snapshot is compared. */
  readonly onGap?: (label: string, reason: string) => void;
  /** The engine is away; it is asked again until it is back. Told once each time. */
  readonly onLost?: (reason: string) => void;
  /** The copy's database for those who share it: whatever is written there is seen by the others. */
  readonly db?: Connection;
}

export class Replica {
  /** The project as the copy's database knows it: sinks and the server take it. */
  readonly project: Project;
  readonly #engine: PostgresDatabase;
  readonly #db: Database;
  readonly #original: Project;
  readonly #copied: readonly Copied[];
  readonly #cluster: string;

  private constructor(
    engine: PostgresDatabase,
    db: Database,
    original: Project,
    project: Project,
    copied: readonly Copied[],
  ) {
    this.#engine = engine;
    this.#db = db;
    this.#original = original;
    this.project = project;
    this.#copied = copied;
    const { type, host, port } = original.target.fields;
    this.#cluster = JSON.stringify([type, host ?? null, port ?? null, original.target.database]);
  }

  /** unique_ids of the deployed models and stored tests of a project that have changes of their own. */
  static async deployed(engine: PostgresDatabase, project: Project): Promise<string[]> {
    const dialect = dialectOf(project.target);
    if (dialect === undefined) throw new Error('invariant: the target is a streaming engine');
    const store = new NodeStore(engine, dialect, stateSchemaOf(project));
    return [...(await store.read()).values()]
      .filter(({ uniqueId, kind }) => kind === 'materialized_view' && uniqueId in project.manifest.nodes)
      .map(({ uniqueId }) => uniqueId);
  }

  /**
   * Makes the tables of the copy, and models over them.
   * @param uniqueIds what is copied: deployed models and stored tests
   * @throws SegError SEG704 for one that is not deployed, SEG705 for a plain view
   */
  static async open(
    engine: PostgresDatabase,
    db: Database,
    project: Project,
    uniqueIds: readonly string[],
  ): Promise<Replica> {
    const dialect = dialectOf(project.target);
    if (dialect === undefined) throw new Error('invariant: the target is a streaming engine');
    const store = new NodeStore(engine, dialect, stateSchemaOf(project));
    const copied: Copied[] = [];
    for (const uniqueId of uniqueIds) {
      const { label, relation, key, stored } = await followedRelation(store, uniqueId);
      const { rows } = await engine.query<{ name: string; type: string }>(dialect.columnsOf(relation));
      copied.push({ uniqueId, name: stored.name, label, relation, key, columns: rows });
    }
    const copy = replicaProject(project, replicaTarget(project), copied);
    await preparePlaces(db);
    await deployCopy(db, copy, copied);
    return new Replica(engine, db, project, copy, copied);
  }

  /** Everything that has happened so far. */
  async catchUp(options: ReplicaOptions): Promise<void> {
    for (const each of this.#copied) await this.#read(each, true, options);
    await pruneChanges(this.#db, this.project);
  }

  /** Until `signal`, and over restarts of the engine. Rejects when a feed cannot go on. */
  async follow(options: ReplicaOptions): Promise<void> {
    const failed = new AbortController();
    const signal = AbortSignal.any([options.signal, failed.signal]);
    await Promise.all(
      this.#copied.map(async (each) => {
        try {
          let lost = false;
          while (!signal.aborted) {
            try {
              await this.#read(each, false, {
                ...options,
                signal,
                onApplied: (...applied) => {
                  lost = false;
                  options.onApplied?.(...applied);
                },
              });
            } catch (error) {
              if (!isAway(error)) throw error;
              if (!lost) options.onLost?.(error instanceof Error ? error.message : String(error));
              lost = true;
              await sleep(AGAIN_MS, undefined, { signal }).catch(() => {});
            }
          }
        } catch (error) {
          failed.abort();
          throw error;
        }
      }),
    );
  }

  async #read(each: Copied, once: boolean, options: ReplicaOptions): Promise<void> {
    const { signal, db = this.#db } = options;
    const from = await readPosition(db, each, this.#cluster);
    try {
      const items = followStreaming(this.#engine, this.#original, each.uniqueId, { from, once, signal });
      for await (const item of items) await this.#apply(each, item, options);
    } catch (error) {
      if (from === undefined || !(error instanceof SegError) || !isGap(error)) throw error;
      options.onGap?.(each.label, error.diagnostics[0]!.message);
      await forgetPosition(db, each.uniqueId);
      if (once) await this.#read(each, once, options);
      else await sleep(200, undefined, { signal }).catch(() => {});
    }
  }

  async #apply(each: Copied, item: FeedItem, { onApplied, db = this.#db }: ReplicaOptions): Promise<void> {
    const rows = await applyItem(db, each, this.#cluster, item);
    if (rows > 0) onApplied?.(each.uniqueId, rows);
  }
}

const AGAIN_MS = 1000;

/** Whether the engine may be back in a moment. */
function isAway(error: unknown): boolean {
  if (error instanceof DatabaseError) return isConnectionLost(error) || isRecovering(error);
  return error instanceof SegError && error.diagnostics.some(({ code }) => /^SEG(811|816|820)$/.test(code));
}

/** Changes are not kept any more, or the position is of another kind of engine. */
function isGap(error: SegError): boolean {
  return error.diagnostics.some(({ code }) => code === 'SEG703' || code === 'SEG706');
}

async function deployCopy(db: Database, project: Project, copied: readonly Copied[]): Promise<void> {
  const { sources, nodes } = project.manifest;
  await db.transaction(async (tx) => {
    for (const each of copied) await emptyReshaped(tx, each);
    const deployer = await Deployer.begin(tx, project);
    for (const source of Object.values(sources)) await deployer.deploy(source);
    for (const node of Object.values(nodes)) if (node.resource_type === 'model') await deployer.deploy(node);
    await deployer.finish();
    for (const each of copied) await indexKey(tx, each);
  });
}

/** A copy whose columns are other ones now is read anew; only an empty table may change them. */
async function emptyReshaped(tx: Connection, each: Copied): Promise<void> {
  const table = copyTable(each);
  const { rows } = await tx.query<{ name: string }>(
    `SELECT a.attname::text AS name FROM pg_attribute AS a
     WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [quoteRelation(table)],
  );
  const same = rows.map(({ name }) => name).join('\0') === each.columns.map(({ name }) => name).join('\0');
  if (rows.length === 0 || same) return;
  await tx.exec(`DELETE FROM ${quoteRelation(table)}`);
  await forgetPosition(tx, each.uniqueId);
}

async function indexKey(tx: Connection, each: Copied): Promise<void> {
  if (each.key.length === 0) return;
  const table = copyTable(each);
  await tx.exec(
    `CREATE INDEX IF NOT EXISTS ${quoteIdentifier(shortName(`${table.name} key`))} ON ${quoteRelation(table)} (${each.key.map(quoteIdentifier).join(', ')})`,
  );
}
