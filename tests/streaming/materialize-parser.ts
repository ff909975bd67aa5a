/** Materialize's own parser (WASM), as its package carries it for bundlers. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface ParseResult {
  readonly statements: readonly unknown[];
  readonly error: { readonly message: string } | null | undefined;
}

interface Bindings {
  __wbg_set_wasm(exports: object): void;
  parse(sql: string): ParseResult;
}

/** What of WebAssembly is used here; the types of Node know it from version 22 on. */
interface WasmEngine {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: { __wbindgen_start?: () => void } };
}

let loaded: Promise<(sql: string) => void> | undefined;

/** @returns a function that throws what the parser says of SQL it does not take as one statement */
export function materializeParser(): Promise<(sql: string) => void> {
  // Its bindings know one instance.
  return (loaded ??= load());
}

async function load(): Promise<(sql: string) => void> {
  const folder = dirname(createRequire(import.meta.url).resolve('@materializeinc/sql-parser'));
  const name = 'mz_sql_parser_wasm_bg';
  const bindings = (await import(pathToFileURL(join(folder, `${name}.js`)).href)) as Bindings;
  const wasm = (globalThis as unknown as { WebAssembly: WasmEngine }).WebAssembly;
  const module = new wasm.Module(readFileSync(join(folder, `${name}.wasm`)));
  const { exports } = new wasm.Instance(module, { [`./${name}.js`]: bindings });
  bindings.__wbg_set_wasm(exports);
  exports.__wbindgen_start?.();
  return (sql) => {
    const { statements, error } = bindings.parse(sql);
    if (error !== null && error !== undefined) throw new Error(`${error.message}: ${sql.slice(0, 300)}`);
    if (statements.length !== 1) throw new Error(`${statements.length} statements: ${sql.slice(0, 300)}`);
  };
}
