#!/usr/bin/env node
/** The process: its streams, signals and exit code. The only place that exits. */
import * as module from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { version } from '../version.ts';

const argv = process.argv.slice(2);

// Node 22 and later can keep compiled code between runs; Node 20 has no such function and compiles each time.
(module as { enableCompileCache?: () => void }).enableCompileCache?.();

// These commands load the project and end: on up to 5,000 models they are over before code that V8 has optimised pays for the
// optimising, which takes a quarter of their time.
if (['ls', 'list', 'parse', 'compile'].includes(argv[0] ?? '')) setFlagsFromString('--no-opt');

// A server lives long beside others. Left to itself, V8 lets the heap grow to four times of what is used before it looks for what can go.
if (argv[0] === 'serve') setFlagsFromString('--heap-growing-percent=50');

if (argv.length === 1 && ['--version', '-V', '-v'].includes(argv[0]!)) {
  process.stdout.write(`seg ${version}\n`);
} else {
  await main();
}

async function main(): Promise<void> {
  const interrupted = new AbortController();
  let stopping = false;
  const stop = () => {
    // The second time somebody asks, nothing is waited for.
    if (stopping) process.exit(2);
    stopping = true;
    interrupted.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // `seg ls | head`: the reader has gone, and with it the reason to go on. (A pipe tells at the next write only.)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 2);
  });
  process.stderr.on('error', () => undefined);

  const { runCommandLine } = await import('./run-command-line.ts');
  const status = await runCommandLine(argv, version, {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    writeOut,
    writeError: (text) => process.stderr.write(text),
    outIsTerminal: process.stdout.isTTY,
    errorIsTerminal: process.stderr.isTTY,
    outWidth: process.stdout.isTTY ? process.stdout.columns : undefined,
    errorWidth: process.stderr.isTTY ? process.stderr.columns : undefined,
    signal: interrupted.signal,
  });
  await writeOut('');
  // Timers or sockets a library has left behind must not keep a finished command alive.
  process.exit(status);
}

function writeOut(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}
