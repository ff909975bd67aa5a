import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');

export interface SegResult {
  readonly status: number | null;
  readonly stdout: string;
  /** Log lines without their time. */
  readonly log: string;
}

/** A project in a folder of its own, and the real program on it. */
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

  /** Runs `seg` with these arguments in the project (or `cwd` within it); waits for its end. */
  seg(
    args: string | readonly string[],
    options: { stdin?: string; env?: NodeJS.ProcessEnv; cwd?: string } = {},
  ): Promise<SegResult> {
    const child = this.start(args, options);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.stdin ?? '');
    return new Promise((resolve) => {
      child.on('close', (status) =>
        resolve({ status, stdout, log: stderr.replace(/^\d\d:\d\d:\d\d {2}/gm, '') }),
      );
    });
  }

  /** The same without waiting: for commands that are killed or followed. */
  start(args: string | readonly string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}) {
    const argv = typeof args === 'string' ? args.split(' ') : [...args];
    // Variables of the developer's own shell must not steer the tests.
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(SEG|DBT)_|^(NO|FORCE)_COLOR$/.test(name),
    );
    return spawn(process.execPath, [MAIN, ...argv], {
      cwd: join(this.root, options.cwd ?? '.'),
      env: { ...Object.fromEntries(inherited), ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }
}
