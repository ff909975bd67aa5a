import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type * as CommandLine from '../../src/cli/run-command-line.ts';
import { version } from '../../src/version.ts';

const program = (file: string): string => join(import.meta.dirname, '..', '..', 'dist', 'cli', file);
const MAIN = program('main.js');
const COMMAND_LINE = program('run-command-line.js');

export interface SegResult {
  readonly status: number | null;
  readonly stdout: string;
  /** Log lines without their time. */
  readonly log: string;
}

/** A project in a folder of its own, and the built program on it. */
export class TestProject {
  readonly root: string;

  /** @param files text by path; `copy` a folder to begin with */
  constructor(files: Readonly<Record<string, string>> = {}, copy?: string) {
    this.root = mkdtempSync(join(tmpdir(), 'seg-e2e-'));
    if (copy !== undefined) cpSync(copy, this.root, { recursive: true });
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  write(path: string, text: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  json<T>(path: string): T {
    return JSON.parse(this.read(path)) as T;
  }

  /** One file, or without a name the whole project. */
  remove(path = ''): void {
    rmSync(join(this.root, path), { recursive: true, force: true });
  }

  /**
   * Runs `seg` with these arguments in the project (or `cwd` within it); waits for its end. The built program runs in this process, where
   * what a command needs is loaded once for all tests; `start` has a process of its own.
   */
  async seg(
    args: string | readonly string[],
    options: { stdin?: string; env?: NodeJS.ProcessEnv; cwd?: string } = {},
  ): Promise<SegResult> {
    const { runCommandLine } = (await import(COMMAND_LINE)) as typeof CommandLine;
    let stdout = '';
    let stderr = '';
    const status = await runCommandLine(argumentsOf(args), version, {
      ...this.#surroundings(options),
      stdin: () => Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
      writeOut: (text) => {
        stdout += text;
        return Promise.resolve();
      },
      writeError: (text) => void (stderr += text),
      outIsTerminal: false,
      errorIsTerminal: false,
      outWidth: undefined,
      errorWidth: undefined,
      signal: new AbortController().signal,
    });
    return { status, stdout, log: stderr.replace(/^\d\d:\d\d:\d\d {2}/gm, '') };
  }

  /** A process of its own, which is not waited for: for commands that are killed or followed. */
  start(args: string | readonly string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}) {
    return spawn(process.execPath, [MAIN, ...argumentsOf(args)], {
      ...this.#surroundings(options),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  /** Variables of the developer's own shell must not steer the tests. */
  #surroundings({ env, cwd }: { env?: NodeJS.ProcessEnv; cwd?: string }): {
    env: NodeJS.ProcessEnv;
    cwd: string;
  } {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(SEG|DBT)_|^(NO|FORCE)_COLOR$/.test(name),
    );
    return { cwd: join(this.root, cwd ?? '.'), env: { ...Object.fromEntries(inherited), ...env } };
  }
}

function argumentsOf(args: string | readonly string[]): string[] {
  return typeof args === 'string' ? args.split(' ') : [...args];
}
