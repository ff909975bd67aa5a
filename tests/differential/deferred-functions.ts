/**
 * A connection that writes functions down once. Each view that is made makes the programs of its tables anew, and the server takes
 * 5 ms to store one; of several views that are made one after the other only the last text of a program is ever called.
 */
import type { Connection, QueryResult, Row } from '../../src/engines/connection.ts';

export class DeferredFunctions implements Connection {
  readonly #inner: Connection;
  /** Last text by name, of functions that are there already in an older form. */
  readonly #texts: Map<string, string>;
  readonly #there: Set<string>;

  constructor(inner: Connection, texts = new Map<string, string>(), there = new Set<string>()) {
    this.#inner = inner;
    this.#texts = texts;
    this.#there = there;
  }

  async exec(sql: string): Promise<void> {
    if (sql.startsWith('CREATE OR REPLACE FUNCTION ')) {
      const name = sql.slice(0, sql.indexOf('('));
      if (this.#there.has(name)) {
        this.#texts.set(name, sql);
        return;
      }
      this.#there.add(name);
    }
    await this.#inner.exec(sql);
  }

  query<R = Row>(sql: string, params?: readonly unknown[]): Promise<QueryResult<R>> {
    return this.#inner.query<R>(sql, params);
  }

  transaction<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    return this.#inner.transaction((tx) => work(new DeferredFunctions(tx, this.#texts, this.#there)));
  }

  copyFrom(target: string, columns: readonly string[], lines: string): Promise<number> {
    return this.#inner.copyFrom(target, columns, lines);
  }

  /** Writes down what was held back. */
  async flush(): Promise<void> {
    for (const text of this.#texts.values()) await this.#inner.exec(text);
    this.#texts.clear();
  }
}
