/** Command line flags as data: what the parser, the environment and the help are made of. */
import { Option } from 'commander';

export interface Flag {
  /** Long name without dashes. */
  readonly name: string;
  readonly short?: string;
  /** Shown in the help behind the flag, `<name>`; absent for booleans. */
  readonly argument?: string;
  /** `list` is greedy: it takes every word up to the next flag, and may be repeated. `yaml` is a mapping as YAML text. */
  readonly kind: 'boolean' | 'string' | 'integer' | 'list' | 'yaml';
  readonly choices?: readonly string[];
  readonly default?: string | number | boolean;
  readonly help: string;
  /** Help heading, for global flags. */
  readonly group?: string;
  /** Further names of the same flag, not shown; a single letter is both `-m` and `--m`. */
  readonly aliases?: readonly string[];
  readonly hidden?: boolean;
  /** Also read from the environment: `SEG_X`, `DBT_ENGINE_X`, `DBT_X` (X: the name or an alias, in capitals). */
  readonly env?: boolean;
}

/**
 * Commander's options for a flag: the flag, its `--no-` form if it is a boolean, and its aliases. Each has a key of its
 * own (`keysOf`), so that `flag-values.ts` can tell where a value came from.
 */
export function optionsOf(flag: Flag): Option[] {
  const value = valueSyntax(flag);
  const main = new Option(`${flag.short ? `-${flag.short}, ` : ''}--${flag.name}${value}`, helpOf(flag));
  const options = [main];
  // A boolean that is on by default is of interest by its --no- form only.
  main.hideHelp(flag.hidden === true || (flag.kind === 'boolean' && flag.default === true));
  if (flag.kind === 'boolean') {
    const shown = flag.default === true && flag.hidden !== true;
    options.push(new Option(`--no-${flag.name}`, flag.help).hideHelp(!shown));
  }
  for (const alias of flag.aliases ?? []) {
    // Old dbt took abbreviations (`--m models/x`), and people's fingers still give them.
    const names = alias.length === 1 ? `-${alias}, --${alias}` : `--${alias}`;
    options.push(new Option(`${names}${value}`).hideHelp());
  }
  return options;
}

/** The keys under which commander keeps what was given for a flag: its own, then its aliases'. */
export function keysOf(flag: Flag): string[] {
  return [flag.name, ...(flag.aliases ?? [])].map((name) =>
    name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  );
}

/** The help of a flag with its default. */
export function helpOf(flag: Flag): string {
  const shown = flag.default !== undefined && flag.kind !== 'boolean';
  return shown ? `${flag.help} (default: ${String(flag.default)})` : flag.help;
}

function valueSyntax(flag: Flag): string {
  if (flag.kind === 'boolean') return '';
  return flag.kind === 'list' ? ` <${flag.argument ?? 'names'}...>` : ` <${flag.argument ?? 'value'}>`;
}
