// REFRESH MATERIALIZED VIEW recomputes: what a statement costs until all views are right again.
import { join } from 'node:path';
import { createIncrementalView } from '../../../dist/incremental/incremental-view.js';
import { insertEvents, load, openEvents } from '../lib/events-database.mjs';
import { figure, inTurn, timed, times } from '../lib/measure.mjs';

export const about = 'a statement and its views brought up to date: seg, and REFRESH MATERIALIZED VIEW';

const views = {
  purchases: `SELECT e.id, e.user_id, e.value, u.region FROM events e JOIN users u ON u.user_id = e.user_id WHERE e.kind = 'buy'`,
  per_segment: 'SELECT segment, count(*) AS events, sum(value) AS total FROM events GROUP BY segment',
  pairs: 'SELECT DISTINCT user_id, segment FROM events',
  latest: 'SELECT DISTINCT ON (user_id) user_id, id, segment, value FROM events ORDER BY user_id, id DESC',
  steps: 'SELECT id, user_id, value - lag(value) OVER (PARTITION BY user_id ORDER BY id) AS step FROM events',
};

export async function run({ quick, history, scratch, say, table }) {
  const rows = [];
  for (const size of quick ? [history] : [Math.min(history, 200_000), history]) {
    const seg = await openEvents(join(scratch, `seg-${size}`));
    const plain = await openEvents(join(scratch, `plain-${size}`));
    for (const db of [seg, plain]) await load(db, size);
    for (const [name, query] of Object.entries(views)) {
      await createIncrementalView(seg, name, query);
      await plain.exec(`CREATE MATERIALIZED VIEW ${name} AS ${query}`);
    }
    for (const db of [seg, plain]) await db.exec('ANALYZE; CHECKPOINT');
    let next = size + 1;
    await insertEvents(seg, next, 1);
    await insertEvents(plain, next++, 1);
    for (const count of [1, 1000, 10_000]) {
      const first = next;
      next += 5 * count;
      const result = await inTurn(count === 1 ? 5 : 3, {
        seg: (round) => timed(() => insertEvents(seg, first + round * count, count)),
        refresh: (round) =>
          timed(async () => {
            await insertEvents(plain, first + round * count, count);
            for (const name of Object.keys(views)) await plain.exec(`REFRESH MATERIALIZED VIEW ${name}`);
          }),
      });
      rows.push([
        size.toLocaleString('en-US'),
        count.toLocaleString('en-US'),
        figure(result.seg),
        figure(result.refresh),
        times(result.seg, result.refresh),
      ]);
      say(rows.at(-1).join('  '));
    }
    await seg.close();
    await plain.close();
  }
  table(['history', 'events a statement', 'seg', 'REFRESH of the five views', 'seg is'], rows);
}
