/** This repository's own project in a database: sources, seeds, models. */
import { join } from 'node:path';
import { loadSeed, readSeed } from '../../src/connectors/seeds.ts';
import { Deployer } from '../../src/deploy/deployer.ts';
import { isDeployable } from '../../src/deploy/spec.ts';
import type { Connection } from '../../src/engines/connection.ts';
import { loadProject } from '../../src/project/load.ts';
import type { Project } from '../../src/project/load.ts';

export async function deployProject(db: Connection): Promise<Project> {
  const project = await loadProject({ projectDir: join(import.meta.dirname, '..', '..') });
  await db.transaction(async (tx) => {
    const deployer = await Deployer.begin(tx, project);
    for (const source of Object.values(project.manifest.sources)) await deployer.deploy(source);
    for (const id of project.graph.order()) {
      const node = project.manifest.nodes[id];
      if (node === undefined || !isDeployable(node)) continue;
      if (node.resource_type === 'seed') {
        const data = await readSeed(node, project.root);
        await deployer.deploy(node, { seedColumns: data.columns });
        await deployer.load(node.unique_id, (inner) => loadSeed(inner, node, data));
      } else await deployer.deploy(node);
    }
    await deployer.finish();
  });
  return project;
}
