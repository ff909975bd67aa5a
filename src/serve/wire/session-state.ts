/**
 * What a client has made of the session: asked of the session itself when its turn is over, whatever it was that changed it, and
 * made again when its next turn begins.
 */
import { quoteIdentifier, quoteLiteral } from '../../sql/quote.ts';
import { CustomNames } from './custom-settings.ts';

export const READER_ROLE = 'seg_reader';

/** Calls set_config for a reader, who may not: some settings are the owner's. */
export const READERS_SET_CONFIG = 'pg_catalog.seg_set_config';

export class SessionState {
  readonly reader: boolean;
  /** Settings that the client began with: those that RESET goes back to. */
  readonly defaults: ReadonlyMap<string, string>;
  readonly customNames = new CustomNames();
  /** Something may have changed since it was put down here. */
  used = false;
  /** It has been in the engine before. */
  admitted = false;
  #settings: ReadonlyMap<string, string>;
  #role = 'none';
  /** Who SET SESSION AUTHORIZATION has made of the owner. */
  #user: string | undefined;

  constructor(reader: boolean, defaults: ReadonlyMap<string, string>) {
    this.reader = reader;
    this.#user = defaults.get('session_authorization');
    this.#role = defaults.get('role') ?? 'none';
    this.defaults = new Map(
      [...defaults].filter(([name]) => name !== 'role' && name !== 'session_authorization'),
    );
    this.#settings = this.defaults;
    this.customNames.add([...defaults.keys()].filter((name) => name.includes('.')));
  }

  /** SQL that asks the session for what it is, to be given to `putDown`. */
  asking(others: Iterable<string>): string {
    const names = [...new Set([...this.customNames, ...others])];
    // In base64, since the client may have chosen another encoding.
    return `SELECT kind, name, pg_catalog.encode(pg_catalog.convert_to(value, 'UTF8'), 'base64') AS value FROM (
      SELECT 'setting' AS kind, name, pg_catalog.current_setting(name) AS value FROM pg_catalog.pg_settings
       WHERE source OPERATOR(pg_catalog.=) 'session' AND context OPERATOR(pg_catalog.<>) 'internal'
         AND name OPERATOR(pg_catalog.!~~) 'transaction\\_%'
      UNION ALL
      SELECT 'setting', name, pg_catalog.current_setting(name, true)
       FROM pg_catalog.unnest(ARRAY[${names.map(quoteLiteral).join(', ')}]::pg_catalog.text[]) AS name
       WHERE pg_catalog.current_setting(name, true) OPERATOR(pg_catalog.<>) ''
         AND name OPERATOR(pg_catalog.~~) '%.%'
      UNION ALL SELECT 'role', '', pg_catalog.current_setting('role')
      UNION ALL SELECT 'user', '', session_user
      ) AS found`;
  }

  putDown(rows: readonly { kind: string; name: string; value: string }[], owner: string): void {
    const settings = new Map(this.defaults);
    for (const { kind, name, value } of rows) {
      const text = Buffer.from(value, 'base64').toString('utf8');
      if (kind === 'role') this.#role = text;
      else if (kind === 'user') this.#user = text === owner ? undefined : text;
      else settings.set(name.toLowerCase(), text);
    }
    this.#settings = settings;
    this.used = false;
  }

  /** SQL that makes a fresh session this one; empty when it is. */
  applying(): string {
    const statements: string[] = [];
    if (this.#settings.size > 0) {
      const calls = [...this.#settings].map(
        ([name, value]) => `pg_catalog.set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, false)`,
      );
      statements.push(`SELECT ${calls.join(', ')}`);
    }
    if (this.reader) {
      statements.push(READ_ONLY, `SET SESSION AUTHORIZATION ${READER_ROLE}`);
    } else {
      if (this.#user !== undefined)
        statements.push(`SET SESSION AUTHORIZATION ${quoteIdentifier(this.#user)}`);
      if (this.#role !== 'none') statements.push(`SET ROLE ${quoteIdentifier(this.#role)}`);
    }
    return statements.join('; ');
  }

  /** SQL that gives the client's own defaults to settings that RESET has taken back to the engine's. */
  resetting(): string {
    const rows = [...this.defaults].map(([name, value]) => `(${quoteLiteral(name)}, ${quoteLiteral(value)})`);
    const readOnly = this.reader ? `${READ_ONLY};` : '';
    if (rows.length === 0) return readOnly;
    return `${readOnly} SELECT pg_catalog.set_config(d.name, d.value, false)
      FROM (VALUES ${rows.join(', ')}) AS d (name, value)
      LEFT JOIN pg_catalog.pg_settings AS s
        ON pg_catalog.lower(s.name) OPERATOR(pg_catalog.=) pg_catalog.lower(d.name)
      WHERE CASE WHEN s.name IS NULL THEN coalesce(pg_catalog.current_setting(d.name, true), '') OPERATOR(pg_catalog.=) ''
                 ELSE s.source OPERATOR(pg_catalog.<>) 'session' END`;
  }
}

/** Readers find every transaction read-only. */
export const READ_ONLY = 'SET default_transaction_read_only = on';
