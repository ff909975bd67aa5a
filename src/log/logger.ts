import pc from 'picocolors';
import type { LogFile } from './log-file.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'text' | 'debug' | 'json';

/** What a line is about, for machines: dbt's event name and code, and its data. Text output leaves it out. */
export interface LogFields {
  readonly name?: string;
  readonly code?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface LoggerOptions {
  /** Receives complete lines with their newline; stderr in the program, an array in tests. */
  readonly write: (text: string) => void;
  readonly level?: LogLevel | 'none';
  readonly format?: LogFormat;
  readonly fileLevel?: LogLevel | 'none';
  readonly fileFormat?: LogFormat;
  readonly colors?: boolean;
  readonly invocationId?: string;
  /** Removes secrets; applied to everything that leaves the logger. */
  readonly scrub?: (text: string) => string;
  /** Columns of the terminal that shows the log; undefined when it is none, and then nothing can be overwritten. */
  readonly terminalWidth?: number;
  /** The time of a line; the system's clock when absent. */
  readonly now?: () => Date;
}

/** Back to the first column, and everything from there away. */
const CLEAR_LINE = '\r\u001b[2K';

const RANK: Record<LogLevel | 'none', number> = { debug: 0, info: 1, warn: 2, error: 3, none: 4 };

/**
 * dbt-shaped logging. Console lines are `HH:MM:SS  text` in UTC; with the debug format, and always in the file,
 * `HH:MM:SS.ffffff [level] [MainThread]: text`; with `json` one object a line, `{info: {...}, data: {...}}`.
 * A text of several lines carries one time, on its first line.
 */
export class Logger {
  /** Paints the parts of a line; does nothing when colours are off. */
  readonly colors: ReturnType<typeof pc.createColors>;
  readonly invocationId: string;
  readonly scrub: (text: string) => string;
  readonly #options: LoggerOptions;
  #file: LogFile | null = null;
  /** Lines for the file from before it was known where the file is (the project has to be found first). */
  readonly #waiting: string[] = [];
  #statusShown = false;
  /** Told once. */
  #fileFailed = false;

  constructor(options: LoggerOptions) {
    this.#options = options;
    this.colors = pc.createColors(options.colors ?? false);
    this.invocationId = options.invocationId ?? '';
    this.scrub = options.scrub ?? ((text) => text);
  }

  get debugging(): boolean {
    return RANK[this.#options.level ?? 'info'] === 0;
  }

  debug(text: string, fields?: LogFields): void {
    this.#log('debug', text, fields);
  }
  info(text: string, fields?: LogFields): void {
    this.#log('info', text, fields);
  }
  warn(text: string, fields?: LogFields): void {
    this.#log('warn', text, fields);
  }
  error(text: string, fields?: LogFields): void {
    this.#log('error', text, fields);
  }
  /** An empty line with its time, as dbt separates its blocks. */
  blank(): void {
    this.#log('info', '', { name: 'Formatting', code: 'Z017' });
  }

  /** Whether `status` shows anything. */
  get hasStatus(): boolean {
    return this.#options.terminalWidth !== undefined && this.#consoleFormat() === 'text' && !this.#silent();
  }

  /** On a terminal: the last line, written over the one before; other lines take its place. Not logged. */
  status(text: string): void {
    if (!this.hasStatus) return;
    const line = this.scrub(`${clock(this.#now(), false)}  ${text}`);
    this.#options.write(`${CLEAR_LINE}${line.slice(0, this.#options.terminalWidth! - 1)}`);
    this.#statusShown = true;
  }

  clearStatus(): void {
    if (this.#statusShown) this.#options.write(CLEAR_LINE);
    this.#statusShown = false;
  }

  #silent(): boolean {
    return RANK[this.#options.level ?? 'info'] > RANK.info;
  }

  /** From now on lines also go to this file, beginning with those logged so far. */
  attachFile(file: LogFile): void {
    this.#file = file;
    const time = clock(this.#now(), true);
    this.#toFile(`${'='.repeat(30)} ${time} | ${this.invocationId} ${'='.repeat(30)}`);
    for (const line of this.#waiting.splice(0)) this.#toFile(line);
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  #now(): Date {
    return this.#options.now?.() ?? new Date();
  }

  #log(level: LogLevel, text: string, fields: LogFields = {}): void {
    const { level: threshold = 'info', fileLevel = 'debug', fileFormat = 'debug' } = this.#options;
    const toConsole = RANK[level] >= RANK[threshold];
    const toFile = RANK[level] >= RANK[fileLevel];
    if (!toConsole && !toFile) return;
    const at = this.#now();
    if (toConsole) this.clearStatus();
    if (toConsole) this.#options.write(`${this.#layout(this.#consoleFormat(), level, text, fields, at)}\n`);
    if (toFile) {
      const line = stripColors(this.#layout(fileFormat, level, text, fields, at));
      if (this.#file === null) this.#waiting.push(line);
      else this.#toFile(line);
    }
  }

  #toFile(line: string): void {
    const failure = this.#file?.write(line);
    if (failure === undefined || this.#fileFailed) return;
    this.#fileFailed = true;
    const text = `The log file "${this.#file!.path}" lacks lines from here on: ${failure.message}`;
    this.#options.write(`${this.#layout(this.#consoleFormat(), 'warn', text, {}, this.#now())}\n`);
  }

  #consoleFormat(): LogFormat {
    const format = this.#options.format ?? 'text';
    return format === 'text' && this.debugging ? 'debug' : format;
  }

  #layout(format: LogFormat, level: LogLevel, text: string, fields: LogFields, at: Date): string {
    switch (format) {
      case 'text':
        return this.scrub(`${clock(at, false)}  ${text}`);
      case 'debug':
        return this.scrub(`${clock(at, true)} [${level.padEnd(5)}] [MainThread]: ${text}`);
      case 'json':
        return this.#json(level, text, fields, at);
    }
  }

  #json(level: LogLevel, text: string, fields: LogFields, at: Date): string {
    const info = {
      category: '',
      code: fields.code ?? '',
      extra: {},
      invocation_id: this.invocationId,
      level,
      msg: stripColors(text),
      name: fields.name ?? 'Note',
      pid: process.pid,
      thread: 'MainThread',
      ts: microseconds(at),
    };
    // Scrubbing the finished line would miss a secret that JSON had to escape.
    const scrubbing = (_key: string, value: unknown) => {
      if (typeof value === 'string') return this.scrub(value);
      return typeof value === 'bigint' ? value.toString() : value;
    };
    return JSON.stringify({ info, data: { ...fields.data, msg: stripColors(text) } }, scrubbing);
  }
}

/** `HH:MM:SS`, in UTC; with microseconds (of which JavaScript knows the first three digits) when `fine`. */
function clock(at: Date, fine: boolean): string {
  const iso = at.toISOString();
  return fine ? `${iso.slice(11, 23)}000` : iso.slice(11, 19);
}

function microseconds(at: Date): string {
  return at.toISOString().replace('Z', '000Z');
}

function stripColors(text: string): string {
  // eslint-disable-next-line no-control-regex -- colour codes are control characters
  return text.replace(/\u001b\[\d+m/g, '');
}
