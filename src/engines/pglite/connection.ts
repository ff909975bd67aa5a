/** PGlite behind seg's Connection. */
import type { PGlite, Transaction } from '@electric-sql/pglite';
import { DatabaseError } from '../connection.ts';
import type { Connection, Database, QueryResult, Row } from '../connection.ts';
import { inSavepoint } from '../savepoint.ts';
import { asText, parsersByOid } from '../value-parsers.ts';

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
type Session = Pick<PGlite, 'query' | 'exec'> | Pick<Transaction, 'query' | 'exec'>;

/**
 * Replaces PGlite's own parsers, which make Dates (losing microseconds) and JS arrays, by the contract of Connection:
 * what is not listed there stays PostgreSQL's text. Types that PGlite does not know are text already.
 */
function installParsers(client: Pick<PGlite, 'parsers'>): void {
  for (const oid of Object.keys(client.parsers)) client.parsers[Number(oid)] = asText;
  for (const [oid, parse] of parsersByOid) client.parsers[oid] = parse;
}

interface PGliteError {
  code?: string;
  detail?: string;
  hint?: string;
  position?: string;
  where?: string;
  schema?: string;
  table?: string;
  message: string;
}

function toDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, detail, hint, position, where, schema, table, message } = error as Error & PGliteError;
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) return error;
  return new DatabaseError(message, {
    sqlstate: code,
    detail,
    hint,
    position: position === undefined ? undefined : Number(position),
    context: where,
    schema,
    table,
    cause: error,
  });
}

class PGliteSession implements Connection {
  protected readonly session: Session;

  constructor(session: Session) {
    this.session = session;
  }

  async query<R = Row>(sql: string, params: readonly unknown[] = []): Promise<QueryResult<R>> {
    try {
      const result = await this.session.query<R>(sql, [...params]);
      return {
        rows: result.rows,
        rowCount: result.rows.length > 0 ? result.rows.length : (result.affectedRows ?? 0),
        fields: result.fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID })),
      };
    } catch (error) {
      throw toDatabaseError(error);
    }
  }

  async exec(sql: string): Promise<void> {
    try {
      await this.session.exec(sql);
    } catch (error) {
      throw toDatabaseError(error);
    }
  }

  /** Inside a transaction: a savepoint. The database itself overrides this with a real transaction. */
  async transaction<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    return inSavepoint<Connection, T>(this, work);
  }

  async copyFrom(target: string, columns: readonly string[], lines: string): Promise<number> {
    // PGlite has no COPY sub-protocol; a blob handed to the query appears to the server as the file /dev/blob.
    try {
      const result = await this.session.query(`COPY ${target} (${columns.join(', ')}) FROM '/dev/blob'`, [], {
        blob: new Blob([lines]),
      });
      return result.affectedRows ?? 0;
    } catch (error) {
      throw toDatabaseError(error);
    }
  }
}

/** An open PGlite database. `onClose` runs after PGlite has closed (the lock is released there). */
export class PGliteDatabase extends PGliteSession implements Database {
  readonly client: PGliteClient;
  readonly #onClose: () => Promise<void>;
  readonly #afterCommit: () => void;

  constructor(client: PGliteClient, hooks: { onClose?: () => Promise<void>; afterCommit?: () => void } = {}) {
    super(client);
    installParsers(client);
    this.client = client;
    this.#onClose = hooks.onClose ?? (async () => {});
    this.#afterCommit = hooks.afterCommit ?? (() => {});
  }

  override async query<R = Row>(sql: string, params: readonly unknown[] = []): Promise<QueryResult<R>> {
    const result = await super.query<R>(sql, params);
    this.#afterCommit();
    return result;
  }

  override async exec(sql: string): Promise<void> {
    await super.exec(sql);
    this.#afterCommit();
  }

  override async transaction<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await this.client.transaction((tx) => work(new PGliteSession(tx)));
    } catch (error) {
      throw toDatabaseError(error);
    }
    this.#afterCommit();
    return result;
  }

  /** Bytes of the engine's linear memory. WebAssembly never gives any of it back. */
  get engineBytes(): number {
    // Its type is Emscripten's own, which PGlite names without bringing it.
    const { HEAPU8: memory } = this.client.Module as unknown as { readonly HEAPU8: Uint8Array };
    return memory.byteLength;
  }

  /** Puts on the disk what was committed past this class, by protocol messages of `client`. */
  syncCommitted(): void {
    this.#afterCommit();
  }

  /** The whole data directory as an uncompressed tar, to start other databases from (`from` of memory.ts). */
  async dump(): Promise<Blob> {
    return this.client.dumpDataDir('none');
  }

  async checkpoint(): Promise<void> {
    await this.exec('CHECKPOINT');
  }

  async close(): Promise<void> {
    try {
      await this.client.close();
    } finally {
      await this.#onClose();
    }
  }
}
