/**
 * Records into the table of a source on a streaming engine. There is no transaction and no COPY (RisingWave), no key and no
 * conflict (Materialize), so a batch is one INSERT of many rows, which both engines take in whole or not at all; known
 * keys are looked up first, to count them and to keep Materialize's log short.
 */
import { BadValue } from '../connectors/bad-value.ts';
import { rejection } from '../connectors/ingest.ts';
import type { RecordDoor, Rejection, Taken } from '../connectors/ingest.ts';
import type { RawRecord } from '../connectors/formats/raw-record.ts';
import type { RecordMapper, RowValues } from '../connectors/record-mapper.ts';
import { planSource } from '../connectors/source-plan.ts';
import type { SourcePlan } from '../connectors/source-plan.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { Connection } from '../engines/connection.ts';
import type { RelationName } from '../ivm/catalog.ts';
import type { Project } from '../project/load.ts';
import type { SourceNode } from '../project/nodes.ts';
import { quoteIdentifier, quoteText, quoteRelation } from '../sql/quote.ts';
import { dialectOf } from './dialect-of.ts';
import { stateSchemaOf } from '../deploy/spec.ts';
import { rejectedRelation } from './desired-node.ts';
import { fitterFor } from './fit-value.ts';
import { PositionRange } from './position-range.ts';
import type { Dialect } from './dialect.ts';
import { engineMessage } from './engine-error.ts';
import { LOG_POSITION, logTable } from './materialize.ts';
import { valuesOf } from '../json/member-order.ts';

const ROWS_A_STATEMENT = 1000;
const HOPELESS_AFTER = 25;

export class StreamingDoor implements RecordDoor {
  readonly #db: Connection;
  readonly #dialect: Dialect;
  readonly #plan: SourcePlan;
  readonly #origin: string;
  readonly #relation: RelationName;
  /** Where rows are written: the source's table, or its log. */
  readonly #target: RelationName;
  readonly #logged: boolean;
  /** Quoted names and types of what is written, generated columns last. */
  readonly #columns: readonly { readonly name: string; readonly type: string }[];
  readonly #positions: readonly number[];
  readonly #range: PositionRange | undefined;
  readonly #fit: readonly (((text: string) => string) | undefined)[];
  /** Keys written by this process that a look-up may not see yet. */
  readonly #recent = new Set<string>();
  #failures = 0;

  constructor(
    db: Connection,
    dialect: Dialect,
    source: SourceNode,
    plan: SourcePlan,
    options: { readonly origin: string; readonly stateSchema: string },
  ) {
    this.#db = db;
    this.#dialect = dialect;
    this.#plan = plan;
    this.#origin = options.origin;
    this.#relation = { schema: source.schema, name: source.identifier };
    this.#logged = dialect.engine === 'materialize' && plan.key.length > 0;
    this.#target = this.#logged ? logTable(this.#relation) : this.#relation;
    const generated = valuesOf(source.columns).filter((column) => column.generated !== undefined);
    const written = [
      ...plan.columns.map((column) => ({ name: column.name, type: column.declaredType })),
      ...generated.map((column) => ({
        name: column.name,
        type: column.data_type ?? (column.generated === 'position' ? 'bigint' : 'timestamptz'),
      })),
      ...(this.#logged ? [{ name: LOG_POSITION, type: 'bigint' }] : []),
    ];
    this.#columns = written.map(({ name, type }) => ({
      name: quoteIdentifier(name),
      type: dialect.columnType(type),
    }));
    const isPosition = [
      ...generated.map((column) => column.generated === 'position'),
      ...(this.#logged ? [true] : []),
    ];
    this.#positions = isPosition.flatMap((position, i) => (position ? [plan.columns.length + i] : []));
    this.#fit = plan.columns.map((column) => fitterFor(column.declaredType, dialect.title));
    this.#range =
      this.#positions.length === 0
        ? undefined
        : new PositionRange(db, dialect, options.stateSchema, quoteRelation(this.#relation), () =>
            this.#lastPosition(),
          );
  }

  async take(records: readonly RawRecord[], mapper: RecordMapper): Promise<Taken> {
    const rows: { values: RowValues; raw: RawRecord }[] = [];
    const rejections: Rejection[] = [];
    for (const raw of records) {
      try {
        const values = mapper.map(raw);
        if (values !== null) rows.push({ values: this.#fitted(values), raw });
      } catch (error) {
        if (!(error instanceof BadValue)) throw error;
        rejections.push(rejection(raw, error.reason));
      }
    }
    const fresh = await this.#fresh(rows);
    let accepted = 0;
    for (let start = 0; start < fresh.length; start += ROWS_A_STATEMENT)
      accepted += await this.#write(fresh.slice(start, start + ROWS_A_STATEMENT), rejections);
    await this.#bury(rejections);
    const refused = fresh.length - accepted;
    return { accepted, duplicate: rows.length - accepted - refused, rejections };
  }

  /** Makes all that was taken visible and durable. */
  async flush(): Promise<void> {
    if (this.#dialect.flush !== null) await this.#db.exec(this.#dialect.flush);
  }

  async finish(): Promise<void> {
    await this.flush();
    await this.#range?.release();
  }

  /** @throws BadValue for what the engine does not hold */
  #fitted(values: RowValues): RowValues {
    return values.map((value, i) => {
      const fit = this.#fit[i];
      if (fit === undefined || value === null) return value;
      try {
        return fit(value);
      } catch (error) {
        if (!(error instanceof BadValue)) throw error;
        throw new BadValue(`column ${JSON.stringify(this.#plan.columns[i]!.name)}: ${error.reason}`);
      }
    });
  }

  /** Rows that are not known yet: by key, in the batch, in this process, and in the table. */
  async #fresh<R extends { readonly values: RowValues }>(rows: readonly R[]): Promise<R[]> {
    const { key, onConflict } = this.#plan;
    if (key.length === 0) return [...rows];
    const keyOf = ({ values }: R): string => JSON.stringify(key.map((i) => values[i]));
    const latest = new Map<string, R>();
    for (const row of rows) {
      const id = keyOf(row);
      if (onConflict === 'upsert') latest.delete(id);
      if (onConflict === 'upsert' || !latest.has(id)) latest.set(id, row);
    }
    if (onConflict === 'upsert') return [...latest.values()];
    for (const id of latest.keys()) if (this.#recent.has(id)) latest.delete(id);
    for (const id of await this.#known(
      [...latest.values()].map(({ values }) => key.map((i) => values[i] ?? null)),
    ))
      latest.delete(id);
    for (const id of latest.keys()) this.#recent.add(id);
    return [...latest.values()];
  }

  /** Which of these keys the table shows, as the JSON of their texts. */
  async #known(keys: readonly (string | null)[][]): Promise<string[]> {
    const { key, columns } = this.#plan;
    const found: string[] = [];
    for (let start = 0; start < keys.length; start += ROWS_A_STATEMENT) {
      const names = key.map((i) => quoteIdentifier(columns[i]!.name));
      const types = key.map((i) => this.#columns[i]!.type);
      const values = keys
        .slice(start, start + ROWS_A_STATEMENT)
        .map((of) => `(${of.map((text, i) => literal(text, types[i]!)).join(', ')})`);
      // A join, since not every engine knows IN with rows of several columns.
      const { rows } = await this.#db.query<Record<string, string | null>>(
        `SELECT ${names.map((_, i) => `asked.k${i}::${this.#dialect.columnType('text')} AS k${i}`).join(', ')}
FROM (VALUES ${values.join(', ')}) AS asked (${names.map((_, i) => `k${i}`).join(', ')})
JOIN ${quoteRelation(this.#relation)} AS known ON ${names.map((name, i) => `known.${name} = asked.k${i}`).join(' AND ')}`,
      );
      for (const row of rows) found.push(JSON.stringify(key.map((_, i) => row[`k${i}`] ?? null)));
    }
    return found;
  }

  /** One INSERT; when the engine refuses it, the halves of it, down to the record that is at fault. */
  async #write(
    rows: readonly { values: RowValues; raw: RawRecord }[],
    rejections: Rejection[],
  ): Promise<number> {
    if (rows.length === 0) return 0;
    let next = (await this.#range?.take(rows.length)) ?? 1n;
    const at = new Date().toISOString();
    const tuples = rows.map(({ values }) => {
      const position = String(next++);
      const all = this.#columns.map((_, i) =>
        i < values.length ? values[i]! : this.#positions.includes(i) ? position : at,
      );
      return `(${all.map((value, i) => literal(value, this.#columns[i]!.type)).join(', ')})`;
    });
    try {
      await this.#db.exec(
        `INSERT INTO ${quoteRelation(this.#target)} (${this.#columns.map(({ name }) => name).join(', ')}) VALUES\n${tuples.join(',\n')}`,
      );
      this.#failures = 0;
      return rows.length;
    } catch (error) {
      if (!(error instanceof DatabaseError) || /^(08|57)/.test(error.sqlstate)) throw error;
      if (rows.length > 1) {
        const middle = rows.length >> 1;
        const left = await this.#write(rows.slice(0, middle), rejections);
        return left + (await this.#write(rows.slice(middle), rejections));
      }
      this.#failures++;
      if (this.#failures >= HOPELESS_AFTER) {
        throw segError(
          'SEG506',
          `${this.#dialect.title} refuses ${HOPELESS_AFTER} records in a row: ${engineMessage(error)}`,
          { hint: 'Is the source deployed as it is declared? Run "seg run".', exitCode: 1, cause: error },
        );
      }
      rejections.push(rejection(rows[0]!.raw, valueMessage(error, this.#dialect.title)));
      return 0;
    }
  }

  /** Arrival order goes on from the last record that the table shows. */
  async #lastPosition(): Promise<bigint> {
    const [column] = this.#positions;
    if (this.#dialect.flush !== null) await this.#db.exec(this.#dialect.flush);
    const { rows } = await this.#db.query<{ last: string | number | bigint | null }>(
      `SELECT max(${this.#columns[column!]!.name}) AS last FROM ${quoteRelation(this.#target)}`,
    );
    return BigInt(rows[0]?.last ?? 0);
  }

  async #bury(rejections: readonly Rejection[]): Promise<void> {
    if (rejections.length === 0) return;
    const at = new Date().toISOString();
    const values = rejections.map(
      ({ line, reason, payload }) =>
        `(${[literal(at, 'timestamptz'), quoteText(this.#origin), literal(String(line), 'bigint'), quoteText(reason), quoteText(payload)].join(', ')})`,
    );
    await this.#db.exec(
      `INSERT INTO ${quoteRelation(rejectedRelation(this.#relation))} (rejected_at, origin, line, reason, payload) VALUES\n${values.join(',\n')}`,
    );
  }
}

/** The way into a source's table on a streaming engine; undefined for the Postgres family. */
export function streamingDoor(
  db: Connection,
  project: Pick<Project, 'target'>,
  source: SourceNode,
  origin: string,
): StreamingDoor | undefined {
  const dialect = dialectOf(project.target);
  if (dialect !== undefined && source.connector !== null) {
    throw segError(
      'SEG520',
      `source "${source.source_name}.${source.name}" is filled by its ${JSON.stringify(source.connector['type'])} connector: seg does not write into it`,
      { at: source.at, hint: 'Send the records where the connector takes them from.' },
    );
  }
  return dialect === undefined
    ? undefined
    : new StreamingDoor(db, dialect, source, planSource(source), {
        origin,
        stateSchema: stateSchemaOf(project),
      });
}

/** The engine's reason without the expression that it computed. */
function valueMessage(error: DatabaseError, title: string): string {
  const reason = engineMessage(error).replace(/^.*error while evaluating expression `[\s\S]*`:\s*/, '');
  return `${title} does not take it: ${reason}`;
}

/** A value with its type, since the rows of VALUES are brought to one type before they meet the table's. */
export function literal(value: string | null, type: string): string {
  if (value === null) return `NULL::${type}`;
  return `${quoteText(value)}::${type}`;
}
