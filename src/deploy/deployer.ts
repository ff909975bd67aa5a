/**
 * Brings the database's objects in line with a project, node by node, inside ONE transaction: readers see all of it or nothing,
 * and a kill in the middle leaves what was there before.
 *
 * The rule that keeps it right: a node whose definition or whose inputs changed is brought up to date by the same
 * difference that maintains it (ivm/strategies/recompute.ts), so its change feed goes on with exactly what changed.
 * Only when its columns change is it built anew beside the old one and put in its place.
 *
 *     deploy(node)   what it reads is settled first, then the node itself; its readers are marked
 *     load(node)     rows written into a seed or source: maintained by the programs, or marked when they are not there
 *     begin()        where another compiler made the programs, views that this one keeps in another way are marked
 *     finish()       marked nodes that nobody asked for are settled, programs and triggers are made, orphans dropped
 */
import { isDeepStrictEqual } from 'node:util';
import type { Connection } from '../engines/connection.ts';
import type { JsonValue } from '../changelog/change.ts';
import { checkKey } from './check-key.ts';
import type { RelationNode, TestNode } from '../project/nodes.ts';
import type { Project } from '../project/load.ts';
import { Dag } from '../graph/dag.ts';
import { compilerVersion } from '../incremental/compiler-version.ts';
import { dropGuard } from '../incremental/guard.ts';
import { quoteRelation } from '../sql/quote.ts';
import { loadSqlParser } from '../sql/parse.ts';
import { CHANGES_SINCE, deleteDeployed, readDeployed, writeDeployed } from '../state/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';
import { claimState } from '../state/claim.ts';
import { deployedCompiler, noteCompiler } from '../state/compiler.ts';
import { takeEpoch } from '../state/epoch.ts';
import { ensureState } from '../state/schema.ts';
import type { BuildContext } from './build-context.ts';
import { buildNode } from './build-node.ts';
import type { Mark } from './build-node.ts';
import { releaseTable } from './build-existing.ts';
import { rejectedTable } from './ddl.ts';
import { dropNode } from './drop.ts';
import { examineExisting, isAsDeployed, isFollowed } from './examine-existing.ts';
import { refuseLoop, refuseUnfollowed, requireReads } from './check-reads.ts';
import { moveTable, takeOver } from './make-room.ts';
import { missingNodes } from './missing-nodes.ts';
import { holdsForeignRows, orphans, refuseRead } from './orphans.ts';
import { INTAKE, intakeChanges } from './intake.ts';
import type { NodeOutcome } from './outcome.ts';
import { withNote } from './place-error.ts';
import { keyOf } from './plans.ts';
import { inputTables, outdatedViews, writePrograms } from './programs.ts';
import { programSearchPath, relationIndex, specOf, stateSchemaOf } from './spec.ts';
import type { NodeSpec, RelationIndex } from './spec.ts';
import { specOfDeployed } from './spec-of-deployed.ts';
import { noteDeployment } from '../state/begin-statement.ts';
import { keepWritersOut, waitForDeployments } from '../state/take-turns.ts';

export class Deployer {
  readonly #tx: Connection;
  readonly #project: Project;
  readonly #index: RelationIndex;
  readonly stateSchema: string;
  #deployed: Map<string, DeployedNode>;
  #marks = new Map<string, Mark>();
  /** Views that were dropped because something they read was replaced; settling makes them again. */
  #detached = new Set<string>();
  /** Input tables made anew in this transaction: their triggers are gone. */
  #untriggered = new Set<string>();
  #programsStale = false;
  /** Names of the views whose programs another compiler made; undefined when the last deployment was this compiler's. */
  #outdated: readonly string[] | undefined;
  #epoch: string | undefined;
  /** Whether writers are kept out; a deployment that changes nothing leaves them alone. */
  #alone = false;

  private constructor(tx: Connection, project: Project, deployed: Map<string, DeployedNode>) {
    this.#tx = tx;
    this.#project = project;
    this.#index = relationIndex(project);
    this.stateSchema = stateSchemaOf(project);
    this.#deployed = deployed;
  }

  /** @param tx a transaction; the deployer's work becomes visible when the caller commits it */
  static async begin(tx: Connection, project: Project): Promise<Deployer> {
    await loadSqlParser();
    const stateSchema = stateSchemaOf(project);
    await waitForDeployments(tx, stateSchema);
    await ensureState(tx, stateSchema);
    await claimState(tx, stateSchema, project.target);
    const deployed = await readDeployed(tx, stateSchema);
    const deployer = new Deployer(tx, project, deployed);
    // What somebody dropped by hand is not deployed any more.
    for (const id of await missingNodes(tx, stateSchema, deployed)) {
      await deleteDeployed(tx, stateSchema, id);
      deployed.delete(id);
      deployer.#programsStale = true;
    }
    if ((await deployedCompiler(tx, stateSchema)) !== compilerVersion) await deployer.#replaceCompiler();
    return deployer;
  }

  /** Names of the views that another version of seg made, and that are being brought in line with this one. */
  get outdated(): readonly string[] {
    return this.#outdated ?? [];
  }

  get deployed(): ReadonlyMap<string, DeployedNode> {
    return this.#deployed;
  }

  /**
   * Deploys one node; whatever it reads must have been deployed before (in this transaction or an earlier one).
   * On an error nothing of the node is changed and the transaction goes on.
   * @param options.seedColumns a seed's columns, from its file
   * @throws SegError
   */
  async deploy(
    node: RelationNode | TestNode,
    options: { seedColumns?: readonly { name: string; type: string }[]; fullRefresh?: boolean } = {},
  ): Promise<NodeOutcome> {
    const spec = specOf(this.#project, this.#index, node, options.seedColumns);
    if (this.#marks.size > 0)
      await this.#settle(new Set([...spec.reads, ...this.#dag().upstream(spec.reads)]));
    requireReads(spec, this.#deployed, this.#project);
    const standing = this.#deployed.get(spec.uniqueId);
    const same =
      standing?.fingerprint === spec.fingerprint &&
      options.fullRefresh !== true &&
      (spec.kind !== 'existing' || (await this.#standsAsDeployed(spec, standing)));
    const intake = intakeChanges(standing?.settings[INTAKE], spec.settings[INTAKE]);
    const told = intake.length === 0 ? {} : { intake };
    if (same && !this.#marks.has(spec.uniqueId) && spec.kind !== 'table') {
      await this.#noteSettings(standing, spec);
      const action = intake.length === 0 ? 'unchanged' : 'changed';
      return { ...nothingDone, ...told, action, uniqueId: spec.uniqueId, label: spec.label };
    }
    refuseLoop(spec, this.#deployed, this.#dag());
    if (spec.kind === 'materialized_view') refuseUnfollowed(spec, this.#deployed);
    return this.#attempt(async () => {
      await this.#beAlone();
      await this.#takeOver(spec);
      const old = this.#deployed.get(spec.uniqueId);
      const mark = this.#marks.get(spec.uniqueId);
      const action = same ? 'refreshed' : 'changed';
      return { ...(await this.#build(spec, old, mark, action, options.fullRefresh === true)), ...told };
    });
  }

  /**
   * Runs `write`, which writes rows into the table of a deployed seed or source. Its readers follow: through the
   * programs when they stand, else they are marked and settled later.
   */
  async load<T>(uniqueId: string, write: (tx: Connection) => Promise<T>): Promise<T> {
    return this.#attempt(async () => {
      await this.#beAlone();
      if (this.#untriggered.has(uniqueId)) {
        const result = await write(this.#tx);
        this.#markReaders(uniqueId, 'rows');
        return result;
      }
      await this.flushPrograms();
      return write(this.#tx);
    });
  }

  /** Makes programs and triggers for what is deployed now, where they are not made yet. */
  async flushPrograms(): Promise<void> {
    if (!this.#programsStale) return;
    await writePrograms(this.#tx, {
      stateSchema: this.stateSchema,
      searchPath: programSearchPath(this.#project),
      deployed: this.#deployed,
      untriggered: this.#untriggered,
      refreshStages: true,
    });
    this.#untriggered.clear();
    this.#programsStale = false;
  }

  /**
   * Ends the deployment: settles what is still marked, makes the programs, and deals with nodes that are gone from the project.
   * @throws SegError when a change breaks a deployed node that was not asked for; the caller must then roll back
   */
  async finish(options: { prune?: boolean } = {}): Promise<NodeOutcome[]> {
    if (this.#marks.size > 0 || this.#programsStale) await this.#beAlone();
    const outcomes = await this.#settle(new Set(this.#deployed.keys()));
    outcomes.push(...(await this.#orphans(options.prune === true)));
    for (const node of this.#deployed.values())
      if (node.kind === 'materialized_view') refuseUnfollowed(node, this.#deployed);
    await this.flushPrograms();
    if (this.#outdated !== undefined) await noteCompiler(this.#tx, this.stateSchema, compilerVersion);
    return outcomes;
  }

  /**
   * Another compiler may have given other answers: what this one keeps in another way is compared with its query, which changes
   * (and tells followers of) no more than what was wrong.
   */
  async #replaceCompiler(): Promise<void> {
    const keys = await outdatedViews(this.#tx, {
      stateSchema: this.stateSchema,
      searchPath: programSearchPath(this.#project),
      deployed: this.#deployed,
    });
    const nodes = [...this.#deployed.values()].filter((node) => keys.has(keyOf(node)));
    for (const { uniqueId } of nodes) this.#marks.set(uniqueId, 'rows');
    this.#outdated = nodes.map(({ name }) => name);
    if (nodes.length > 0) this.#programsStale = true;
  }

  async #build(
    spec: NodeSpec,
    old: DeployedNode | undefined,
    mark: Mark | undefined,
    action: 'changed' | 'refreshed',
    fullRefresh: boolean,
  ): Promise<NodeOutcome> {
    const sameKind = old?.kind === spec.kind;
    const moved =
      old !== undefined && (old.schema !== spec.schema || old.relation !== spec.relation || !sameKind);
    const context = this.#context();
    let standing = old;
    if (moved) {
      await this.#detachReaders(old.uniqueId);
      if (sameKind && (spec.kind === 'source' || spec.kind === 'seed')) {
        await moveTable(context, old, spec);
        this.#untriggered.add(old.uniqueId);
        this.#programsStale = true;
      } else if (sameKind && spec.kind === 'materialized_view') {
        // Its rows are needed until the new ones are compared with them.
        await this.#tx.exec(`DROP VIEW ${quoteRelation({ schema: old.schema, name: old.relation })}`);
      } else {
        // A source that is declared as existing keeps its rows: seg lets go of the table.
        if (old.kind === 'source') await releaseTable(this.#tx, this.stateSchema, old);
        else await dropNode(context, old);
        standing = undefined;
      }
    }
    const built = await buildNode(context, spec, standing, {
      mark,
      fullRefresh,
      moved: moved && sameKind,
    });
    checkKey(spec, built.columns);
    const columnsChanged = old !== undefined && (moved || built.reshaped);
    // Only a maintained view has a feed; what happens while a model is of another kind is not recorded.
    const kept = old?.kind === 'materialized_view' && old.keepChanges;
    const keepChanges = spec.kind === 'materialized_view' && (spec.keepChanges || kept);
    // Changes before this step were not recorded, so a reader may not start earlier.
    const since =
      keepChanges && kept ? old.settings[CHANGES_SINCE] : keepChanges ? await this.#takeEpoch() : undefined;
    this.#deployed.set(
      spec.uniqueId,
      await writeDeployed(this.#tx, this.stateSchema, {
        uniqueId: spec.uniqueId,
        name: spec.name,
        label: spec.label,
        kind: spec.kind,
        schema: spec.schema,
        relation: spec.relation,
        state: built.state,
        definition: spec.definition,
        reads: spec.reads,
        columns: built.columns,
        key: spec.key,
        fingerprint: spec.fingerprint,
        keepChanges,
        settings: {
          ...spec.settings,
          ...built.settings,
          ...(since === undefined ? {} : { [CHANGES_SINCE]: since }),
        },
      }),
    );
    if (built.recreated) this.#untriggered.add(spec.uniqueId);
    // A refresh of the same definition leaves every program as it is.
    if (action === 'changed' || old === undefined || built.recreated || columnsChanged)
      this.#programsStale = true;
    this.#marks.delete(spec.uniqueId);
    this.#detached.delete(spec.uniqueId);
    // Somebody may have dropped an existing table with all that read it, and made it again.
    if (columnsChanged || (old === undefined && spec.kind === 'existing'))
      this.#markReaders(spec.uniqueId, 'columns');
    else if (built.recreated && spec.kind === 'existing') this.#markReaders(spec.uniqueId, 'rows');
    else if (built.inserted + built.deleted > 0 || (spec.kind === 'view' && old !== undefined)) {
      this.#markReaders(spec.uniqueId, mark === 'columns' && spec.kind === 'view' ? 'columns' : 'rows');
    }
    return {
      uniqueId: spec.uniqueId,
      label: spec.label,
      action: old === undefined ? 'created' : action,
      rows: built.rows,
      inserted: built.inserted,
      deleted: built.deleted,
      reshaped: columnsChanged,
    };
  }

  #context(): BuildContext {
    return {
      tx: this.#tx,
      stateSchema: this.stateSchema,
      searchPath: programSearchPath(this.#project),
      nodeId: (uniqueId) => this.#deployed.get(uniqueId)?.id,
      epoch: () => this.#takeEpoch(),
      detachReaders: (uniqueId) => this.#detachReaders(uniqueId),
      columnsRead: (spec) =>
        spec.reads.flatMap((id) => this.#deployed.get(id)?.columns.map(({ name }) => name) ?? []),
    };
  }

  /**
   * What changes nothing of the relation: a model whose file was renamed is the same model, but errors name its file; how the
   * records of a source are read is for those who take them in.
   */
  async #noteSettings(standing: DeployedNode, spec: NodeSpec): Promise<void> {
    const file = spec.settings['file']!;
    const renamed = standing.settings['file'] !== file;
    const intake = spec.settings[INTAKE];
    if (!renamed && isDeepStrictEqual(standing.settings[INTAKE], intake)) return;
    const settings: Record<string, JsonValue> = { ...standing.settings, file };
    if (intake !== undefined) settings[INTAKE] = intake;
    const node = await writeDeployed(this.#tx, this.stateSchema, { ...standing, settings });
    this.#deployed.set(spec.uniqueId, node);
    this.#programsStale ||= renamed;
  }

  /** Brings marked nodes among `ids` up to date, in topological order, each after what it reads. */
  async #settle(ids: ReadonlySet<string>): Promise<NodeOutcome[]> {
    const outcomes: NodeOutcome[] = [];
    if (this.#marks.size === 0) return outcomes;
    for (const id of this.#dag().order()) {
      const mark = this.#marks.get(id);
      const node = this.#deployed.get(id);
      if (mark === undefined || node === undefined || !ids.has(id)) continue;
      try {
        const outcome = await this.#attempt(() =>
          this.#build(specOfDeployed(node, this.#project), node, mark, 'refreshed', false),
        );
        outcomes.push(outcome);
      } catch (error) {
        const why = this.#outdated?.includes(node.name)
          ? 'was deployed by another version of seg, which kept it in another way'
          : 'is deployed and reads what this run changes';
        throw withNote(error, `${node.label} ${why}, so nothing was changed.`);
      }
    }
    return outcomes;
  }

  #markReaders(uniqueId: string, mark: Mark): void {
    for (const node of this.#deployed.values()) {
      if (!node.reads.includes(uniqueId)) continue;
      // A `table` is rebuilt when it is run, not when its inputs change.
      if (node.kind === 'table' && !this.#detached.has(node.uniqueId)) continue;
      if (this.#marks.get(node.uniqueId) === 'columns') continue;
      this.#marks.set(node.uniqueId, mark);
      // A plain view has no rows of its own: whoever reads it reads what it reads.
      if (node.kind === 'view') this.#markReaders(node.uniqueId, mark);
    }
  }

  /**
   * Drops the plain views that read a relation (through other plain views too) and the guards of maintained ones, so that it
   * can be replaced.
   */
  async #detachReaders(uniqueId: string): Promise<void> {
    for (const node of this.#deployed.values()) {
      if (node.reads.includes(uniqueId) && node.kind === 'materialized_view') {
        await dropGuard(this.#tx, this.stateSchema, { schema: node.schema, name: node.relation });
        this.#programsStale = true;
      }
      if (!node.reads.includes(uniqueId) || node.kind !== 'view' || this.#detached.has(node.uniqueId))
        continue;
      await this.#detachReaders(node.uniqueId);
      await this.#tx.exec(`DROP VIEW ${quoteRelation({ schema: node.schema, name: node.relation })}`);
      this.#detached.add(node.uniqueId);
      this.#marks.set(node.uniqueId, 'columns');
    }
  }

  async #orphans(prune: boolean): Promise<NodeOutcome[]> {
    const outcomes: NodeOutcome[] = [];
    for (const node of orphans(this.#project, this.#deployed, this.#dag())) {
      // Of a table that somebody else made there is nothing to keep.
      const wanted = prune || (node.kind === 'existing' && !this.#isRead(node));
      const drop = wanted && !(await holdsForeignRows(this.#tx, node));
      if (drop) {
        refuseRead(node, this.#deployed);
        await dropNode(this.#context(), node);
        await deleteDeployed(this.#tx, this.stateSchema, node.uniqueId);
        this.#deployed.delete(node.uniqueId);
        this.#programsStale = true;
      }
      const action = !drop ? 'orphaned' : node.kind === 'existing' ? 'released' : 'dropped';
      outcomes.push({ ...nothingDone, uniqueId: node.uniqueId, label: node.label, action });
    }
    return outcomes;
  }

  #isRead({ uniqueId }: DeployedNode): boolean {
    return [...this.#deployed.values()].some(({ reads }) => reads.includes(uniqueId));
  }

  async #standsAsDeployed(spec: NodeSpec, standing: DeployedNode): Promise<boolean> {
    const table = await examineExisting(this.#tx, spec, this.stateSchema);
    return isAsDeployed(this.#tx, standing, table, this.stateSchema);
  }

  async #takeOver(spec: NodeSpec): Promise<void> {
    const old = this.#deployed.get(spec.uniqueId);
    if (old?.schema === spec.schema && old.relation === spec.relation) return;
    const deployed = await takeOver(this.#context(), this.#project, spec, this.#deployed);
    const gone = [...this.#deployed.keys()].find((id) => !deployed.has(id));
    this.#deployed = deployed;
    if (gone === undefined) return;
    this.#programsStale = true;
    this.#marks.delete(gone);
  }

  async #beAlone(): Promise<void> {
    if (this.#alone) return;
    // Those that are not deployed yet too: nothing may be written between the filling of a view and its triggers.
    const sources = Object.values(this.#project.manifest.sources).map((source) =>
      specOf(this.#project, this.#index, source),
    );
    // Except what a source is going to refuse: this transaction makes the table.
    const unmade = new Set(
      sources
        .filter(({ kind, uniqueId }) => kind === 'source' && !this.#deployed.has(uniqueId))
        .map((spec) => quoteRelation(rejectedTable(spec))),
    );
    const coming = sources.filter(
      (spec) => isFollowed(spec) && !unmade.has(quoteRelation({ schema: spec.schema, name: spec.relation })),
    );
    for (const spec of coming) await examineExisting(this.#tx, spec, this.stateSchema);
    const tables = [
      ...inputTables(this.#deployed, this.stateSchema),
      ...coming.map(({ schema, relation }) => ({ schema, name: relation })),
    ];
    await keepWritersOut(this.#tx, tables);
    await noteDeployment(this.#tx, this.stateSchema);
    this.#alone = true;
  }

  /** In a savepoint; when it fails, what this object knows is as it was before. */
  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    const before = {
      deployed: new Map(this.#deployed),
      marks: new Map(this.#marks),
      detached: new Set(this.#detached),
      untriggered: new Set(this.#untriggered),
      stale: this.#programsStale,
      epoch: this.#epoch,
      alone: this.#alone,
    };
    try {
      return await this.#tx.transaction(work);
    } catch (error) {
      this.#deployed = before.deployed;
      this.#marks = before.marks;
      this.#detached = before.detached;
      this.#untriggered = before.untriggered;
      this.#programsStale = before.stale;
      this.#epoch = before.epoch;
      this.#alone = before.alone;
      throw error;
    }
  }

  /** The number of the step that this transaction is; every difference a deployment makes is recorded under it. */
  async #takeEpoch(): Promise<string> {
    this.#epoch ??= await takeEpoch(this.#tx, this.stateSchema);
    return this.#epoch;
  }

  #dag(): Dag {
    return new Dag([...this.#deployed.values()].map(({ uniqueId, reads }) => [uniqueId, reads] as const));
  }
}

const nothingDone = { action: 'unchanged', rows: null, inserted: 0, deleted: 0, reshaped: false } as const;
