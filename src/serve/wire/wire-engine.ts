/**
 * The one session of the embedded database, shared by many clients: whose turn it is finds its own settings and role, and
 * the server's own work finds none of theirs.
 */
import type { PGliteDatabase } from '../../engines/pglite/connection.ts';
import type { Bounds, Cancel, Interrupter } from '../../engines/pglite/interrupt.ts';
import type { Door } from '../../engines/pglite/watchdog.ts';
import { quoteIdentifier, quoteLiteral } from '../../sql/quote.ts';
import { READ_MEMORY_BYTES } from '../engine/read-limits.ts';

/** What a client has made of the session, while others use it. */
export interface SessionState {
  readonly reader: boolean;
  /** Settings by name, as text. */
  settings: Map<string, string>;
  /** Names of settings that the catalog does not list. */
  readonly customSettings: Set<string>;
  role: string;
  /** Settings may have changed since they were put down here. */
  changed: boolean;
}

export const READER_ROLE = 'seg_reader';

export class WireEngine {
  readonly #db: PGliteDatabase;
  readonly #interrupter: Interrupter;
  #current: SessionState | null = null;
  /** SQL that makes the session its owner's again. RESET would not: this engine has no login to go back to. */
  #asOwner = '';

  /** @param onRestart the session has ended with its server: what clients had made of it is gone */
  constructor(db: PGliteDatabase, onRestart: () => void = () => {}) {
    this.#db = db;
    this.#interrupter = db.allowInterrupts(READ_MEMORY_BYTES);
    db.onRestart(() => {
      this.#current = null;
      onRestart();
    });
  }

  /** The role of readers: SELECT on everything, now and later; and no way to the owner's rights. */
  async prepareRoles(): Promise<void> {
    const { rows } = await this.#db.query<{ name: string }>('SELECT session_user AS name');
    this.#asOwner = `SET SESSION AUTHORIZATION ${quoteIdentifier(rows[0]!.name)};`;
    await this.#db.exec(`
      DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '${READER_ROLE}') THEN
          CREATE ROLE ${READER_ROLE};
        END IF;
      END $$;
      GRANT pg_read_all_data TO ${READER_ROLE};
      -- It could set "session_authorization" by a name that no parser sees.
      REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;
      -- It waits in one step that nothing interrupts, and everybody else with it.
      REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC;`);
  }

  /**
   * Sends messages of the protocol; the engine's answer goes to `onBytes` as it is made. Must be in the sender's turn, after `enter`.
   */
  async run(
    messages: Uint8Array,
    onBytes: (bytes: Buffer) => void = () => {},
    bounds: Bounds = {},
  ): Promise<void> {
    // As a stream: otherwise PGlite would parse each message too, and tell notifications a second time.
    let failed: { readonly error: unknown } | undefined;
    const onChunk = (chunk: Uint8Array): void => {
      if (failed !== undefined) return;
      try {
        // The chunk is a view of memory that is written over.
        onBytes(Buffer.from(chunk));
      } catch (error) {
        // The engine is in the middle of something: it must not be left from here.
        failed = { error };
      }
    };
    await this.#interrupter.within(bounds, () => this.#db.execProtocol(messages, onChunk));
    if (failed !== undefined) throw failed.error;
  }

  /** Ends what runs on request: its statement fails. */
  interrupt(): void {
    this.#interrupter.interrupt('request');
  }

  /** Cancel requests at the door reach `onCancel` while messages run, too. */
  listenForCancel(door: Door, onCancel: Cancel): void {
    this.#interrupter.listenForCancel(door, onCancel);
  }

  /** Puts what was committed on the disk, where the target asks for that. */
  committed(): void {
    this.#db.syncCommitted();
  }

  /** Makes the session somebody's (null: the server's own). No transaction may be open. */
  async enter(state: SessionState | null): Promise<void> {
    if (this.#current === state) return;
    if (this.#current !== null) await this.#leave(this.#current);
    this.#current = null;
    if (state === null) return;
    this.#current = state;
    try {
      await this.#apply(state);
    } catch (error) {
      await this.#reset(state);
      this.#current = null;
      throw error;
    }
  }

  async #leave(state: SessionState): Promise<void> {
    if (state.changed) {
      if (state.reader) await this.#db.exec(this.#asOwner);
      await this.#putDown(state);
    }
    if (state.settings.size > 0 || state.role !== 'none' || state.reader) await this.#reset(state);
  }

  async #putDown(state: SessionState): Promise<void> {
    const custom = [...state.customSettings].map((name) => JSON.stringify(name));
    const { rows } = await this.#db.query<{ name: string; value: string }>(
      `SELECT name, pg_catalog.current_setting(name) AS value FROM pg_catalog.pg_settings
       WHERE source = 'session' AND context <> 'internal' AND name NOT LIKE 'transaction\\_%'
       UNION ALL
       SELECT name, pg_catalog.current_setting(name, true) FROM pg_catalog.unnest($1::text[]) AS name
       WHERE pg_catalog.current_setting(name, true) <> ''
       UNION ALL SELECT 'role', pg_catalog.current_setting('role')`,
      [`{${custom.join(',')}}`],
    );
    state.settings = new Map(rows.map(({ name, value }) => [name, value]));
    state.role = state.settings.get('role') ?? 'none';
    state.settings.delete('role');
    state.changed = false;
  }

  async #reset(state: SessionState): Promise<void> {
    const custom = [...state.customSettings].map((name) => `RESET ${settingName(name)};`);
    await this.#db.exec(`${this.#asOwner} RESET ROLE; RESET ALL; ${custom.join(' ')}`);
  }

  async #apply({ settings, role, reader }: SessionState): Promise<void> {
    const calls = [...settings].map(
      ([name, value]) => `pg_catalog.set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, false)`,
    );
    const statements = [
      ...(calls.length > 0 ? [`SELECT ${calls.join(', ')}`] : []),
      ...(role === 'none' ? [] : [`SET ROLE ${quoteIdentifier(role)}`]),
      ...(reader
        ? ['SET default_transaction_read_only = on', `SET SESSION AUTHORIZATION ${READER_ROLE}`]
        : []),
    ];
    if (statements.length > 0) await this.#db.exec(statements.join('; '));
  }

  /** Values of settings in the session as it is. */
  async settings(names: readonly string[]): Promise<Map<string, string>> {
    const { rows } = await this.#db.query<{ name: string; value: string }>(
      'SELECT name, pg_catalog.current_setting(name) AS value FROM pg_catalog.unnest($1::text[]) AS name',
      [`{${names.join(',')}}`],
    );
    return new Map(rows.map(({ name, value }) => [name, value]));
  }

  /** Calls back for each NOTIFY that reaches the session while the server itself uses it. */
  onNotification(callback: (channel: string, payload: string) => void): () => void {
    return this.#db.onNotification(callback);
  }
}

/** `my.tenant` → `"my"."tenant"`. */
function settingName(name: string): string {
  return name.split('.').map(quoteIdentifier).join('.');
}
