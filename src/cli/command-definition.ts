import type { CommandContext } from './context.ts';
import type { Flag } from './flag.ts';

/** dbt's exit codes. */
export type ExitStatus = 0 | 1 | 2;

/**
 * Runs a command: 0 fine, 1 something failed, 2 it was interrupted. What is wrong with the input is thrown, not answered.
 */
export type CommandHandler = (context: CommandContext) => Promise<ExitStatus>;

export interface CommandDefinition {
  readonly name: string;
  readonly alias?: string;
  /** Help heading. */
  readonly group: 'Begin:' | 'Build:' | 'Look:' | 'Stream:' | 'Tidy up:';
  /** One line, shown in `seg --help`. */
  readonly summary: string;
  /** More, shown in `seg <command> --help`. */
  readonly description?: string;
  /** Commander's syntax: `<source>`, `[name]`. */
  readonly arguments?: readonly { readonly syntax: string; readonly help: string }[];
  /** The arguments are a selection, as if they stood behind `--select`. */
  readonly argumentsSelect?: boolean;
  readonly flags: readonly Flag[];
  readonly examples?: readonly string[];
  /** Imports the command: only the one that runs is loaded, so that `--help` and `ls` start fast. */
  readonly load: () => Promise<CommandHandler>;
}
