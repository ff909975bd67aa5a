import { describe, expect, it } from 'vitest';
import { Turns } from './turns.ts';
import type { TurnKind } from './turns.ts';

/** A clock that goes on only while somebody has the database. */
function setUp() {
  let now = 0;
  const turns = new Turns({ now: () => now });
  const order: string[] = [];
  const use = async (kind: TurnKind, name: string, milliseconds: number): Promise<void> => {
    const end = await turns.take(kind);
    order.push(name);
    now += milliseconds;
    end();
  };
  return { turns, order, use };
}

describe('turns', () => {
  it('of the kinds alternate when they take equally long, each in the order of arrival', async () => {
    const { turns, order, use } = setUp();
    const first = await turns.take('command');
    const all = [
      ...['r1', 'r2', 'r3'].map((name) => use('read', name, 10)),
      use('feed', 'f1', 10),
      use('clock', 'c1', 10),
      use('feed', 'f2', 10),
    ];
    expect(turns.waiting).toBe(6);
    first();
    await Promise.all(all);
    expect(order).toEqual(['r1', 'f1', 'c1', 'r2', 'f2', 'r3']);
  });

  it('that are short come between those that are long', async () => {
    const { turns, order, use } = setUp();
    const first = await turns.take('command');
    const all = [
      ...['i1', 'i2', 'i3'].map((name) => use('ingest', name, 300)),
      ...['s1', 's2', 's3', 's4', 's5'].map((name) => use('sink', name, 40)),
    ];
    first();
    await Promise.all(all);
    // Ingestion has a share of three: 300 ms of it stand against 100 of the sinks.
    expect(order).toEqual(['i1', 's1', 's2', 's3', 'i2', 's4', 's5', 'i3']);
  });

  it('that were missed by a line that was empty are not made up, nor is a very long one held against a line', async () => {
    const { turns, order, use } = setUp();
    for (let n = 0; n < 100; n++) await use('feed', '', 50);
    await use('wire', '', 3_600_000);
    order.length = 0;
    const first = await turns.take('command');
    const all = [
      ...['r1', 'r2'].map((name) => use('read', name, 50)),
      ...['f1', 'f2'].map((name) => use('feed', name, 50)),
      ...['w1', 'w2'].map((name) => use('wire', name, 50)),
      ...Array.from({ length: 40 }, () => use('clock', '', 50)),
    ];
    first();
    await Promise.all(all);
    expect(order.indexOf('f1')).toBeLessThan(6);
    expect(order.indexOf('w1')).toBeLessThan(30);
  });

  it('are not for who gives up waiting, and end once', async () => {
    const { turns } = setUp();
    const end = await turns.take('wire');
    const impatient = new AbortController();
    const waiting = turns.take('wire', impatient.signal);
    impatient.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
    expect(turns.waiting).toBe(0);
    end();
    end();
    const [next, behind] = [await turns.take('wire'), turns.take('wire')];
    expect(turns.waiting).toBe(1);
    next();
    (await behind)();
  });
});
