import { describe, expect, test } from 'vitest';
import { BatchSize } from './batch-size.ts';

/** Feeds batches that cost `fixed + rows * each` seconds; answers the sizes used and the whole time. */
function simulate(total: number, fixed: number, each: number): { sizes: number[]; seconds: number } {
  const size = new BatchSize();
  const sizes: number[] = [];
  let seconds = 0;
  for (let left = total; left > 0 && sizes.length < 10_000;) {
    const rows = Math.min(left, size.rows);
    const took = fixed + rows * each;
    size.observe(rows, took);
    sizes.push(rows);
    seconds += took;
    left -= rows;
  }
  return { sizes, seconds };
}

describe('batches', () => {
  test('grow while they are quick', () => {
    expect(simulate(500_000, 0.001, 0.00001).sizes.slice(0, 6)).toEqual([
      1000, 2000, 4000, 8000, 16000, 32000,
    ]);
  });

  test('do not shrink for a cost that does not depend on their size', () => {
    for (const fixed of [0.5, 1, 2.5, 4]) {
      const { seconds, sizes } = simulate(100_000, fixed, 0.00005);
      expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThanOrEqual(1000);
      expect(seconds).toBeLessThan(5 + 14 * fixed);
    }
  });

  test('shrink when each row is slow, so that a batch stays near two seconds', () => {
    const { sizes } = simulate(100_000, 0.001, 0.005);
    expect(sizes.at(-2)! * 0.005).toBeLessThan(2.5);
    expect(simulate(3000, 0, 1).sizes.at(-1)).toBeLessThan(10);
  });

  test('keep to the largest size asked for', () => {
    const size = new BatchSize(300);
    for (let i = 0; i < 5; i++) size.observe(size.rows, 0.01);
    expect(size.rows).toBe(300);
  });

  test('a part of a batch from a live pipe does not make them grow', () => {
    const size = new BatchSize();
    size.observe(10, 0.01);
    expect(size.rows).toBe(1000);
  });
});
