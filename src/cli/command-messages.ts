/** What the process's first thread (main.ts) and that of its command (command-thread.ts) say to each other. */
import type { ExitStatus } from './command-definition.ts';
import type { Terminal } from './context.ts';

export type StartOfCommand = Pick<
  Terminal,
  'outIsTerminal' | 'errorIsTerminal' | 'outWidth' | 'errorWidth'
> & {
  readonly argv: readonly string[];
};

export type ToCommand =
  | 'interrupt'
  /** The output of this id has left the process. */
  | { readonly written: number }
  /** What came in cannot be read to its end. */
  | { readonly unreadable: Pick<NodeJS.ErrnoException, 'message' | 'code' | 'syscall'> };

/** A function of the command's thread that does what 'interrupt' does, and ends what the thread is busy with. */
export const INTERRUPT = 'seg.interruptCommand';

export type FromCommand =
  | { readonly out: string; readonly id: number }
  | { readonly error: string }
  | { readonly wants: 'stdin' }
  /** It has heard 'interrupt'. */
  | { readonly interrupted: true }
  | { readonly ended: ExitStatus };
