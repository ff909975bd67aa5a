/** PGlite behind seg's Connection. */
import type { PGlite, Transaction } from '@electric-sql/pglite';
import { DatabaseError } from '../connection.ts';
import type { Connection, Database, QueryResult, Row } from '../connection.ts';
import { inSavepoint } from '../savepoint.ts';
import { asText, parsersByOid } from '../value-parsers.ts';
import { onCancelStatements } from './cancel-statements.ts';
import { discard, moduleOf, SHALLOWER } from './failure.ts';
import { Interrupter } from './interrupt.ts';
import type { PGliteServer } from './server.ts';

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
    hint: code === '54001' ? SHALLOWER : hint,
    position: position === undefined ? undefined : Number(position),
    context: where,
    schema,
    table,
    cause: error,
  });
}

/** Statements that write nothing themselves, or give room back: they run on a disk that is full. */
const READS =
  /^\s*(SELECT|WITH|VALUES|TABLE|SHOW|EXPLAIN|DECLARE|FETCH|CLOSE|SET|RESET|BEGIN|SAVEPOINT|RELEASE|ROLLBACK|LISTEN|CHECKPOINT|DROP|TRUNCATE|DELETE|VACUUM)\b/i;

class PGliteSession implements Connection {
  readonly #session: Session;
  readonly #hooks: DatabaseHooks;

  constructor(session: Session, hooks: DatabaseHooks) {
    this.#session = session;
    this.#hooks = hooks;
  }

  async query<R = Row>(sql: string, params: readonly unknown[] = []): Promise<QueryResult<R>> {
    const result = await this.#send(sql, () => this.#session.query<R>(sql, [...params]));
    return {
      rows: result.rows,
      rowCount: result.rows.length > 0 ? result.rows.length : (result.affectedRows ?? 0),
      fields: result.fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID })),
    };
  }

  async exec(sql: string): Promise<void> {
    await this.#send(sql, () => this.#session.exec(sql));
  }

  /** A session is handed out within transactions only: a savepoint. */
  async transaction<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    return inSavepoint<Connection, T>(this, work);
  }

  async copyFrom(target: string, columns: readonly string[], lines: string): Promise<number> {
    // PGlite has no COPY sub-protocol; a blob handed to the query appears to the server as the file /dev/blob.
    const sql = `COPY ${target} (${columns.join(', ')}) FROM '/dev/blob'`;
    const result = await this.#send(sql, () => this.#session.query(sql, [], { blob: new Blob([lines]) }));
    return result.affectedRows ?? 0;
  }

  async #send<T>(sql: string, send: () => Promise<T>): Promise<T> {
    if (!READS.test(sql)) await this.#hooks.beforeWrite?.(this);
    try {
      return await send();
    } catch (error) {
      throw told(error, this.#hooks);
    } finally {
      this.#hooks.afterStatement?.();
    }
  }
}

/** An error as the owner of the database tells it. */
function told(error: unknown, { explain }: DatabaseHooks): unknown {
  const known = toDatabaseError(error);
  return (known instanceof DatabaseError ? explain?.(known) : undefined) ?? known;
}

/** What the owner of a database has to do with it. */
export interface DatabaseHooks {
  /** After PGlite has closed (the lock is released there). */
  readonly onClose?: () => Promise<void>;
  readonly afterCommit?: () => void;
  /** Before a statement that may write; throws when there is no room for it. */
  readonly beforeWrite?: (session: Connection) => Promise<void>;
  readonly afterStatement?: () => void;
  /** An error in other words; undefined when it stays as it is. */
  readonly explain?: (error: DatabaseError) => DatabaseError | undefined;
  /** Between transactions that came as protocol messages, which `beforeWrite` does not hear of. */
  readonly betweenTransactions?: (session: Connection) => Promise<void>;
  /** Makes a new server of what the one that ended had committed; without it the end of the server is the end of the database. */
  readonly restart?: () => Promise<PGliteServer>;
}

/**
 * An open PGlite database. When its server ends in the middle of a statement (failure.ts), that statement fails, and the next use
 * starts a server that recovers what was committed, as PostgreSQL does after a crash.
 */
export class PGliteDatabase implements Database {
  #server: PGliteServer;
  #restarting: Promise<void> | undefined;
  #closed = false;
  readonly #hooks: DatabaseHooks;
  #interrupter: Interrupter | undefined;
  readonly #forgetCancel = onCancelStatements(() => this.#server.guard.cancelStatement());
  readonly #onRestart = new Set<() => void>();
  readonly #onNotification = new Set<(channel: string, payload: string) => void>();

  constructor(server: PGliteServer, hooks: DatabaseHooks = {}) {
    this.#server = server;
    this.#hooks = hooks;
    this.#adopt(server);
  }

  async query<R = Row>(sql: string, params: readonly unknown[] = []): Promise<QueryResult<R>> {
    return this.#committing(() => this.#session.query<R>(sql, params));
  }

  async exec(sql: string): Promise<void> {
    return this.#committing(() => this.#session.exec(sql));
  }

  async copyFrom(target: string, columns: readonly string[], lines: string): Promise<number> {
    return this.#committing(() => this.#session.copyFrom(target, columns, lines));
  }

  async transaction<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    return this.#committing(async () => {
      try {
        return await this.#server.client.transaction((tx) => work(new PGliteSession(tx, this.#hooks)));
      } catch (error) {
        throw told(error, this.#hooks);
      } finally {
        this.#hooks.afterStatement?.();
      }
    });
  }

  /**
   * Sends messages of the protocol; the answer goes to `onBytes` as it is made. What it commits is put on the disk by `syncCommitted`.
   * @throws EngineFailure when the server ends over it
   */
  async execProtocol(messages: Uint8Array, onBytes: (bytes: Uint8Array) => void): Promise<void> {
    await this.#alive();
    try {
      await this.#server.client.execProtocolRawStream(messages, { onRawData: onBytes });
    } catch (error) {
      throw told(error, this.#hooks);
    } finally {
      this.#hooks.afterStatement?.();
    }
  }

  /** An error that the engine has answered with by protocol messages, in the words of its owner. */
  explain(error: DatabaseError): DatabaseError | undefined {
    return this.#hooks.explain?.(error);
  }

  /** Calls back for each NOTIFY that reaches the session. Answers the function that ends it. */
  onNotification(callback: (channel: string, payload: string) => void): () => void {
    this.#onNotification.add(callback);
    return () => this.#onNotification.delete(callback);
  }

  /** Calls back when the session, with all that was prepared in it, has been replaced by that of a new server. */
  onRestart(callback: () => void): () => void {
    this.#onRestart.add(callback);
    return () => this.#onRestart.delete(callback);
  }

  /**
   * From now on work can be bounded and interrupted.
   * @param memoryBytes by how much bounded work may enlarge the engine's memory
   */
  allowInterrupts(memoryBytes: number): Interrupter {
    return (this.#interrupter ??= new Interrupter(() => moduleOf(this.#server.client), memoryBytes));
  }

  /** Bytes of the engine's linear memory. WebAssembly never gives any of it back. */
  get engineBytes(): number {
    return moduleOf(this.#server.client).HEAPU8.byteLength;
  }

  /** Puts on the disk what was committed past this class, by protocol messages. */
  async syncCommitted(): Promise<void> {
    this.#hooks.afterCommit?.();
    await this.#hooks.betweenTransactions?.(this.#session);
  }

  /** The whole data directory as an uncompressed tar, to start other databases from (`from` of memory.ts). */
  async dump(): Promise<Blob> {
    await this.#alive();
    return this.#server.client.dumpDataDir('none');
  }

  async checkpoint(): Promise<void> {
    await this.exec('CHECKPOINT');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#forgetCancel();
    await this.#interrupter?.close();
    await this.#restarting?.catch(() => {});
    try {
      // A server that has ended must not write another word: the next one recovers the directory.
      if (this.#server.guard.failure === undefined) await this.#server.client.close();
      else discard(this.#server.client);
    } finally {
      await this.#hooks.onClose?.();
    }
  }

  get #session(): PGliteSession {
    return new PGliteSession(this.#server.client, this.#hooks);
  }

  async #committing<T>(work: () => Promise<T>): Promise<T> {
    await this.#alive();
    const result = await work();
    this.#hooks.afterCommit?.();
    return result;
  }

  /** A server that runs; a new one where the last one has ended. */
  async #alive(): Promise<void> {
    const { failure } = this.#server.guard;
    if (failure === undefined) return;
    if (this.#hooks.restart === undefined || this.#closed) throw failure;
    this.#restarting ??= this.#restart(this.#hooks.restart).finally(() => (this.#restarting = undefined));
    await this.#restarting;
  }

  async #restart(restart: () => Promise<PGliteServer>): Promise<void> {
    discard(this.#server.client);
    this.#server = await restart();
    this.#adopt(this.#server);
    for (const callback of this.#onRestart) callback();
  }

  #adopt({ client }: PGliteServer): void {
    installParsers(client);
    client.onNotification((channel, payload) => {
      for (const callback of this.#onNotification) callback(channel, payload);
    });
  }
}
