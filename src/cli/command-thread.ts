/** The thread that runs one command line: what `Terminal` says it does, the process's first thread does (main.ts). */
import * as module from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { cancelStatements } from '../engines/pglite/cancel-statements.ts';
import { INTERRUPT } from './command-messages.ts';
import type { FromCommand, StartOfCommand, ToCommand } from './command-messages.ts';
import { runCommandLine } from './run-command-line.ts';
import { version } from '../version.ts';

(module as { enableCompileCache?: () => void }).enableCompileCache?.();

const { argv, ...terminal } = workerData as StartOfCommand;
const interrupted = new AbortController();
const writing = new Map<number, () => void>();
let lastId = 0;

const tell = (message: FromCommand): void => parentPort!.postMessage(message);

parentPort!.on('message', (message: ToCommand) => {
  if (message === 'interrupt') {
    tell({ interrupted: true });
    interrupted.abort();
    return;
  }
  if ('unreadable' in message) {
    process.stdin.destroy(Object.assign(new Error(), message.unreadable));
    return;
  }
  writing.get(message.written)!();
  writing.delete(message.written);
});

(globalThis as Record<string, unknown>)[INTERRUPT] = (): void => {
  interrupted.abort();
  cancelStatements();
};

const ended = await runCommandLine(argv, version, {
  ...terminal,
  env: process.env,
  cwd: process.cwd(),
  stdin: () => {
    tell({ wants: 'stdin' });
    return process.stdin;
  },
  writeOut: (out) =>
    new Promise((resolve) => {
      const id = ++lastId;
      writing.set(id, resolve);
      tell({ out, id });
    }),
  writeError: (error) => tell({ error }),
  signal: interrupted.signal,
});
tell({ ended });
