// The views that pg_ivm can do too: a filtered join, counts and sums, DISTINCT, least and greatest per key.
import { pg_ivm } from '@electric-sql/pglite-pg_ivm';
import { join } from 'node:path';
import { createIncrementalView } from '../../../dist/incremental/incremental-view.js';
import { insertEvents, load, openEvents } from '../lib/events-database.mjs';
import { figure, inTurn, timed, times } from '../lib/measure.mjs';

export const about = 'the same views kept by seg and by pg_ivm, in one process, in turn';

const views = {
  purchases: `SELECT e.id, e.user_id, e.value, u.region FROM events e JOIN users u ON u.user_id = e.user_id WHERE e.kind = 'buy'`,
  per_segment: 'SELECT segment, count(*) AS events, sum(value) AS total FROM events GROUP BY segment',
  pairs: 'SELECT DISTINCT user_id, segment FROM events',
  extremes: 'SELECT user_id, min(value) AS least, max(value) AS greatest FROM events GROUP BY user_id',
};

/** What pg_ivm does not make by itself: on its join view, and for the recomputation of an extreme. */
const tuning = `
  CREATE INDEX ON purchases (id);
  CREATE INDEX ON purchases (user_id);
  CREATE INDEX ON events (user_id, value);
  CREATE INDEX ON events (user_id, segment);
  ANALYZE`;

const rounds = { 1: 40, 10: 30, 100: 20, 1000: 7, 10_000: 3 };
/** Rounds before those that count: V8 compiles what a server needs while it runs, and statements are planned once a session. */
const warmUp = (count) => Math.ceil(rounds[count] / 3);
/** A contender that took longer than this for a batch is not asked for ten times as many. */
const patience = 15_000;

export async function run({ quick, history, scratch, say, table }) {
  const histories = quick ? [0, history] : [0, Math.min(200_000, history), history];
  for (const size of new Set(histories)) {
    say(`history of ${size}`);
    const seg = await openEvents(join(scratch, `seg-${size}`));
    const installed = await openEvents(join(scratch, `installed-${size}`), { pg_ivm });
    const tuned = await openEvents(join(scratch, `tuned-${size}`), { pg_ivm });
    for (const db of [seg, installed, tuned]) await load(db, size);
    for (const [name, query] of Object.entries(views)) await createIncrementalView(seg, name, query);
    for (const db of [installed, tuned]) {
      await db.exec('CREATE EXTENSION pg_ivm');
      for (const [name, query] of Object.entries(views)) {
        await db.query('SELECT pgivm.create_immv($1, $2)', [name, query]);
      }
    }
    await tuned.exec(tuning);
    for (const db of [seg, installed, tuned]) await db.exec('ANALYZE; CHECKPOINT');
    const rows = [];
    const slow = new Set();
    const at = new Map([seg, installed, tuned].map((db) => [db, size + 1]));
    const batch = (db, name, count) => async () => {
      if (slow.has(name)) return undefined;
      const first = at.get(db);
      at.set(db, first + count);
      const took = await timed(() => insertEvents(db, first, count));
      if (took > patience) slow.add(name);
      return took;
    };
    for (const count of [1, 10, 100, 1000, 10_000]) {
      const contenders = {
        seg: batch(seg, 'seg', count),
        installed: batch(installed, 'installed', count),
        tuned: batch(tuned, 'tuned', count),
      };
      await inTurn(quick ? 1 : warmUp(count), contenders);
      const result = await inTurn(quick ? Math.min(3, rounds[count]) : rounds[count], contenders);
      rows.push([
        count.toLocaleString('en-US'),
        figure(result.seg),
        figure(result.installed),
        times(result.seg, result.installed),
        figure(result.tuned),
        times(result.seg, result.tuned),
      ]);
      say(rows.at(-1).join('  '));
    }
    table(
      ['events a statement', 'seg', 'pg_ivm', 'seg is', 'pg_ivm, indexes added', 'seg is'],
      rows,
      `History: ${size.toLocaleString('en-US')} events.`,
    );
    await compare(seg, tuned, say);
    for (const db of [seg, installed, tuned]) await db.close();
  }
}

/** Both must have the same rows, as many as both have taken. */
async function compare(seg, tuned, say) {
  for (const name of Object.keys(views)) {
    const of = async (db) => Number((await db.query(`SELECT count(*) AS n FROM ${name}`)).rows[0].n);
    const [ours, theirs] = [await of(seg), await of(tuned)];
    if (ours !== theirs) throw new Error(`${name}: ${ours} rows in seg, ${theirs} in pg_ivm`);
  }
  say('the views of both have the same number of rows');
}
