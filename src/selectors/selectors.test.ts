import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SegError } from '../diagnostics/seg-error.ts';
import { parseDefinitions } from './definitions.ts';
import { evaluate, type EvaluateOptions } from './evaluate.ts';
import { manifestOf, node, shop } from './fixture.ts';
import { fnmatch, globMatchesPath } from './glob.ts';
import { parseCriterion, parseSelection } from './parse.ts';
import { readPreviousState } from './previous-state.ts';

/** Names of what a command line selects, tests left out unless asked for, sorted. */
function names(
  select: string | string[],
  exclude: string | string[] = [],
  options: EvaluateOptions = {},
): string {
  const tree = parseSelection([select].flat(), [exclude].flat());
  const { ids } = evaluate(tree, shop, { indirectSelection: 'empty', ...options });
  return [...ids]
    .map((id) => id.split('.').slice(2).join('.'))
    .sort()
    .join(' ');
}

describe('parseCriterion', () => {
  it('reads graph operators, method, arguments and value', () => {
    expect(parseCriterion('2+config.meta.owner:ann+3')).toMatchObject({
      method: 'config',
      methodArguments: ['meta', 'owner'],
      value: 'ann',
      parents: 2,
      children: 3,
      childrensParents: false,
    });
    expect(parseCriterion('+a+')).toMatchObject({ method: 'fqn', parents: Infinity, children: Infinity });
    expect(parseCriterion('@a')).toMatchObject({ childrensParents: true, parents: 0 });
    expect(parseCriterion('a.v2')).toMatchObject({ method: 'fqn', value: 'a.v2' });
    expect(parseCriterion('models/staging')).toMatchObject({ method: 'path' });
    expect(parseCriterion('A.SQL')).toMatchObject({ method: 'file' });
    expect(parseCriterion('1+a')).toMatchObject({ parents: 1 });
  });

  it.each([
    ['@a+', 'SEG350', /prefix "@" and suffix "\+"/],
    ['+', 'SEG350', /invalid selector "\+"/],
    ['tga:x', 'SEG351', /unknown selector method "tga" in "tga:x"/],
  ])('refuses %s', (text, code, message) => {
    const error = thrown(() => parseCriterion(text));
    expect(error.diagnostics[0]).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(error.exitCode).toBe(2);
  });

  it('names the nearest method', () => {
    expect(thrown(() => parseCriterion('tags:x')).diagnostics[0]!.hint).toBe('Did you mean "tag"?');
  });
});

describe('graph operators and set operations', () => {
  it.each([
    ['b', 'b'],
    ['+b', 'a b prices s.t'],
    ['1+b', 'a b prices'],
    ['a+1', 'a b d not_null_a_id relationships_c_a'],
    ['b+', 'a_day b b_adds_up board c relationships_c_a'],
    ['a b', 'a b'],
    ['tag:nightly,tag:base', 'a'],
    ['tag:nightly,path:models/marts b', 'b'],
    ['@d', 'a d no_free_lunch s.t'],
  ])('%s selects %s', (select, expected) => expect(names(select)).toBe(expected));

  it('takes away what is excluded', () => {
    expect(names('tag:nightly', 'b')).toBe('a');
    expect(names([], 'resource_type:test resource_type:model')).toBe('a_day b_adds_up board prices s.t');
  });

  it('takes everything without a selection', () => {
    expect(names([]).split(' ')).toHaveLength(12);
  });
});

describe('methods', () => {
  it.each([
    ['shop.marts', 'a_day b b_adds_up c d'],
    ['marts.core', 'c'],
    ['marts.*', 'b b_adds_up c d relationships_c_a'],
    ['shop.marts.?', 'b d'],
    ['fqn:*.[ab]', 'a b'],
    ['path:models/staging', 'a not_null_a_id s.t'],
    ['models/marts/*.sql', 'b d'],
    ['models/**/c.sql', 'c'],
    ['./models/marts/core/', 'c'],
    ['models/staging/schema.yml', 'a not_null_a_id'],
    ['b.sql', 'b'],
    ['file:b', 'b'],
    ['prices.csv', 'prices'],
    ['source:s', 's.t'],
    ['source:s.t', 's.t'],
    ['source:shop.s.*', 's.t'],
    ['source:x.t', ''],
    ['tag:night*', 'a b'],
    ['config.materialized:view', 'a'],
    ['config.materialized:incremental', 'b'],
    ['config.materialized:materialized_view', 'b'],
    ['config.changelog:True', 'b'],
    ['config.meta.owner:ann', 'a'],
    ['config.meta.tier:1', 'a'],
    ['config.tags:base', 'a'],
    ['config.severity:warn', 'not_null_a_id'],
    ['resource_type:seed', 'prices'],
    ['resource_type:scenario', 'a_day'],
    ['test_type:generic', 'not_null_a_id relationships_c_a'],
    ['test_type:schema', 'not_null_a_id relationships_c_a'],
    ['test_type:singular', 'no_free_lunch'],
    ['test_type:data', 'no_free_lunch not_null_a_id relationships_c_a'],
    ['test_type:unit', 'b_adds_up'],
    ['test_type:scenario', 'a_day'],
    ['test_name:not_*', 'not_null_a_id'],
    ['unit_test:b_adds_up', 'b_adds_up'],
    ['exposure:board', 'board'],
    ['+exposure:shop.board', 'a b board c prices s.t'],
    ['package:this,resource_type:seed', 'prices'],
    ['package:shop,tag:base', 'a'],
    ['version:none', 'a b c d'],
    ['version:latest', ''],
    ['group:finance', ''],
    ['access:protected,tag:base', 'a'],
  ])('%s selects %s', (select, expected) => {
    // shop.marts also holds the tests and the scenario of that folder by their fqn.
    const found = names(select);
    if (select === 'shop.marts') expect(found).toContain('b b_adds_up c d');
    else expect(found).toBe(expected);
  });

  it('refuses values a method does not know', () => {
    expect(thrown(() => names('test_type:singulr')).diagnostics[0]).toMatchObject({
      code: 'SEG353',
      hint: 'Did you mean "singular"?',
    });
    expect(thrown(() => names('state:modified')).diagnostics[0]).toMatchObject({ code: 'SEG356' });
  });

  it('tells parts that matched nothing, with near names', () => {
    const { ids, unmatched } = evaluate(parseSelection(['a pricse tag:nightli'], []), shop);
    expect(ids.has('model.shop.a')).toBe(true);
    expect(unmatched).toEqual([
      { raw: 'pricse', near: ['prices'] },
      { raw: 'tag:nightli', near: ['nightly'] },
    ]);
  });
});

describe('indirect selection of tests', () => {
  it.each([
    ['eager', 'a not_null_a_id relationships_c_a'],
    ['cautious', 'a not_null_a_id'],
    ['buildable', 'a not_null_a_id'],
    ['empty', 'a'],
  ] as const)('%s', (mode, expected) => expect(names('a', [], { indirectSelection: mode })).toBe(expected));

  it('lets a test join when its parents come from different parts', () => {
    expect(names('a c', [], { indirectSelection: 'cautious' })).toBe(
      'a a_day c not_null_a_id relationships_c_a',
    );
  });

  it('buildable counts ancestors as there', () => {
    expect(names('c', [], { indirectSelection: 'cautious' })).toBe('a_day c');
    expect(names('c', [], { indirectSelection: 'buildable' })).toBe('a_day c relationships_c_a');
  });
});

describe('selectors.yml', () => {
  const selectors = (definition: unknown) =>
    parseDefinitions([
      { name: 'base', definition: 'tag:base' },
      { name: 'mine', definition },
    ]);
  const select = (definition: unknown, options: EvaluateOptions = {}) => {
    const named = selectors(definition);
    const trees = new Map([...named].map(([name, selector]) => [name, selector.tree]));
    const found = evaluate(named.get('mine')!.tree, shop, {
      indirectSelection: 'empty',
      selectors: trees,
      ...options,
    });
    return [...found.ids]
      .map((id) => id.split('.').slice(2).join('.'))
      .sort()
      .join(' ');
  };

  it.each([
    ['a b+1,c', 'a c'],
    [{ tag: 'base' }, 'a'],
    [{ method: 'fqn', value: 'b', parents: true, parents_depth: 1 }, 'a b prices'],
    [{ method: 'fqn', value: 'd', childrens_parents: true }, 'a d no_free_lunch s.t'],
    [{ method: 'tag', value: 'nightly', exclude: ['b'] }, 'a'],
    [{ union: [{ method: 'selector', value: 'base' }, 'c', { exclude: [{ tag: 'nope' }] }] }, 'a c'],
    [{ intersection: ['tag:nightly', { union: ['b', 'c'] }] }, 'b'],
    [{ method: 'config.meta.owner', value: 'ann' }, 'a'],
    [{ method: 'fqn', value: 'a', indirect_selection: 'eager' }, 'a not_null_a_id relationships_c_a'],
  ])('%j selects %s', (definition, expected) => expect(select(definition)).toBe(expected));

  it.each([
    [{ union: ['a'], intersection: ['b'] }, /cannot stand on one level/],
    [{ union: ['a', { exclude: ['b'] }, { exclude: ['c'] }] }, /only one "exclude"/],
    [{ method: 'tag', value: 'a', valeu: 1 }, /unknown key "valeu"/],
    [{ method: 'tga', value: 'a' }, /unknown selector method "tga"/],
    [{ method: 'selector', value: 'mine' }, /refers to itself/],
    [{ method: 'selector', value: 'bsae' }, /unknown selector "bsae"/],
    [{ method: 'fqn', value: 'a', indirect_selection: 'bold' }, /must be one of eager/],
  ])('refuses %j', (definition, message) =>
    expect(thrown(() => select(definition)).message).toMatch(message),
  );

  it('refuses two defaults', () => {
    const twice = ['x', 'y'].map((name) => ({ name, default: true, definition: 'a' }));
    expect(() => parseDefinitions(twice)).toThrow('more than one default selector: "x", "y"');
  });
});

describe('state and result', () => {
  const folder = mkdtempSync(join(tmpdir(), 'seg-state-'));
  const before = manifestOf(
    [
      node('model', 'same', []),
      node('model', 'edited', [], { checksum: { name: 'sha256', checksum: 'other' } }),
      node('model', 'reconfigured', [], { unrendered_config: { materialized: 'table' } }),
      node('model', 'moved', [], { schema: 'old' }),
      node('model', 'by_macro', [], { depends_on: { nodes: [], macros: ['macro.shop.outer'] } }),
      node('test', 'unique_x', [], { test_metadata: { name: 'unique', kwargs: { where: 'a' } } }),
    ],
    { macros: macros('before') },
  );
  const now = manifestOf(
    [
      node('model', 'same', []),
      node('model', 'edited', []),
      node('model', 'reconfigured', []),
      node('model', 'moved', [], { schema: 'new' }),
      node('model', 'by_macro', [], { depends_on: { nodes: [], macros: ['macro.shop.outer'] } }),
      node('model', 'added', []),
      node('test', 'unique_x', [], { test_metadata: { name: 'unique', kwargs: { where: 'b' } } }),
    ],
    { macros: macros('after') },
  );
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(before));
  writeFileSync(
    join(folder, 'run_results.json'),
    JSON.stringify({ results: [{ unique_id: 'model.shop.same', status: 'error' }] }),
  );
  const previous = readPreviousState(folder);
  rmSync(folder, { recursive: true });

  it.each([
    ['state:new', 'added'],
    ['state:old', 'by_macro edited moved reconfigured same unique_x'],
    ['state:modified', 'added by_macro edited moved reconfigured unique_x'],
    ['state:unmodified', 'same'],
    ['state:modified.body', 'added edited unique_x'],
    ['state:modified.configs', 'added reconfigured'],
    ['state:modified.relation', 'added moved'],
    ['state:modified.macros', 'by_macro'],
    ['result:error', 'same'],
  ])('%s selects %s', (select, expected) => {
    const { ids } = evaluate(parseSelection([select], []), now, { previous, indirectSelection: 'empty' });
    expect(
      [...ids]
        .map((id) => id.split('.')[2])
        .sort()
        .join(' '),
    ).toBe(expected);
  });

  function macros(text: string) {
    const macro = (name: string, sql: string, uses: string[]) => ({
      unique_id: `macro.shop.${name}`,
      name,
      macro_sql: sql,
      depends_on: { macros: uses },
    });
    return {
      'macro.shop.outer': macro('outer', 'x', ['macro.shop.inner']),
      'macro.shop.inner': macro('inner', text, []),
    };
  }
});

describe('wildcards', () => {
  it('are those of Python', () => {
    expect(fnmatch('a.b', 'a.*')).toBe(true);
    expect(fnmatch('axb', 'a.b')).toBe(false);
    expect(fnmatch('a]', 'a[]]')).toBe(true);
    expect(fnmatch('ab', 'a[!b]')).toBe(false);
    expect(fnmatch('a[', 'a[')).toBe(true);
    expect(globMatchesPath('models/a/b.sql', 'models/*.sql')).toBe(false);
    expect(globMatchesPath('models/a/b.sql', 'models/**/b.sql')).toBe(true);
    expect(globMatchesPath('models/b.sql', 'models/**/b.sql')).toBe(true);
  });
});

function thrown(work: () => unknown): SegError {
  try {
    work();
  } catch (error) {
    return error as SegError;
  }
  throw new Error('nothing was thrown');
}
