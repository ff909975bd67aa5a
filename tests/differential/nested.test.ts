/** Constructs nested in one another, two or three deep: each coverage query under random operators. */
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import type { PGliteDatabase } from '../../src/engines/pglite/connection.ts';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { coverage } from './coverage.ts';
import { history, tables } from './history.ts';
import { runCase } from './trace-runner.ts';

const seed = Number(process.env['SEG_SEED'] ?? 1);
const runs = Number(process.env['SEG_RUNS'] ?? 1) * 30;

/** Each takes a query and gives one, of which the first column counts: as `c0`. */
const operators: readonly ((query: string) => string)[] = [
  (q) => `SELECT c0, count(*) AS n FROM (${q}) v(c0) GROUP BY c0`,
  (q) => `SELECT count(*) AS n, c0 IS NULL AS missing FROM (${q}) v(c0) GROUP BY c0 IS NULL`,
  (q) => `SELECT DISTINCT c0 FROM (${q}) v(c0)`,
  (q) => `SELECT v.c0, b.id AS bid FROM (${q}) v(c0) LEFT JOIN b ON b.k::text = v.c0::text`,
  (q) => `SELECT b.id, v.c0 FROM b LEFT JOIN (${q}) v(c0) ON b.k::text = v.c0::text`,
  (q) => `SELECT v.c0, b.g FROM (${q}) v(c0) JOIN b ON b.k::text = v.c0::text`,
  (q) => `SELECT c0 FROM (${q}) v(c0) WHERE NOT EXISTS (SELECT 1 FROM c WHERE c.k::text = v.c0::text)`,
  (q) => `SELECT id, g FROM a WHERE k::text IN (SELECT c0::text FROM (${q}) v(c0))`,
  (q) => `SELECT id, g FROM a WHERE k::text NOT IN (SELECT c0::text FROM (${q}) v(c0))`,
  (q) => `SELECT c0, row_number() OVER (PARTITION BY c0) AS rn FROM (${q}) v(c0)`,
  (q) => `SELECT c0::text AS c0 FROM (${q}) v(c0) UNION SELECT g FROM b`,
  (q) => `SELECT g FROM c UNION ALL SELECT c0::text FROM (${q}) v(c0)`,
  (q) => `SELECT c0::text AS c0 FROM (${q}) v(c0) EXCEPT SELECT k::text FROM b`,
  (q) => `SELECT a.id, (SELECT count(*) FROM (${q}) v(c0) WHERE v.c0::text = a.k::text) AS n FROM a`,
  (q) =>
    `SELECT x.c0, y.c0 AS d0 FROM (${q}) x(c0) LEFT JOIN (SELECT DISTINCT k FROM b) y(c0) ON x.c0::text = y.c0::text`,
  (q) => `SELECT DISTINCT ON (c0) c0 FROM (${q}) v(c0) ORDER BY c0`,
];

const query = fc
  .tuple(
    fc.constantFrom(...coverage.map(({ sql }) => sql)),
    fc.array(fc.constantFrom(...operators), { minLength: 1, maxLength: 3 }),
  )
  .map(([sql, over]) =>
    over.reduce(
      (inner, operator, level) =>
        operator('QUERY')
          .replaceAll('c0', `c0_${level}`)
          .replace('QUERY', () => inner),
      sql,
    ),
  );

let db: PGliteDatabase;
let cases = 0;
afterAll(() => db?.close());

it('nested constructs equal their recomputation after every statement', { timeout: 600_000 }, async () => {
  for (const [sql, steps] of fc.sample(fc.tuple(query, history(8)), { seed, numRuns: runs })) {
    if (cases++ % 60 === 0) {
      await db?.close();
      db = await openMemoryDatabase({ size: 'large' });
    }
    const filled = [
      'INSERT INTO a SELECT i, i % 3, chr(120 + i % 2), i % 4, NULL FROM generate_series(1, 6) AS i',
      'INSERT INTO b SELECT i, i % 3, chr(120 + i % 2), i % 4 FROM generate_series(1, 4) AS i',
      ...steps,
    ];
    const trace = await runCase(db, { schema: tables, views: [{ name: 'nested', sql }], history: filled });
    expect(trace.mismatch, `seed ${seed}, case ${cases}: ${sql}`).toBeNull();
  }
});
