import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { PGliteDatabase } from '../../src/engines/pglite/connection.ts';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { coverage } from './coverage.ts';
import { history, tables } from './history.ts';
import { runCase } from './trace-runner.ts';

const only = process.env['SEG_CASE'];
const seed = Number(process.env['SEG_SEED'] ?? 1);
const runs = Number(process.env['SEG_RUNS'] ?? 1);

describe('each construct equals its recomputation after every statement', () => {
  let db: PGliteDatabase;
  let cases = 0;
  /** Nothing vacuums the catalog that dropped schemas leave behind, so a database serves for a while only. */
  const fresh = async (): Promise<PGliteDatabase> => {
    if (cases++ % 60 === 0) {
      await db?.close();
      db = await openMemoryDatabase({ size: 'large' });
    }
    return db;
  };
  afterAll(() => db?.close());

  for (const { name, sql, recomputes } of coverage) {
    if (only !== undefined && !name.includes(only)) continue;
    it(name, async () => {
      for (const steps of fc.sample(history(14), { seed, numRuns: runs })) {
        const filled = [
          'INSERT INTO a SELECT i, i % 3, chr(120 + i % 2), i % 4, NULL FROM generate_series(1, 6) AS i',
          ...steps,
        ];
        const trace = await runCase(await fresh(), {
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
