/** Seeded orders and groupings of records. Pure: the same seed gives the same order on every machine. */

/** Mulberry32: a small generator of numbers in [0, 1), good enough to shuffle tests. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A random order (Fisher-Yates). */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

/** Cuts a list into batches of random sizes, at least one item each. */
export function randomBatches<T>(items: readonly T[], random: () => number): T[][] {
  const batches: T[][] = [];
  let current: T[] = [];
  // Few cuts in some runs, many in others.
  const chance = random();
  for (const item of items) {
    if (current.length > 0 && random() < chance) {
      batches.push(current);
      current = [];
    }
    current.push(item);
  }
  if (current.length > 0) batches.push(current);
  return batches;
}
