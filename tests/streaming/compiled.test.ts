/**
 * What the reference project becomes on each engine, as golden files: the statements that make every source, model and stored
 * test, in the order in which they are made. After a change to a model: npx vitest run tests/streaming/compiled -u
 */
import { describe, expect, it } from 'vitest';
import { loadProject } from '../../src/project/load.ts';
import type { Project } from '../../src/project/load.ts';
import { allNodes } from '../../src/project/manifest.ts';
import type { TargetType } from '../../src/project/profiles.ts';
import { coneOf } from '../../src/streaming/cone.ts';
import { createStatements, desiredNode, isStreamed } from '../../src/streaming/desired-node.ts';
import type { DesiredNode } from '../../src/streaming/desired-node.ts';
import { dialectOf } from '../../src/streaming/dialect-of.ts';

const root = `${import.meta.dirname}/../..`;

function load(engine: TargetType): Promise<Project> {
  return loadProject({ projectDir: root, target: 'memory', engine });
}

describe('compiled for', () => {
  it.each(['risingwave', 'materialize'] as const)('%s', async (engine) => {
    const project = await load(engine);
    const dialect = dialectOf(project.target)!;
    const seeds = {
      mql_score: [
        { name: 'event_name', type: 'text' },
        { name: 'mql_score', type: 'integer' },
      ],
    };
    const nodes = new Map<string, DesiredNode>();
    for (const node of allNodes(project.manifest).values()) {
      if (!isStreamed(node)) continue;
      nodes.set(node.unique_id, desiredNode(project, dialect, node, seeds[node.name as 'mql_score']));
    }
    const statements = coneOf(new Set(nodes.keys()), nodes).flatMap((node) =>
      createStatements(dialect, node, node.relation, new Map()),
    );
    await expect(`${statements.join(';\n\n')};\n`).toMatchFileSnapshot(`../golden/engines/ddl-${engine}.sql`);
  });

  it.each(['pglite', 'postgres'] as const)('%s', async (engine) => {
    const project = await load(engine);
    const models = Object.values(project.manifest.nodes).filter(
      ({ resource_type: type }) => type === 'model',
    );
    const queries = models
      .map(
        (model) =>
          `-- ${model.name}\n${('compiled_code' in model ? (model.compiled_code ?? '') : '').trim()}`,
      )
      .sort();
    await expect(`${queries.join(';\n\n')};\n`).toMatchFileSnapshot(
      `../golden/engines/queries-${engine}.sql`,
    );
  });
});
