/** Point and range reads of any deployed relation. */
import { DatabaseError } from '../engines/connection.ts';
import type { Connection } from '../engines/connection.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { positionOf } from '../feeds/position.ts';
import type { Position } from '../changelog/change.ts';
import { hasKey } from '../deploy/key-indexes.ts';
import { rowAsText } from '../ivm/strategies/recompute.ts';
import { isBuiltIn } from '../sql/built-in-types.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import type { DeployedColumn, DeployedNode } from '../state/nodes.ts';

const COMPARISONS: Readonly<Record<string, string>> = {
  eq: '=',
  ne: '<>',
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
};

const NO_SUCH_OPERATOR = '42883';

export interface Filter {
  readonly column: string;
  /** eq, ne, gt, gte, lt, lte, in (commas between the values), is (`null` or `not null`) */
  readonly comparison: string;
  readonly value: string;
}

/** What a parameter `<column>.<comparison>` says; without a comparison: equality. */
export function filterOf(parameter: string): Pick<Filter, 'column' | 'comparison'> {
  const [, column = parameter, comparison = 'eq'] =
    /^(.+)\.(eq|ne|gt|gte|lt|lte|in|is)$/s.exec(parameter) ?? [];
  return { column, comparison };
}

export interface PageRequest {
  readonly filters: readonly Filter[];
  readonly limit: number;
  /** The cursor of the page before. */
  readonly after?: string;
}

export interface Page {
  /** Each row as JSON text, with every digit of its numbers. */
  readonly rows: readonly string[];
  /** The state they are of; a feed read from here on misses nothing. */
  readonly position: Position;
  /** Where the next page begins; undefined at the end. */
  readonly next?: string;
}

/**
 * One row by its key; undefined when there is none.
 * @throws SegError SEG826 when the model has no key, or one of another number of columns
 */
export async function readRow(
  db: Connection,
  node: DeployedNode,
  key: readonly string[],
): Promise<string | undefined> {
  if (node.key.length === 0 || node.key.length !== key.length) {
    throw badRequest(
      node.key.length === 0
        ? `${node.label} has no unique_key, so its rows cannot be addressed`
        : `the key of ${node.label} is ${node.key.join(', ')}, and ${key.length} values were given`,
      node.key.length === 0
        ? 'Use a filter: ?column=value.'
        : `Write ${node.key.map((name) => `/<${name}>`).join('')}.`,
    );
  }
  const values = node.key.map((name, at) => `$${at + 1}::text::${typeOf(node, name)}`);
  const { rows } = await db.query<{ row: string }>(
    `SELECT ${rowAsText(node, 't')} AS "row" FROM ${relationOf(node)} AS t WHERE ${hasKey(node, 't', values)} LIMIT 1`,
    key,
  );
  return rows[0]?.row;
}

/**
 * A page of rows in the order of the key; without a key in no order, and without further pages.
 * @throws SegError SEG826 for a filter or cursor that cannot be meant
 */
export async function readPage(
  db: Connection,
  node: DeployedNode,
  request: PageRequest,
  stateSchema: string,
): Promise<Page> {
  const params: (string | null)[] = [];
  const bind = (value: string, type: string): string => {
    params.push(value);
    return `$${params.length}::text::${type}`;
  };
  const conditions = request.filters.map((filter) => conditionOf(node, filter, bind));
  const order = node.key.map(quoteIdentifier);
  if (request.after !== undefined) {
    const values = decodeCursor(request.after, node);
    const bound = values.map((value, at) => bind(value, typeOf(node, node.key[at]!)));
    conditions.push(`(${order.map((name) => `t.${name}`).join(', ')}) > (${bound.join(', ')})`);
  }
  const cursor = node.key.map((name) => `t.${quoteIdentifier(name)}::text`);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const sorted = order.length === 0 ? '' : `ORDER BY ${order.map((name) => `t.${name}`).join(', ')}`;
  // One statement, so that rows and position are of one state.
  const { rows } = await compared(() =>
    db.query<{ epoch: string; row: string | null; cursor: string[] | null }>(
      `SELECT e.epoch::text, p."row", p.cursor FROM ${quoteIdentifier(stateSchema)}.epoch AS e
     LEFT JOIN (SELECT ${rowAsText(node, 't')} AS "row", to_jsonb(ARRAY[${cursor.join(', ')}]::text[]) AS cursor,
                       row_number() OVER (${sorted}) AS n
                FROM ${relationOf(node)} AS t ${where} ${sorted} LIMIT ${request.limit + 1}) AS p ON true
     ORDER BY p.n`,
      params,
    ),
  );
  const found = rows.filter(({ row }) => row !== null);
  const more = found.length > request.limit && node.key.length > 0;
  const shown = found.slice(0, request.limit);
  return {
    rows: shown.map(({ row }) => row!),
    position: positionOf(rows[0]!.epoch),
    next: more ? encodeCursor(shown.at(-1)!.cursor!) : undefined,
  };
}

/** @throws SegError SEG826 for a comparison that the column's type does not have */
async function compared<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.sqlstate !== NO_SUCH_OPERATOR) throw error;
    throw badRequest(
      error.message,
      'Values of this type can only be asked whether they are null: column.is=null.',
    );
  }
}

function conditionOf(
  node: DeployedNode,
  { column, comparison, value }: Filter,
  bind: (value: string, type: string) => string,
): string {
  const found = columnOf(node, column);
  const name = `t.${quoteIdentifier(found.name)}`;
  const operator = COMPARISONS[comparison];
  if (operator !== undefined) return `${name} ${operator} ${bind(value, withoutLength(found.type))}`;
  if (comparison === 'in')
    return `${name} IN (${value
      .split(',')
      .map((one) => bind(one, withoutLength(found.type)))
      .join(', ')})`;
  if (comparison === 'is' && /^(not )?null$/i.test(value)) return `${name} IS ${value.toUpperCase()}`;
  throw badRequest(
    `unknown comparison "${column}.${comparison}=${value}"`,
    'The comparisons are eq, ne, gt, gte, lt, lte, in and is (null, not null).',
  );
}

function columnOf(node: DeployedNode, name: string): DeployedColumn {
  const found = node.columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  const names = node.columns.map((column) => column.name);
  throw badRequest(
    `${node.label} has no column "${name}"`,
    didYouMean(name, names) ?? `Its columns are ${names.join(', ')}.`,
  );
}

function typeOf(node: DeployedNode, column: string): string {
  return withoutLength(columnOf(node, column).type);
}

/** The type that takes values of any length: a longer one than the column's is not cut down to one of its own. */
function withoutLength(type: string): string {
  if (!isBuiltIn(type)) return type;
  return type
    .replace(/\(\d+(,-?\d+)?\)/, '')
    .replace(/^character(?=$|\[)/, 'bpchar')
    .replace(/^bit(?=$|\[)/, 'bit varying');
}

function relationOf(node: DeployedNode): string {
  return quoteRelation({ schema: node.schema, name: node.relation });
}

function encodeCursor(values: readonly string[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

function decodeCursor(cursor: string, node: DeployedNode): string[] {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(values) && values.length === node.key.length && values.length > 0)
      return values.map(String);
  } catch {
    // Told below.
  }
  throw badRequest(`"${cursor}" is not a cursor of ${node.label}`, 'Use the "next" of the page before.');
}

export function badRequest(message: string, hint: string): Error {
  return segError('SEG826', message, { hint, exitCode: 1 });
}
