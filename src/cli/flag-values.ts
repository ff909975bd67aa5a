import type { Command } from 'commander';
import { parse as parseYaml } from 'yaml';
import type { JsonValue } from '../changelog/change.ts';
import type { Location } from '../diagnostics/diagnostic.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { keysOf, type Flag } from './flag.ts';

/** `flags:` of the project file. */
export interface ProjectFlags {
  readonly root: string;
  readonly file: string;
  /** By the name of the flag, with dashes. */
  readonly values: ReadonlyMap<
    string,
    { readonly key: string; readonly value: JsonValue; readonly at: Location }
  >;
}

type Env = NodeJS.ProcessEnv;
type Value = string | number | boolean | string[] | Record<string, JsonValue>;

/**
 * What the user asked for, of the flags of one command: the command line, else the environment, else the project's
 * `flags:`, else the default. Reading a flag the command does not have is a defect and throws.
 */
export class FlagValues {
  readonly #flags: ReadonlyMap<string, Flag>;
  readonly #given: ReadonlyMap<string, Value>;

  constructor(flags: readonly Flag[], given: ReadonlyMap<string, Value>) {
    this.#flags = new Map(flags.map((flag) => [flag.name, flag]));
    this.#given = given;
  }

  has(name: string): boolean {
    return this.#flags.has(name);
  }

  /** Whether the user gave the flag, on the command line or in the environment. */
  given(name: string): boolean {
    this.#flag(name);
    return this.#given.has(name);
  }

  boolean(name: string): boolean {
    return this.#value(name) === true;
  }

  string(name: string): string | undefined {
    const value = this.#value(name);
    return typeof value === 'string' ? value : undefined;
  }

  integer(name: string): number | undefined {
    return this.#value(name) as number | undefined;
  }

  list(name: string): string[] {
    return (this.#value(name) as string[] | undefined) ?? [];
  }

  mapping(name: string): Record<string, JsonValue> | undefined {
    return this.#value(name) as Record<string, JsonValue> | undefined;
  }

  /** The same with `values` in front of what the flag `name`, a list, holds. */
  with(name: string, values: readonly string[]): FlagValues {
    if (values.length === 0) return this;
    return new FlagValues(
      [...this.#flags.values()],
      new Map([...this.#given, [name, [...values, ...this.list(name)]]]),
    );
  }

  /** The same without one word of the flag `name`, a list. */
  without(name: string, word: string): FlagValues {
    const rest = this.list(name).filter((each, index) => index > 0 || each !== word);
    const given = new Map(this.#given);
    if (rest.length === 0) given.delete(name);
    else given.set(name, rest);
    return new FlagValues([...this.#flags.values()], given);
  }

  /** The same with these words in place of those of the flag `name`, a list. */
  replace(name: string, words: readonly string[]): FlagValues {
    const given = new Map(this.#given);
    if (words.length === 0) given.delete(name);
    else given.set(name, [...words]);
    return new FlagValues([...this.#flags.values()], given);
  }

  /** Everything given, for run_results.json. */
  toJSON(): Record<string, JsonValue> {
    return Object.fromEntries(this.#given);
  }

  #flag(name: string): Flag {
    const flag = this.#flags.get(name);
    if (flag === undefined)
      throw new Error(`invariant: flag "${name}" is read by a command that does not have it`);
    return flag;
  }

  #value(name: string): Value | undefined {
    const flag = this.#flag(name);
    return this.#given.get(name) ?? flag.default;
  }
}

/** Reads flags from a parsed command and the environment. Throws SegError SEG903 for a value of the wrong form. */
export function readFlags(
  command: Command,
  flags: readonly Flag[],
  env: Env,
  project?: ProjectFlags,
): FlagValues {
  const options = command.optsWithGlobals<Record<string, unknown>>();
  const given = new Map<string, Value>();
  for (const flag of flags) {
    const written = keysOf(flag)
      .map((key) => options[key])
      .filter((value) => value !== undefined) as (string | boolean | string[])[];
    const value =
      written.length > 0 ? merge(flag, written) : (fromEnvironment(flag, env) ?? fromProject(flag, project));
    if (value !== undefined) given.set(flag.name, convert(flag, value.value, value.origin));
  }
  return new FlagValues(flags, given);
}

interface Written {
  value: string | boolean | string[];
  origin: string;
}

function merge(flag: Flag, written: (string | boolean | string[])[]): Written {
  const origin = `--${flag.name}`;
  return flag.kind === 'list'
    ? { value: written.flat() as string[], origin }
    : { value: written[0]!, origin };
}

/** Only flags that the environment may set as well: those of one command would surprise in a project. */
function fromProject(flag: Flag, project: ProjectFlags | undefined): Written | undefined {
  // dbt's flags that do nothing here (hidden ones) are no news in every run of a project that has them.
  const found = flag.env === true && flag.hidden !== true ? project?.values.get(flag.name) : undefined;
  if (project === undefined || found === undefined) return undefined;
  const { key, value } = found;
  const origin = `"${key}" under "flags:" in ${project.file}`;
  // Texts go the way of texts, so that one set of rules says what fits; a mapping is YAML already.
  if (typeof value !== 'object') return { value: typeof value === 'boolean' ? value : String(value), origin };
  return { value: Array.isArray(value) ? value.map(String) : JSON.stringify(value), origin };
}

/** `SEG_X`, dbt's newer `DBT_ENGINE_X`, then `DBT_X`. An empty variable counts as not set. */
function fromEnvironment(flag: Flag, env: Env): Written | undefined {
  if (flag.env !== true) return undefined;
  for (const flagName of [flag.name, ...(flag.aliases ?? [])]) {
    const suffix = flagName.toUpperCase().replaceAll('-', '_');
    for (const name of [`SEG_${suffix}`, `DBT_ENGINE_${suffix}`, `DBT_${suffix}`]) {
      const text = env[name];
      if (text) return { value: text, origin: name };
    }
  }
  return undefined;
}

function convert(flag: Flag, value: string | boolean | string[], origin: string): Value {
  switch (flag.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? value : toBoolean(String(value), origin);
    case 'integer':
      return toInteger(String(value), origin);
    case 'list': {
      const list = Array.isArray(value) ? value : [String(value)];
      return list.flatMap((item) => {
        const words =
          flag.choices === undefined ? [item] : item.split(/[\s,]+/).filter((word) => word !== '');
        return words.map((word) => oneOf(flag, word, origin));
      });
    }
    case 'yaml':
      return toMapping(String(value), origin);
    case 'string':
      return oneOf(flag, String(value), origin);
  }
}

function oneOf(flag: Flag, value: string, origin: string): string {
  if (flag.choices === undefined || flag.choices.includes(value)) return value;
  throw wrong(origin, value, `one of ${flag.choices.join(', ')}`);
}

function toBoolean(text: string, origin: string): boolean {
  if (/^(1|true|t|yes|y|on)$/i.test(text)) return true;
  if (/^(0|false|f|no|n|off)$/i.test(text)) return false;
  throw wrong(origin, text, 'true or false');
}

function toInteger(text: string, origin: string): number {
  if (/^[+-]?\d+$/.test(text.trim()) && Number.isSafeInteger(Number(text))) return Number(text);
  throw wrong(origin, text, 'a whole number');
}

function toMapping(text: string, origin: string): Record<string, JsonValue> {
  let parsed: unknown;
  try {
    parsed = parseYaml(text, { version: '1.1' });
  } catch (error) {
    throw segError('SEG903', `the value of ${origin} is not valid YAML: ${firstLine(error)}`, {
      hint: MAPPING_HINT,
    });
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
    return parsed as Record<string, JsonValue>;
  }
  throw segError('SEG903', `the value of ${origin} is not a mapping: ${text}`, { hint: MAPPING_HINT });
}

const MAPPING_HINT = `Write it as YAML, for example '{key: value}' or 'key: value'.`;

function firstLine(error: unknown): string {
  return String((error as Error).message).split('\n')[0]!;
}

function wrong(origin: string, value: string, expected: string) {
  return segError('SEG903', `wrong value "${value}" for ${origin}`, { hint: `It takes ${expected}.` });
}
