/**
 * The embedded server's end, noticed. PGlite goes on after an exception that is none of PostgreSQL's own (V8's stack ended in the middle
 * of a statement, PostgreSQL gave up with a PANIC, memory could not grow): it drops the exception and asks the same server for more,
 * which then answers nonsense, or nothing for ever. Here such an exception is the end of that server: the statement fails, and so does
 * everything after it until a new server has recovered the directory (connection.ts).
 */
import type { PGlite } from '@electric-sql/pglite';
import { DatabaseError } from '../connection.ts';
import type { WasmMemory } from './wasm-module.ts';

/** The server has ended in the middle of something. What it had not committed is undone; its session is gone. */
export class EngineFailure extends DatabaseError {
  constructor(reason: Reason, cause: unknown) {
    super(reason.message, { sqlstate: reason.sqlstate, hint: reason.hint, fatal: true, cause });
    this.name = 'EngineFailure';
  }
}

interface Reason {
  readonly sqlstate: string;
  readonly message: string;
  readonly hint?: string;
}

/** What of Emscripten's module is used here. PGlite names its type without bringing it. */
export interface EngineModule {
  _PostgresMainLoopOnce: () => void;
  _PostgresMainLongJmp: () => void;
  _PostgresSendReadyForQueryIfNecessary: () => void;
  _pgl_pq_flush: () => void;
  stackRestore: (pointer: number) => void;
  readonly HEAPU8: Uint8Array;
  readonly wasmMemory?: WasmMemory;
  /** Where PostgreSQL's flags for "look up, something came" and "end the statement" lie; not exported by every build. */
  readonly _InterruptPending?: number;
  readonly _QueryCancelPending?: number;
  readonly FS: {
    readonly streams: readonly unknown[];
    close(stream: unknown): void;
    lookupPath(path: string): { readonly node: FileNode };
    readonly ErrnoError: new (errno: number) => Error;
  };
}

/** A file as the server knows it. The operations are those of the file system that it lies in. */
export interface FileNode {
  readonly name: string;
  readonly parent: FileNode;
  readonly stream_ops: FileOperations;
}

export interface FileStream {
  readonly node: FileNode;
}

/** What the server's calls on an open file come to; they throw `ErrnoError`. */
export interface FileOperations {
  open: (stream: FileStream) => void;
  getattr: (stream: FileStream) => { readonly size: number };
  setattr: (stream: FileStream, attributes: { readonly size?: number }) => void;
  write: (
    stream: FileStream,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    canOwn?: boolean,
  ) => number;
}

/** How PGlite's server says that it has raised an ordinary error (postgres.c's longjmp). */
const ORDINARY_ERROR = 100;

/** Watches one server. */
export class EngineGuard {
  /** The last words of the server on stderr, before it gave up. */
  #lastWords: string | undefined;
  #failure: EngineFailure | undefined;
  #module: EngineModule | undefined;
  #executing = false;
  #cancelled = false;

  /** Why the server has ended; undefined as long as it runs. */
  get failure(): EngineFailure | undefined {
    return this.#failure;
  }

  /** Hears each line that the server writes on stderr. */
  readonly onStderr = (line: string): boolean => {
    const said = /(?:PANIC|FATAL): +(.*)/.exec(line)?.[1];
    if (said !== undefined) this.#lastWords = said;
    return false;
  };

  /** What the server said before it could not be started, or else the error's own words. */
  explain(error: unknown): DatabaseError {
    return this.#failure ?? new EngineFailure(reasonOf(error, this.#lastWords), error);
  }

  watch(client: Pick<PGlite, 'Module'>): void {
    const module = moduleOf(client);
    this.#module = module;
    const { _PostgresMainLoopOnce: run, _PostgresMainLongJmp: recover, stackRestore: restore } = module;
    const { _PostgresSendReadyForQueryIfNecessary: ready, _pgl_pq_flush: flush } = module;
    module._PostgresMainLoopOnce = () => this.#guarded(run);
    // An error while an error is handled: PostgreSQL could not abort the transaction.
    module._PostgresMainLongJmp = () => {
      try {
        recover();
      } catch (error) {
        throw this.#fail(error);
      }
    };
    // PGlite calls it for each exception and goes on: here is the way out of its loop.
    module.stackRestore = (pointer) => {
      if (this.#failure !== undefined) throw this.#failure;
      restore(pointer);
    };
    module._PostgresSendReadyForQueryIfNecessary = () => this.#guarded(ready);
    module._pgl_pq_flush = () => this.#guarded(flush);
  }

  /** Ends the statement that the server is executing, if it is: called in its middle (evaluate.ts). It then fails with 57014. */
  cancelStatement(): void {
    if (!this.#executing || this.#module === undefined) return;
    this.#cancelled = true;
    requestCancel(this.#module);
  }

  #guarded(call: () => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#executing = true;
    try {
      call();
    } catch (error) {
      if ((error as { status?: unknown } | null)?.status === ORDINARY_ERROR) throw error;
      throw this.#fail(error);
    } finally {
      this.#executing = false;
      // A statement that was done before it looked at the flag must not end the next one.
      if (this.#cancelled) withdrawCancel(this.#module!);
      this.#cancelled = false;
    }
  }

  #fail(error: unknown): EngineFailure {
    this.#failure ??= new EngineFailure(reasonOf(error, this.#lastWords), error);
    return this.#failure;
  }
}

/** Sets what PostgreSQL's own signal handler would set. */
export function requestCancel({
  HEAPU8,
  _QueryCancelPending: cancel,
  _InterruptPending: pending,
}: EngineModule): void {
  if (cancel === undefined || pending === undefined) return;
  HEAPU8[cancel] = 1;
  HEAPU8[pending] = 1;
}

/** Takes it back, where nothing has looked at it. */
export function withdrawCancel({ HEAPU8, _QueryCancelPending: cancel }: EngineModule): void {
  if (cancel !== undefined) HEAPU8[cancel] = 0;
}

export function moduleOf(client: Pick<PGlite, 'Module'>): EngineModule {
  return client.Module as unknown as EngineModule;
}

/** Gives back what a server that has ended holds of this process: its open files. */
export function discard(client: Pick<PGlite, 'Module'>): void {
  // Not there when the server could not be loaded at all.
  const files = (moduleOf(client) as EngineModule | undefined)?.FS;
  for (const stream of files?.streams ?? []) {
    if (stream === null || stream === undefined) continue;
    try {
      files!.close(stream);
    } catch {
      // A file that another stream has closed.
    }
  }
}

/** What to do about 54001: nobody can enlarge the stack of the embedded server. */
export const SHALLOWER =
  'Nest the statement or the value less deeply, or use a PostgreSQL target, whose stack is larger.';

function reasonOf(error: unknown, lastWords: string | undefined): Reason {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError && /call stack/.test(message))
    return { sqlstate: '54001', message: 'stack depth limit exceeded', hint: SHALLOWER };
  const words = lastWords ?? message;
  if (/No space left on device|ENOSPC|Disk quota exceeded|EDQUOT/.test(words))
    return { sqlstate: '53100', message: words };
  if (/out of memory|Cannot enlarge memory|could not resize|memory access out of bounds/i.test(words))
    return { sqlstate: '53200', message: `the embedded server ran out of memory: ${words}` };
  if (/Read-only file system|EROFS|Permission denied|EACCES/.test(words))
    return { sqlstate: '58030', message: `the embedded server cannot write its files: ${words}` };
  return { sqlstate: 'XX000', message: `the embedded server ended: ${words}` };
}
