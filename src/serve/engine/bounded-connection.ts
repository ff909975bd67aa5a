import type { Connection, QueryResult, Row } from '../../engines/connection.ts';

/** Does a statement within bounds. */
export type Bound = <T>(statement: () => Promise<T>) => Promise<T>;

/** A connection whose statements, one by one, are bounded. */
export class BoundedConnection implements Connection {
  readonly #inner: Connection;
  readonly #bound: Bound;

  constructor(inner: Connection, bound: Bound) {
    this.#inner = inner;
    this.#bound = bound;
  }

  query<R = Row>(sql: string, params?: readonly unknown[]): Promise<QueryResult<R>> {
    return this.#bound(() => this.#inner.query<R>(sql, params));
  }

  exec(sql: string): Promise<void> {
    return this.#bound(() => this.#inner.exec(sql));
  }

  transaction<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    return this.#inner.transaction((tx) => work(new BoundedConnection(tx, this.#bound)));
  }

  copyFrom(target: string, columns: readonly string[], lines: string): Promise<number> {
    return this.#bound(() => this.#inner.copyFrom(target, columns, lines));
  }
}
