/** What a maintained view's rows are told apart by is known to the views that read it: windows over it have an order without ties. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PGliteDatabase } from '../../src/engines/pglite/connection.ts';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { history, tables } from './history.ts';
import { runCase } from './trace-runner.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase({ size: 'large' });
});
afterAll(() => db.close());

const views = [
  {
    name: 'totals',
    sql: 'SELECT k, sum(n) AS s, count(*) AS n FROM a GROUP BY k',
  },
  {
    name: 'ranked',
    sql: 'SELECT k, s, row_number() OVER (ORDER BY n DESC, k) AS place, lag(k) OVER (ORDER BY n DESC, k) AS ahead FROM totals',
  },
  { name: 'beside', sql: 'SELECT t.k, t.s, b.x FROM totals t LEFT JOIN b ON b.k = t.k' },
  {
    name: 'chosen',
    sql: 'SELECT id, n, lead(id) OVER (ORDER BY n, id) AS next FROM (SELECT id, n FROM a WHERE EXISTS (SELECT FROM b WHERE b.k = a.k)) s',
  },
];

test('ranks of groups, and of rows that a subquery lets through, are kept by their suffixes', async () => {
  for (const steps of fc.sample(history(14), { seed: 11, numRuns: 4 })) {
    const trace = await runCase(db, { schema: tables, views, history: steps });
    expect(trace.mismatch).toBeNull();
    const last = trace.created.map(({ stages }) => stages.at(-1)!.strategy);
    expect(last).toEqual(['merge', 'suffix', 'rekey', 'suffix']);
  }
});
