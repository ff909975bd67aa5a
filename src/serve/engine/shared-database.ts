/**
 * One database for all users of a server: each kind of use gets a Connection that waits for its turn.
 * Whoever writes is noticed (`onWritten`), so that followers need not ask again and again.
 */
import type { Connection, Database, QueryResult, Row } from '../../engines/connection.ts';
import { BoundedConnection } from './bounded-connection.ts';
import type { Bound } from './bounded-connection.ts';
import type { TurnKind, Turns } from './turns.ts';

/** Kinds of use that never change what a feed shows. (Sinks write down how far they are; they must not wake themselves.) */
const READERS: ReadonlySet<TurnKind> = new Set(['read', 'feed', 'sink', 'command']);
/** Kinds of use whose conditions come from readers. */
const BOUNDED: ReadonlySet<TurnKind> = new Set(['read', 'feed']);

export class SharedDatabase {
  readonly turns: Turns;
  readonly #db: Database;
  readonly #exclusive: boolean;
  readonly #connections = new Map<TurnKind, Connection>();
  readonly #listeners = new Set<() => void>();
  /** Brings the one session of the embedded database back to its own settings (wire/session-state.ts). */
  #settle: () => Promise<void> = async () => {};

  readonly #bounded: Connection;

  /**
   * @param options.exclusive the database does one thing at a time; else it keeps its users apart by itself
   * @param options.boundReads does a statement of a reader within bounds
   */
  constructor(
    db: Database,
    turns: Turns,
    options: { readonly exclusive: boolean; readonly boundReads?: Bound },
  ) {
    this.#db = db;
    this.#bounded = options.boundReads === undefined ? db : new BoundedConnection(db, options.boundReads);
    this.turns = turns;
    this.#exclusive = options.exclusive;
  }

  /** A connection for a kind of use; each of its statements and transactions is one turn. */
  as(kind: TurnKind): Connection {
    const known = this.#connections.get(kind);
    if (known !== undefined) return known;
    const connection = new TurnConnection((work) => this.#inTurn(kind, work));
    this.#connections.set(kind, connection);
    return connection;
  }

  /** Work on the database itself, in one turn. */
  alone<T>(kind: TurnKind, work: () => Promise<T>): Promise<T> {
    return this.#inTurn(kind, work);
  }

  settleWith(settle: () => Promise<void>): void {
    this.#settle = settle;
  }

  /** Calls `listener` after every turn that may have written. Answers the function that ends it. */
  onWritten(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  written(): void {
    for (const listener of this.#listeners) listener();
  }

  async #inTurn<T>(kind: TurnKind, work: (db: Connection) => Promise<T>): Promise<T> {
    const end = this.#exclusive ? await this.turns.take(kind) : () => {};
    try {
      await this.#settle();
      return await work(BOUNDED.has(kind) ? this.#bounded : this.#db);
    } finally {
      end();
      if (!READERS.has(kind)) this.written();
    }
  }
}

type Turn = <T>(work: (db: Connection) => Promise<T>) => Promise<T>;

class TurnConnection implements Connection {
  readonly #turn: Turn;

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  query<R = Row>(sql: string, params?: readonly unknown[]): Promise<QueryResult<R>> {
    return this.#turn((db) => db.query<R>(sql, params));
  }

  exec(sql: string): Promise<void> {
    return this.#turn((db) => db.exec(sql));
  }

  transaction<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    return this.#turn((db) => db.transaction(work));
  }

  copyFrom(target: string, columns: readonly string[], lines: string): Promise<number> {
    return this.#turn((db) => db.copyFrom(target, columns, lines));
  }
}
