// This project's models on a database of their own, for benchmarks: deployed, given a history, measured.
import { cp } from 'node:fs/promises';
import { fileURLToPath, URL } from 'node:url';
import { generate } from '../../../dist/connectors/generate.js';
import { ingestRecords } from '../../../dist/connectors/ingest.js';
import { readSeed } from '../../../dist/connectors/seeds.js';
import { Deployer } from '../../../dist/deploy/deployer.js';
import { isDeployable } from '../../../dist/deploy/spec.js';
import { openDirectoryDatabase } from '../../../dist/engines/pglite/open.js';
import { Dag } from '../../../dist/graph/dag.js';
import { loadProject } from '../../../dist/project/load.js';
import { allNodes } from '../../../dist/project/manifest.js';
import { loadSeedRows } from '../../../dist/testing/seed-rows.js';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** A database in a directory, as `seg` opens it. */
export function openDatabase(path) {
  return openDirectoryDatabase(path, { command: 'bench', durability: 'process' });
}

export async function projectNodes() {
  const project = await loadProject({ projectDir: root });
  const nodes = allNodes(project.manifest);
  const named = (name) => [...nodes.values()].find((node) => node.name === name);
  return { project, nodes, named };
}

/** Deploys the named models and sources, and what they read. */
export async function deploy(db, { project, nodes }, names) {
  const dag = new Dag([...nodes.values()].map((node) => [node.unique_id, node.depends_on.nodes]));
  const wanted = [...nodes.values()]
    .filter(({ name, resource_type: type }) => names.includes(name) && type !== 'test')
    .map((node) => node.unique_id);
  const needed = new Set([...wanted, ...dag.upstream(wanted)]);
  await db.transaction(async (tx) => {
    const deployer = await Deployer.begin(tx, project);
    for (const id of dag.order()) {
      const node = nodes.get(id);
      if (!needed.has(id) || !isDeployable(node) || node.resource_type === 'test') continue;
      if (node.resource_type === 'seed') {
        const data = await readSeed(node, project.root);
        await deployer.deploy(node, { seedColumns: data.columns });
        await deployer.load(id, (connection) => loadSeedRows(connection, node, data));
      } else await deployer.deploy(node);
    }
    await deployer.finish();
  });
}

/** Endless records of a stream, taken a number at a time. */
export function recordsOf(stream, options) {
  const records = generate(stream, options);
  return (count) => Array.from({ length: count }, () => records.next().value);
}

export function put(db, source, records) {
  return ingestRecords(db, source, records, 'bench');
}

/** A data directory is a folder: a history is made once and copied. */
export async function copyDatabase(from, to) {
  await cp(from, to, { recursive: true });
}
