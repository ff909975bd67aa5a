import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { CaseRunner } from './case-runner.ts';
import { coverage } from './coverage.ts';
import { history, tables } from './history.ts';

const only = process.env['SEG_CASE'];
const seed = Number(process.env['SEG_SEED'] ?? 1);
const runs = Number(process.env['SEG_RUNS'] ?? 1);

describe('each construct equals its recomputation after every statement', () => {
  const runner = new CaseRunner();
  afterAll(() => runner.close());

  for (const { name, sql, recomputes } of coverage) {
    if (only !== undefined && !name.includes(only)) continue;
    it(name, async () => {
      for (const steps of fc.sample(history(14), { seed, numRuns: runs })) {
        const filled = [
          'INSERT INTO a SELECT i, i % 3, chr(120 + i % 2), i % 4, NULL FROM generate_series(1, 6) AS i',
          ...steps,
        ];
        const trace = await runner.run({
          schema: tables,
          views: [
            { name, sql },
            { name: `${name}_silent`, sql, silent: true },
          ],
          history: filled,
        });
        expect(trace.mismatch, `seed ${seed}`).toBeNull();
        const { stages } = trace.created[0]!;
        const recomputed = stages.filter(({ strategy }) => strategy === 'recompute');
        expect(recomputed.length > 0).toBe(recomputes !== undefined);
        if (recomputes === 'part') expect(stages.at(-1)!.strategy).not.toBe('recompute');
      }
    });
  }
});
