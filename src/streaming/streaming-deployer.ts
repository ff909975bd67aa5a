/**
 * Brings a streaming engine's objects in line with a project. There are no transactions to lean on, so:
 *
 *     1. what is new or changed, and everything downstream of it, is made beside what stands, under a name of its own;
 *     2. it is waited for until it is complete;
 *     3. it changes places with what stands, and the old objects are dropped.
 *
 * Until 3 nothing that anybody reads has changed, so a failure or a kill costs nothing but the work. During 3 the nodes
 * are marked, so that a run that finds a mark makes them again.
 */
import { randomBytes } from 'node:crypto';
import type { Claims } from './claims.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { Connection } from '../engines/connection.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { coneOf, heldBack } from './cone.ts';
import { subsource } from './connectors/raw-object.ts';
import { samePrints } from './connectors/secret-print.ts';
import { createStatements, relationKey } from './desired-node.ts';
import type { DesiredNode } from './desired-node.ts';
import type { Dialect, Exchange, ObjectKind } from './dialect.ts';
import { isConnectionLost, isRecovering, nodeError } from './engine-error.ts';
import { judge } from './judge.ts';
import type { Judgement } from './judge.ts';
import { retaining, subscriptionId } from './retention.ts';
import { outcomesOf } from './outcomes.ts';
import { recoveryTimeoutMs as recoveryTimeoutMsOf } from './patient-connection.ts';
import type { StreamingOutcome } from './outcomes.ts';
import type { NodeStore, StoredNode } from './stored-node.ts';
import { engineTime, stored } from './stored-node.ts';
import { untilComplete, untilSettled } from './wait-for-object.ts';
import type { Waiting } from './wait-for-object.ts';

export interface DeployOptions {
  readonly fullRefresh?: boolean;
  /** Only say what would be done. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly recoveryTimeoutMs?: number;
  /** A node's object is being made, with how far its backfill is. */
  readonly onProgress?: (node: DesiredNode, progress: string) => void;
}

/** Names of objects under construction, and of old ones that wait to be dropped. */
const UNDER_CONSTRUCTION = /__seg_[0-9a-f]{8}(__log)?(_aside)?$/;

interface Item extends DesiredNode {
  /** Deployed earlier and not asked for now: made again as it was. */
  readonly follows: boolean;
}

export class StreamingDeployer {
  readonly #db: Connection;
  readonly #dialect: Dialect;
  readonly #store: NodeStore;
  readonly #claims: Claims | undefined;
  readonly #suffix = `__seg_${randomBytes(4).toString('hex')}`;
  /** Objects by schema: name → kind. */
  readonly #objects = new Map<string, Map<string, ObjectKind | 'other'>>();

  /** @param claims tell what of that looks left behind is somebody's still */
  constructor(db: Connection, dialect: Dialect, store: NodeStore, claims?: Claims) {
    this.#claims = claims;
    this.#db = db;
    this.#dialect = dialect;
    this.#store = store;
  }

  /**
   * @param wanted nodes in any order
   * @returns an outcome for each of them, and for every other node that was made again
   */
  async deploy(wanted: readonly DesiredNode[], options: DeployOptions = {}): Promise<StreamingOutcome[]> {
    const standing = await this.#store.read();
    await this.#readObjects([...wanted.map(({ relation }) => relation.schema), ...schemasOf(standing)]);
    for (const node of standing.values()) if (!this.#stands(node)) standing.delete(node.uniqueId);
    const failed = new Map<string, unknown>();
    const changed = new Set<string>();
    const altered = new Map<string, Judgement & { readonly action: 'alter' }>();
    const fullRefresh = options.fullRefresh === true;
    for (const node of wanted) {
      try {
        const [old, there] = [standing.get(node.uniqueId), this.#kindOf(node.relation)];
        const judgement = await judge(this.#db, this.#dialect, node, old, there, fullRefresh);
        if (judgement.action === 'make') changed.add(node.uniqueId);
        if (judgement.action === 'alter') altered.set(node.uniqueId, judgement);
      } catch (error) {
        failed.set(node.uniqueId, error);
      }
    }
    const items = this.#items(wanted, standing, failed);
    for (const [id, { grows }] of altered) {
      // SELECT * was written out when its readers were made: they do not see a new column.
      if (grows) for (const node of items.values()) if (node.reads.includes(id)) changed.add(node.uniqueId);
    }
    const feeds = feedsOfViews(wanted, standing);
    for (const { uniqueId } of feeds) items.delete(uniqueId);
    if (options.dryRun === true) {
      const cone = coneOf(changed, items);
      return outcomesOf(wanted, cone, { standing, failed, held: new Set(), altered, dropped: feeds });
    }
    for (const id of await this.#retain(wanted, changed, standing, failed)) changed.add(id);
    const cone = coneOf(changed, items);
    for (const [id, { statements }] of altered) await this.#alter(items.get(id)!, statements, failed);
    // A sink sends what it reads from its first moment on, so it is made last, on what stands in its place by then.
    const sinks = cone.filter(({ kind }) => kind === 'sink');
    const relations = cone.filter(({ kind }) => kind !== 'sink');
    const made = new Map<string, RelationName>();
    try {
      await this.#make(relations, standing, failed, made, options);
    } catch (error) {
      // What is under construction costs the cluster, and nobody waits for it any more.
      if (options.signal?.aborted === true) await this.#dropMade(relations, made, standing);
      throw error;
    }
    const held = heldBack(cone, new Set(failed.keys()), standing);
    const changing = relations.filter(({ uniqueId }) => !held.has(uniqueId));
    await this.#changePlaces(changing, made, standing);
    for (const sink of sinks)
      if (!held.has(sink.uniqueId)) await this.#moveSink(sink, standing, failed, options);
    await this.#dropMade(
      relations.filter(({ uniqueId }) => held.has(uniqueId)),
      made,
      standing,
    );
    const dropped = feeds.filter(({ reads }) => !held.has(reads[0]!) && !failed.has(reads[0]!));
    await this.remove(dropped);
    await this.sweep();
    return outcomesOf(wanted, cone, { standing, failed, held, altered, dropped });
  }

  /** Drops deployed nodes and forgets them; readers must be among them. */
  async remove(nodes: readonly StoredNode[]): Promise<void> {
    const waiting = [...nodes];
    for (let progress = true; progress && waiting.length > 0;) {
      progress = false;
      for (const node of [...waiting]) {
        if (waiting.some((other) => other !== node && other.reads.includes(node.uniqueId))) continue;
        for (const object of this.#droppable(node))
          await this.#db.exec(this.#dialect.drop(object.kind, object));
        waiting.splice(waiting.indexOf(node), 1);
        progress = true;
      }
    }
    await this.#store.remove(nodes.map(({ uniqueId }) => uniqueId));
  }

  async #readObjects(schemas: readonly string[]): Promise<void> {
    for (const schema of new Set(schemas)) {
      const { rows } = await this.#db.query<{ name: string; kind: ObjectKind }>(
        this.#dialect.objectsIn(schema),
      );
      this.#objects.set(schema, new Map(rows.map(({ name, kind }) => [name, kind])));
    }
  }

  #kindOf({ schema, name }: RelationName): ObjectKind | 'other' | undefined {
    return this.#objects.get(schema)?.get(name);
  }

  #stands(node: Pick<StoredNode, 'relation'>): boolean {
    return this.#kindOf(node.relation) !== undefined;
  }

  /** The objects of a node, but those that go with another. */
  #droppable(
    node: Pick<StoredNode, 'kind' | 'relation' | 'key' | 'connector'>,
  ): (RelationName & { kind: ObjectKind })[] {
    const objects = this.#dialect.objectsOf(node);
    return node.connector?.subsource === true ? objects.slice(0, 1) : objects;
  }

  /** What is wanted, and what stands beside it as it was. */
  #items(
    wanted: readonly DesiredNode[],
    standing: ReadonlyMap<string, StoredNode>,
    failed: ReadonlyMap<string, unknown>,
  ): Map<string, Item> {
    const items = new Map<string, Item>();
    const at = { file: '', line: 1, column: 1 };
    for (const node of standing.values())
      items.set(node.uniqueId, { ...node, sourceMap: null, at, follows: true });
    for (const node of wanted) {
      if (failed.has(node.uniqueId)) continue;
      items.set(node.uniqueId, { ...node, follows: false });
      const feed = items.get(subscriptionId(node.uniqueId));
      if (feed !== undefined) items.set(feed.uniqueId, retaining(feed, node.relation, node.retention));
    }
    return items;
  }

  async #alter(node: Item, statements: readonly string[], failed: Map<string, unknown>): Promise<void> {
    try {
      for (const statement of statements) await this.#db.exec(statement);
      await this.#store.write([stored(node)]);
    } catch (error) {
      failed.set(node.uniqueId, this.#asNodeError(error, node));
    }
  }

  /**
   * Changes of how long changes are kept, which cost no rebuild.
   * @returns unique_ids of feeds that the engine cannot alter: they are made anew
   */
  async #retain(
    wanted: readonly DesiredNode[],
    changed: ReadonlySet<string>,
    standing: ReadonlyMap<string, StoredNode>,
    failed: ReadonlyMap<string, unknown>,
  ): Promise<string[]> {
    const anew: string[] = [];
    const hasFeeds = this.#dialect.engine === 'risingwave';
    for (const node of wanted) {
      if (node.kind !== 'materialized_view' && node.kind !== 'table') continue;
      if (changed.has(node.uniqueId) || failed.has(node.uniqueId)) continue;
      const own = standing.get(node.uniqueId);
      if (own !== undefined && own.retention !== node.retention && hasFeeds)
        await this.#store.write([{ ...own, retention: node.retention }]);
      const keeper = hasFeeds ? subscriptionId(node.uniqueId) : node.uniqueId;
      const old = standing.get(keeper);
      if (old === undefined || old.retention === node.retention) continue;
      const statement = this.#dialect.alterRetention(old.kind, old.relation, node.retention);
      if (statement === null) continue;
      try {
        await this.#db.exec(statement);
      } catch (error) {
        // RisingWave alters it from 3.0 on.
        if (!hasFeeds || !(error instanceof DatabaseError) || isConnectionLost(error)) throw error;
        anew.push(keeper);
        continue;
      }
      await this.#store.write([
        old.kind === 'subscription'
          ? retaining(old, node.relation, node.retention)
          : { ...old, retention: node.retention },
      ]);
    }
    return anew;
  }

  /**
   * Makes a sink on what stands now, and only then drops the one that read the former version: nothing is lost, and what changes in
   * between is sent by both. Where the engine can, the sink that stands is turned to the new version instead.
   */
  async #moveSink(
    node: Item,
    standing: ReadonlyMap<string, StoredNode>,
    failed: Map<string, unknown>,
    options: DeployOptions,
  ): Promise<void> {
    if (node.reads.some((id) => failed.has(id))) return;
    const old = standing.get(node.uniqueId);
    const next =
      old === undefined
        ? node.relation
        : { schema: node.relation.schema, name: underConstruction(node.relation.name, this.#suffix) };
    try {
      const turned =
        old !== undefined && old.fingerprint === node.fingerprint && samePrints(node.secrets, old.prints)
          ? this.#dialect.turnSink(node.relation, node.connector!)
          : null;
      await this.#store.write([stored(node, '')]);
      if (turned !== null) await this.#db.exec(turned);
      else {
        await this.#db.exec(this.#dialect.createSchema(next.schema));
        await this.#create(node, next, new Map());
        await untilSettled(this.#waiting(node, next, options));
        if (old !== undefined) {
          const [standingObject] = this.#dialect.objectsOf(old);
          await this.#exchange(
            this.#dialect.exchange([{ standing: standingObject!, next: { ...next, kind: 'sink' } }]),
          );
        }
      }
      await this.#store.write([stored(node)]);
    } catch (error) {
      if (options.signal?.aborted === true) throw error;
      failed.set(node.uniqueId, this.#asNodeError(error, node));
      if (old === undefined) await this.#store.remove([node.uniqueId]);
    }
  }

  /**
   * Makes the cone beside what stands.
   * @param made filled with the new objects' names by unique_id
   */
  async #make(
    cone: readonly Item[],
    standing: ReadonlyMap<string, StoredNode>,
    failed: Map<string, unknown>,
    made: Map<string, RelationName>,
    options: DeployOptions,
  ): Promise<void> {
    const renames = new Map<string, string>();
    const complete = new Map<string, Promise<void>>();
    // What is made under its own name is noted first: after a kill it must not be taken for somebody else's.
    const fresh = cone.filter(
      ({ uniqueId, reads }) => !standing.has(uniqueId) && !reads.some((id) => failed.has(id)),
    );
    await this.#store.write(fresh.map((node) => stored(node, '')));
    for (const node of cone) {
      if (node.reads.some((id) => failed.has(id))) continue;
      const next = standing.has(node.uniqueId)
        ? { schema: node.relation.schema, name: underConstruction(node.relation.name, this.#suffix) }
        : node.relation;
      try {
        options.signal?.throwIfAborted();
        // A view that is still being filled cannot be read by another one.
        for (const id of node.reads) await complete.get(id);
        await this.#db.exec(this.#dialect.createSchema(node.relation.schema));
        // Even a statement that is cut off may have begun its object.
        made.set(node.uniqueId, next);
        await this.#create(node, next, renames);
        renames.set(relationKey(node.relation), relationKey(next));
        if (node.connector?.subsource === true)
          renames.set(relationKey(subsource(node.relation)), relationKey(subsource(next)));
        const waiting =
          node.kind === 'materialized_view' ? this.#fill(node, next, options) : this.#index(node, next);
        // Whoever waits for it gets the error; this keeps it from ending the process meanwhile.
        waiting.catch(() => {});
        complete.set(node.uniqueId, waiting);
      } catch (error) {
        if (options.signal?.aborted === true) throw error;
        failed.set(node.uniqueId, this.#asNodeError(error, node));
      }
    }
    for (const node of cone) {
      await complete.get(node.uniqueId)?.catch((error: unknown) => {
        if (options.signal?.aborted === true) throw error;
        failed.set(node.uniqueId, this.#asNodeError(error, node));
      });
    }
  }

  /** @throws SegError SEG407 with the place of what the engine refuses */
  async #create(node: Item, name: RelationName, renames: ReadonlyMap<string, string>): Promise<void> {
    for (const statement of createStatements(this.#dialect, node, name, renames)) {
      try {
        await this.#db.exec(statement);
      } catch (error) {
        throw this.#asNodeError(error, node, statement);
      }
    }
  }

  #asNodeError(error: unknown, node: Item, statement?: string): unknown {
    const { definition, sourceMap, label, at } = node;
    const isQuery = definition !== null && node.connector === undefined && node.kind !== 'subscription';
    const query =
      statement === undefined || !isQuery
        ? undefined
        : {
            text: definition,
            sourceMap,
            linesBefore: statement.split('\n').length - definition.split('\n').length,
          };
    const secrets = [...(node.secrets?.values() ?? [])];
    return nodeError(error, label, at, this.#dialect.title, { secrets, query });
  }

  async #fill(node: Item, relation: RelationName, options: DeployOptions): Promise<void> {
    await untilComplete(this.#waiting(node, relation, options));
    await this.#index(node, relation);
  }

  #waiting(
    node: Item,
    relation: RelationName,
    { onProgress, signal, recoveryTimeoutMs: given }: DeployOptions,
  ): Waiting {
    const [db, dialect] = [this.#db, this.#dialect];
    const recoveryTimeoutMs = given ?? recoveryTimeoutMsOf({});
    return {
      db,
      dialect,
      node,
      relation,
      signal,
      recoveryTimeoutMs,
      onProgress: (progress) => onProgress?.(node, progress),
    };
  }

  async #index({ kind, indexes }: Item, name: RelationName): Promise<void> {
    if (kind !== 'view' && kind !== 'materialized_view') return;
    for (const statement of this.#dialect.createIndexes({ kind, name, indexes }))
      await this.#db.exec(statement);
  }

  async #changePlaces(
    nodes: readonly Item[],
    made: ReadonlyMap<string, RelationName>,
    standing: ReadonlyMap<string, StoredNode>,
  ): Promise<void> {
    if (nodes.length === 0) return;
    const pairs = nodes.flatMap((node): Exchange[] => {
      const old = standing.get(node.uniqueId);
      const next = made.get(node.uniqueId);
      if (old === undefined || next === undefined) return [];
      const before = this.#dialect.objectsOf(old);
      return this.#dialect
        .objectsOf({ ...node, relation: next })
        .flatMap((object, i) => (before[i] === undefined ? [] : [{ standing: before[i], next: object }]));
    });
    if (pairs.length > 0) {
      await this.#store.write(nodes.map((node) => stored(node, '')));
      await this.#exchange(this.#dialect.exchange(pairs));
    }
    // A position that a reader had before this moment is one of the former relation.
    const since = nodes.some(({ kind }) => kind === 'subscription')
      ? await engineTime(this.#db, this.#dialect)
      : undefined;
    await this.#store.write(
      nodes.map((node) => (node.kind === 'subscription' ? { ...stored(node), since } : stored(node))),
    );
  }

  async #exchange(statements: readonly string[]): Promise<void> {
    const all = async (db: Connection): Promise<void> => {
      for (const statement of statements) await db.exec(statement);
    };
    // A transaction needs one session for itself; outside of one a pool may hand out any.
    await (this.#dialect.exchangesAtOnce ? this.#db.transaction(all) : all(this.#db));
  }

  async #dropMade(
    nodes: readonly Item[],
    made: ReadonlyMap<string, RelationName>,
    standing: ReadonlyMap<string, StoredNode>,
  ): Promise<void> {
    for (const node of [...nodes].reverse()) {
      const name = made.get(node.uniqueId);
      if (name === undefined) continue;
      for (const object of this.#droppable({ ...node, relation: name })) {
        try {
          await this.#db.exec(this.#dialect.drop(object.kind, object));
        } catch (error) {
          // The next run sweeps it away.
          if (!(error instanceof DatabaseError) || !isRecovering(error)) throw error;
        }
      }
    }
    // Those that were to be made under their own names stand nowhere.
    await this.#store.remove(nodes.flatMap(({ uniqueId }) => (standing.has(uniqueId) ? [] : [uniqueId])));
  }

  /**
   * Drops what bears the name of something under construction: the old objects, and what a killed run has left. What somebody holds a claim
   * to is left alone.
   */
  async sweep(): Promise<void> {
    let held: ReadonlySet<string> | undefined;
    for (const schema of this.#objects.keys()) {
      for (let progress = true; progress;) {
        progress = false;
        const { rows } = await this.#db.query<{ name: string; kind: ObjectKind | 'other' }>(
          this.#dialect.objectsIn(schema),
        );
        for (const { name, kind } of rows) {
          const suffix = UNDER_CONSTRUCTION.exec(name)?.[0];
          if (kind === 'other' || suffix === undefined) continue;
          if (!name.includes(this.#suffix)) held ??= (await this.#claims?.held()) ?? new Set();
          if (held?.has(suffix.slice(0, this.#suffix.length)) === true) continue;
          try {
            await this.#db.exec(this.#dialect.drop(kind, { schema, name }));
            progress = true;
          } catch (error) {
            // Something that is dropped in a later round still reads it.
            if (!(error instanceof DatabaseError) || isConnectionLost(error)) throw error;
          }
        }
      }
    }
  }

  /** Everything in the schemas of these nodes that is under construction. */
  async sweepAround(nodes: readonly StoredNode[]): Promise<void> {
    await this.#readObjects(nodes.map(({ relation }) => relation.schema));
    await this.sweep();
  }
}

/** The feeds of nodes that become plain views: a view has none. */
function feedsOfViews(
  wanted: readonly DesiredNode[],
  standing: ReadonlyMap<string, StoredNode>,
): StoredNode[] {
  return wanted.flatMap(({ uniqueId, kind }) => {
    const feed = kind === 'view' ? standing.get(subscriptionId(uniqueId)) : undefined;
    return feed === undefined ? [] : [feed];
  });
}

function schemasOf(nodes: ReadonlyMap<string, StoredNode>): string[] {
  return [...nodes.values()].map(({ relation }) => relation.schema);
}

/** The beginning of the name, within PostgreSQL's 63 bytes, and a suffix that no other run has. */
function underConstruction(name: string, suffix: string): string {
  let head = name;
  while (Buffer.byteLength(head) + suffix.length > 50) head = head.slice(0, -1);
  return head + suffix;
}
