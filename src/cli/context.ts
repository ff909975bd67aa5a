import type { Readable } from 'node:stream';
import type { Logger } from '../log/logger.ts';
import type { FlagValues } from './flag-values.ts';
import type { SourceTexts } from './source-texts.ts';

/** What a process gives a command line; tests give their own. */
export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** What comes in; from the first call on it is read. */
  readonly stdin: () => Readable;
  /** Results. Resolves when the receiver has taken the text, so that a slow one slows the command. */
  readonly writeOut: (text: string) => Promise<void>;
  /** Logs. */
  readonly writeError: (text: string) => void;
  readonly outIsTerminal: boolean;
  readonly errorIsTerminal: boolean;
  /** Columns of the terminal that shows the results; undefined when it is none. */
  readonly outWidth: number | undefined;
  /** Columns of the terminal that shows the logs; undefined when it is none. */
  readonly errorWidth: number | undefined;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Everything a command works with. */
export interface CommandContext extends Terminal {
  /** Name of the command, without aliases. */
  readonly command: string;
  readonly args: readonly string[];
  readonly flags: FlagValues;
  readonly log: Logger;
  readonly sources: SourceTexts;
  readonly version: string;
  readonly invocationId: string;
  readonly startedAt: Date;
}
