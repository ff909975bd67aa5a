import { expect, it } from 'vitest';
import { Shifts } from './shifts.ts';

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve()));

it('one after the other: the follower makes room, and comes again', async () => {
  const shifts = new Shifts();
  const stop = new AbortController();
  const said: string[] = [];
  const follower = async (name: string) => {
    while (!stop.signal.aborted) {
      await shifts.follow(name, stop.signal, async (signal) => {
        said.push(`${name} follows`);
        await aborted(signal);
        said.push(`${name} makes room`);
      });
    }
  };
  const all = [follower('a'), follower('b')];
  await new Promise((resolve) => setImmediate(resolve));
  const once = await shifts.instead(['a'], async () => {
    said.push('once');
    await new Promise((resolve) => setImmediate(resolve));
    return 7;
  });
  expect(once).toBe(7);
  await expect(shifts.instead(['b', 'a'], () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await Promise.all(all);
  expect(said.slice(0, 5)).toEqual(['a follows', 'b follows', 'a makes room', 'once', 'a follows']);
  expect(said.filter((text) => text.includes('makes room'))).toHaveLength(5);
});
