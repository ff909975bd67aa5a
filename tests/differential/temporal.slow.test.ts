/** Conditions on the clock: each form equals its recomputation after every statement, moves of the clock among them. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { CaseRunner } from './case-runner.ts';
import { explainIncrementalView } from '../../src/incremental/explain-view.ts';
import { clockHistory, clockTables } from './clock-history.ts';
import { temporal } from './temporal.ts';
import { runCase } from './trace-runner.ts';

const only = process.env['SEG_CASE'];
const seed = Number(process.env['SEG_SEED'] ?? 1);
const runs = Number(process.env['SEG_RUNS'] ?? 1);

describe('each condition on the clock equals its recomputation after every statement', () => {
  const runner = new CaseRunner();
  afterAll(() => runner.close());

  for (const { name, sql, whole } of temporal) {
    if (only !== undefined && !name.includes(only)) continue;
    it(name, async () => {
      for (const steps of fc.sample(clockHistory(20), { seed, numRuns: runs })) {
        const database = await runner.database(1);
        const trace = await runCase(database, {
          schema: clockTables,
          views: [{ name, sql }],
          history: steps,
        });
        expect(trace.mismatch, `seed ${seed}`).toBeNull();
        const explained = await explainIncrementalView(database, name);
        const moves = explained!.stages.flatMap(({ clock }) =>
          clock === null ? [] : [clock.whole.length > 0],
        );
        expect(moves.some((is) => is)).toBe(whole === true);
      }
    });
  }
});
