#!/usr/bin/env node
/**
 * The process: its streams, signals and exit code. The only place that exits.
 *
 * The command runs in a thread of its own (command-thread.ts), for two reasons. Its stack is as large as deep SQL needs, where that of
 * a process's first thread is about 1 MB and cannot be enlarged. And this thread hears signals, and learns that memory has ended, while
 * the other one is busy.
 */
import * as module from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { INTERRUPT } from './command-messages.ts';
import type { FromCommand, StartOfCommand, ToCommand } from './command-messages.ts';
import { version } from '../version.ts';

/** The least that takes 5,000 terms of a sum with room to spare; only what is used of it is memory. */
const STACK_MEGABYTES = 64;

const argv = process.argv.slice(2);

/** A thread that does not hear for so long that it is to end is busy with a statement. A server's clients are given time to finish. */
const BUSY_MS = argv[0] === 'serve' ? 5000 : 1000;

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
  main();
}

async function interruptBusy(thread: number): Promise<void> {
  const { Session } = await import('node:inspector');
  const { evaluateInThread } = await import('../engines/pglite/evaluate.ts');
  const session = new Session();
  session.connect();
  evaluateInThread(session, thread, `globalThis[${JSON.stringify(INTERRUPT)}]()`);
}

function main(): void {
  const { stdout, stderr } = process;
  const start: StartOfCommand = {
    argv,
    outIsTerminal: stdout.isTTY,
    errorIsTerminal: stderr.isTTY,
    outWidth: stdout.isTTY ? stdout.columns : undefined,
    errorWidth: stderr.isTTY ? stderr.columns : undefined,
  };
  // The extension is the one of this file: TypeScript's in the sources, JavaScript's in the built program.
  const url = new URL(import.meta.url.replace(/main(\.[a-z]+)$/, 'command-thread$1'));
  const command = new Worker(url, {
    name: 'command',
    workerData: start,
    stdin: true,
    resourceLimits: { stackSizeMb: STACK_MEGABYTES },
  });
  const tell = (message: ToCommand): void => command.postMessage(message);

  let stopping = false;
  let heard = true;
  const stop = () => {
    // The second time somebody asks, nothing is waited for.
    if (stopping) process.exit(2);
    stopping = true;
    ask();
    setInterval(ask, BUSY_MS);
  };
  const ask = () => {
    // Where Node was built without the inspector the statement goes on, until somebody asks again.
    if (!heard) interruptBusy(command.threadId).catch(() => undefined);
    heard = false;
    tell('interrupt');
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // `seg ls | head`: the reader has gone, and with it the reason to go on. (A pipe tells at the next write only.)
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 2);
  });
  stderr.on('error', () => undefined);

  command.on('message', (message: FromCommand) => {
    if ('out' in message) stdout.write(message.out, () => tell({ written: message.id }));
    else if ('error' in message) stderr.write(message.error);
    else if ('ended' in message) end(message.ended);
    else if ('interrupted' in message) heard = true;
    else readStdin();
  });
  command.on('error', (error) => {
    void lost(error).then(end);
  });
  // With an answer the process has ended before.
  command.on('exit', () => {
    void lost(new Error('the command ended without a result')).then(end);
  });

  /** Not before it is asked for: what a command does not read is left to the one after it. */
  function readStdin(): void {
    process.stdin.on('error', ({ message, code, syscall }: NodeJS.ErrnoException) =>
      tell({ unreadable: { message, code, syscall } }),
    );
    process.stdin.pipe(command.stdin!);
  }

  /** Timers or sockets that a library has left behind must not keep a finished command alive. */
  function end(status: number): void {
    stdout.write('', () => process.exit(status));
  }

  /** The thread has ended without an answer; the first that is heard of it says why. */
  async function lost(error: Error): Promise<number> {
    command.removeAllListeners();
    const { reportLostCommand } = await import('./run-command-line.ts');
    return reportLostCommand(error, {
      ...start,
      env: process.env,
      writeError: (text) => stderr.write(text),
    });
  }
}
