/**
 * The reference project as it is deployed on the streaming engines, on stand-ins for them (emulated-engine.ts), beside the
 * embedded engine: the same records, the same answers.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generate } from '../../src/connectors/generate.ts';
import { ingest } from '../../src/connectors/ingest.ts';
import { planSource } from '../../src/connectors/source-plan.ts';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import type { Connection } from '../../src/engines/connection.ts';
import { loadProject } from '../../src/project/load.ts';
import type { Project } from '../../src/project/load.ts';
import type { ModelNode, SourceNode } from '../../src/project/nodes.ts';
import { executeGraph } from '../../src/run/execute.ts';
import type { NodeResult, RunEvent } from '../../src/run/events.ts';
import { dialectOf } from '../../src/streaming/dialect-of.ts';
import type { StreamingEngine } from '../../src/streaming/dialect.ts';
import { StreamingDoor } from '../../src/streaming/record-door.ts';
import { emulatedEngine } from './emulated-engine.ts';
import type { EmulatedEngine } from './emulated-engine.ts';

const root = `${import.meta.dirname}/../..`;
const streams = [
  ['segment_events', { count: 300, users: 20, segments: 6 }],
  ['activity_events', { count: 200, users: 15 }],
  ['track_events', { count: 200, users: 15 }],
  ['pageviews', { count: 300, users: 10 }],
] as const;

async function run(
  project: Project,
  db: Connection,
  mode: 'run' | 'seed' | 'test',
): Promise<Map<string, NodeResult>> {
  const results = new Map<string, NodeResult>();
  const { nodes } = project.manifest;
  await executeGraph({
    project,
    load: { projectDir: root },
    db: { ...bound(db), close: async () => {} },
    mode,
    selected: new Set(Object.keys(nodes).filter((id) => /^(model|seed|test)\./.test(id))),
    listener: (event: RunEvent) => {
      if (event.kind === 'nodeFinish') results.set(event.result.node.name, event.result);
    },
  });
  return results;
}

function bound(db: Connection): Connection {
  return {
    query: db.query.bind(db),
    exec: db.exec.bind(db),
    transaction: db.transaction.bind(db),
    copyFrom: db.copyFrom.bind(db),
  };
}

function failures(results: ReadonlyMap<string, NodeResult>): unknown[] {
  return [...results.values()]
    .filter(({ status }) => !['success', 'no-op', 'pass'].includes(status))
    .map(({ node, status, message, diagnostics, details }) => ({
      name: node.name,
      status,
      message,
      diagnostics,
      details,
    }));
}

async function ingestAll(project: Project, db: Connection): Promise<void> {
  const dialect = dialectOf(project.target);
  for (const [stream, options] of streams) {
    const source = Object.values(project.manifest.sources).find(({ name }) => name === stream) as SourceNode;
    const records = [...generate(stream, { seed: 7, ...options })];
    const door =
      dialect === undefined
        ? undefined
        : new StreamingDoor(db, dialect, source, planSource(source), {
            origin: 'generated',
            stateSchema: '_seg',
          });
    const lines = records.map((record) => `${JSON.stringify(record)}\n`);
    const summary = await ingest(db, source, lines, { format: 'json', origin: 'generated', door });
    expect(summary.rejected).toBe(0);
    await door?.finish();
  }
}

/** Rows as sorted JSON; numbers and times in one form on all engines. */
async function rows(db: Connection, model: ModelNode): Promise<string[]> {
  const result = await db.query<{ row: string }>(
    `select to_jsonb(t)::text as row from ${model.relation_name} as t`,
  );
  return result.rows.map(({ row }) => row).sort();
}

describe.each(['risingwave', 'materialize'] as const)('%s', (engine: StreamingEngine) => {
  let project: Project;
  let embedded: Project;
  let db: EmulatedEngine;
  let reference: Awaited<ReturnType<typeof openMemoryDatabase>>;
  beforeAll(async () => {
    project = await loadProject({ projectDir: root, target: engine });
    embedded = await loadProject({ projectDir: root, target: 'memory' });
    db = await emulatedEngine(engine);
    reference = await openMemoryDatabase();
  });
  afterAll(async () => {
    await db.close();
    await reference.close();
  });

  it('makes everything once, and nothing the second time', async () => {
    expect(failures(await run(project, db, 'seed'))).toEqual([]);
    expect(failures(await run(project, db, 'run'))).toEqual([]);
    db.sent.length = 0;
    const again = await run(project, db, 'run');
    expect(new Set([...again.values()].map(({ status }) => status))).toEqual(new Set(['no-op']));
    expect(db.sent.filter((sql) => /^(CREATE (?!SCHEMA)|DROP|ALTER)/.test(sql))).toEqual([]);
  });

  it('gives the answers of the embedded engine', async () => {
    expect(failures(await run(embedded, reference, 'seed'))).toEqual([]);
    expect(failures(await run(embedded, reference, 'run'))).toEqual([]);
    await ingestAll(project, db);
    await ingestAll(embedded, reference);
    const models = Object.values(project.manifest.nodes).filter(
      (node): node is ModelNode => node.resource_type === 'model' && node.config.materialized !== 'ephemeral',
    );
    for (const model of models) {
      expect({ model: model.name, rows: await rows(db, model) }).toEqual({
        model: model.name,
        rows: await rows(reference, model),
      });
    }
  });

  it('runs the data tests', async () => {
    expect(failures(await run(project, db, 'test'))).toEqual([]);
  });
});
