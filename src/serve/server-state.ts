import { SegError, segError } from '../diagnostics/seg-error.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { stateSchemaOf } from '../deploy/spec.ts';
import type { FeedHub } from '../feeds/hub.ts';
import type { Project } from '../project/load.ts';
import type { RecordDoor } from '../connectors/ingest.ts';
import type { SourceNode } from '../project/nodes.ts';
import { readDeployed } from '../state/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';
import type { SharedDatabase } from './engine/shared-database.ts';
import { HeldBytes } from './http/read-body.ts';
import { IngestGate } from './ingest-gate.ts';
import type { Metrics } from './metrics.ts';

/** The most bytes of bodies that are held whole at the same time. */
const MAX_HELD_BYTES = 24 * 1024 * 1024;
/** What is deployed is asked for at most that often. */
const FRESH_MS = 1000;

export interface ServerStateOptions {
  readonly project: Project;
  readonly shared: SharedDatabase;
  readonly metrics: Metrics;
  /** Records of one source that may wait for their batch. */
  readonly maxPending: number;
  /** Where records go that the database itself does not take: into the streaming engine that it is a copy of. */
  readonly intake?: Intake;
}

export interface Intake {
  /** Whose sources take records. */
  readonly project: Project;
  /** The way into a source's table there. @throws SegError SEG520 for one that is filled by others */
  readonly door: (source: SourceNode) => RecordDoor;
  /** Relations of the copy's own, which nobody is to see. */
  readonly hides: (node: DeployedNode) => boolean;
}

/** What the parts of a server have in common: the project, the database, the feeds. */
export class ServerState {
  readonly shared: SharedDatabase;
  readonly metrics: Metrics;
  readonly bodies = new HeldBytes(MAX_HELD_BYTES);
  readonly #maxPending: number;
  readonly #intake: Intake | undefined;
  readonly #gates = new Map<string, IngestGate>();
  /** Of the project before; they finish what they have. */
  readonly #retired: IngestGate[] = [];
  #replacement = new AbortController();
  hub!: FeedHub;
  project: Project;
  /** False from the moment the server begins to stop. */
  ready = false;
  #deployed: Promise<Map<string, DeployedNode>> | undefined;
  #deployedAt = 0;

  constructor({ project, shared, metrics, maxPending, intake }: ServerStateOptions) {
    this.project = project;
    this.shared = shared;
    this.metrics = metrics;
    this.#maxPending = maxPending;
    this.#intake = intake;
  }

  get stateSchema(): string {
    return stateSchemaOf(this.project);
  }

  /** The project whose sources take records. */
  get sourcesOf(): Project {
    return this.#intake?.project ?? this.project;
  }

  /** After `seg run` has changed the project: sources are taken from the new one. */
  replaceProject(project: Project): void {
    this.project = project;
    this.#deployed = undefined;
    for (const gate of this.#gates.values()) this.#retired.push(gate);
    this.#gates.clear();
    this.#replacement.abort();
    this.#replacement = new AbortController();
  }

  /** Aborted when the project is replaced. */
  replaced(): AbortSignal {
    return this.#replacement.signal;
  }

  /** Whether records go into another database than the one that is served. */
  get takesElsewhere(): boolean {
    return this.#intake !== undefined;
  }

  /** A source as `seg ingest` names it. @throws SegError SEG825 */
  source(name: string): SourceNode {
    return sourceByName(this.sourcesOf, name);
  }

  /** Where the records of a source go in. @throws SegError SEG825 */
  gate(name: string): IngestGate {
    const source = this.source(name);
    let gate = this.#gates.get(source.unique_id);
    if (gate === undefined) {
      const db = this.shared.as('ingest');
      gate = new IngestGate(db, source, this.metrics, this.#maxPending, this.#intake?.door(source));
      this.#gates.set(source.unique_id, gate);
    }
    return gate;
  }

  /** The name that was asked for and the whole one, if there is such a source or model. */
  async namesOf(kind: 'source' | 'model', name: string): Promise<string[]> {
    try {
      if (kind === 'model') return [name, (await this.relation(name)).name];
      const source = this.source(name);
      return [name, `${source.source_name}.${source.name}`];
    } catch (error) {
      if (error instanceof SegError) return [name];
      throw error;
    }
  }

  async drained(): Promise<void> {
    for (const gate of [...this.#retired, ...this.#gates.values()]) await gate.drained();
  }

  async deployed(): Promise<Map<string, DeployedNode>> {
    if (this.#deployed === undefined || Date.now() - this.#deployedAt > FRESH_MS) {
      this.#deployedAt = Date.now();
      const reading = this.#visible();
      this.#deployed = reading;
      reading.catch(() => (this.#deployed = undefined));
    }
    return this.#deployed;
  }

  async #visible(): Promise<Map<string, DeployedNode>> {
    const nodes = await readDeployed(this.shared.as('read'), this.stateSchema);
    for (const node of nodes.values()) if (this.#intake?.hides(node) === true) nodes.delete(node.uniqueId);
    return nodes;
  }

  /** A deployed relation by its name or unique_id. @throws SegError SEG824 */
  async relation(name: string): Promise<DeployedNode> {
    const nodes = [...(await this.deployed()).values()];
    const found =
      nodes.find((node) => node.uniqueId === name) ??
      nodes.find((node) => node.name === name && node.uniqueId.startsWith('model.')) ??
      nodes.find((node) => node.name === name || node.uniqueId.endsWith(`.${name}`));
    if (found !== undefined) return found;
    throw segError('SEG824', `unknown model "${name}"`, {
      hint:
        didYouMean(
          name,
          nodes.map((node) => node.name),
        ) ?? 'GET /v1/models lists what is deployed.',
    });
  }
}

/** As `seg ingest` names it: `source.table`, or the table alone. */
function sourceByName(project: Project, name: string): SourceNode {
  const sources = Object.values(project.manifest.sources);
  const full = (source: SourceNode) => `${source.source_name}.${source.name}`;
  const found =
    sources.find((source) => full(source) === name) ??
    (sources.filter((source) => source.name === name).length === 1
      ? sources.find((source) => source.name === name)
      : undefined);
  if (found !== undefined) return found;
  throw segError('SEG825', `unknown source "${name}"`, {
    hint: didYouMean(name, sources.map(full)) ?? `The sources are ${sources.map(full).join(', ') || 'none'}.`,
  });
}
