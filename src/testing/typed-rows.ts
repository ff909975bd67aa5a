/**
 * Values compared by their type, not by their spelling: expected values are cast to the columns' types by the engine,
 * and both sides are brought to one canonical text per type. So `2021-03-19T13:00:00-04:00` equals the same instant,
 * `1.50` equals 1.5, and JSON documents ignore the order of keys.
 */
import { parseJson, stringifyJson, type ExactJson } from '../json/exact-json.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { DatabaseError, type Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import type { JsonRow } from '../changelog/change.ts';
import { readExpectedValue, unnamed, type Cell, type ExpectedCell } from './matchers.ts';

export interface RelationColumn {
  readonly name: string;
  /** As PostgreSQL prints it: `timestamp with time zone`, `numeric(10,2)`. */
  readonly type: string;
}

/** A relation of the engine and how to speak of it. */
export interface TypedRelation {
  /** Quoted name, as SQL. */
  readonly sql: string;
  /** `model "x"`, for messages. */
  readonly title: string;
  readonly columns: readonly RelationColumn[];
}

/** An expected row or value that cannot be compared, whatever the data: the fault is in the test. */
export class ExpectationMistake extends Error {
  /** From 0; undefined when it is about all rows. */
  readonly row: number | undefined;
  readonly column: string | undefined;
  readonly hint: string | undefined;

  constructor(message: string, at: { row?: number; column?: string; hint?: string } = {}) {
    super(message);
    this.name = 'ExpectationMistake';
    this.row = at.row;
    this.column = at.column;
    this.hint = at.hint;
  }
}

/** The columns of a relation in their order. Empty when there is no such relation. */
export async function relationColumns(db: Connection, relationSql: string): Promise<RelationColumn[]> {
  const { rows } = await db.query<{ name: string; type: string }>(
    `select attname::text as name, format_type(atttypid, atttypmod) as type
     from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum`,
    [relationSql],
  );
  return rows.map(({ name, type }) => ({ name, type }));
}

/**
 * The SQL that gives a column's value in canonical text.
 * @param of the alias to read it of, where other columns could have its name
 */
export function canonicalSql(column: RelationColumn, of?: string): string {
  const name = `${of === undefined ? '' : `${quoteIdentifier(of)}.`}${quoteIdentifier(column.name)}`;
  if (/^jsonb?$/.test(column.type)) return `${name}::jsonb::text`;
  if (/^numeric(\(|$)/.test(column.type)) return `trim_scale(${name})::text`;
  return `${name}::text`;
}

function canonicalCell(column: RelationColumn, text: unknown): Cell {
  if (text === null || text === undefined) return null;
  const cell = text as string;
  return /^jsonb?$/.test(column.type) ? canonicalJson(cell) : cell;
}

/** jsonb sorts keys already; numbers that are equal are given one spelling (`1.0` is 1), strings are left alone. */
function canonicalJson(text: string): string {
  return text.replace(
    /"(?:[^"\\]|\\.)*"|(-?\d+)\.(\d*?)0*(?![\d.eE+])/g,
    (token, whole?: string, fraction?: string) => {
      if (whole === undefined) return token;
      return fraction ? `${whole}.${fraction}` : whole === '-0' ? '0' : whole;
    },
  );
}

/**
 * The rows of a relation on some of its columns, in canonical text.
 * @param clauses SQL after FROM: `where ... order by ...`, empty for all rows in any order
 */
export async function readCells(
  db: Connection,
  relation: TypedRelation,
  columns: readonly RelationColumn[],
  clauses = '',
  params: readonly unknown[] = [],
): Promise<Cell[][]> {
  const list = columns.map((column, i) => `${canonicalSql(column)} as c${i}`).join(', ');
  const { rows } = await db.query(`select ${list} from ${relation.sql} as "actual" ${clauses}`, params);
  return rows.map((row) => columns.map((column, i) => canonicalCell(column, row[`c${i}`])));
}

/** Looks columns up by name. Throws an ExpectationMistake with the nearest names. */
export function columnsNamed(
  relation: TypedRelation,
  names: readonly string[],
  row?: (name: string) => number | undefined,
): RelationColumn[] {
  return names.map((name) => {
    const found = relation.columns.find((column) => column.name === name);
    if (found !== undefined) return found;
    const all = relation.columns.map((column) => column.name);
    throw new ExpectationMistake(`${relation.title} has no column "${name}"`, {
      row: row?.(name),
      column: name,
      hint: didYouMean(name, all) ?? `It has the columns ${all.join(', ')}.`,
    });
  });
}

/** Every column a row names, in the order of the relation's columns. */
export function namedColumns(relation: TypedRelation, rows: readonly JsonRow[]): RelationColumn[] {
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  const found = columnsNamed(relation, [...names], (name) =>
    rows.findIndex((row) => Object.hasOwn(row, name)),
  );
  return relation.columns.filter((column) => found.includes(column));
}

/**
 * Casts expected rows to the relation's types. A column a row does not name is NULL, or anything with
 * `unnamed: 'any'`. Throws an ExpectationMistake for a value that does not fit its type.
 */
export async function castRows(
  db: Connection,
  relation: TypedRelation,
  columns: readonly RelationColumn[],
  rows: readonly JsonRow[],
  options: { unnamed?: 'null' | 'any' } = {},
): Promise<ExpectedCell[][]> {
  const cells: ExpectedCell[][] = [];
  const values: JsonRow[] = [];
  for (const [r, row] of rows.entries()) {
    const record: JsonRow = {};
    cells.push(
      columns.map((column) => {
        if (!Object.hasOwn(row, column.name)) return options.unnamed === 'any' ? unnamed : null;
        const read = readExpectedValue(row[column.name]!);
        if ('mistake' in read) throw new ExpectationMistake(read.mistake, { row: r, column: column.name });
        if ('matcher' in read) return read.matcher;
        record[column.name] = jsonOfText(column, read.value);
        return null;
      }),
    );
    values.push(record);
  }
  const texts = await castValues(db, relation, columns, values);
  return cells.map((row, r) =>
    row.map((cell, c) =>
      cell === null && Object.hasOwn(values[r]!, columns[c]!.name) ? texts[r]![c]! : cell,
    ),
  );
}

/** In CSV, and for short in YAML, a JSON document stands as text. */
function jsonOfText(column: RelationColumn, value: ExactJson): ExactJson {
  if (typeof value !== 'string' || !/^jsonb?$/.test(column.type) || !/^\s*[[{]/.test(value)) return value;
  try {
    return parseJson(value);
  } catch {
    return value;
  }
}

/** Records as JSON → their cells in canonical text, cast by the relation's row type. */
export async function castValues(
  db: Connection,
  relation: TypedRelation,
  columns: readonly RelationColumn[],
  records: readonly JsonRow[],
): Promise<Cell[][]> {
  if (records.length === 0 || columns.length === 0) return records.map(() => []);
  try {
    return await castBatch(db, relation, columns, records);
  } catch (cause) {
    if (!(cause instanceof DatabaseError)) throw cause;
    for (const [r, record] of records.entries()) {
      for (const column of columns) {
        if (!Object.hasOwn(record, column.name)) continue;
        const one = { [column.name]: record[column.name]! };
        await castBatch(db, relation, [column], [one]).catch((error: unknown) => {
          const value = stringifyJson(record[column.name]);
          throw new ExpectationMistake(
            `value ${value} does not fit column "${column.name}" (${column.type}) of ${relation.title}: ${(error as Error).message}`,
            { row: r, column: column.name },
          );
        });
      }
    }
    throw cause;
  }
}

async function castBatch(
  db: Connection,
  relation: TypedRelation,
  columns: readonly RelationColumn[],
  records: readonly JsonRow[],
): Promise<Cell[][]> {
  const list = columns.map((column, i) => `(${canonicalSql(column, 'cast')}) as c${i}`).join(', ');
  // A failed cast must not end a transaction the caller is in: inside `transaction` it is a savepoint.
  const { rows } = await db.transaction((tx) =>
    tx.query(
      `select ${list} from jsonb_array_elements($1::text::jsonb) with ordinality as "given"("record", "n"),
         lateral jsonb_populate_record(null::${relation.sql}, "given"."record") as "cast" order by "given"."n"`,
      [stringifyJson(records)],
    ),
  );
  return rows.map((row) => columns.map((column, i) => canonicalCell(column, row[`c${i}`])));
}
