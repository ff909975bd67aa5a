/** `flags:` of the project file: what is given neither on the command line nor in the environment. */
import { resolve } from 'node:path';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { findProjectFile, isObject } from '../project/project-file.ts';
import type { Flag } from './flag.ts';
import type { FlagValues, ProjectFlags } from './flag-values.ts';

/** Where a project lies and what it connects to is known before its flags are read. */
const NOT_IN_PROJECT = ['project-dir', 'profiles-dir', 'profile', 'target', 'vars'];

/** Where the search for the project begins. */
export function projectFolder(flags: FlagValues, cwd: string): string {
  const given = flags.string('project-dir');
  return given === undefined ? cwd : resolve(cwd, given);
}

/** Reads them; undefined without a project, or with one that cannot be read, which the command will report. */
export function readProjectFlags(flags: FlagValues, cwd: string): ProjectFlags | undefined {
  try {
    const { root, file, values, at } = findProjectFile(projectFolder(flags, cwd));
    const written = values['flags'];
    if (!isObject(written)) return undefined;
    const byName = Object.entries(written)
      .map(([key, value]) => [dashed(key), { key, value, at: at(['flags', key], 'key') }] as const)
      .filter(([name, { value }]) => value !== null && !NOT_IN_PROJECT.includes(name));
    return { root, file, values: new Map(byName) };
  } catch {
    return undefined;
  }
}

/** Warnings of keys that look like a flag. dbt has many more, for its own behaviour, which say nothing to seg. */
export function misspeltFlags({ values }: ProjectFlags, known: readonly Flag[]): Diagnostic[] {
  const names = known
    .filter(({ name, env }) => env === true && !NOT_IN_PROJECT.includes(name))
    .map(({ name }) => name.replaceAll('-', '_'));
  return [...values.values()].flatMap(({ key, at }): Diagnostic[] => {
    const hint = names.map(dashed).includes(dashed(key)) ? undefined : didYouMean(key, names);
    if (hint === undefined) return [];
    return [{ severity: 'warning', code: 'SEG919', message: `unknown flag "${key}"`, at, hint }];
  });
}

function dashed(key: string): string {
  return key.replaceAll('_', '-');
}
