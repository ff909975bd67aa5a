/** The ScenarioEngine of a real project: a PGlite in memory, started from the project's base image. */
import type { ChangeBatch, JsonRow, Position } from '../changelog/change.ts';
import { readClock, setClock } from '../clock/clock.ts';
import { generate, streamNames, type StreamName } from '../connectors/generate.ts';
import { ingest, ingestRecords } from '../connectors/ingest.ts';
import { readSeed } from '../connectors/seeds.ts';
import { Deployer } from '../deploy/deployer.ts';
import { keepChangelog } from '../deploy/keep-changes.ts';
import { isDeployable, stateSchemaOf } from '../deploy/spec.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { currentPosition, readChanges } from '../feeds/feed.ts';
import type { ModelNode, SeedNode, SourceNode, TestNode } from '../project/nodes.ts';
import type { Project } from '../project/load.ts';
import { verify } from '../verify/verify.ts';
import type { ScenarioBase } from './scenario-base.ts';
import type {
  IngestInput,
  IngestOutcome,
  NamedRelation,
  ScenarioEngine,
  ViewVerified,
} from './scenario-engine.ts';
import type { Outgoing } from '../sinks/receivers/receiver.ts';
import { findNode, findSink, type NamedNode } from './find-node.ts';
import type { YamlPath } from './scenario.ts';
import { loadSeedRows } from './seed-rows.ts';
import { StepMistake } from './step-outcome.ts';

/**
 * Opens a fresh engine; the caller closes it.
 * @param mentioned names the scenario uses; tests among them that store their failures are deployed, so that their
 *   failing rows can be expected like any other rows
 */
export async function openScenarioWorld(
  base: ScenarioBase,
  mentioned: readonly string[],
): Promise<ScenarioEngine> {
  const db = await openMemoryDatabase({ from: base.image });
  const tests = Object.values(base.project.manifest.nodes).filter(
    (node): node is TestNode =>
      node.resource_type === 'test' && mentioned.includes(node.name) && isDeployable(node),
  );
  if (tests.length > 0) {
    await db.transaction(async (tx) => {
      const deployer = await Deployer.begin(tx, base.project);
      for (const test of tests) await deployer.deploy(test);
      await deployer.finish();
    });
  }
  return new ScenarioWorld(base.project, db);
}

class ScenarioWorld implements ScenarioEngine {
  db: PGliteDatabase;
  readonly #project: Project;
  readonly #state: string;

  constructor(project: Project, db: PGliteDatabase) {
    this.#project = project;
    this.#state = stateSchemaOf(project);
    this.db = db;
  }

  find(name: string): NamedRelation {
    const node = findNode(this.#project, name, ['model', 'seed', 'source', 'test']);
    const title = `${node.resource_type} "${node.name}"`;
    if (node.relation_name === null) {
      throw new StepMistake(`${title} has no rows of its own`, {
        hint: 'An ephemeral model is part of the models that read it: expect one of these.',
      });
    }
    return { id: node.unique_id, title, sql: node.relation_name, key: keyOf(node) };
  }

  async keepChanges(ids: readonly string[]): Promise<void> {
    await keepChangelog(this.db, this.#project, [...ids]);
  }

  async ingest(source: string, input: IngestInput, origin: string): Promise<IngestOutcome> {
    const node = findNode(this.#project, source, ['source']) as SourceNode;
    if (input.kind === 'records') {
      const { accepted, duplicate, rejections } = await ingestRecords(this.db, node, input.records, origin);
      return {
        accepted,
        duplicate,
        rejected: rejections.map(({ index, reason }) => ({ line: index + 1, reason })),
      };
    }
    const rejected: { line: number; reason: string }[] = [];
    const { accepted, duplicate } = await ingest(this.db, node, [input.text], {
      format: input.format,
      origin,
      onRejected: (rejections) => rejected.push(...rejections.map(({ line, reason }) => ({ line, reason }))),
    });
    return { accepted, duplicate, rejected };
  }

  async loadSeed(seed: string, rows: readonly JsonRow[] | null): Promise<void> {
    const node = findNode(this.#project, seed, ['seed']) as SeedNode;
    const data = await readSeed(node, this.#project.root);
    await this.db.transaction((tx) => loadSeedRows(tx, node, data, rows));
  }

  async run(names: readonly string[] | null): Promise<void> {
    const models = Object.values(this.#project.manifest.nodes).filter(
      (node) => node.resource_type === 'model',
    );
    const nodes =
      names === null
        ? models.filter(({ config }) => config.materialized === 'table')
        : names.map((name) => findNode(this.#project, name, ['model']) as ModelNode);
    await this.db.transaction(async (tx) => {
      const deployer = await Deployer.begin(tx, this.#project);
      for (const node of nodes) await deployer.deploy(node);
      await deployer.finish();
    });
  }

  generate(stream: string, options: JsonRow): JsonRow[] {
    const known = streamNames as readonly string[];
    if (!known.includes(stream)) {
      throw new StepMistake(`unknown stream "${stream}"`, {
        hint: didYouMean(stream, known) ?? `Streams are ${known.join(', ')}.`,
      });
    }
    try {
      const records = generate(stream as StreamName, { count: 100, ...(options as object) });
      return [...records] as unknown as JsonRow[];
    } catch (cause) {
      if (cause instanceof RangeError)
        throw new StepMistake(`cannot generate "${stream}": ${cause.message}`, { cause });
      throw cause;
    }
  }

  render(sql: string, file: string): string {
    return this.#project.renderInline(sql, file).text;
  }

  async readClock(): Promise<string> {
    return (await readClock(this.db, this.#state)) ?? 'not set';
  }

  async setClock(instant: string): Promise<void> {
    await setClock(this.db, instant, this.#state);
  }

  /** A data directory in memory is gone with its engine, so it is packed before: after a checkpoint, or just as it is. */
  async restart(how: 'restart' | 'kill'): Promise<void> {
    if (how === 'restart') await this.db.checkpoint();
    const image = await this.db.dump();
    await this.db.close();
    this.db = await openMemoryDatabase({ from: image });
  }

  async position(): Promise<Position> {
    return currentPosition(this.db, this.#state);
  }

  async changes(id: string, from: Position): Promise<readonly ChangeBatch[]> {
    return readChanges(this.db, id, from, { stateSchema: this.#state });
  }

  async sent(sink: string, path: YamlPath): Promise<readonly Outgoing[]> {
    const { captureSink } = await import('../sinks/capture.ts');
    return captureSink(this.db, this.#project, findSink(this.#project, sink, path));
  }

  async verify(names: readonly string[] | null): Promise<readonly ViewVerified[]> {
    const ids =
      names === null
        ? undefined
        : new Set(names.map((name) => findNode(this.#project, name, ['model', 'test']).unique_id));
    const results = await verify(this.db, { ids, stateSchema: this.#state });
    return results.map(({ name, missing, extra, samples }) => ({
      title: `model "${name}"`,
      missing,
      extra,
      samples: samples.map(({ row, weight }) => `${weight > 0 ? '-' : '+'} ${JSON.stringify(row)}`),
    }));
  }

  async close(): Promise<void> {
    await this.db.close();
  }
}

function keyOf(node: NamedNode): readonly string[] {
  if (node.resource_type === 'source') return node.key;
  if (node.resource_type === 'test') return [];
  return [node.config.unique_key ?? []].flat();
}
