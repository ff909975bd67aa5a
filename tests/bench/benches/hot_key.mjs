// One key with a long history: what its next event costs beside that of a key with none.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { deploy, openDatabase, projectNodes, put, recordsOf } from '../lib/project-database.mjs';
import { figure, median, timed } from '../lib/measure.mjs';

export const about = 'one (vendor, segment, user) with a long history, beside keys with one event';

const graphs = [
  ['segment_toggles'],
  ['segment_memberships'],
  ['segment_memberships', 'segment_members', 'segment_sizes', 'user_profiles', 'segment_toggles'],
];

export async function run({ quick, history, scratch, say, table }) {
  const rows = [];
  for (const names of graphs) {
    rows.push([names.join(', '), ...(await measure({ names, quick, history, scratch, say }))]);
    say(rows.at(-1).join('  '));
  }
  const of = history.toLocaleString('en-US');
  table(
    ['models', 'cold key, ms', 'hot key, ms', 'hot / cold'],
    rows,
    `One event of a key with ${of} events, medians:`,
  );
}

async function measure({ names, quick, history, scratch, say }) {
  const project = await projectNodes();
  const source = project.named('segment_events');
  const db = await openDatabase(join(scratch, `hot-${names.length}-${names[0]}`));
  await deploy(db, project, [...names, 'segment_events']);
  const take = recordsOf('segment_events', { seed: 1, users: 20_000, segments: 1000 });
  for (let done = 0; done < 20_000; done += 10_000) await put(db, source, take(10_000));
  const load = await timed(() =>
    db.exec(`INSERT INTO segmentation.segment_events (event_id, event_at, user_id, vendor, segment, remove)
      SELECT gen_random_uuid(), timestamptz '2021-01-01' + i * interval '1 second', 'usr-hot', 1, 'seg-hot', CASE WHEN i % 3 = 0 THEN true END
      FROM generate_series(1, ${history}) AS i`),
  );
  say(`${history} events of one key: ${figure(load)} ms`);
  await db.exec('VACUUM ANALYZE');
  await db.exec('CHECKPOINT');
  const event = (user, remove) => ({
    event: randomUUID(),
    timestamp: '2022-01-01T00:00:00Z',
    user,
    segment: { vendor: 1, name: 'seg-hot' },
    ...(remove ? { remove: true } : {}),
  });
  const cold = [];
  const hot = [];
  const rounds = quick ? 40 : 200;
  for (let i = 0; i < rounds; i++) {
    await put(db, source, [event(`usr-cold-${i}`, false)]);
    cold.push(await timed(() => put(db, source, [event(`usr-cold-${i}`, i % 2 === 0)])));
    hot.push(await timed(() => put(db, source, [event('usr-hot', i % 2 === 0)])));
  }
  await db.close();
  const [c, h] = [median(cold), median(hot)];
  return [figure(c), figure(h), figure(h / c)];
}
