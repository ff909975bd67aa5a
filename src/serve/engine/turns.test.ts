import { expect, it } from 'vitest';
import { Turns } from './turns.ts';
import type { TurnKind } from './turns.ts';

it('gives kinds of use their turns alternately, each in the order of arrival', async () => {
  const turns = new Turns();
  const first = await turns.take('command');
  const order: string[] = [];
  const use = async (kind: TurnKind, name: string): Promise<void> => {
    const end = await turns.take(kind);
    order.push(name);
    end();
  };
  const all = [
    ...['r1', 'r2', 'r3'].map((name) => use('read', name)),
    use('ingest', 'i1'),
    use('clock', 'c1'),
    use('ingest', 'i2'),
  ];
  expect(turns.waiting).toBe(6);
  first();
  await Promise.all(all);
  expect(order).toEqual(['i1', 'r1', 'c1', 'i2', 'r2', 'r3']);
});

it('forgets who gives up waiting, and ends a turn once', async () => {
  const turns = new Turns();
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
