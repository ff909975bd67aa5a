/**
 * What of a model a reader wants to see: rows that satisfy a condition, some of its columns. A row that begins to satisfy the
 * condition is an insert for this reader, one that ceases to a delete; a change of columns not asked for is none.
 */
import { stringifyJson } from '../json/exact-json.ts';
import type { Change, JsonRow } from '../changelog/change.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { loadSqlParser, parseStatements, SqlSyntaxError } from '../sql/parse.ts';
import type { ParsedStatement } from '../sql/parse.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import type { DeployedNode } from '../state/nodes.ts';
import { keysOf, objectOf } from '../json/member-order.ts';
import { rowOfObject } from '../sql/row-json.ts';

export interface FeedView {
  /** An SQL condition on the model's columns. It runs with the rights of the database's owner. */
  readonly where?: string;
  readonly columns?: readonly string[];
}

/**
 * Refuses a view that cannot be meant.
 * @throws SegError SEG710 for text that is not one condition, SEG711 for an unknown column
 */
export async function checkView(node: DeployedNode, view: FeedView): Promise<void> {
  const names = node.columns.map(({ name }) => name);
  for (const column of view.columns ?? []) {
    if (names.includes(column)) continue;
    throw segError('SEG711', `${node.label} has no column "${column}"`, {
      hint: didYouMean(column, names) ?? `Its columns are ${names.join(', ')}.`,
    });
  }
  if (view.where === undefined) return;
  await loadSqlParser();
  let statements: ParsedStatement[];
  try {
    statements = parseStatements(`SELECT WHERE (${view.where}\n)`);
  } catch (error) {
    if (!(error instanceof SqlSyntaxError)) throw error;
    throw notACondition(view.where, error.message);
  }
  const [first] = statements;
  const select = first !== undefined && 'SelectStmt' in first.node ? first.node.SelectStmt : undefined;
  const parts = Object.keys(select ?? {}).filter(
    (part) => !['limitOption', 'op', 'whereClause'].includes(part),
  );
  if (statements.length !== 1 || select?.op !== 'SETOP_NONE' || parts.length > 0) {
    throw notACondition(view.where, 'it is more than one expression');
  }
}

function notACondition(text: string, reason: string): Error {
  return segError('SEG710', `"${text}" is not a condition: ${reason}`, {
    hint: `Write what would stand behind WHERE: --where "size > 100 and vendor = 3".`,
  });
}

/** SQL that is true for the rows of `json` (an expression of jsonb) that the view lets through. */
export function conditionOnJson(node: DeployedNode, view: FeedView, json: string): string {
  if (view.where === undefined) return 'true';
  const type = quoteRelation({ schema: node.schema, name: node.relation });
  // A scope of its own, so that names in the condition mean the model's columns and not those around it.
  return `EXISTS (SELECT FROM ${rowOfObject(type, json, node.columns)} AS ${quoteIdentifier(node.name)}
                  WHERE (${view.where}\n))`;
}

export function narrowRow(row: JsonRow, { columns }: FeedView): JsonRow {
  return columns === undefined ? row : inOrder(row, columns);
}

/** A row of just these columns, in this order: jsonb, as which rows are stored, has an order of its own. */
export function inOrder(row: JsonRow, columns: readonly string[]): JsonRow {
  return objectOf(columns.map((name) => [name, row[name] ?? null]));
}

/** The same of a row that may be of another definition of the model, which had other columns: those follow, none is added. */
export function asStored(row: JsonRow, columns: readonly string[]): JsonRow {
  const known = new Set(columns);
  const names = [
    ...columns.filter((name) => Object.hasOwn(row, name)),
    ...keysOf(row).filter((name) => !known.has(name)),
  ];
  return inOrder(row, names);
}

/** The changes as seen through the view's columns; keys stay whole. */
export function narrowChanges(changes: readonly Change[], view: FeedView): readonly Change[] {
  if (view.columns === undefined) return changes;
  return changes.flatMap((change) => {
    const row = change.row === null ? null : narrowRow(change.row, view);
    const before = change.before === null ? null : narrowRow(change.before, view);
    if (change.op === 'update' && stringifyJson(row) === stringifyJson(before)) return [];
    return [{ ...change, row, before }];
  });
}
