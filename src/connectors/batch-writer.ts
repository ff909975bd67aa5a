/**
 * Writes mapped records into a source's table, the whole batch by ONE statement, because every statement on a source
 * runs the maintenance of all models above it.
 *
 * How a batch travels was measured (PGlite 0.5.16 in a directory, nine columns with jsonb and a uuid key; rows/s):
 *
 *     rows a batch                         1     100    1,000   10,000   50,000
 *     INSERT..SELECT of one JSON       1,970  59,400   67,600   85,500   68,800
 *     INSERT..SELECT of text arrays      780  54,300   64,500   63,500   67,200
 *     COPY to staging, INSERT..SELECT  1,090  50,500   77,300   98,300   81,900
 *     look keys up, COPY what is new   1,100  42,500   64,400  118,600  108,700
 *     COPY alone (cannot drop keys)    2,690  71,400  118,700  141,300  126,400
 *
 * So small batches are one JSON parameter, and large ones look their keys up and COPY the rest; a source without a key
 * is always COPYed. COPY and INSERT..SELECT ORDER BY both number rows as they come, so `position` is arrival order.
 */
import type { Connection } from '../engines/connection.ts';
import { DatabaseError } from '../engines/connection.ts';
import { copyLines, refusedRow } from '../sql/copy-text.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import type { RowValues } from './record-mapper.ts';
import type { SourcePlan } from './source-plan.ts';

export interface BatchOutcome {
  /** Rows the table took in (or, upserting, changed). */
  readonly accepted: number;
  readonly duplicate: number;
}

const COPY_FROM_ROWS = 500;

/** The row of a batch that the server refused, where the server said which. */
export class BadRow extends Error {
  readonly row: RowValues;
  override readonly cause: DatabaseError;

  constructor(row: RowValues, cause: DatabaseError) {
    super(cause.message, { cause });
    this.name = 'BadRow';
    this.row = row;
    this.cause = cause;
  }
}

export class BatchWriter {
  readonly #plan: SourcePlan;
  readonly #names: readonly string[];
  readonly #insert: string;
  readonly #lookUp: string;

  constructor(plan: SourcePlan) {
    this.#plan = plan;
    this.#names = plan.columns.map((column) => quoteIdentifier(column.name));
    this.#insert = insertStatement(plan);
    this.#lookUp = lookUpStatement(plan);
  }

  /** Must run inside a transaction. Throws BadRow or a DatabaseError when a row does not fit. */
  async write(tx: Connection, rows: readonly RowValues[]): Promise<BatchOutcome> {
    if (this.#plan.key.length === 0) {
      if (rows.length === 0) return { accepted: 0, duplicate: 0 };
      return { accepted: await this.#copy(tx, rows), duplicate: 0 };
    }
    const distinct =
      this.#plan.onConflict === 'upsert' ? lastOfEachKey(this.#plan, rows) : firstOfEachKey(this.#plan, rows);
    if (distinct.length === 0) return { accepted: 0, duplicate: rows.length };
    if (this.#plan.onConflict === 'upsert') {
      const changed = await this.#insertRows(tx, distinct);
      // A record that another of its batch overwrites was taken in nevertheless, unless it said the same.
      const repeated = rows.length - distinct.length - countOverwritten(this.#plan, rows);
      return {
        accepted: rows.length - repeated - (distinct.length - changed),
        duplicate: repeated + distinct.length - changed,
      };
    }
    const accepted =
      distinct.length < COPY_FROM_ROWS
        ? await this.#insertRows(tx, distinct)
        : await this.#copyNew(tx, distinct);
    return { accepted, duplicate: rows.length - accepted };
  }

  /** The first column whose type does not take the row's value, found by casting each alone. Must run inside a transaction. */
  async misfit(tx: Connection, row: RowValues): Promise<string | undefined> {
    for (const [i, { name, declaredType }] of this.#plan.columns.entries()) {
      const value = row[i];
      if (value === null || value === undefined) continue;
      try {
        await tx.transaction((inner) => inner.query(`select $1::text::${declaredType}`, [value]));
      } catch (error) {
        if (error instanceof DatabaseError && error.sqlstate.startsWith('22')) return name;
        throw error;
      }
    }
    return undefined;
  }

  async #copyNew(tx: Connection, rows: readonly RowValues[]): Promise<number> {
    const keys = rows.map((row) => this.#plan.key.map((position) => row[position]!));
    const { rows: found } = await tx.query<{ known: string | null }>(this.#lookUp, [toJson(keys)]);
    const known = new Set((found[0]?.known ?? '').split(','));
    const fresh = known.size === 1 && known.has('') ? rows : rows.filter((_, i) => !known.has(String(i + 1)));
    if (fresh.length === 0) return 0;
    try {
      return await tx.transaction((inner) => this.#copy(inner, fresh));
    } catch (error) {
      // The same key in two spellings, or another writer between the look-up and the COPY: SQL sorts it out.
      if (error instanceof DatabaseError && error.sqlstate === '23505') return this.#insertRows(tx, fresh);
      throw error;
    }
  }

  async #copy(tx: Connection, rows: readonly RowValues[]): Promise<number> {
    try {
      return await tx.copyFrom(this.#plan.table, this.#names, copyLines(rows));
    } catch (error) {
      // The server says which row it was, unless a trigger failed or a key was taken.
      const refused = error instanceof DatabaseError ? refusedRow(error.context) : undefined;
      const row = refused === undefined ? undefined : rows[refused.row];
      if (row !== undefined && (error as DatabaseError).sqlstate !== '23505')
        throw new BadRow(row, error as DatabaseError);
      throw error;
    }
  }

  async #insertRows(tx: Connection, rows: readonly RowValues[]): Promise<number> {
    return (await tx.query(this.#insert, [toJson(rows)])).rowCount;
  }
}

/** Rows as one JSON text: objects with the keys c0, c1 ..., which json_to_recordset finds by name. */
function toJson(rows: readonly RowValues[]): string {
  let text = '[';
  for (let r = 0; r < rows.length; r++) {
    const row = rows[r]!;
    text += r === 0 ? '{' : ',{';
    let separator = '';
    for (let i = 0; i < row.length; i++) {
      const value = row[i]!;
      if (value === null) continue;
      text += `${separator}"c${i}":${JSON.stringify(value)}`;
      separator = ',';
    }
    text += '}';
  }
  return `${text}]`;
}

/** `rows from (json_to_recordset(...)) with ordinality` as r(c0, ..., ordinal): every value is text still. */
function recordset(count: number): string {
  const columns = Array.from({ length: count }, (_, i) => `c${i}`);
  const definitions = columns.map((column) => `${column} text`).join(', ');
  return (
    `rows from (json_to_recordset($1::text::json) as (${definitions})) with ordinality ` +
    `as r(${columns.join(', ')}, ordinal)`
  );
}

function insertStatement(plan: SourcePlan): string {
  const names = plan.columns.map((column) => quoteIdentifier(column.name));
  const values = plan.columns.map((column, i) => `r.c${i}::${column.declaredType}`);
  const insert =
    `insert into ${plan.table} as t (${names.join(', ')}) ` +
    `select ${values.join(', ')} from ${recordset(names.length)} order by r.ordinal`;
  if (plan.key.length === 0) return insert;
  const key = plan.key.map((position) => names[position]!);
  if (plan.onConflict === 'append') return `${insert} on conflict (${key.join(', ')}) do nothing`;
  const others = names.filter((name) => !key.includes(name));
  if (others.length === 0) return `${insert} on conflict (${key.join(', ')}) do nothing`;
  const sets = [
    ...others.map((name) => `${name} = excluded.${name}`),
    ...plan.generated.map((name) => `${quoteIdentifier(name)} = default`),
  ];
  // Compared as text: json and point have no equality.
  const differs = others
    .map((name) => `t.${name}::text is distinct from excluded.${name}::text`)
    .join(' or ');
  return `${insert} on conflict (${key.join(', ')}) do update set ${sets.join(', ')} where ${differs}`;
}

/** Which of the keys in $1 the table holds: their ordinals (from 1) in one text, which is cheaper than many rows. */
function lookUpStatement(plan: SourcePlan): string {
  if (plan.key.length === 0) return '';
  const same = plan.key
    .map((position, i) => {
      const column = plan.columns[position]!;
      return `t.${quoteIdentifier(column.name)} = r.c${i}::${column.declaredType}`;
    })
    .join(' and ');
  // LIMIT keeps the subquery a subquery, so each key is one probe of the index and never a hash of the whole table.
  return (
    `select string_agg(r.ordinal::text, ',') as known from ${recordset(plan.key.length)} ` +
    `cross join lateral (select 1 from ${plan.table} as t where ${same} limit 1) as found`
  );
}

function keyOf(plan: SourcePlan, row: RowValues): string {
  const { key } = plan;
  return key.length === 1 ? row[key[0]!]! : JSON.stringify(key.map((position) => row[position]));
}

function firstOfEachKey(plan: SourcePlan, rows: readonly RowValues[]): readonly RowValues[] {
  const seen = new Set<string>();
  return rows.filter((row) => {
    const before = seen.size;
    return seen.add(keyOf(plan, row)).size > before;
  });
}

function lastOfEachKey(plan: SourcePlan, rows: readonly RowValues[]): readonly RowValues[] {
  const last = new Map<string, RowValues>();
  for (const row of rows) {
    const key = keyOf(plan, row);
    // Deleted first, so that the order is that of the last arrivals.
    last.delete(key);
    last.set(key, row);
  }
  return [...last.values()];
}

/** Records of the batch that said something else than the next one of their key. */
function countOverwritten(plan: SourcePlan, rows: readonly RowValues[]): number {
  const current = new Map<string, RowValues>();
  let overwritten = 0;
  for (const row of rows) {
    const key = keyOf(plan, row);
    const before = current.get(key);
    if (before !== undefined && before.some((value, i) => value !== row[i])) overwritten++;
    current.set(key, row);
  }
  return overwritten;
}
