/** node-postgres behind seg's Connection: a pool of sessions; a transaction holds one of them. */
import { finished } from 'node:stream/promises';
import { DatabaseError as PgError } from 'pg';
import type { ClientBase, Pool, PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { quoteIdentifier } from '../../sql/quote.ts';
import { DatabaseError } from '../connection.ts';
import type { Connection, Database, QueryResult, Row } from '../connection.ts';
import { inSavepoint } from '../savepoint.ts';

/** Names of prepared statements are not used: a pooler between may hand each transaction another session. */
type Queryable = Pick<ClientBase, 'query'>;

async function run<R>(client: Queryable, sql: string, params: readonly unknown[]): Promise<QueryResult<R>> {
  try {
    const result = await client.query(sql, params.map(bindable));
    return {
      rows: result.rows as R[],
      rowCount: result.rows.length > 0 ? result.rows.length : (result.rowCount ?? 0),
      fields: result.fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID })),
    };
  } catch (error) {
    throw toDatabaseError(error);
  }
}

async function runAll(client: Queryable, sql: string): Promise<void> {
  try {
    await client.query(sql);
  } catch (error) {
    throw toDatabaseError(error);
  }
}

/** node-postgres prints a Date in the process's own zone. */
function bindable(value: unknown): unknown {
  return value instanceof Date ? value.toISOString() : value;
}

/** An error of the server keeps its SQLSTATE; a lost connection gets that of `connection_failure`. */
function toDatabaseError(error: unknown): unknown {
  if (error instanceof PgError) {
    return new DatabaseError(error.message, {
      sqlstate: error.code ?? 'XX000',
      detail: error.detail,
      hint: error.hint,
      position: error.position === undefined ? undefined : Number(error.position),
      context: error.where,
      fatal: /^(FATAL|PANIC)$/.test(error.severity ?? ''),
      schema: error.schema,
      table: error.table,
      cause: error,
    });
  }
  if (error instanceof Error && isLost(error)) {
    return new DatabaseError(`the connection to the server was lost: ${error.message}`, {
      sqlstate: '08006',
      hint: 'What was not committed is undone. Run the command again.',
      cause: error,
    });
  }
  return error;
}

function isLost(error: Error & { code?: string }): boolean {
  return (
    /^Connection terminated|^timeout expired|^timeout exceeded when trying to connect|^Client has encountered a connection error|not queryable|^read |^write /.test(
      error.message,
    ) || ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNREFUSED'].includes(error.code ?? '')
  );
}

/** One session inside a transaction. */
class PostgresTransaction implements Connection {
  readonly #client: PoolClient;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  query<R = Row>(sql: string, params: readonly unknown[] = []): Promise<QueryResult<R>> {
    return run<R>(this.#client, sql, params);
  }

  exec(sql: string): Promise<void> {
    return runAll(this.#client, sql);
  }

  transaction<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    return inSavepoint<Connection, T>(this, work);
  }

  copyFrom(target: string, columns: readonly string[], lines: string): Promise<number> {
    return copy(this.#client, target, columns, lines);
  }
}

async function copy(
  client: PoolClient,
  target: string,
  columns: readonly string[],
  lines: string,
): Promise<number> {
  try {
    const stream = client.query(copyFrom(`COPY ${target} (${columns.join(', ')}) FROM STDIN`));
    stream.end(lines);
    await finished(stream);
    return stream.rowCount;
  } catch (error) {
    throw toDatabaseError(error);
  }
}

/** A session of the pool had ended while it was idle: nothing was done on it, so another one can be taken. */
class NeverBegan extends Error {}

function isSessionGone(error: unknown): boolean {
  return error instanceof DatabaseError && /^(08|57P0)/.test(error.sqlstate);
}

/** A PostgreSQL server. Work outside a transaction may run on any of its sessions, several at once. */
export class PostgresDatabase implements Database {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async query<R = Row>(sql: string, params: readonly unknown[] = []): Promise<QueryResult<R>> {
    return this.#with((client) => run<R>(client, sql, params));
  }

  async exec(sql: string): Promise<void> {
    return this.#with((client) => runAll(client, sql));
  }

  async transaction<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#transaction(work);
      } catch (error) {
        if (!(error instanceof NeverBegan)) throw error;
        if (attempt === 3) throw error.cause;
      }
    }
  }

  async #transaction<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    return this.#with(async (client) => {
      try {
        await runAll(client, 'BEGIN');
      } catch (error) {
        throw isSessionGone(error) ? new NeverBegan('the session has ended', { cause: error }) : error;
      }
      let result: T;
      try {
        result = await work(new PostgresTransaction(client));
      } catch (error) {
        // A session that is lost has rolled back already.
        await client.query('ROLLBACK').catch(() => {});
        throw error;
      }
      await runAll(client, 'COMMIT');
      return result;
    });
  }

  async copyFrom(target: string, columns: readonly string[], lines: string): Promise<number> {
    return this.#with((client) => copy(client, target, columns, lines));
  }

  /**
   * Calls `onNotify` for each NOTIFY on a channel, on a session of its own, until the answered function is called.
   * When the session is lost it is made again; `onNotify` is called then too, since something may have been missed.
   */
  async listen(channel: string, onNotify: () => void): Promise<() => Promise<void>> {
    let stopped = false;
    let client: PoolClient | undefined;
    const again = (): void => {
      if (stopped) return;
      setTimeout(() => {
        if (stopped) return;
        start().then(onNotify, again);
      }, 500).unref();
    };
    const start = async (): Promise<void> => {
      const session = await this.#pool.connect();
      let gone = false;
      const lost = (error: Error): void => {
        if (gone) return;
        gone = true;
        if (client === session) client = undefined;
        session.release(error);
      };
      session.on('notification', (message) => {
        if (message.channel === channel) onNotify();
      });
      session.on('error', (error) => {
        const listening = client === session;
        lost(error);
        // Before it listened, the caller hears of it.
        if (listening) again();
      });
      try {
        await session.query(`LISTEN ${quoteIdentifier(channel)}`);
      } catch (error) {
        lost(error as Error);
        throw error;
      }
      if (gone) throw new Error('the session was lost');
      client = session;
      if (stopped) session.release(true);
    };
    await start();
    return async () => {
      stopped = true;
      // Not handed back: it listens.
      client?.release(true);
    };
  }

  /** A session for one user alone, until it is released; then it ends, and what it had open goes with it. */
  async reserve(): Promise<{
    query(sql: string): Promise<QueryResult<Row>>;
    release(): void;
  }> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw toDatabaseError(error);
    });
    client.on('error', () => {});
    return {
      query: (sql) => run<Row>(client, sql, []),
      release: () => client.release(true),
    };
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #with<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    let client: PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw toDatabaseError(error);
    }
    // node-postgres reports a session lost between two statements as an event, which would end the process.
    let lost: Error | undefined;
    const onError = (error: Error): void => {
      lost = error;
    };
    client.on('error', onError);
    try {
      return await work(client);
    } catch (error) {
      if (isSessionGone(error) || error instanceof NeverBegan) lost = error as Error;
      throw error;
    } finally {
      client.off('error', onError);
      client.release(lost);
    }
  }
}
