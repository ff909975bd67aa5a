import { expect, test } from 'vitest';
import { beforePosition, fromPosition } from './positions.ts';

const up = { descending: false, nullsFirst: false };
const down = { descending: true, nullsFirst: true };
const position = (...ways: (typeof up)[]): Parameters<typeof fromPosition>[0] => ({
  order: ways.map((way, i) => ({ id: `o${i}`, ...way })),
  bound: ways.length,
  nullable: false,
});
const ref = (i: number): string => `o${i}`;
const from = (plan: Parameters<typeof fromPosition>[0]): string[] =>
  fromPosition(plan, ref).map((parts) => parts.join(''));

test('columns of one direction are compared as one row, which an index answers', () => {
  expect(from(position(up, up))).toEqual(['ROW(o0, o1) >= ROW("_seg_k".p0, "_seg_k".p1)']);
  expect(from(position(down))).toEqual(['o0 <= "_seg_k".p0']);
  expect(beforePosition(position(up, up), ref).join('')).toBe('ROW(o0, o1) < ROW("_seg_k".p0, "_seg_k".p1)');
});

test('where the direction turns, conditions that exclude each other', () => {
  expect(from(position(up, down))).toEqual(['o0 > "_seg_k".p0', 'o0 = "_seg_k".p0 AND o1 <= "_seg_k".p1']);
});

test('NULLs stand at one end of the order', () => {
  expect(from({ ...position(up), nullable: true })).toEqual(['o0 >= "_seg_k".p0', 'o0 IS NULL']);
  expect(from({ ...position(down), nullable: true })).toEqual(['o0 <= "_seg_k".p0', '"_seg_k".p0 IS NULL']);
  expect(beforePosition({ ...position(up), nullable: true }, ref).join('')).toBe(
    '(o0 < "_seg_k".p0 OR ("_seg_k".p0 IS NULL AND o0 IS NOT NULL))',
  );
});
