// Many views on one table, and views on views.
import { join } from 'node:path';
import { createIncrementalView } from '../../../dist/incremental/incremental-view.js';
import { insertEvents, load, openEvents } from '../lib/events-database.mjs';
import { figure, inTurn, timed } from '../lib/measure.mjs';

export const about = '200 views on one table, and 30 levels of views, against the bare table';

export async function run({ quick, history, scratch, say, table }) {
  const size = quick ? 10_000 : Math.min(200_000, history);
  const graphs = [
    ['200 views on one table', quick ? 50 : 200, wide],
    ['30 levels', 30, deep],
  ];
  const rows = [];
  const bare = await openEvents(join(scratch, 'bare'));
  await load(bare, size);
  for (const [title, count, viewOf] of graphs) {
    const db = await openEvents(join(scratch, title));
    await load(db, size);
    const made = await timed(async () => {
      for (let i = 0; i < count; i++) await createIncrementalView(db, `v${i}`, viewOf(i));
    });
    say(`${count} views made in ${figure(made)} ms`);
    let next = size + 1;
    await insertEvents(db, next, 1);
    await insertEvents(bare, next++, 1);
    for (const batch of [1, 1000]) {
      const first = next;
      next += 20 * batch;
      const result = await inTurn(batch === 1 ? 20 : 5, {
        raw: (round) => timed(() => insertEvents(bare, first + round * batch, batch)),
        views: (round) => timed(() => insertEvents(db, first + round * batch, batch)),
      });
      rows.push([
        title,
        batch.toLocaleString('en-US'),
        figure(result.raw),
        figure(result.views),
        figure(((result.views - result.raw) / count) * 1000),
      ]);
      say(rows.at(-1).join('  '));
    }
    await db.exec('DROP SCHEMA _seg CASCADE');
    await db.close();
    await bare.exec(`DELETE FROM events WHERE id > ${size}`);
  }
  table(['views', 'events a statement', 'bare table', 'with views', 'µs a view'], rows);
  await bare.close();
}

/** Every view has part of the rows, as alerts or dashboards of one customer each do. */
function wide(i) {
  return `SELECT user_id, count(*) AS events, sum(value) AS total FROM events WHERE segment % 200 = ${i % 200} GROUP BY user_id`;
}

/** A grouping, and projections and filters above it. */
function deep(i) {
  if (i === 0)
    return 'SELECT user_id, segment, count(*) AS n, sum(value) AS total FROM events GROUP BY user_id, segment';
  return i % 2 === 1
    ? `SELECT user_id, segment, n, total + 1 AS total FROM v${i - 1} WHERE n < ${1_000_000 + i}`
    : `SELECT user_id, segment, sum(n) AS n, sum(total) AS total FROM v${i - 1} GROUP BY user_id, segment`;
}
