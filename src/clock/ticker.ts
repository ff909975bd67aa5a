/** Moves the project's clock along with the machine's. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';

/**
 * Sets the clock to the machine's time every `intervalMs`, until `signal`. A clock that was set ahead stands still until
 * the machine has caught up: time only moves forward. A tick that takes longer than the interval makes the next one
 * come late, never two at once.
 * @param onError told what a tick failed with (a model that fails at this instant); the next tick tries again
 */
export async function tickClock(
  connection: Connection,
  options: {
    readonly intervalMs: number;
    readonly stateSchema: () => string;
    readonly signal: AbortSignal;
    readonly onError: (error: unknown) => void;
  },
): Promise<void> {
  const { intervalMs, signal } = options;
  while (!signal.aborted) {
    // On whole intervals of the machine's clock, so that ticks of a second fall on seconds.
    await sleep(intervalMs - (Date.now() % intervalMs), undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const now = new Date(Math.floor(Date.now() / intervalMs) * intervalMs).toISOString();
    try {
      await connection.query(
        `UPDATE ${quoteIdentifier(options.stateSchema())}.clock SET "now" = $1::timestamptz WHERE "now" < $1::timestamptz`,
        [now],
      );
    } catch (error) {
      options.onError(error);
    }
  }
}
