import { describe, expect, it } from 'vitest';
import { refusal, tooDeep } from './storable.ts';

describe('what PostgreSQL cannot store', () => {
  it.each([
    ['{"a":"x\\u0000"}', /NUL/],
    ['{"a":"x\\\\u0000"}', undefined],
    ['{"a":"x\\\\\\u0000"}', /NUL/],
    ['{"a":"\\ud83d\\ude8b"}', undefined],
    ['{"a":"\\ud83d"}', /surrogate/],
    ['{"a":"\\ude8b\\ud83d"}', /surrogate/],
    ['{"a":"\\\\ud83d"}', undefined],
    [`${'['.repeat(501)}"${' '.repeat(500)}"${']'.repeat(501)}`, /nested deeper than 500/],
    [`${'['.repeat(500)}"${'['.repeat(600)}"${']'.repeat(500)}`, undefined],
  ])('%s', (text, reason) => {
    const found = tooDeep(text) ?? refusal(text);
    if (reason === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(reason);
  });
});
