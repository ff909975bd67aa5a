/** One start of PGlite's server, watched. */
import { PGlite } from '@electric-sql/pglite';
import type { PGliteOptions } from '@electric-sql/pglite';
import { discard, EngineGuard } from './failure.ts';
import { pgliteModule } from './wasm-module.ts';

/** The slice of PGlite that seg uses. */
export type PGliteClient = Pick<
  PGlite,
  | 'query'
  | 'exec'
  | 'transaction'
  | 'close'
  | 'dumpDataDir'
  | 'parsers'
  | 'execProtocolRawStream'
  | 'onNotification'
  | 'Module'
>;

export interface PGliteServer {
  readonly client: PGliteClient;
  readonly guard: EngineGuard;
}

/** @throws EngineFailure when it cannot be started, with what the server said of it */
export async function startServer(
  options: Omit<PGliteOptions, 'pgliteWasmModule' | 'onStderr'>,
): Promise<PGliteServer> {
  const guard = new EngineGuard();
  const pgliteWasmModule = await pgliteModule();
  const client = new PGlite({ ...options, pgliteWasmModule, onStderr: guard.onStderr });
  try {
    await client.waitReady;
  } catch (error) {
    discard(client);
    throw guard.explain(error);
  }
  guard.watch(client);
  return { client, guard };
}
