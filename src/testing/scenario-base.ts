/** A project deployed once, with its seeds and no events: what every scenario with the same vars starts from. */
import { Deployer } from '../deploy/deployer.ts';
import { isDeployable, stateSchemaOf } from '../deploy/spec.ts';
import { readSeed } from '../connectors/seeds.ts';
import { directoryImage } from '../engines/pglite/image.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { Dag } from '../graph/dag.ts';
import { allNodes } from '../project/manifest.ts';
import type { Project } from '../project/load.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { ensureState } from '../state/schema.ts';
import { loadSeedRows } from './seed-rows.ts';
import { withStandIns } from './stand-ins.ts';

export interface ScenarioBase {
  readonly project: Project;
  /** The packed data directory. */
  readonly image: Blob;
}

/**
 * Where the clock of a scenario without `at` stands. Far back, because it can only be moved forward, and the same in
 * every run, because a test should be.
 */
export const clockAtStart = '1970-01-01T00:00:00Z';

/**
 * Deploys all sources, seeds and models, in memory. Throws a SegError when the project cannot be deployed.
 */
export async function buildScenarioBase(asked: Project): Promise<ScenarioBase> {
  const project = withStandIns(asked);
  const db = await openMemoryDatabase();
  try {
    await db.transaction(async (tx) => {
      const state = stateSchemaOf(project);
      await ensureState(tx, state);
      await tx.query(`update ${quoteIdentifier(state)}.clock set "now" = $1::timestamptz`, [clockAtStart]);
      const deployer = await Deployer.begin(tx, project);
      const nodes = allNodes(project.manifest);
      const dag = new Dag(
        [...nodes.values()].map((node) => [node.unique_id, node.depends_on.nodes] as const),
      );
      for (const id of dag.order()) {
        const node = nodes.get(id)!;
        if (!isDeployable(node) || node.resource_type === 'test') continue;
        if (node.resource_type !== 'seed') {
          await deployer.deploy(node);
          continue;
        }
        const data = await readSeed(node, project.root);
        await deployer.deploy(node, { seedColumns: data.columns });
        await deployer.load(id, (connection) => loadSeedRows(connection, node, data));
      }
      await deployer.finish();
    });
    const packed = await db.dump();
    return { project, image: directoryImage(await packed.arrayBuffer()) };
  } finally {
    await db.close();
  }
}
