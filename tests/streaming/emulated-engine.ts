/**
 * A stand-in for a streaming engine: PGlite behind the statements of the engine's dialect. Materialized views are plain views,
 * which are as fresh as the engine's, and whose readers hold on to them by id and not by name, as the engine's do: what a
 * deployment forgets to make again goes on reading the old view here too. It proves what seg does, not what the engine
 * accepts; the parsers and the conformance suite are there for that.
 */
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { DatabaseError } from '../../src/engines/connection.ts';
import type { Connection, QueryResult, Row } from '../../src/engines/connection.ts';
import type { StreamingEngine } from '../../src/streaming/dialect.ts';

export interface EmulatedEngine extends Connection {
  /** Every statement as it was sent, without questions to the catalog. */
  readonly sent: string[];
  /** Called with each statement; what it throws is the engine's answer. */
  before: (sql: string) => void;
  close(): Promise<void>;
}

export const catalogs: Readonly<Record<StreamingEngine, string>> = {
  risingwave: `
    CREATE SCHEMA rw_catalog;
    CREATE TABLE rw_catalog.made (oid oid, kind text);
    CREATE VIEW rw_catalog.rw_schemas AS SELECT oid AS id, nspname::text AS name FROM pg_namespace;
    CREATE VIEW rw_catalog.rw_relations AS
      SELECT c.oid AS id, c.relname::text AS name, c.relnamespace AS schema_id,
             coalesce(m.kind, CASE c.relkind WHEN 'r' THEN 'table' WHEN 'i' THEN 'index' ELSE 'view' END) AS relation_type
      FROM pg_class c LEFT JOIN rw_catalog.made m ON m.oid = c.oid WHERE c.relkind IN ('r', 'v', 'i');
    CREATE VIEW rw_catalog.rw_ddl_progress AS SELECT 1 AS ddl_id, ''::text AS ddl_statement, ''::text AS progress WHERE false;
    CREATE VIEW rw_catalog.rw_columns AS
      SELECT attrelid AS relation_id, attname::text AS name, format_type(atttypid, atttypmod) AS data_type,
             attnum AS "position", false AS is_hidden
      FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped;
    CREATE SCHEMA functions;
    CREATE FUNCTION functions.keep_first(anyelement, anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1';
    CREATE AGGREGATE functions.first_value(anyelement) (SFUNC = functions.keep_first, STYPE = anyelement);
    SET search_path = functions, pg_catalog, public;`,
  materialize: `
    CREATE SCHEMA mz_catalog; CREATE SCHEMA mz_internal;
    CREATE TABLE mz_catalog.made (oid oid, kind text);
    CREATE VIEW mz_catalog.mz_databases AS SELECT 1 AS id, current_database()::text AS name;
    CREATE VIEW mz_catalog.mz_schemas AS SELECT oid AS id, nspname::text AS name, 1 AS database_id FROM pg_namespace;
    CREATE VIEW mz_catalog.mz_objects AS
      SELECT c.oid AS id, c.relname::text AS name, c.relnamespace AS schema_id,
             coalesce(m.kind, CASE c.relkind WHEN 'r' THEN 'table' WHEN 'i' THEN 'index' ELSE 'view' END) AS type
      FROM pg_class c LEFT JOIN mz_catalog.made m ON m.oid = c.oid WHERE c.relkind IN ('r', 'v', 'i');
    CREATE VIEW mz_catalog.mz_columns AS
      SELECT attrelid AS id, attname::text AS name, format_type(atttypid, atttypmod) AS type, attnum AS position
      FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped;
    CREATE VIEW mz_internal.mz_hydration_statuses AS SELECT id AS object_id, true AS hydrated FROM mz_catalog.mz_objects;
    CREATE FUNCTION public.mz_now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT now()';`,
};

export async function emulatedEngine(engine: StreamingEngine): Promise<EmulatedEngine> {
  const db = await openMemoryDatabase();
  await db.exec(catalogs[engine]);
  const made = engine === 'risingwave' ? 'rw_catalog.made' : 'mz_catalog.made';
  const kind = engine === 'risingwave' ? 'materialized view' : 'materialized-view';
  const emulated: EmulatedEngine = {
    sent: [],
    before: () => {},
    async query<R = Row>(sql: string, params?: readonly unknown[]): Promise<QueryResult<R>> {
      if (!/rw_catalog|mz_catalog|mz_internal/.test(sql)) emulated.sent.push(sql);
      emulated.before(sql);
      return db.query<R>(sql, params);
    },
    async exec(sql: string): Promise<void> {
      emulated.sent.push(sql);
      emulated.before(sql);
      for (const statement of translate(sql, made, kind)) await db.exec(statement);
    },
    async transaction(work) {
      if (engine === 'risingwave') throw new Error('RisingWave has no transactions');
      await emulated.exec('BEGIN');
      const result = await work(emulated);
      await emulated.exec('COMMIT');
      return result;
    },
    copyFrom: () => Promise.reject(new Error('a streaming engine has no COPY')),
    close: () => db.close(),
  };
  return emulated;
}

/** The engine's error for everything PostgreSQL would accept and it would not. */
function refuse(message: string): never {
  throw new DatabaseError(`Failed to run the query\n\nCaused by:\n  ${message}`, { sqlstate: 'XX000' });
}

/** The statements that PGlite gets for one of the engine. @throws DatabaseError for what the engine does not take */
export function translate(sql: string, made: string, kind: string): string[] {
  // PostgreSQL has no index on the views that stand for materialized ones.
  if (/^FLUSH$|^CREATE INDEX /.test(sql)) return [];
  if (/^DROP SCHEMA /.test(sql)) return [sql];
  if (/ON CONFLICT \(|CREATE OR REPLACE|\bCASCADE\b|^TRUNCATE/i.test(sql))
    refuse(`not supported: ${sql.slice(0, 60)}`);
  if (made.startsWith('rw') && /\(\s*"?\w+"? (uuid|varchar\(|numeric\(|text\b)/i.test(sql))
    refuse('unsupported data type');
  const connector = connectorStatements(sql, made);
  if (connector !== undefined) return connector;
  const view =
    /^CREATE MATERIALIZED VIEW ("[^"]+"\."[^"]+")(?: IN CLUSTER "[^"]+")?(?: WITH \([^)]*\))? AS\s([\s\S]*)$/.exec(
      sql,
    );
  if (view !== null) {
    return [
      `CREATE VIEW ${view[1]} AS ${view[2]}`,
      `INSERT INTO ${made} VALUES ('${view[1]!.replaceAll("'", "''")}'::regclass, '${kind}')`,
    ];
  }
  const table =
    /^(CREATE TABLE "[\s\S]*?)(?: ON CONFLICT (DO NOTHING|OVERWRITE)| WITH \(RETAIN HISTORY[^)]*\))?$/.exec(
      sql,
    );
  if (table !== null) {
    const name = /^CREATE TABLE ("[^"]+"\."[^"]+")/.exec(sql)![1]!;
    const columns = [...sql.matchAll(/^ {2}("[^"]+") /gm)].map((match) => match[1]!);
    const key = /PRIMARY KEY \(([^)]*)\)/.exec(sql)?.[1];
    if (table[2] === undefined || key === undefined) return [table[1]!];
    const action =
      table[2] === 'DO NOTHING'
        ? 'DO INSTEAD NOTHING'
        : `DO INSTEAD UPDATE ${name} SET ${columns.map((column) => `${column} = NEW.${column}`).join(', ')} WHERE ${key
            .split(', ')
            .map((column) => `${column} = NEW.${column}`)
            .join(' AND ')}`;
    const same = key
      .split(', ')
      .map((column) => `t.${column} = NEW.${column}`)
      .join(' AND ');
    return [
      table[1]!,
      `CREATE RULE conflict AS ON INSERT TO ${name} WHERE EXISTS (SELECT FROM ${name} AS t WHERE ${same}) ${action}`,
    ];
  }
  const drop = /^DROP MATERIALIZED VIEW IF EXISTS ([\s\S]*)$/.exec(sql);
  if (drop !== null)
    return [
      `DROP VIEW IF EXISTS ${drop[1]}`,
      `DELETE FROM ${made} WHERE oid NOT IN (SELECT oid FROM pg_class)`,
    ];
  const swap =
    /^ALTER (TABLE|VIEW|MATERIALIZED VIEW|SOURCE|SINK) ("[^"]+")\.("[^"]+") SWAP WITH ("[^"]+")\.("[^"]+")$/.exec(
      sql,
    );
  if (swap !== null) {
    const word = swap[1] === 'TABLE' || swap[1] === 'SOURCE' ? 'TABLE' : 'VIEW';
    return [
      `ALTER ${word} ${swap[2]}.${swap[3]} RENAME TO swapping`,
      `ALTER ${word} ${swap[4]}.${swap[5]} RENAME TO ${swap[3]}`,
      `ALTER ${word} ${swap[2]}.swapping RENAME TO ${swap[5]}`,
    ];
  }
  if (/^ALTER MATERIALIZED VIEW .* SET \(RETAIN HISTORY/.test(sql)) return [];
  return [
    sql
      .replace(/^ALTER (MATERIALIZED VIEW|SINK)/, 'ALTER VIEW')
      .replace(/^(ALTER|DROP) (SOURCE|SECRET|CONNECTION)/, '$1 TABLE')
      .replace(/^DROP SINK/, 'DROP VIEW'),
  ];
}

/** Connectors as tables that nothing fills, and sinks as views that hold on to what they read. */
function connectorStatements(sql: string, made: string): string[] | undefined {
  if (
    /^ALTER (TABLE|SOURCE|SINK) [\s\S]* CONNECTOR WITH \(|^ALTER (CONNECTION|SECRET) (?![\s\S]* RENAME TO )/.test(
      sql,
    )
  )
    return [];
  const turned = /^ALTER SINK ("[^"]+"\."[^"]+") SET FROM ("[^"]+"\."[^"]+")$/.exec(sql);
  if (turned !== null) return [`CREATE OR REPLACE VIEW ${turned[1]} AS SELECT * FROM ${turned[2]}`];
  const created = /^CREATE (TABLE|SOURCE|SECRET|CONNECTION|SINK) ("[^"]+"\."[^"]+") ([\s\S]*)$/.exec(sql);
  if (created === null) return undefined;
  const [, word, name, rest] = created as unknown as [string, string, string, string];
  const mark = (of: string, kind: string): string =>
    `INSERT INTO ${made} VALUES ('${of}'::regclass, '${kind}')`;
  if (word === 'SECRET' || word === 'CONNECTION')
    return [`CREATE TABLE ${name} ()`, mark(name, word.toLowerCase())];
  if (word === 'SINK') {
    const query =
      /^AS\n([\s\S]*)\nWITH \(/.exec(rest)?.[1] ??
      `SELECT * FROM ${/FROM ("[^"]+"\."[^"]+")/.exec(rest)![1]}`;
    return [`CREATE VIEW ${name} AS ${query}`, mark(name, 'sink')];
  }
  if (/FROM (KAFKA|WEBHOOK|POSTGRES|LOAD GENERATOR)/.test(rest)) {
    const columns = rest.includes('FROM KAFKA')
      ? 'data jsonb, "partition" integer, "offset" numeric, arrived_at timestamp'
      : rest.includes('FROM WEBHOOK')
        ? 'body jsonb'
        : 'id integer, v text';
    const part = / AS ("[^"]+"\."[^"]+")\)$/.exec(rest)?.[1];
    return [
      `CREATE TABLE ${name} (${columns})`,
      mark(name, 'source'),
      ...(part === undefined ? [] : [`CREATE TABLE ${part} (${columns})`, mark(part, 'source')]),
    ];
  }
  if (!/\bWITH \(\s*connector = /.test(rest) && !/\) FROM "/.test(rest)) return undefined;
  const included = [...rest.matchAll(/^INCLUDE (\w+) AS ("\w+")/gm)].map(
    ([, what, as]) =>
      `${as} ${what === 'payload' ? 'jsonb' : what === 'timestamp' ? 'timestamptz' : 'varchar'}`,
  );
  const columns = /^\(([\s\S]*?)\)(?=\nINCLUDE|\nWITH|\s+FROM)/.exec(rest)?.[1] ?? '';
  return [
    `CREATE TABLE ${name} (${[columns, ...included].filter((part) => part.trim() !== '').join(', ')})`,
    ...(word === 'SOURCE' ? [mark(name, 'source')] : []),
  ];
}
