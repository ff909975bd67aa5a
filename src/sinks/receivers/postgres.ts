/**
 * A table on a PostgreSQL server. The number of the batch is written in the same transaction as its rows, and a batch that
 * is there already is not applied again: exactly once. Another batch of a number that is there is one of a database that was restored
 * or cloned: it is refused.
 */
import { Client, DatabaseError } from 'pg';
import { segError } from '../../diagnostics/seg-error.ts';
import { isBuiltIn } from '../../sql/built-in-types.ts';
import { quoteIdentifier, quoteLiteral, quoteRelation } from '../../sql/quote.ts';
import type { Delivery, SinkRecord } from '../record.ts';
import { nameElements } from '../../json/exact-json.ts';
import { numberSetting, requiredSetting, textSetting } from '../sink.ts';
import { ReceiverError } from './receiver.ts';
import type { Failure, Receiver, ReceiverContext } from './receiver.ts';

interface Statement {
  readonly text: string;
  readonly values: string[];
}

/** Where the last batch of each sink stands, in the schema of its table. */
const PROGRESS = '_seg_sink_progress';

export function postgresReceiver(context: ReceiverContext): Receiver {
  const { sink, shape, instance } = context;
  const { settings, node } = sink;
  const connection = requiredSetting(sink, 'connection');
  const schema = textSetting(settings, 'schema') ?? 'public';
  const table = quoteRelation({ schema, name: requiredSetting(sink, 'table') });
  const progress = quoteRelation({ schema, name: PROGRESS });
  const keepNulls = textSetting(settings, 'nulls') === 'keep';
  const timeoutMs = numberSetting(settings, 'timeout', 60) * 1000;
  const names = shape.fields.map(({ name }) => name);
  const softDelete = typeof node.on_delete === 'object' ? node.on_delete : undefined;
  // What the table's columns are, once it is known.
  let there: ReadonlyMap<string, string> = new Map();
  const columns = [
    ...shape.fields.map(({ name, type }) => ({ name, type: columnType(type) })),
    ...Object.entries(softDelete ?? {})
      .filter(([name]) => !names.includes(name))
      .map(([name, value]) => ({ name, type: softType(value) })),
  ];
  if (shape.key.length === 0 && node.mode !== 'insert_only') {
    throw segError('SEG729', `sink "${sink.name}" needs a primary_key`, { at: node.at });
  }
  let client: Client | undefined;
  return {
    limits: { concurrency: 1, records: numberSetting(settings, 'batch_size', 5000) },
    async send(delivery) {
      const session = await connect();
      try {
        await session.query('BEGIN');
        await apply(session, delivery);
        await session.query('COMMIT');
        return [];
      } catch (error) {
        await session.query('ROLLBACK').catch(() => disconnect());
        throw failureOf(error);
      }
    },
    outgoing: (delivery) =>
      [progressStatement(delivery), ...statementsOf(delivery)].map(({ text, values }) => ({
        to: `table ${table}`,
        body: text,
        parameters: values,
      })),
    close: disconnect,
  };

  async function disconnect(): Promise<void> {
    const session = client;
    client = undefined;
    await session?.end().catch(() => {});
  }

  async function connect(): Promise<Client> {
    if (client !== undefined) return client;
    const made = new Client({
      connectionString: connection,
      application_name: `seg sink ${sink.name}`.slice(0, 63),
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
    });
    made.on('error', () => {
      if (client === made) client = undefined;
    });
    try {
      await made.connect();
      await prepare(made);
    } catch (error) {
      await made.end().catch(() => {});
      throw failureOf(error);
    }
    client = made;
    return made;
  }

  async function prepare(session: Client): Promise<void> {
    const key = shape.key.length === 0 ? '' : `, PRIMARY KEY (${shape.key.map(quoteIdentifier).join(', ')})`;
    const asked = await session.query<{
      schema: boolean;
      table: boolean;
      progress: boolean;
      message: boolean;
    }>(
      `SELECT to_regnamespace($1) IS NOT NULL AS schema, to_regclass($2) IS NOT NULL AS table, to_regclass($3) IS NOT NULL AS progress,
         EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass($3) AND attname = 'message') AS message`,
      [quoteIdentifier(schema), table, progress],
    );
    const found = asked.rows[0]!;
    // Asked first: who may write to a table need not have the right to make one.
    if (!found.schema) await session.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`);
    if (!found.table) {
      const list = columns.map(({ name, type }) => `${quoteIdentifier(name)} ${type}`).join(', ');
      await session.query(`CREATE TABLE IF NOT EXISTS ${table} (${list}${key})`);
    }
    if (!found.progress) {
      await session.query(
        `CREATE TABLE IF NOT EXISTS ${progress} (sink text PRIMARY KEY, instance text NOT NULL, batch bigint NOT NULL, at timestamptz NOT NULL, message text)`,
      );
    } else if (!found.message) {
      await session.query(`ALTER TABLE ${progress} ADD COLUMN IF NOT EXISTS message text`);
    }
    const types = await session.query<{ name: string; type: string }>(
      `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
       WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
      [table],
    );
    there = new Map(types.rows.map(({ name, type }) => [name, type]));
  }

  /** Rows of JSON as rows of these fields, called r. */
  function rowsOf(names: readonly string[]): string {
    const types = new Map(shape.fields.map(({ name, type }) => [name, type]));
    const list = names.map(
      (name) => `${quoteIdentifier(name)} ${recordType(types.get(name)!, there.get(name))}`,
    );
    return `json_to_recordset($1::json) AS r (${list.join(', ')})`;
  }

  async function apply(session: Client, delivery: Delivery): Promise<void> {
    const { rowCount } = await session.query(progressStatement(delivery));
    if (rowCount === 0) return checkRepeated(session, delivery);
    for (const statement of statementsOf(delivery)) await session.query(statement);
  }

  function progressStatement(delivery: Delivery): Statement {
    return {
      text: `INSERT INTO ${progress} AS p (sink, instance, batch, at, message) VALUES ($1, $2, $3, clock_timestamp(), $4)
       ON CONFLICT (sink) DO UPDATE SET instance = excluded.instance, batch = excluded.batch, at = excluded.at, message = excluded.message
       WHERE p.instance <> excluded.instance OR p.batch < excluded.batch`,
      values: [node.unique_id, instance, delivery.number, delivery.id],
    };
  }

  function statementsOf({ records }: Delivery): Statement[] {
    const written = records.filter(({ op }) => op !== 'delete');
    const gone = records.filter(({ op }) => op === 'delete');
    return [...(gone.length > 0 ? [remove(gone)] : []), ...(written.length > 0 ? write(written) : [])];
  }

  /** The same batch once more is done. Any other of a number that the receiver has is not this database's own past. */
  async function checkRepeated(session: Client, delivery: Delivery): Promise<void> {
    const { rows } = await session.query<{ batch: string; message: string | null }>(
      `SELECT batch::text AS batch, message FROM ${progress} WHERE sink = $1`,
      [node.unique_id],
    );
    const { batch, message } = rows[0]!;
    if (batch === delivery.number && (message === null || message === delivery.id)) return;
    throw new ReceiverError(
      'down',
      `the receiver has batch ${batch} of this sink, and batch ${delivery.number} of this database is another one than it knows: ` +
        `the database was restored from a backup, or is a copy whose original goes on. Nothing was sent. ` +
        `"seg sync ${sink.name} --full-resync" sends everything from here; a copy must have a receiver of its own`,
    );
  }

  function write(records: readonly SinkRecord[]): Statement[] {
    const rows = rowsOf(names);
    const list = names.map(quoteIdentifier);
    const json = `[${records.map(({ row }) => row).join(',')}]`;
    const others = names.filter((name) => !shape.key.includes(name));
    const value = (name: string, from: string): string =>
      keepNulls
        ? `${quoteIdentifier(name)} = coalesce(${from}.${quoteIdentifier(name)}, t.${quoteIdentifier(name)})`
        : `${quoteIdentifier(name)} = ${from}.${quoteIdentifier(name)}`;
    if (node.mode === 'update_only') {
      if (others.length === 0) return [];
      const sets = others.map((name) => value(name, 'r')).join(', ');
      return [
        { text: `UPDATE ${table} AS t SET ${sets} FROM ${rows} WHERE ${sameKey('r')}`, values: [json] },
      ];
    }
    const revived = Object.keys(softDelete ?? {})
      .filter((name) => !names.includes(name))
      .map((name) => `${quoteIdentifier(name)} = NULL`);
    const updates = [...others.map((name) => value(name, 'excluded')), ...revived];
    const conflict =
      shape.key.length === 0
        ? ''
        : ` ON CONFLICT (${shape.key.map(quoteIdentifier).join(', ')}) ` +
          (node.mode === 'insert_only' || updates.length === 0
            ? 'DO NOTHING'
            : `DO UPDATE SET ${updates.join(', ')}`);
    const text = `INSERT INTO ${table} AS t (${list.join(', ')}) SELECT ${list.map((name) => `r.${name}`).join(', ')} FROM ${rows}${conflict}`;
    return [{ text, values: [json] }];
  }

  function remove(records: readonly SinkRecord[]): Statement {
    const keys = rowsOf(shape.key);
    const json = `[${records.map(({ key }) => nameElements(key, shape.key)).join(',')}]`;
    if (softDelete === undefined) {
      return { text: `DELETE FROM ${table} AS t USING ${keys} WHERE ${sameKey('r')}`, values: [json] };
    }
    const sets = Object.entries(softDelete).map(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return `${quoteIdentifier(name)} = ${value === null ? 'NULL' : quoteLiteral(text)}`;
    });
    const text = `UPDATE ${table} AS t SET ${sets.join(', ')} FROM ${keys} WHERE ${sameKey('r')}`;
    return { text, values: [json] };
  }

  function sameKey(other: string): string {
    return shape.key
      .map((name) => `t.${quoteIdentifier(name)} = ${other}.${quoteIdentifier(name)}`)
      .join(' AND ');
  }
}

/** Types that only this database has (enums, domains, types of extensions) are text at the receiver. */
function columnType(type: string): string {
  // Without a length these two would be of one character and one bit.
  const wide = type.replace(/^character(?=\[|$)/, 'bpchar').replace(/^bit(?=\[|$)/, 'bit varying');
  return wide !== type || isBuiltIn(type) ? wide : 'text';
}

/** Types of which PostgreSQL makes whatever type a column of the table has; other values are read as that type. */
const ASSIGNED =
  /^(bigint|integer|smallint|boolean|text|uuid|jsonb?|date|bytea|real|double precision|inet|cidr|numeric|character varying|time(stamp)? with(out)? time zone|interval)(\[\])?$/;

function recordType(type: string, there: string | undefined): string {
  return ASSIGNED.test(type) ? type : (there ?? columnType(type));
}

function softType(value: unknown): string {
  return typeof value === 'boolean' ? 'boolean' : typeof value === 'number' ? 'numeric' : 'text';
}

/** By SQLSTATE: data (22, 23) is the records' fault; what is not there or not allowed must be mended; the rest passes. */
function failureOf(error: unknown): ReceiverError {
  if (error instanceof ReceiverError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof DatabaseError))
    return new ReceiverError('again', message || 'no connection', { cause: error });
  const code = error.code ?? '';
  const failure: Failure = /^2[23]/.test(code)
    ? 'refused'
    : /^(42|28|3D|3F|0A|25006)/.test(code)
      ? 'down'
      : 'again';
  const detail = error.detail === undefined ? '' : ` (${error.detail})`;
  return new ReceiverError(failure, `${message}${detail} [${code}]`, { cause: error });
}
