import { describe, expect, test } from 'vitest';
import { testSource } from '../connectors/test-source.ts';
import { intakeChanges, intakeOf } from './intake.ts';

const id = { name: 'id', data_type: 'integer' };
const plain = testSource('s', [id, { name: 'nn', data_type: 'text' }]);

describe('what changes of how records are read', () => {
  test.each([
    ['nothing', plain, []],
    [
      'a path',
      testSource('s', [id, { name: 'nn', data_type: 'text', path: 'via' }]),
      ['column "nn" is read from "via", no more from "nn"'],
    ],
    ['a column more or less', testSource('s', [id, { name: 'other', data_type: 'text', path: 'x' }]), []],
    [
      'on_conflict',
      { ...plain, config: { ...plain.config, on_conflict: 'upsert' as const } },
      ['on_conflict is upsert, no more append'],
    ],
    [
      'on_error',
      { ...plain, config: { ...plain.config, on_error: 'quarantine' as const } },
      ['on_error is quarantine, no more fail'],
    ],
    ['the format', { ...plain, format: 'csv' as const }, ['format is csv, no more json']],
    [
      'the delimiter',
      { ...plain, config: { ...plain.config, delimiter: ';' } },
      ['delimiter is ;, no more the usual one'],
    ],
    [
      'a json_schema',
      { ...plain, json_schema: { type: 'object' } },
      ['records are checked by a json_schema'],
    ],
  ])('%s', (_what, changed, words) => {
    expect(intakeChanges(intakeOf(plain), intakeOf(changed))).toEqual(words);
  });

  test('is not known of a source that was deployed before it was kept', () => {
    expect(intakeChanges(undefined, intakeOf(plain))).toEqual([]);
  });
});
