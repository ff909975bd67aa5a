import { describe, expect, it } from 'vitest';
import type { SegError } from '../diagnostics/seg-error.ts';
import type { FlagValues } from './flag-values.ts';
import { readFlags } from './flag-values.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';
import { COMMANDS, parseCommandLine } from './program.ts';

function flagsOf(line: string | string[], env: NodeJS.ProcessEnv = {}): FlagValues {
  const argv = typeof line === 'string' ? line.split(' ') : line;
  const { definition, command } = parseCommandLine(argv, '1.2.3', () => undefined)!;
  return readFlags(command, [...GLOBAL_FLAGS, ...definition.flags], env);
}

function usage(line: string): SegError {
  try {
    flagsOf(line);
  } catch (error) {
    return error as SegError;
  }
  throw new Error('nothing was thrown');
}

function written(...argv: string[]): string {
  let text = '';
  expect(parseCommandLine(argv, '1.2.3', (part) => (text += part))).toBeUndefined();
  return text;
}

describe('the command line', () => {
  it('takes global flags before and after the command', () => {
    expect(flagsOf('-t dev run --threads 4').string('target')).toBe('dev');
    expect(flagsOf('run -t dev').string('target')).toBe('dev');
    expect(flagsOf('run --target=dev --select a').string('target')).toBe('dev');
    expect(flagsOf('run -xf').boolean('fail-fast')).toBe(true);
    expect(flagsOf('run -xf').boolean('full-refresh')).toBe(true);
  });

  it('is greedy with lists', () => {
    const flags = flagsOf('run --select a b+ tag:c --threads 4 --select d --exclude e -x');
    expect(flags.list('select')).toEqual(['a', 'b+', 'tag:c', 'd']);
    expect(flags.list('exclude')).toEqual(['e']);
    expect(flags.integer('threads')).toBe(4);
    expect(flags.boolean('fail-fast')).toBe(true);
  });

  it.each(['-s', '-m', '--m', '--models', '--model', '--select'])('takes %s for --select', (name) => {
    expect(flagsOf(`run ${name} models/sources x`).list('select')).toEqual(['models/sources', 'x']);
  });

  it('keeps --models apart in ls', () => {
    const flags = flagsOf('ls --m a --resource-types model seed');
    expect(flags.list('models')).toEqual(['a']);
    expect(flags.list('select')).toEqual([]);
    expect(flags.list('resource-type')).toEqual(['model', 'seed']);
  });

  it('reads negative numbers, YAML and --no- forms', () => {
    expect(flagsOf('show -s a --limit -1').integer('limit')).toBe(-1);
    expect(flagsOf('show -s a').integer('limit')).toBe(5);
    expect(flagsOf(['run', '--vars', '{a: 1, b: [x]}']).mapping('vars')).toEqual({ a: 1, b: ['x'] });
    expect(flagsOf(['run', '--vars', 'on: yes']).mapping('vars')).toEqual({ true: true });
    expect(flagsOf('run').boolean('write-json')).toBe(true);
    expect(flagsOf('run --no-write-json').boolean('write-json')).toBe(false);
    expect(flagsOf('run --no-fail-fast', { DBT_FAIL_FAST: '1' }).boolean('fail-fast')).toBe(false);
  });

  it('reads the environment under three names, seg first', () => {
    const env = { DBT_TARGET: 'c', DBT_ENGINE_TARGET: 'b', SEG_TARGET: 'a' };
    expect(flagsOf('run', env).string('target')).toBe('a');
    expect(flagsOf('run', { ...env, SEG_TARGET: '' }).string('target')).toBe('b');
    expect(flagsOf('run', { DBT_TARGET: 'c' }).string('target')).toBe('c');
    expect(flagsOf('run -t d', env).string('target')).toBe('d');
    expect(flagsOf('build', { DBT_RESOURCE_TYPES: 'model seed' }).list('resource-type')).toEqual([
      'model',
      'seed',
    ]);
    expect(flagsOf('run', { SEG_QUIET: 'yes' }).boolean('quiet')).toBe(true);
    // Not every flag: a stray variable must not select nodes.
    expect(flagsOf('run', { DBT_MODELS: 'a', SEG_SELECT: 'b' }).list('select')).toEqual([]);
  });

  it.each([
    ['run --selct a', 'SEG901', 'unknown option "--selct"', 'Did you mean "--select"?'],
    ['biuld', 'SEG902', 'unknown command "biuld"', 'Did you mean "build"?'],
    ['run a', 'SEG903', /too many arguments/, 'Nodes are named with --select.'],
    ['ingest', 'SEG903', /missing required argument "source"/, undefined],
    ['run --threads', 'SEG903', /argument missing/, undefined],
    ['run --threads many', 'SEG903', 'wrong value "many" for --threads', 'It takes a whole number.'],
    [
      'ls --output yaml',
      'SEG903',
      'wrong value "yaml" for --output',
      'It takes one of selector, name, path, json.',
    ],
    ['run --vars 3', 'SEG903', /is not a mapping/, undefined],
  ])('refuses `%s`', (line, code, message, hint) => {
    const error = usage(line);
    expect(error.exitCode).toBe(2);
    expect(error.diagnostics[0]!.code).toBe(code);
    expect(error.message).toMatch(message);
    if (hint !== undefined) expect(error.diagnostics[0]!.hint).toBe(hint);
  });

  it('prints help and version', () => {
    expect(written('--version')).toBe('seg 1.2.3\n');
    const help = written('--help');
    for (const { name, summary } of COMMANDS) {
      expect(help).toContain(name);
      expect(help).toContain(summary);
    }
    expect(help).toContain('Exit codes');
    expect(written()).toBe(help);
    expect(written('help', 'run')).toBe(written('run', '--help'));
    expect(written('ls', '-h')).toContain('--output-keys');
  });

  it('has one name for each thing', () => {
    const names = COMMANDS.flatMap(({ name, alias }) => [name, ...(alias ? [alias] : [])]);
    expect(new Set(names).size).toBe(names.length);
    const globals = GLOBAL_FLAGS.map((flag) => flag.name);
    for (const { flags } of COMMANDS) {
      for (const flag of flags) expect(globals).not.toContain(flag.name);
    }
  });
});
