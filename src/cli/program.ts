import { Command, Help, type CommanderError } from 'commander';
import type { SegError } from '../diagnostics/seg-error.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { CommandDefinition } from './command-definition.ts';
import { BUILD_COMMANDS } from './definitions-build.ts';
import { LOOK_COMMANDS } from './definitions-look.ts';
import { STREAM_COMMANDS } from './definitions-stream.ts';
import { optionsOf, type Flag } from './flag.ts';
import { FOREIGN_FLAGS, GLOBAL_FLAGS } from './global-flags.ts';
import { rootHelp } from './root-help.ts';

export const COMMANDS: readonly CommandDefinition[] = [
  ...LOOK_COMMANDS,
  ...BUILD_COMMANDS,
  ...STREAM_COMMANDS,
];

/** What a command line asks for: one command, parsed. */
export interface Invocation {
  readonly definition: CommandDefinition;
  readonly command: Command;
  readonly args: readonly string[];
}

/**
 * Parses a command line (without `node` and the script). Answers undefined when it asked for help or the version,
 * which has then been written. Throws SegError SEG901.. with exit code 2 for wrong usage.
 */
export function parseCommandLine(
  argv: readonly string[],
  version: string,
  write: (text: string) => void,
): Invocation | undefined {
  let invocation: Invocation | undefined;
  const program = createProgram(version, write, (found) => (invocation = found));
  if (argv.length === 0) {
    write(rootHelp(COMMANDS, GLOBAL_FLAGS));
    return undefined;
  }
  try {
    program.parse([...argv], { from: 'user' });
  } catch (error) {
    const { code, message } = error as CommanderError;
    if (['commander.helpDisplayed', 'commander.help', 'commander.version'].includes(code)) return undefined;
    throw usageError(code, message) ?? error;
  }
  return invocation;
}

function createProgram(
  version: string,
  write: (text: string) => void,
  found: (invocation: Invocation) => void,
): Command {
  const program = new Command('seg')
    .version(`seg ${version}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .configureHelp({
      formatHelp: (command, help) =>
        command.parent ? defaultHelp(command, help) : rootHelp(COMMANDS, GLOBAL_FLAGS),
    })
    .configureOutput({ writeOut: write, writeErr: () => undefined, outputError: () => undefined })
    .exitOverride();
  program.helpCommand('help [command]', 'print the help of a command');
  addFlags(program, [...GLOBAL_FLAGS, ...FOREIGN_FLAGS]);
  for (const definition of COMMANDS) program.addCommand(createCommand(definition, program, found));
  return program;
}

/** Commander's own layout, for the commands. */
function defaultHelp(command: Command, help: Help): string {
  return Help.prototype.formatHelp.call(help, command, help);
}

function createCommand(
  definition: CommandDefinition,
  program: Command,
  found: (invocation: Invocation) => void,
): Command {
  const command = new Command(definition.name)
    .copyInheritedSettings(program)
    .summary(definition.summary)
    .description(
      definition.description ?? `${definition.summary[0]!.toUpperCase()}${definition.summary.slice(1)}.`,
    )
    .exitOverride();
  if (definition.alias !== undefined) command.alias(definition.alias);
  for (const { syntax, help } of definition.arguments ?? []) command.argument(syntax, help);
  addFlags(command, definition.flags);
  const examples = (definition.examples ?? []).map((line) => `  ${line}`);
  const after = examples.length > 0 ? ['', 'Examples:', ...examples] : [];
  command.addHelpText('after', [...after, '', 'The flags that every command takes: seg --help'].join('\n'));
  command.action(() => found({ definition, command, args: command.args }));
  return command;
}

function addFlags(command: Command, flags: readonly Flag[]): void {
  for (const flag of flags) for (const option of optionsOf(flag)) command.addOption(option);
}

/** Commander's message as a diagnostic: its last line may be a suggestion. */
function usageError(code: string, message: string): SegError | undefined {
  if (typeof code !== 'string' || !code.startsWith('commander.')) return undefined;
  const [first = '', ...rest] = message.replace(/^error: /, '').split('\n');
  const near = /Did you mean (?:one of )?(.*)\?/.exec(rest.join(' '))?.[1];
  const quoted = near?.split(', ').map((name) => `"${name}"`);
  const numbers: Record<string, string> = {
    'commander.unknownOption': 'SEG901',
    'commander.unknownCommand': 'SEG902',
  };
  return segError(numbers[code] ?? 'SEG903', first.replace(/'([^']*)'/g, '"$1"'), {
    hint:
      quoted !== undefined
        ? `Did you mean ${quoted.join(' or ')}?`
        : code === 'commander.excessArguments' && takesSelection(first)
          ? 'Nodes are named with --select.'
          : '`seg --help` lists commands and flags.',
  });
}

/** Whether the command that got too many arguments (`too many arguments for 'run'. ...`) knows `--select`. */
function takesSelection(message: string): boolean {
  const name = /for '([^']*)'/.exec(message)?.[1];
  const flags = COMMANDS.find((command) => command.name === name)?.flags ?? [];
  return flags.some((flag) => flag.name === 'select');
}
