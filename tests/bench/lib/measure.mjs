// Figures that hold on a machine with other work to do: the processor's time, contenders in turn, medians, ratios.
import process from 'node:process';

/**
 * Milliseconds of the processor's time that `work` takes in this process, where the embedded server runs too. On an idle machine
 * that is the time by the clock.
 */
export async function timed(work) {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Runs the contenders one after the other, `rounds` times (A B C, A B C, ...), so that all see the same weather.
 * @param contenders name → function that does one round and answers its milliseconds; `undefined`: given up
 * @returns name → median of its rounds
 */
export async function inTurn(rounds, contenders) {
  const times = new Map(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, work] of Object.entries(contenders)) {
      const took = await work(round);
      if (took !== undefined) times.get(name).push(took);
    }
  }
  return Object.fromEntries(
    [...times].map(([name, all]) => [name, all.length === 0 ? undefined : median(all)]),
  );
}

/** 0.123, 1.23, 12.3, 123, 1,230 */
export function figure(number) {
  if (number === undefined) return '–';
  const digits = number < 1 ? 3 : number < 10 ? 2 : number < 100 ? 1 : 0;
  return number.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** How many times faster `a` is than `b`. */
export function times(a, b) {
  return a === undefined || b === undefined ? '–' : `${figure(b / a)}x`;
}

/** Events a second. */
export function rate(events, milliseconds) {
  return milliseconds === undefined
    ? '–'
    : Math.round((events / milliseconds) * 1000).toLocaleString('en-US');
}
