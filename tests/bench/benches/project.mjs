// All models of this project together: what one event of each stream costs, and a batch.
import { join } from 'node:path';
import { deploy, openDatabase, projectNodes, put, recordsOf } from '../lib/project-database.mjs';
import { figure, median, rate, timed } from '../lib/measure.mjs';

export const about = 'every model of this project, four streams';

export async function run({ quick, history, scratch, say, table }) {
  const project = await projectNodes();
  const models = [...project.nodes.values()].filter(({ resource_type: type }) => type === 'model');
  const db = await openDatabase(join(scratch, 'project'));
  const names = [...project.nodes.values()]
    .filter(({ resource_type: type }) => ['model', 'seed', 'source'].includes(type))
    .map(({ name }) => name);
  say(`deployed in ${figure(await timed(() => deploy(db, project, names)))} ms`);
  const size = quick ? 5000 : Math.min(100_000, history);
  const streams = [
    ['segment_events', { seed: 1 }],
    ['activity_events', { seed: 1 }],
    ['track_events', { seed: 1 }],
    ['pageviews', { seed: 1 }],
  ];
  const rows = [];
  for (const [stream, options] of streams) {
    const source = project.named(stream);
    const take = recordsOf(stream, options);
    for (let done = 0; done < size; done += 5000) await put(db, source, take(5000));
    await db.exec('VACUUM ANALYZE');
    const batches = [];
    for (let i = 0; i < (quick ? 2 : 5); i++) {
      const records = take(1000);
      batches.push(await timed(() => put(db, source, records)));
    }
    const ones = [];
    for (const record of take(quick ? 20 : 200)) ones.push(await timed(() => put(db, source, [record])));
    rows.push([stream, size.toLocaleString('en-US'), figure(median(ones)), rate(1000, median(batches))]);
    say(rows.at(-1).join('  '));
  }
  table(
    ['stream', 'history', 'one event', 'in batches of 1,000, events/s'],
    rows,
    `${models.length} models, of which ${models.filter(({ config }) => config.materialized === 'materialized_view').length} are maintained:`,
  );
  await db.close();
}
