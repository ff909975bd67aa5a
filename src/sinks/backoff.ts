/**
 * How long to wait before a batch is tried again: a random time up to a limit that doubles ("full jitter": M. Brooker,
 * Exponential Backoff And Jitter, 2015), and never less than the receiver has asked for.
 */
const baseMs = 250;
const capMs = 60_000;
/** A receiver that asks for more than this is asked again before. */
const longestMs = 3_600_000;

/** @param attempt 1 after the first failure */
export function backoffMs(
  attempt: number,
  retryAfterMs: number | undefined,
  random: () => number = Math.random,
): number {
  const limit = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 20));
  return Math.min(longestMs, Math.max(random() * limit, retryAfterMs ?? 0));
}
