import type { WireEngine } from './wire-engine.ts';
import type { ServerTls } from '../tls.ts';
import type { Access } from './login.ts';
import type { WireClient } from './wire-client.ts';

/** What a client of the Postgres port needs of its server. */
export interface WireHost {
  readonly engine: WireEngine;
  readonly access: Access;
  /** How long a client may be idle in a transaction. */
  readonly idleMs: number;
  /** How long a reader's messages may take together; 0: as long as they like. */
  readonly readMs: number;
  /** How long a login may take. */
  readonly loginMs: number;
  readonly tls: ServerTls | undefined;
  takeTurn(signal?: AbortSignal): Promise<() => void>;
  /** After a turn: something may have been committed. */
  written(): void;
  othersWait(): boolean;
  /** Settings a client is told of at its login, as they are in its turn. */
  parameters(): Promise<ReadonlyMap<string, string>>;
  /** The search_path that a client begins with. */
  searchPath(): Promise<string>;
  /** Whether one more client may be served. */
  hasPlace(): boolean;
  cancel(pid: number, secret: number): void;
  notify(sender: number, channel: string, payload: string): void;
  forget(client: WireClient): void;
  counted(role: 'reader' | 'owner'): void;
  report(error: unknown): void;
}
