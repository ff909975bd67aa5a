import { describe, expect, it } from 'vitest';
import { coneOf, heldBack } from './cone.ts';
import type { ConeNode } from './cone.ts';

const graph = (edges: Readonly<Record<string, string>>): Map<string, ConeNode> =>
  new Map(
    Object.entries(edges).map(([uniqueId, reads]) => [
      uniqueId,
      { uniqueId, reads: reads === '' ? [] : reads.split(' ') },
    ]),
  );
const names = (nodes: readonly ConeNode[]): string => nodes.map(({ uniqueId }) => uniqueId).join(' ');

describe('the cone of a change', () => {
  const nodes = graph({ d: 'b c', c: 'a', b: 'a', a: 'source', source: '', other: 'source' });

  it('is everything below it, readers last', () => {
    expect(names(coneOf(new Set(['a']), nodes))).toBe('a b c d');
    expect(names(coneOf(new Set(['c']), nodes))).toBe('c d');
    expect(names(coneOf(new Set(['source']), nodes))).toBe('source a b c d other');
    expect(names(coneOf(new Set(), nodes))).toBe('');
  });

  it('stays where it is as far as something that failed is attached to it', () => {
    const cone = coneOf(new Set(['a', 'other']), nodes);
    expect([...heldBack(cone, new Set(['c']), nodes)].sort()).toEqual(['a', 'b', 'c', 'd']);
    expect([...heldBack(cone, new Set(['other']), nodes)].sort()).toEqual(['other']);
    // Nothing stands yet: what was made may stay, only readers of what failed are missing.
    expect([...heldBack(cone, new Set(['c']), new Map())].sort()).toEqual(['c', 'd']);
  });
});
