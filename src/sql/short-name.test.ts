import { describe, expect, it } from 'vitest';
import { beginning, shortName } from './short-name.ts';

describe('names for PostgreSQL', () => {
  it('keeps what fits', () => {
    expect(shortName('seg', 'a'.repeat(59))).toBe(`seg ${'a'.repeat(59)}`);
    expect(beginning('', 3)).toBe('');
    expect(beginning('日本', 6)).toBe('日本');
  });

  it('cuts between characters, of however many bytes', () => {
    expect(beginning('abcd', 3)).toBe('abc');
    expect(beginning('日本語', 8)).toBe('日本');
    expect(beginning('a🦭b', 4)).toBe('a');
    expect(beginning('a🦭b', 5)).toBe('a🦭');
    for (const character of ['a', 'ü', '日', '🦭']) {
      const name = shortName(`x${character.repeat(60)}`, 'y');
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
      expect(Buffer.from(name).toString()).toBe(name);
    }
  });

  it('tells long names apart by their ends', () => {
    expect(shortName('日'.repeat(30), '1')).not.toBe(shortName('日'.repeat(30), '2'));
  });
});
