/**
 * PostgreSQL as compiled WebAssembly, once per process: worker threads are handed the module of the thread that started
 * them, so that its 10 MB are compiled (and, function by function, optimised) once and not once per thread.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';

/** A WebAssembly.Module. TypeScript knows that name only with the types of browsers. */
export type WasmModule = object;

/** What of a WebAssembly.Memory is used here. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { compile(code: Uint8Array): Promise<WasmModule> };
};

let compiled: Promise<WasmModule> | undefined;

/** The compiled module: the one adopted, or else compiled at the first call. */
export function pgliteModule(): Promise<WasmModule> {
  compiled ??= compile();
  return compiled;
}

/** In a worker, before it opens a database: uses the module of the thread that started it. */
export function adoptPgliteModule(module: WasmModule): void {
  compiled ??= Promise.resolve(module);
}

/**
 * What V8 reads when a module is compiled.
 * - It optimises a function once it has run through so many bytes; its own figure (1.8 million in Node 20, 13 in 24) has it optimise the
 *   whole startup of PostgreSQL, in every process. With this one a short command takes a third less of the processor, and long queries
 *   no more (docs/performance.md).
 * - A function is validated when it is first called, and not all of them at the start.
 */
const COMPILER_FLAGS = '--wasm-tiering-budget=100000000 --wasm-lazy-validation';

async function compile(): Promise<WasmModule> {
  setFlagsFromString(COMPILER_FLAGS);
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  return WebAssembly.compile(await readFile(join(dirname(entry), 'pglite.wasm')));
}
