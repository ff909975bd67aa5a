/** What seg needs of a client of PostgreSQL; PGlite and `pg` both satisfy it through an adapter. */

export interface Field {
  readonly name: string;
  readonly typeOid: number;
}

export interface QueryResult<R> {
  readonly rows: R[];
  /** Rows written by INSERT, UPDATE, DELETE, MERGE; rows returned by SELECT. */
  readonly rowCount: number;
  readonly fields: readonly Field[];
}

export type Row = Record<string, unknown>;

/**
 * A session. Values arrive the same from every client: boolean; int2, int4, oid and floats as number; int8 as number
 * when safe, else bigint; json and jsonb parsed (numbers that
 * JavaScript would print with other digits as JsonNumber); NULL as null; everything else (numeric, timestamps, dates, uuid,
 * arrays, bytea ...) as PostgreSQL's text. Where exact JSON is wanted, ask SQL for it (`to_jsonb(t)::text`).
 * The session runs with TimeZone = UTC, DateStyle = ISO, IntervalStyle = postgres, extra_float_digits = 1.
 */
export interface Connection {
  /** One statement, with bind parameters $1.. (JS values; objects are sent as JSON). Throws a DatabaseError. */
  query<R = Row>(sql: string, params?: readonly unknown[]): Promise<QueryResult<R>>;
  /** Any number of statements, without parameters or results. */
  exec(sql: string): Promise<void>;
  /**
   * Runs `work` in a transaction, or in a savepoint when the connection is inside one already: commits when it
   * returns, rolls back when it throws (and rethrows). Only the connection handed to `work` may be used meanwhile.
   */
  transaction<T>(work: (tx: Connection) => Promise<T>): Promise<T>;
  /**
   * `COPY target (columns) FROM STDIN` in text format; `lines` are complete lines of COPY text, newline included
   * (`copy-text.ts` writes them). Answers the number of rows.
   */
  copyFrom(target: string, columns: readonly string[], lines: string): Promise<number>;
}

/** An open database: the session plus what its owner must do with it. */
export interface Database extends Connection {
  close(): Promise<void>;
}

/** An error reported by PostgreSQL, the same from every client. */
export class DatabaseError extends Error {
  readonly sqlstate: string;
  readonly detail?: string;
  readonly hint?: string;
  /** 1-based character position in the SQL text sent, when the server says so. */
  readonly position?: number;
  /** PL/pgSQL context lines, which name the program and the step. */
  readonly context?: string;
  /** The session has ended over it, and with it the transaction. */
  readonly fatal: boolean;
  /** The relation that the error is about, when the server says so. */
  readonly schema?: string;
  readonly table?: string;

  constructor(
    message: string,
    fields: {
      sqlstate: string;
      detail?: string;
      hint?: string;
      position?: number;
      context?: string;
      fatal?: boolean;
      schema?: string;
      table?: string;
      cause?: unknown;
    },
  ) {
    super(message, { cause: fields.cause });
    this.name = 'DatabaseError';
    this.sqlstate = fields.sqlstate;
    this.detail = fields.detail;
    this.hint = fields.hint;
    this.position = fields.position;
    this.context = fields.context;
    this.fatal = fields.fatal === true;
    this.schema = fields.schema;
    this.table = fields.table;
  }
}
