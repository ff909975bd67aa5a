/**
 * Generated tables, queries and histories: after every statement each view equals its recomputation, hidden stages too, and
 * its feed adds up. `npm run test:soak` runs any number of such cases.
 */
import { afterAll, expect, it } from 'vitest';
import { Runner } from './bundle.ts';
import { featuresOf } from './features.ts';

const seed = Number(process.env['SEG_SEED'] ?? 1);
const cases = Number(process.env['SEG_CASES'] ?? 100);
const runner = new Runner(
  { views: 8, histories: 4, statements: 7, depth: 4 },
  30,
  featuresOf(process.env['SEG_FEATURES'] ?? 'usual'),
);
afterAll(() => runner.close());

it(`${cases} generated cases equal their recomputation`, { timeout: 1_200_000 }, async () => {
  let done = 0;
  const recomputed: string[] = [];
  for (let at = seed; done < cases; at++) {
    const outcome = await runner.run(at);
    expect(outcome.failure, `seed ${at}: npm run test:soak -- --seed ${at} --cases 1`).toBeNull();
    recomputed.push(...outcome.recomputed);
    done += outcome.cases;
  }
  expect(recomputed).toEqual([]);
});
