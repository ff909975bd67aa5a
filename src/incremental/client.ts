/** Any PostgreSQL client → the little of a session that this library needs. */
import type { Connection, QueryResult, Row } from '../engines/connection.ts';

/**
 * A client with one session: a `pg` Client (not a Pool), a PGlite instance, or seg's own Connection. Rows come as objects;
 * booleans as booleans and json as parsed values, as both clients do by default.
 */
export interface QueryClient {
  query(
    sql: string,
    params?: unknown[],
  ): Promise<{ rows: unknown[]; affectedRows?: number; rowCount?: number | null }>;
  /** Several statements at once, in a client whose `query` takes one only (PGlite). */
  exec?(sql: string): Promise<unknown>;
}

export function connectionOf(client: QueryClient | Connection): Connection {
  if ('exec' in client && 'copyFrom' in client) return client;
  return new ClientConnection(client, 0);
}

class ClientConnection implements Connection {
  readonly #client: QueryClient;
  readonly #depth: number;

  constructor(client: QueryClient, depth: number) {
    this.#client = client;
    this.#depth = depth;
  }

  async query<R = Row>(sql: string, params: readonly unknown[] = []): Promise<QueryResult<R>> {
    const { rows, affectedRows, rowCount } = await this.#client.query(sql, [...params]);
    return {
      rows: rows as R[],
      rowCount: rows.length > 0 ? rows.length : (affectedRows ?? rowCount ?? 0),
      fields: [],
    };
  }

  async exec(sql: string): Promise<void> {
    if (this.#client.exec === undefined) await this.#client.query(sql);
    else await this.#client.exec(sql);
  }

  async transaction<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    const inner = new ClientConnection(this.#client, this.#depth + 1);
    const name = `seg_${this.#depth}`;
    await this.exec(this.#depth === 0 ? 'BEGIN' : `SAVEPOINT ${name}`);
    try {
      const result = await work(inner);
      await this.exec(this.#depth === 0 ? 'COMMIT' : `RELEASE SAVEPOINT ${name}`);
      return result;
    } catch (error) {
      await this.exec(this.#depth === 0 ? 'ROLLBACK' : `ROLLBACK TO SAVEPOINT ${name}`);
      throw error;
    }
  }

  copyFrom(): Promise<number> {
    throw new Error('invariant: views are not built by COPY');
  }
}
