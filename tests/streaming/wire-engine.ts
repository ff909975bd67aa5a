/**
 * The stand-in of emulated-engine.ts behind PostgreSQL's protocol, so that the built program can be run against it: what it
 * sends, in which sessions, and what it makes of errors, slow views and lost connections. It refuses what the engine's
 * own source is known to refuse, answers only the simple protocol, and keeps journals of relations for feeds.
 */
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError } from '../../src/engines/connection.ts';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import type { PGliteDatabase } from '../../src/engines/pglite/connection.ts';
import {
  authenticationOk,
  commandComplete,
  errorMessage,
  parameterStatus,
  readyForQuery,
} from '../../src/serve/wire/backend-messages.ts';
import { BackendReader } from '../../src/serve/wire/backend-reader.ts';
import { FrameReader, MAX_MESSAGE, message, readText } from '../../src/serve/wire/frontend-frames.ts';
import { loadSqlParser } from '../../src/sql/parse.ts';
import { lacksOf } from '../../src/dialects/lacks-of.ts';
import type { StreamingEngine } from '../../src/streaming/dialect.ts';
import { catalogs, translate } from './emulated-engine.ts';

export interface WireEngineOptions {
  /** What `SELECT version()` says. */
  readonly version?: string;
  /** Refuses a login with this. */
  readonly refuse?: { readonly sqlstate: string; readonly message: string };
}

export interface WireEngine {
  readonly port: number;
  /** Every statement, in the order of its arrival, with the number of its session. */
  readonly sent: { readonly session: number; readonly sql: string }[];
  /** Called with each statement; what it throws is the engine's answer, `drop` cuts the connection. */
  before: (sql: string) => void | 'drop' | Promise<void>;
  /** Direct access to what is stored. */
  readonly db: PGliteDatabase;
  close(): Promise<void>;
}

interface Cursor {
  readonly relation: string;
  /** A snapshot that is still to be fetched. */
  snapshot: boolean;
  after: bigint;
  /** The object that was followed when the cursor was declared: one that takes its name later is another one. */
  readonly oid: number | null;
}

const versions: Readonly<Record<StreamingEngine, string>> = {
  risingwave: 'PostgreSQL 13.14.0-RisingWave-2.6.0 (0000000000000000000000000000000000000000)',
  materialize: 'PostgreSQL 9.5.0 on x86_64-unknown-linux-gnu (Materialize v0.160.0)',
};

export async function startWireEngine(
  engine: StreamingEngine,
  options: WireEngineOptions = {},
): Promise<WireEngine> {
  await loadSqlParser();
  const db = await openMemoryDatabase();
  await db.exec(catalogs[engine]);
  await db.exec('CREATE SCHEMA journal');
  const emulation = new Emulation(engine, db, options.version ?? versions[engine]);
  const sockets = new Set<Socket>();
  const wire: WireEngine = {
    port: 0,
    sent: [],
    before: () => {},
    db,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await db.close();
    },
  };
  let sessions = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    const session = new Session(++sessions, socket, emulation, wire, options);
    socket.on('data', (chunk) => void session.receive(chunk));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(wire, { port: (server.address() as AddressInfo).port });
}

class Session {
  readonly #number: number;
  readonly #socket: Socket;
  readonly #emulation: Emulation;
  readonly #wire: WireEngine;
  readonly #options: WireEngineOptions;
  readonly #frames = new FrameReader();
  readonly #cursors = new Map<string, Cursor>();
  #busy: Promise<void> = Promise.resolve();

  constructor(
    number: number,
    socket: Socket,
    emulation: Emulation,
    wire: WireEngine,
    options: WireEngineOptions,
  ) {
    this.#number = number;
    this.#socket = socket;
    this.#emulation = emulation;
    this.#wire = wire;
    this.#options = options;
  }

  async receive(chunk: Buffer): Promise<void> {
    this.#frames.push(chunk);
    for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
      const { type, body } = frame;
      if (type === '') this.#greet(body.readInt32BE(0));
      else if (type === 'X') this.#socket.end();
      else if (type === 'Q') {
        const [sql] = readText(body, 0);
        this.#busy = this.#busy.then(() => this.#query(sql));
      } else if (type === 'P') {
        const error = { sqlstate: 'XX000', message: 'the adapters use the simple protocol only' };
        this.#socket.write(Buffer.concat([errorMessage(error), readyForQuery('I')]));
      }
    }
    await this.#busy;
  }

  #greet(code: number): void {
    // SSLRequest, GSSENCRequest: not offered.
    if (code === 80877103 || code === 80877104) {
      this.#socket.write('N');
      return;
    }
    if (code === 80877102) {
      this.#socket.end();
      return;
    }
    this.#frames.started = true;
    this.#frames.limit = MAX_MESSAGE;
    if (this.#options.refuse !== undefined) {
      this.#socket.end(errorMessage(this.#options.refuse, 'FATAL'));
      return;
    }
    const reported = [
      parameterStatus('server_version', '13.14.0'),
      parameterStatus('client_encoding', 'UTF8'),
    ];
    this.#socket.write(Buffer.concat([authenticationOk, ...reported, readyForQuery('I')]));
  }

  async #query(sql: string): Promise<void> {
    this.#wire.sent.push({ session: this.#number, sql });
    let answer: Buffer;
    try {
      if ((await this.#wire.before(sql)) === 'drop') {
        this.#socket.destroy();
        return;
      }
      answer = await this.#emulation.answer(sql, this.#cursors);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const sqlstate = error instanceof DatabaseError ? error.sqlstate : 'XX000';
      answer = errorMessage({ sqlstate, message: error.message });
    }
    if (!this.#socket.destroyed) this.#socket.write(Buffer.concat([answer, readyForQuery('I')]));
  }
}

/** As RisingWave's parser says where: the line, and a caret below the place. */
function syntaxError(sql: string, offset: number): string {
  const before = sql.slice(0, offset).split('\n');
  const prefix = `LINE ${before.length}: `;
  const line = sql.split('\n')[before.length - 1]!;
  return `Failed to run the query\n\nCaused by:\n  sql parser error: \n${prefix}${line}\n${' '.repeat(prefix.length + before.at(-1)!.length)}^`;
}

class Emulation {
  readonly #engine: StreamingEngine;
  readonly #db: PGliteDatabase;
  readonly #version: string;
  readonly #made: string;
  readonly #kind: string;
  readonly #journals = new Map<string, string>();
  /** Relations by the quoted names of their subscriptions, where those do not tell. */
  readonly #subscribed = new Map<string, string>();
  #clock = 0n;

  constructor(engine: StreamingEngine, db: PGliteDatabase, version: string) {
    this.#engine = engine;
    this.#db = db;
    this.#version = version;
    this.#made = engine === 'risingwave' ? 'rw_catalog.made' : 'mz_catalog.made';
    this.#kind = engine === 'risingwave' ? 'materialized view' : 'materialized-view';
  }

  async answer(sql: string, cursors: Map<string, Cursor>): Promise<Buffer> {
    const text = sql.trim();
    if (/^(SET|BEGIN|COMMIT|ROLLBACK)\b/i.test(text)) {
      cursors.clear();
      return commandComplete(text.split(/\s/)[0]!.toUpperCase());
    }
    if (/^select version\(\) as version$/i.test(text))
      return this.#raw(`SELECT '${this.#version}' AS version`);
    const flush = /^FLUSH$/.test(text);
    if (flush && this.#engine === 'risingwave') {
      await this.#checkpoint();
      return commandComplete('FLUSH');
    }
    const declared = /^DECLARE "(\w+)" (?:SUBSCRIPTION )?CURSOR FOR ([\s\S]*)$/.exec(text);
    if (declared !== null) return this.#declare(declared[1]!, declared[2]!, cursors);
    const fetched = /^FETCH 1000 FROM "(\w+)" WITH \(timeout = '(\d+)s'\)$/.exec(text);
    if (fetched !== null) {
      const cursor = cursors.get(fetched[1]!);
      if (cursor === undefined) throw new Error(`Cannot find cursor "${fetched[1]}"`);
      return this.#fetch(cursor, Number(fetched[2]) * 1000);
    }
    if (this.#engine === 'risingwave' && /^ALTER SUBSCRIPTION .* SET RETENTION/.test(text)) {
      throw new Error(
        'Failed to run the query\n\nCaused by:\n  sql parser error: expected SCHEMA after SET, found: RETENTION',
      );
    }
    this.#refuseLacking(text);
    const subscription = /^CREATE SUBSCRIPTION ("[^"]+"\."[^"]+") FROM ("[^"]+"\."[^"]+") WITH /.exec(text);
    if (subscription !== null) {
      await this.#journal(subscription[2]!);
      this.#subscribed.set(subscription[1]!, subscription[2]!);
      await this.#db.exec(
        `CREATE VIEW ${subscription[1]} AS SELECT * FROM ${subscription[2]};
INSERT INTO ${this.#made} VALUES ('${subscription[1]}'::regclass, 'subscription')`,
      );
      return commandComplete('CREATE_SUBSCRIPTION');
    }
    const statements = translate(
      text.replace(/^(DROP|ALTER) SUBSCRIPTION/, '$1 MATERIALIZED VIEW'),
      this.#made,
      this.#kind,
    );
    let answer: Buffer = commandComplete('OK');
    for (const statement of statements) answer = await this.#raw(statement);
    if (/^(INSERT|UPDATE|DELETE)/.test(text)) await this.#checkpoint();
    return answer;
  }

  /** What the engine is known not to take, of what PostgreSQL would. */
  #refuseLacking(sql: string): void {
    if (/to_regclass|pg_attribute|pg_class|row_to_json|current_setting/i.test(sql))
      throw new Error(`function or relation not found in: ${sql.slice(0, 80)}`);
    const view = /^CREATE (MATERIALIZED )?VIEW [\s\S]*? AS\s([\s\S]*)$/.exec(sql);
    const query = view?.[2] ?? (/^(select|with|\()/i.test(sql) ? sql : undefined);
    if (query === undefined) return;
    const [lack] = lacksOf(this.#engine, query, { maintained: view !== null }).filter(
      ({ effect }) => effect === 'refused',
    );
    if (lack === undefined) return;
    // The parser's refusals come with the line and a caret; all bear XX000.
    if (lack.what.startsWith('a column called '))
      throw new Error(syntaxError(sql, sql.length - query.length + lack.offset));
    throw new Error(`Failed to run the query\n\nCaused by:\n  Feature is not yet implemented: ${lack.what}`);
  }

  /** Answers without the closing ReadyForQuery. */
  async #raw(sql: string): Promise<Buffer> {
    const chunks: Buffer[] = [];
    await this.#db.execProtocol(message('Q', sql), (chunk) => void chunks.push(Buffer.from(chunk)));
    return Buffer.concat(
      [...new BackendReader().push(Buffer.concat(chunks))]
        .filter(({ type }) => type !== 'Z')
        .map(({ bytes }) => bytes),
    );
  }

  /** The relation's changes from now on, each with the moment of a checkpoint. */
  async #journal(relation: string): Promise<string> {
    const known = this.#journals.get(relation);
    if (known !== undefined) return known;
    const name = `journal.j${this.#journals.size}`;
    await this.#db
      .exec(`CREATE TABLE ${name} AS SELECT 0::bigint AS at, 0 AS weight, t.* FROM ${relation} AS t WHERE false;
CREATE TABLE ${name}_state AS SELECT * FROM ${relation}`);
    this.#journals.set(relation, name);
    return name;
  }

  async #checkpoint(): Promise<void> {
    const now = BigInt(Date.now());
    this.#clock = now > this.#clock ? now : this.#clock + 1n;
    for (const [relation, name] of this.#journals) {
      const { rows } = await this.#db.query<{ there: boolean }>(
        `SELECT to_regclass('${relation}') IS NOT NULL AS there`,
      );
      if (!rows[0]!.there) continue;
      await this.#db
        .exec(`INSERT INTO ${name} SELECT ${this.#clock}, -1, d.* FROM (SELECT * FROM ${name}_state EXCEPT ALL SELECT * FROM ${relation}) AS d;
INSERT INTO ${name} SELECT ${this.#clock}, 1, d.* FROM (SELECT * FROM ${relation} EXCEPT ALL SELECT * FROM ${name}_state) AS d;
TRUNCATE ${name}_state; INSERT INTO ${name}_state SELECT * FROM ${relation}`);
    }
  }

  async #declare(name: string, rest: string, cursors: Map<string, Cursor>): Promise<Buffer> {
    const risingwave = /^("[^"]+")\.("[^"]+?") (FULL|SINCE (\d+))$/.exec(rest);
    const materialize =
      /^SUBSCRIBE \(SELECT \* FROM ("[^"]+"\."[^"]+")\) WITH \(PROGRESS(?:, SNAPSHOT = false\) AS OF (\d+)|\))$/.exec(
        rest,
      );
    const relation =
      risingwave === null
        ? materialize?.[1]
        : risingwave[2]!.endsWith('__changes"')
          ? `${risingwave[1]}.${risingwave[2]!.replace('__changes', '')}`
          : this.#subscribed.get(`${risingwave[1]}.${risingwave[2]}`);
    if (relation === undefined) throw new Error(`cannot declare: ${rest}`);
    const [there] = (
      await this.#db.query<{ oid: number | null }>(`SELECT to_regclass($1)::oid AS oid`, [relation])
    ).rows;
    await this.#journal(relation);
    await this.#checkpoint();
    const from = risingwave !== null ? risingwave[4] : materialize![2];
    cursors.set(name, {
      relation,
      snapshot: from === undefined,
      after: from === undefined ? this.#clock : BigInt(from) - (risingwave !== null ? 1n : 0n),
      oid: there?.oid ?? null,
    });
    return commandComplete('DECLARE_CURSOR');
  }

  async #fetch(cursor: Cursor, timeout: number): Promise<Buffer> {
    const { rows: found } = await this.#db.query<{ oid: number | null }>(
      `SELECT to_regclass($1)::oid AS oid`,
      [cursor.relation],
    );
    if (this.#engine === 'risingwave' && found[0]?.oid !== cursor.oid)
      throw new Error(`internal error: Cursor dependent table deleted: table_id is ${cursor.oid}`);
    const name = await this.#journal(cursor.relation);
    const columns = (
      await this.#db.query<{ name: string }>(
        `SELECT quote_ident(attname) AS name FROM pg_attribute WHERE attrelid = '${name}_state'::regclass AND attnum > 0 ORDER BY attnum`,
      )
    ).rows.map((row) => row.name);
    const rest = columns.join(', ');
    if (cursor.snapshot) {
      cursor.snapshot = false;
      return this.#raw(
        this.#engine === 'risingwave'
          ? `SELECT ${rest}, 'Insert' AS op, NULL::bigint AS rw_timestamp FROM ${name}_state`
          : `SELECT ${cursor.after}::numeric AS mz_timestamp, true AS mz_progressed, NULL::bigint AS mz_diff, s.* FROM (SELECT 1) AS one LEFT JOIN ${name}_state AS s ON false
UNION ALL SELECT ${cursor.after}, false, 1, s.* FROM ${name}_state AS s`,
      );
    }
    for (const until = Date.now() + timeout; ;) {
      await this.#checkpoint();
      const { rows } = await this.#db.query<{ n: number }>(
        `SELECT count(*)::integer AS n FROM ${name} WHERE at > ${cursor.after} AND at <= ${this.#clock}`,
      );
      if (rows[0]!.n > 0 || Date.now() >= until || this.#engine === 'materialize') break;
      await sleep(50);
    }
    const changes = `FROM ${name} AS j WHERE at > ${cursor.after} AND at <= ${this.#clock}`;
    const after = this.#clock;
    const answer = await this.#raw(
      this.#engine === 'risingwave'
        ? `SELECT ${rest}, CASE weight WHEN 1 THEN 'Insert' ELSE 'Delete' END AS op, at AS rw_timestamp ${changes} ORDER BY at, weight`
        : `SELECT at::numeric AS mz_timestamp, false AS mz_progressed, weight::bigint AS mz_diff, ${rest} ${changes}
UNION ALL SELECT ${after + 1n}, true, NULL, s.* FROM (SELECT 1) AS one LEFT JOIN ${name}_state AS s ON false`,
    );
    cursor.after = after;
    return answer;
  }
}
