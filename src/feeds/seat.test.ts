import { describe, expect, it } from 'vitest';
import type { ChangeBatch } from '../changelog/change.ts';
import { positionOf } from './position.ts';
import { Seat } from './seat.ts';

function batch(epoch: number, changes: number): ChangeBatch {
  const change = { op: 'insert', key: null, row: { epoch }, before: null } as const;
  return {
    position: positionOf(epoch),
    at: '2026-01-01T00:00:00Z',
    changes: Array.from({ length: changes }, () => change),
  };
}

describe('a seat', () => {
  it('has what came last at hand, however much it is', () => {
    const seat = new Seat(positionOf(0));
    seat.add([batch(1, 5000), batch(2, 5000)], 50_000_000, positionOf(3));
    const page = seat.after(positionOf(0));
    expect(page?.batches.map(({ position }) => position)).toEqual([positionOf(1), positionOf(2)]);
    expect(page?.position).toBe(positionOf(3));
    // The next look is small, and what is large goes.
    seat.add([batch(4, 1)], 100, positionOf(4));
    expect(seat.after(positionOf(1))).toBeUndefined();
    expect(seat.after(positionOf(3))?.batches).toHaveLength(1);
  });

  it('keeps some of what came before, for those who are a little behind', () => {
    const seat = new Seat(positionOf(0));
    for (let epoch = 1; epoch <= 30; epoch++) seat.add([batch(epoch, 100)], 1000, positionOf(epoch));
    expect(seat.after(positionOf(19))).toBeUndefined();
    expect(seat.after(positionOf(20))?.batches).toHaveLength(10);
    for (let epoch = 31; epoch <= 60; epoch++) seat.add([batch(epoch, 1)], 100_000, positionOf(epoch));
    expect(seat.after(positionOf(57))).toBeUndefined();
    expect(seat.after(positionOf(58))?.batches).toHaveLength(2);
    seat.add([], 0, positionOf(99));
    expect(seat.after(positionOf(60))).toMatchObject({ batches: [], position: positionOf(99) });
  });

  it('has nothing after what was too much for it', () => {
    const seat = new Seat(positionOf(0));
    seat.add([batch(1, 1)], 10, positionOf(1));
    const { version } = seat;
    seat.skipTo(positionOf(5));
    expect(seat.version).toBeGreaterThan(version);
    expect(seat.after(positionOf(1))).toBeUndefined();
    expect(seat.after(positionOf(5))?.batches).toEqual([]);
  });
});
