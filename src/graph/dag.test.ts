import { describe, expect, it } from 'vitest';
import { Dag } from './dag.ts';

const diamond = new Dag([
  ['d', ['b', 'c']],
  ['b', ['a']],
  ['c', ['a', 'not a node']],
  ['a', []],
]);

describe('Dag', () => {
  it('orders every node after its parents, ties as given', () => {
    expect(diamond.order()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('walks up and down, to a depth', () => {
    expect([...diamond.upstream(['d'])].sort()).toEqual(['a', 'b', 'c']);
    expect([...diamond.upstream(['d'], 1)].sort()).toEqual(['b', 'c']);
    expect([...diamond.downstream(['a'], 1)].sort()).toEqual(['b', 'c']);
    expect([...diamond.downstream(['a'])].sort()).toEqual(['b', 'c', 'd']);
    expect([...diamond.upstream(['a'])]).toEqual([]);
    expect([...diamond.downstream(['b', 'a'], 0)]).toEqual([]);
  });

  it('leaves out parents that are no nodes', () => {
    expect(diamond.parents('c')).toEqual(['a']);
    expect(diamond.parents('unknown')).toEqual([]);
  });

  it('joins edges through nodes that are left out', () => {
    const small = diamond.restrict(new Set(['a', 'd']));
    expect(small.parents('d')).toEqual(['a']);
    expect(small.ids).toEqual(['d', 'a']);
  });

  it('reports a cycle as a path', () => {
    expect(diamond.cycle()).toBeUndefined();
    expect(new Dag([['a', ['a']]]).cycle()).toEqual(['a', 'a']);
    const looped = new Dag([
      ['x', ['a']],
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['a']],
    ]);
    expect(looped.cycle()).toEqual(['a', 'b', 'c', 'a']);
    expect(() => looped.order()).toThrow('invariant');
  });

  it('takes a chain longer than the call stack', () => {
    const chain = Array.from({ length: 50_000 }, (_, i) => [`n${i}`, i === 0 ? [] : [`n${i - 1}`]] as const);
    expect(new Dag([...chain].reverse()).cycle()).toBeUndefined();
    expect(new Dag([...chain].reverse()).order()[0]).toBe('n0');
  });
});
