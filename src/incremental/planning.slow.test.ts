/** What is written for a query is about as long as the query, and no deeper, however many parts it is put together of. */
import { afterAll, expect, test } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { createIncrementalView, dropIncrementalView } from './incremental-view.ts';

const db = await openMemoryDatabase();
await db.exec('CREATE TABLE t (a int, b int, c text); CREATE TABLE u (a int PRIMARY KEY, b int)');
afterAll(() => db.close());

const each = (n: number, part: (i: number) => string): string[] =>
  Array.from({ length: n }, (_, i) => part(i));

/** WITH queries, each of which reads the one before. */
const chain = (n: number, part: (before: string, i: number) => string): string =>
  `WITH c0 AS (SELECT a, b, c FROM t), ${each(n, (i) => `c${i + 1} AS (${part(`c${i}`, i)})`).join(', ')} SELECT * FROM c${n}`;

const shapes: Record<string, (n: number) => string> = {
  'UNION ALL': (n) => each(n, (i) => `SELECT a, b FROM t WHERE a = ${i}`).join(' UNION ALL '),
  'UNION ALL, other columns in each branch': (n) =>
    each(n, (i) => `SELECT ${i % 2 === 0 ? 'a, b' : 'b, a'} FROM t WHERE b = ${i}`).join(' UNION ALL '),
  'UNION ALL, summed': (n) =>
    `SELECT a, sum(b) AS s FROM (${each(n, (i) => `SELECT a, b + ${i} AS b FROM t`).join(' UNION ALL ')}) AS q GROUP BY a`,
  'WITH queries that filter': (n) => chain(n, (from, i) => `SELECT a, b, c FROM ${from} WHERE a <> ${i}`),
  'WITH queries that compute': (n) => chain(n, (from, i) => `SELECT a, b + ${i} AS b, c FROM ${from}`),
  'WITH queries that compute and filter': (n) =>
    chain(n, (from, i) => `SELECT a, b + 1 AS b, c FROM ${from} WHERE a <> ${i}`),
  'terms of a sum': (n) => `SELECT a, ${each(n, (i) => (i % 2 === 0 ? 'a' : 'b')).join(' + ')} AS s FROM t`,
  conditions: (n) => `SELECT a FROM t WHERE ${each(n, (i) => `b <> ${i}`).join(' AND ')}`,
  alternatives: (n) => `SELECT a FROM t WHERE ${each(n, (i) => `b = ${i}`).join(' OR ')}`,
  cases: (n) => `SELECT CASE ${each(n, (i) => `WHEN b = ${i} THEN ${i + 1}`).join(' ')} END AS x FROM t`,
  columns: (n) => `SELECT ${each(n, (i) => `a + ${i} AS x${i}`).join(', ')} FROM t`,
  sums: (n) => `SELECT a, ${each(n, (i) => `sum(b + ${i}) AS x${i}`).join(', ')} FROM t GROUP BY a`,
  EXISTS: (n) =>
    `SELECT a FROM t WHERE ${each(n, (i) => `EXISTS (SELECT FROM u WHERE u.a = t.a AND u.b <> ${i})`).join(' AND ')}`,
};

/** How deep the longest program is nested, and how much is written in all of them. */
async function written(query: string): Promise<{ length: number; depth: number }> {
  await createIncrementalView(db, 'v', query);
  const { rows } = await db.query<{ text: string }>(
    `SELECT prosrc AS text FROM pg_proc WHERE pronamespace = '_seg'::regnamespace AND strpos(prosrc, 'view "public"."v"') > 0
     UNION ALL SELECT plan::text FROM _seg.plan`,
  );
  const { rows: wrong } = await db.query(`TABLE v EXCEPT ALL (${query})`);
  expect(wrong).toEqual([]);
  await dropIncrementalView(db, 'v');
  const programs = rows.slice(0, -1).map(({ text }) => text);
  return {
    length: rows.reduce((sum, { text }) => sum + text.length, 0),
    depth: Math.max(...programs.map((text) => deepest(text))),
  };
}

function deepest(text: string): number {
  let [depth, most] = [0, 0];
  for (const character of text) {
    if (character === '(') most = Math.max(most, ++depth);
    else if (character === ')') depth--;
  }
  return most;
}

test.each(Object.entries(shapes))('%s', { timeout: 120_000 }, async (name, shape) => {
  const [few, more, many] = [await written(shape(20)), await written(shape(40)), await written(shape(80))];
  // Twice as much again for twice as many: four times as much would be the square.
  expect(many.length - more.length).toBeLessThan(2.5 * (more.length - few.length));
  // An expression is as deep as it was written.
  if (!/compute|sum$|EXISTS/.test(name)) expect(many.depth).toBe(more.depth);
});
