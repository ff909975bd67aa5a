/**
 * Ends a statement of the embedded server that has taken too long, or that nobody waits for any more. The server runs in this thread, which
 * hears nothing meanwhile: no timer, no socket. So a watchdog thread (watchdog.ts) looks after it: it sees in shared memory that the same work
 * is still going on, and asks this thread, through V8's inspector, to run `look` between two instructions of the server. `look` decides, and
 * sets the flags that PostgreSQL's own signal handler would set. No port is opened; work that is short costs two stores to memory.
 */
import { requestCancel, withdrawCancel } from './failure.ts';
import type { EngineModule } from './failure.ts';
import type { WasmMemory } from './wasm-module.ts';
import { startWatchdog } from './watchdog.ts';
import type { Door, Watchdog } from './watchdog.ts';

/** Why work was ended: its time was up, somebody asked for it, or nobody waits for it. */
export type Interruption = 'time' | 'request' | 'abandoned';

export interface Bounds {
  /** Undefined: it may take as long as it likes. */
  readonly milliseconds?: number;
  /** It may not make the server's memory larger than the interrupter's limit for such work. */
  readonly memory?: boolean;
  /** Whether nobody waits for the work; asked every now and then while it runs, from within it. */
  readonly abandoned?: () => boolean;
  /** Told when the work is ended; its statement then fails with 57014. */
  readonly onInterrupted?: (why: Interruption) => void;
}

interface Work {
  readonly bounds: Bounds;
  readonly since: number;
  interrupted: boolean;
}

/** What a cancel request names. */
export type Cancel = (pid: number, secret: number) => void;

/** What the watchdog calls, by an expression. */
const HOOKS = Symbol.for('seg.interrupt');

interface Hooks {
  look(sequence: number): void;
  cancel(pid: number, secret: number): void;
}

let lastId = 0;

export class Interrupter {
  readonly #module: () => EngineModule;
  readonly #sequence = new Int32Array(new SharedArrayBuffer(4));
  readonly #id = ++lastId;
  readonly #mostBytes: number;
  readonly #fenced = new WeakSet<WasmMemory>();
  #watchdog: Watchdog | undefined;
  #work: Work | undefined;
  #onCancel: Cancel = () => {};

  /**
   * @param module the server that runs now
   * @param memoryBytes by how much bounded work may enlarge the server's memory, counted from now
   */
  constructor(module: () => EngineModule, memoryBytes: number) {
    this.#module = module;
    this.#mostBytes = module().HEAPU8.byteLength + memoryBytes;
    if (module()._QueryCancelPending === undefined) return;
    registry().set(this.#id, {
      look: (sequence) => this.#look(sequence),
      cancel: (pid, secret) => this.#onCancel(pid, secret),
    });
    const hooks = `globalThis[Symbol.for(${JSON.stringify(HOOKS.description)})]?.get(${this.#id})`;
    try {
      this.#watchdog = startWatchdog(this.#sequence.buffer, hooks);
    } catch {
      // Node's permission model may forbid threads.
    }
  }

  /** Does the work within its bounds. One work at a time; what is done within another is part of it. */
  async within<T>(bounds: Bounds, work: () => Promise<T>): Promise<T> {
    if (this.#work !== undefined) return work();
    const module = this.#module();
    if (bounds.memory === true) this.#fence(module.wasmMemory);
    const own: Work = { bounds, since: performance.now(), interrupted: false };
    this.#work = own;
    Atomics.add(this.#sequence, 0, 1);
    try {
      return await work();
    } finally {
      this.#work = undefined;
      Atomics.add(this.#sequence, 0, 1);
      // A statement that was done before it looked at the flag must not end the next one.
      if (own.interrupted) withdrawCancel(module);
    }
  }

  /** Ends the work that goes on, if any. */
  interrupt(why: Interruption): void {
    const work = this.#work;
    if (work === undefined) return;
    if (!work.interrupted) work.bounds.onInterrupted?.(why);
    work.interrupted = true;
    requestCancel(this.#module());
  }

  /** While the thread is busy, cancel requests that come to `door` are told to `onCancel`, in the middle of the work. */
  listenForCancel(door: Door, onCancel: Cancel): void {
    this.#onCancel = onCancel;
    this.#watchdog?.guard(door);
  }

  async close(): Promise<void> {
    registry().delete(this.#id);
    await this.#watchdog?.stop();
    this.#watchdog = undefined;
  }

  /** Called in the middle of the work, by the watchdog. */
  #look(sequence: number): void {
    const work = this.#work;
    if (work === undefined || Atomics.load(this.#sequence, 0) !== sequence) return;
    const { milliseconds, abandoned } = work.bounds;
    if (milliseconds !== undefined && performance.now() - work.since >= milliseconds) this.interrupt('time');
    else if (abandoned?.() === true) this.interrupt('abandoned');
  }

  /** WebAssembly never gives memory back, so one statement would keep it from the machine for good. */
  #fence(memory: WasmMemory | undefined): void {
    if (memory === undefined || this.#fenced.has(memory)) return;
    this.#fenced.add(memory);
    const grow = memory.grow.bind(memory);
    // PostgreSQL is told that there is no more, and fails the statement with 53200.
    memory.grow = (pages) => {
      const bytes = memory.buffer.byteLength + pages * 65_536;
      if (this.#work?.bounds.memory === true && bytes > this.#mostBytes)
        throw new RangeError('the memory for one read is used up');
      return grow(pages);
    };
  }
}

function registry(): Map<number, Hooks> {
  const holder = globalThis as { [HOOKS]?: Map<number, Hooks> };
  return (holder[HOOKS] ??= new Map<number, Hooks>());
}
