/**
 * The one session of the embedded database, shared by many clients: whose turn it is finds its own settings and role, and
 * the server's own work finds none of theirs.
 */
import { DatabaseError } from '../../engines/connection.ts';
import type { PGliteDatabase } from '../../engines/pglite/connection.ts';
import type { Bounds, Cancel, Interrupter } from '../../engines/pglite/interrupt.ts';
import type { Door } from '../../engines/pglite/watchdog.ts';
import { quoteIdentifier, quoteLiteral } from '../../sql/quote.ts';
import type { WireError } from './backend-messages.ts';
import { READ_MEMORY_BYTES } from '../engine/read-limits.ts';
import { CustomNames, customNamesIn } from './custom-settings.ts';
import { SETTINGS_KEPT_FROM_READERS } from './reader-policy.ts';
import { READER_ROLE, READERS_SET_CONFIG } from './session-state.ts';
import type { SessionState } from './session-state.ts';

export class WireEngine {
  readonly #db: PGliteDatabase;
  readonly #interrupter: Interrupter;
  #current: SessionState | null = null;
  /** Who the session is when it is nobody's. */
  #owner = '';
  /** Settings that functions of the database may set. */
  readonly #functionsNames = new CustomNames();

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
    this.#owner = rows[0]!.name;
    try {
      await this.#db.exec(readersRights());
    } catch (error) {
      // On a full disk what an earlier server has made will do.
      if (!(error instanceof DatabaseError) || error.sqlstate !== '53100' || !(await this.#areThere()))
        throw error;
    }
    const { rows: functions } = await this.#db.query<{ prosrc: string }>(
      `SELECT prosrc FROM pg_catalog.pg_proc
       WHERE oid >= 16384 AND proname <> 'seg_set_config' AND prosrc ~* 'set_config|\\mset\\s+((local|session)\\s+)?"?\\w+"?\\.'`,
    );
    for (const { prosrc } of functions) this.learnNames(customNamesIn(prosrc));
  }

  async #areThere(): Promise<boolean> {
    const { rows } = await this.#db.query(
      `SELECT FROM pg_catalog.pg_roles WHERE rolname = '${READER_ROLE}'
       AND pg_catalog.to_regprocedure('${READERS_SET_CONFIG}(text, text, boolean)') IS NOT NULL`,
    );
    return rows.length > 0;
  }

  /** Names that functions of the database may set. */
  learnNames(names: Iterable<string>): void {
    this.#functionsNames.add(names);
  }

  /**
   * Sends messages of the protocol; the engine's answer goes to `onBytes` as it is made. Must be in the sender's turn, after `enter`.
   */
  async run(
    messages: Uint8Array,
    onBytes: (bytes: Buffer) => void = () => {},
    bounds: Bounds = {},
  ): Promise<void> {
    if (this.#current !== null) this.#current.used = true;
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
  async committed(): Promise<void> {
    await this.#db.syncCommitted();
  }

  /** An error of the engine as the owner of the database tells it. */
  explain(error: WireError): WireError {
    const { message, ...fields } = error;
    return this.#db.explain(new DatabaseError(message, fields)) ?? error;
  }

  /** Makes the session somebody's (null: the server's own). No transaction may be open. */
  async enter(state: SessionState | null): Promise<void> {
    if (this.#current === state) return;
    const before = this.#current;
    this.#current = null;
    if (before !== null) await this.#leave(before);
    if (state === null) return;
    if (!state.admitted) await this.#admit(state);
    try {
      await this.#exec(`DISCARD SEQUENCES; ${state.applying()}`);
    } catch (error) {
      await this.#clear();
      throw error;
    }
    state.admitted = true;
    this.#current = state;
  }

  /** What RESET (all: DISCARD ALL) has brought to the engine's own state goes to that of the client's login. */
  async resetToLogin(state: SessionState, all: boolean): Promise<void> {
    const resetting = state.resetting();
    if (resetting === '' && !all) return;
    const { rows } = await this.#db.query<{ user: string; role: string }>(
      `SELECT session_user AS user, pg_catalog.current_setting('role') AS role`,
    );
    const { user, role } = rows[0]!;
    const again =
      all && !state.reader
        ? ['RESET ROLE']
        : [
            `SET SESSION AUTHORIZATION ${quoteIdentifier(user)}`,
            ...(role === 'none' ? [] : [`SET ROLE ${quoteIdentifier(role)}`]),
          ];
    await this.#exec([this.#asOwner, resetting, ...again].filter((sql) => sql !== '').join('; '));
  }

  /** Temporary tables do not outlive the transaction. Answers their names. */
  async dropTemporary(): Promise<string[]> {
    const { rows } = await this.#db.query<{ name: string }>(
      `SELECT relname AS name FROM pg_catalog.pg_class
       WHERE relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema() AND relkind IN ('r', 'v', 'S', 'p') ORDER BY 1`,
    );
    if (rows.length > 0) await this.#exec('DISCARD TEMP');
    return rows.map(({ name }) => name);
  }

  /** @throws DatabaseError for a setting that a reader may not begin with */
  async #admit({ reader, defaults }: SessionState): Promise<void> {
    if (!reader || defaults.size === 0) return;
    const names = [...defaults.keys()].map((name) => quoteLiteral(name.toLowerCase()));
    const { rows } = await this.#db.query<{ name: string }>(
      `SELECT name FROM pg_catalog.pg_settings WHERE context <> 'user' AND pg_catalog.lower(name) IN (${names.join(', ')})`,
    );
    if (rows.length === 0) return;
    throw new DatabaseError(`permission denied to set parameter "${rows[0]!.name}"`, { sqlstate: '42501' });
  }

  async #leave(state: SessionState): Promise<void> {
    try {
      if (!state.used) return;
      const { rows } = await this.#db.query<{ kind: string; name: string; value: string }>(
        state.asking(this.#functionsNames),
      );
      state.putDown(rows, state.reader ? READER_ROLE : this.#owner);
    } finally {
      await this.#clear();
    }
  }

  /** The session as it was before anybody used it. RESET alone would not do: this engine has no login to go back to. */
  async #clear(): Promise<void> {
    await this.#exec(
      `${this.#asOwner}; RESET ROLE; RESET ALL; CLOSE ALL; DISCARD TEMP; SELECT pg_catalog.pg_advisory_unlock_all()`,
    );
  }

  get #asOwner(): string {
    return `SET SESSION AUTHORIZATION ${quoteIdentifier(this.#owner)}`;
  }

  async #exec(sql: string): Promise<void> {
    if (sql !== '') await this.#db.exec(sql);
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

/** The role of readers, and what it may do. */
function readersRights(): string {
  const kept = SETTINGS_KEPT_FROM_READERS.map(quoteLiteral).join(', ');
  return `
    DO $$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '${READER_ROLE}') THEN
        CREATE ROLE ${READER_ROLE};
      END IF;
    END $$;
    GRANT pg_read_all_data TO ${READER_ROLE};
    -- It could set "session_authorization" by a name that no parser sees.
    REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;
    -- It waits in one step that nothing interrupts, and everybody else with it.
    REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC;
    CREATE OR REPLACE FUNCTION ${READERS_SET_CONFIG}(text, text, boolean) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      IF pg_catalog.lower($1) OPERATOR(pg_catalog.=) ANY (ARRAY[${kept}]::pg_catalog.text[])
        OR EXISTS (SELECT FROM pg_catalog.pg_settings AS s
                   WHERE pg_catalog.lower(s.name) OPERATOR(pg_catalog.=) pg_catalog.lower($1)
                     AND s.context OPERATOR(pg_catalog.<>) 'user') THEN
        RAISE insufficient_privilege USING MESSAGE = pg_catalog.format('permission denied to set parameter "%s"', $1);
      END IF;
      RETURN pg_catalog.set_config($1, $2, $3);
    END $$;
    REVOKE EXECUTE ON FUNCTION ${READERS_SET_CONFIG}(text, text, boolean) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION ${READERS_SET_CONFIG}(text, text, boolean) TO ${READER_ROLE};`;
}
