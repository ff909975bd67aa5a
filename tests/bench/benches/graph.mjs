// The segmentation graph of this project on generated events, against the same events into a table nobody reads.
import { join } from 'node:path';
import { verify } from '../../../dist/verify/verify.js';
import {
  copyDatabase,
  deploy,
  openDatabase,
  projectNodes,
  put,
  recordsOf,
} from '../lib/project-database.mjs';
import { figure, inTurn, rate, timed } from '../lib/measure.mjs';

export const about = 'memberships, members, sizes, profiles (with its feed) and toggles above one source';

export const models = [
  'segment_memberships',
  'segment_members',
  'segment_sizes',
  'user_profiles',
  'segment_toggles',
];

export async function run({ quick, history, scratch, say, table }) {
  const project = await projectNodes();
  const source = project.named('segment_events');
  const bulk = [];
  const single = [];
  for (const size of quick ? [history] : [10_000, history]) {
    const take = recordsOf('segment_events', { seed: 1 });
    const bare = join(scratch, `bare-${size}`);
    const above = join(scratch, `graph-${size}`);
    const raw = await openDatabase(bare);
    await deploy(raw, project, ['segment_events']);
    for (let done = 0; done < size; done += 10_000)
      await put(raw, source, take(Math.min(10_000, size - done)));
    await raw.checkpoint();
    await raw.close();
    await copyDatabase(bare, above);
    const plain = await openDatabase(bare);
    const graph = await openDatabase(above);
    say(`deployed above ${size} events in ${figure(await timed(() => deploy(graph, project, models)))} ms`);
    for (const db of [plain, graph]) {
      await db.exec('VACUUM ANALYZE');
      await db.checkpoint();
    }
    // The same records into both, in turn.
    const both = async (count, rounds) => {
      let records = [];
      return inTurn(rounds, {
        raw: async () => {
          records = take(count);
          return timed(() => put(plain, source, records));
        },
        graph: () => timed(() => put(graph, source, records)),
      });
    };
    await both(10_000, quick ? 1 : 4);
    for (const [count, rounds] of [
      [10_000, quick ? 3 : 12],
      [1000, 8],
      [100, 12],
      [10, 20],
    ]) {
      const result = await both(count, rounds);
      bulk.push([
        size.toLocaleString('en-US'),
        count.toLocaleString('en-US'),
        rate(count, result.raw),
        rate(count, result.graph),
        (result.raw / result.graph).toFixed(2),
      ]);
      say(bulk.at(-1).join('  '));
    }
    const one = await both(1, 300);
    const statement = await inTurn(300, {
      raw: (round) => insertOne(plain, source, round),
      graph: (round) => insertOne(graph, source, round),
    });
    single.push([
      size.toLocaleString('en-US'),
      figure(statement.raw),
      figure(statement.graph),
      figure(one.raw),
      figure(one.graph),
    ]);
    say(single.at(-1).join('  '));
    const wrong = await differences(graph);
    if (wrong !== '') throw new Error(wrong);
    await plain.close();
    await graph.close();
  }
  table(['history', 'events a batch', 'bare table, events/s', 'all five models, events/s', 'fraction'], bulk);
  table(
    [
      'history',
      'one INSERT, bare table',
      'all five models',
      'one record through seg ingest, bare table',
      'all five models',
    ],
    single,
    'One event, median of 300:',
  );
}

/** One INSERT as a program would send it, with parameters. */
async function insertOne(db, source, round) {
  const user = `usr-${((round * 7919) % 99991).toString(16).padStart(6, '0')}`;
  const sql =
    `INSERT INTO ${source.schema}.${source.identifier ?? source.name} (event_id, event_at, user_id, vendor, segment, remove) ` +
    'VALUES (gen_random_uuid(), now(), $1, $2, $3, $4)';
  const values = [user, 1 + (round % 10), `seg-${(round % 97).toString(16)}`, round % 5 === 0];
  return timed(() => db.query(sql, values));
}

async function differences(db) {
  return (await verify(db))
    .filter(({ missing, extra }) => missing + extra > 0)
    .map(({ name, missing, extra }) => `${name}: ${missing} rows missing, ${extra} too many`)
    .join('; ');
}
