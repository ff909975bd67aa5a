import { randomUUID } from 'node:crypto';
import { Logger, type LogFormat, type LogLevel } from '../log/logger.ts';
import { secretScrubber } from '../log/secrets.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { ExitStatus } from './command-definition.ts';
import type { CommandContext, Terminal } from './context.ts';
import { FlagValues, readFlags } from './flag-values.ts';
import { FOREIGN_FLAGS, GLOBAL_FLAGS } from './global-flags.ts';
import { parseCommandLine, type Invocation } from './program.ts';
import { misspeltFlags, readProjectFlags } from './project-flags.ts';
import { reportError } from './report-error.ts';
import { SourceTexts } from './source-texts.ts';
import { reportWarnings } from './warnings.ts';

/** Runs one command line from end to end and answers its exit code; never throws, never exits the process. */
export async function runCommandLine(
  argv: readonly string[],
  version: string,
  terminal: Terminal,
): Promise<ExitStatus> {
  const startedAt = new Date();
  const sources = new SourceTexts(terminal.cwd);
  // Until the flags are read, errors are logged by a logger that knows only the environment.
  let log = environmentLogger(terminal);
  let status: ExitStatus;
  let command = 'seg';
  try {
    let help = '';
    const invocation = parseCommandLine(argv, version, (text) => (help += text));
    if (invocation === undefined) {
      await terminal.writeOut(help);
      return 0;
    }
    command = `seg ${invocation.definition.name}`;
    const known = [...GLOBAL_FLAGS, ...FOREIGN_FLAGS, ...invocation.definition.flags];
    const given = readFlags(invocation.command, known, terminal.env);
    const inProject = readProjectFlags(given, terminal.cwd);
    const all = readFlags(invocation.command, known, terminal.env, inProject);
    const flags = invocation.definition.argumentsSelect === true ? all.with('select', invocation.args) : all;
    log = createLogger(flags, terminal, log.invocationId);
    const name = invocation.definition.name;
    const context: CommandContext = {
      ...terminal,
      ...{ command: name, args: invocation.args, flags, log, sources, version, startedAt },
      invocationId: log.invocationId,
    };
    announce(context, invocation);
    if (inProject !== undefined) {
      sources.use(inProject.root);
      reportWarnings(context, misspeltFlags(inProject, known));
    }
    const handler = await invocation.definition.load();
    status = await handler(context);
  } catch (error) {
    status = reportError(error, log, sources, terminal.signal);
  }
  const seconds = (Date.now() - startedAt.getTime()) / 1000;
  const result = status === 0 ? 'succeeded' : 'failed';
  const at = new Date().toISOString().slice(11, 23);
  log.debug(`Command \`${command}\` ${result} at ${at}000 after ${seconds.toFixed(2)} seconds`, {
    name: 'CommandCompleted',
    code: 'Q039',
    data: { command, success: status === 0, elapsed: seconds },
  });
  log.close();
  return status;
}

/**
 * Reports that the thread of a command has ended without an answer, which it does when its memory has ended.
 * @returns the exit code
 */
export function reportLostCommand(error: Error, terminal: LogTerminal): ExitStatus {
  const log = environmentLogger(terminal);
  const known =
    (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY'
      ? segError('SEG844', 'the command ran out of memory, and was ended', {
          hint:
            'What had been committed is kept. Give it more memory (NODE_OPTIONS=--max-old-space-size=<megabytes>), ' +
            'or less at once (smaller lines, fewer columns, LIMIT).',
          cause: error,
        })
      : error;
  const status = reportError(known, log, new SourceTexts(process.cwd()), new AbortController().signal);
  log.close();
  return status;
}

function announce({ log, flags, version }: CommandContext, { definition }: Invocation): void {
  const fields = { name: 'MainReportVersion', code: 'A001', data: { version, log_version: 3 } };
  // Where the answer is what one looks at, the version is noise.
  const text = `Running with seg=${version}`;
  if (definition.group === 'Build:' || definition.name === 'debug') log.info(text, fields);
  else log.debug(text, fields);
  for (const flag of FOREIGN_FLAGS) {
    if (flags.given(flag.name)) log.info(`The flag --${flag.name} has no effect: ${flag.because}.`);
  }
}

/** What a logger needs to know. */
type LogTerminal = Pick<Terminal, 'env' | 'writeError' | 'errorIsTerminal' | 'errorWidth'>;

/** A logger that knows only the environment. */
function environmentLogger(terminal: LogTerminal): Logger {
  return createLogger(new FlagValues(GLOBAL_FLAGS, new Map()), terminal, randomUUID());
}

function createLogger(flags: FlagValues, terminal: LogTerminal, invocationId: string): Logger {
  const level = (): LogLevel | 'none' => {
    if (flags.boolean('quiet')) return 'error';
    return flags.boolean('debug') ? 'debug' : (flags.string('log-level') as LogLevel | 'none');
  };
  return new Logger({
    write: terminal.writeError,
    level: level(),
    format: logFormat(flags.string('log-format')),
    fileLevel: flags.string('log-level-file') as LogLevel | 'none',
    fileFormat: logFormat(flags.string('log-format-file')),
    colors: useColors(flags, terminal),
    terminalWidth: terminal.errorWidth,
    invocationId,
    scrub: secretScrubber(terminal.env),
  });
}

function logFormat(name: string | undefined): LogFormat {
  return name === 'json' || name === 'debug' ? name : 'text';
}

/** `--use-colors` decides; else NO_COLOR and FORCE_COLOR; else whether somebody is looking. */
function useColors(flags: FlagValues, { env, errorIsTerminal }: LogTerminal): boolean {
  if (flags.given('use-colors')) return flags.boolean('use-colors');
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR'] && env['FORCE_COLOR'] !== '0') return true;
  return errorIsTerminal && env['TERM'] !== 'dumb';
}
