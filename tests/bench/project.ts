/**
 * What events cost through the project's own models: one, and 10,000 in a statement, over a history.
 *
 *     tests/bench/project.ts [history] [only ...]      e.g. 200000 segment_memberships segment_sizes
 */
import { ingestRecords } from '../../src/connectors/ingest.ts';
import { generate } from '../../src/connectors/generate.ts';
import { readSeed } from '../../src/connectors/seeds.ts';
import { Deployer } from '../../src/deploy/deployer.ts';
import { isDeployable } from '../../src/deploy/spec.ts';
import type { Connection } from '../../src/engines/connection.ts';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { Dag } from '../../src/graph/dag.ts';
import { readPlans } from '../../src/incremental/stored-plan.ts';
import { loadProject } from '../../src/project/load.ts';
import { allNodes } from '../../src/project/manifest.ts';
import type { SourceNode } from '../../src/project/nodes.ts';
import { loadSeedRows } from '../../src/testing/seed-rows.ts';
import { verify } from '../../src/verify/verify.ts';

const [history = '0', ...only] = process.argv.slice(2);
const project = await loadProject({ projectDir: process.cwd() });
const db = await openMemoryDatabase({ size: 'large' });
const nodes = allNodes(project.manifest);
const dag = new Dag([...nodes.values()].map((node) => [node.unique_id, node.depends_on.nodes] as const));
const wanted = new Set(
  [...nodes.values()].filter(({ name }) => only.length === 0 || only.includes(name)).map((n) => n.unique_id),
);
const needed = new Set([...wanted, ...dag.upstream([...wanted])]);

async function measure<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  console.log(`${what}: ${(performance.now() - started).toFixed(1)} ms`);
  return result;
}

await measure('deploy', () =>
  db.transaction(async (tx: Connection) => {
    const deployer = await Deployer.begin(tx, project);
    for (const id of dag.order()) {
      const node = nodes.get(id)!;
      if (!needed.has(id) || !isDeployable(node) || node.resource_type === 'test') continue;
      if (node.resource_type === 'seed') {
        const data = await readSeed(node, project.root);
        await deployer.deploy(node, { seedColumns: data.columns });
        await deployer.load(id, (connection) => loadSeedRows(connection, node, data));
      } else await deployer.deploy(node);
    }
    await deployer.finish();
  }),
);
for (const plan of await readPlans(db, '_seg')) {
  for (const { stage } of plan.stages)
    console.log(
      `  ${plan.key}${stage.name === '' ? '' : `#${stage.name}`}: ${stage.strategy} (${stage.reason})`,
    );
}
const source = [...nodes.values()].find(({ name }) => name === 'segment_events') as SourceNode;
const events = generate('segment_events', {
  seed: 1,
  count: Number(history) + 60_000,
  users: 20_000,
  segments: 1000,
});
const take = (count: number): unknown[] =>
  Array.from({ length: count }, () => events.next().value as unknown);
for (let done = 0; done < Number(history); done += 50_000)
  await measure('50,000 of history', () => ingestRecords(db, source, take(50_000), 'bench'));
await db.exec('VACUUM ANALYZE');
for (const count of [1, 1, 1, 1, 1, 1, 1, 1, 10, 100, 1000, 10_000, 10_000]) {
  const records = take(count);
  await measure(`${count} events`, () => ingestRecords(db, source, records, 'bench'));
}
if (process.env['SEG_EXPLAIN'] !== undefined) {
  const { rows } = await db.query<{ prosrc: string }>(
    `SELECT prosrc FROM pg_proc WHERE proname = 'insert segmentation segment_events'`,
  );
  const at = rows[0]!.prosrc.indexOf(`-- model "${process.env['SEG_EXPLAIN']}"`);
  const body = rows[0]!.prosrc.slice(rows[0]!.prosrc.indexOf('WITH "_seg_', at));
  const statement = body
    .slice(0, body.search(/\n {4}INTO _seg_/))
    .replaceAll('_seg_new', 'tr')
    .replaceAll('_seg_epoch', '1::bigint');
  await db.exec(
    'CREATE TABLE public.tr AS SELECT * FROM segmentation.segment_events LIMIT 10; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off',
  );
  const plan = await db.query<{ 'QUERY PLAN': string }>(`EXPLAIN ANALYZE ${statement}`);
  console.log(plan.rows.map((row) => row['QUERY PLAN'].slice(0, 200)).join('\n'));
  process.exit(0);
}
const singles = take(200);
const times: number[] = [];
for (const record of singles) {
  const started = performance.now();
  await ingestRecords(db, source, [record], 'bench');
  times.push(performance.now() - started);
}
times.sort((a, b) => a - b);
console.log(`one event, median of 200: ${times[100]!.toFixed(2)} ms, 95 %: ${times[190]!.toFixed(2)} ms`);
for (const { name, missing, extra, seconds } of await verify(db)) {
  if (missing + extra > 0) console.log(`WRONG ${name}: missing ${missing}, extra ${extra}`);
  else console.log(`verified ${name} in ${seconds.toFixed(2)} s`);
}
await db.close();
