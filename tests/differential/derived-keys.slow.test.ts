/** What a maintained view's rows are told apart by is known to the views that read it: windows over it have an order without ties. */
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { CaseRunner } from './case-runner.ts';
import { history, tables } from './history.ts';

const runner = new CaseRunner();
afterAll(() => runner.close());

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
    const trace = await runner.run({ schema: tables, views, history: steps });
    expect(trace.mismatch).toBeNull();
    const last = trace.created.map(({ stages }) => stages.at(-1)!.strategy);
    expect(last).toEqual(['merge', 'suffix', 'rekey', 'suffix']);
  }
});
