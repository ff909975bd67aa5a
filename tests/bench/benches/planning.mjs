// How long a view takes to be planned and made, over an empty table, by the length of its query.
import { openMemoryDatabase } from '../../../dist/engines/pglite/memory.js';
import { createIncrementalView, dropIncrementalView } from '../../../dist/incremental/incremental-view.js';
import { figure, timed } from '../lib/measure.mjs';

export const about = 'views of long queries: UNION ALL, WITH queries in a chain, terms, conditions, calls';

const each = (n, part) => Array.from({ length: n }, (_, i) => part(i));
const chain = (n, part) =>
  `WITH c0 AS (SELECT a, b FROM t), ${each(n, (i) => `c${i + 1} AS (${part(`c${i}`, i)})`).join(', ')} SELECT * FROM c${n}`;

const shapes = {
  'UNION ALL branches': [
    [80, 160, 320],
    (n) => each(n, (i) => `SELECT a, b FROM t WHERE a = ${i}`).join(' UNION ALL '),
  ],
  'chained WITH queries that filter': [
    [125, 250, 500],
    (n) => chain(n, (from, i) => `SELECT a, b FROM ${from} WHERE a <> ${i}`),
  ],
  'chained WITH queries that compute and filter': [
    [60, 125, 250, 500],
    (n) => chain(n, (from, i) => `SELECT a, b + 1 AS b FROM ${from} WHERE a <> ${i}`),
  ],
  'chained WITH queries that group': [
    [25, 50, 100],
    (n) => chain(n, (from) => `SELECT a, sum(b) AS b FROM ${from} GROUP BY a`),
  ],
  'conditions joined by AND': [
    [1250, 2500, 5000],
    (n) => `SELECT a FROM t WHERE ${each(n, (i) => `b <> ${i}`).join(' AND ')}`,
  ],
  'conditions joined by OR': [
    [1250, 2500, 5000],
    (n) => `SELECT a FROM t WHERE ${each(n, (i) => `b = ${i}`).join(' OR ')}`,
  ],
  'terms of a sum': [
    [200, 5000],
    (n) => `SELECT ${each(n, (i) => (i % 2 ? 'a' : 'b')).join(' + ')} AS s FROM t`,
  ],
  'calls within calls': [[100, 1000], (n) => `SELECT ${'abs('.repeat(n)}b${')'.repeat(n)} AS s FROM t`],
};

export async function run({ say, table }) {
  const rows = [];
  for (const [name, [sizes, shape]] of Object.entries(shapes)) {
    for (const n of sizes) {
      // One of its own: a statement that is too deep can end the server.
      const db = await openMemoryDatabase();
      await db.exec('CREATE TABLE t (a int, b int)');
      await createIncrementalView(db, 'first', 'SELECT a FROM t');
      let made = 'made';
      let characters;
      const took = await timed(async () => {
        try {
          await createIncrementalView(db, 'v', shape(n));
        } catch (error) {
          made = error instanceof RangeError ? 'RangeError' : error.message;
        }
      });
      if (made === 'made') {
        const { rows: sizes } = await db.query(
          `SELECT sum(length(prosrc))::integer AS n FROM pg_proc WHERE pronamespace = '_seg'::regnamespace AND prosrc LIKE '%"public"."v"%'`,
        );
        characters = sizes[0].n;
        await dropIncrementalView(db, 'v');
      }
      rows.push([name, n, figure(took / 1000), made === 'made' ? characters.toLocaleString('en-US') : made]);
      say(rows.at(-1).join('  '));
      await db.close().catch(() => undefined);
    }
  }
  table(['query', 'how many', 'CPU seconds', 'characters of programs'], rows);
}
