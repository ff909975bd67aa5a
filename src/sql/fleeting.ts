/** Syntax without a lasting answer, read off a query's parse tree: samples that are drawn anew, row locks, the time as a literal. */
import { byteOffsets, parseStatements } from './parse.ts';

export interface Fleeting {
  readonly kind: 'sample' | 'lock' | 'literal';
  /** As people write it. */
  readonly text: string;
  /** UTF-16 offset in the text. */
  readonly offset: number;
}

interface Tree {
  [key: string]: unknown;
}

/** Words that the input functions of dates and times take for the present. */
const present = /^\s*(now|today|tomorrow|yesterday)\s*$/i;

/** In order of appearance. Throws SqlSyntaxError. `loadSqlParser` must have been awaited. */
export function fleetingSyntax(sql: string): Fleeting[] {
  const found: Fleeting[] = [];
  const place = byteOffsets(sql);
  const add = (kind: Fleeting['kind'], text: string, at: unknown): void => {
    found.push({ kind, text, offset: typeof at === 'number' ? place(at) : 0 });
  };
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const item of node) visit(item);
      return;
    }
    if (node === null || typeof node !== 'object') return;
    for (const [kind, value] of Object.entries(node as Tree)) {
      if (kind === 'RangeTableSample' && (value as Tree)['repeatable'] === undefined)
        add('sample', 'TABLESAMPLE without REPEATABLE', (value as Tree)['location']);
      if (kind === 'LockingClause') add('lock', 'FOR UPDATE', firstLocation(value));
      if (kind === 'A_Const') {
        const text = (value as { sval?: { sval?: string } }).sval?.sval;
        if (text !== undefined && present.test(text))
          add('literal', `'${text}'`, (value as Tree)['location']);
      }
      visit(value);
    }
  };
  for (const statement of parseStatements(sql)) visit(statement.node);
  return found;
}

/** Where a column of that name is read for the first time: UTF-16 offset; undefined when nowhere by name. */
export function columnOffset(sql: string, name: string): number | undefined {
  const place = byteOffsets(sql);
  let found: number | undefined;
  const visit = (node: unknown): void => {
    if (found !== undefined || node === null || typeof node !== 'object') return;
    const ref = (node as { ColumnRef?: { fields: { String?: { sval?: string } }[]; location?: number } })
      .ColumnRef;
    if (ref?.fields.at(-1)?.String?.sval === name) found = place(ref.location ?? 0);
    for (const value of Object.values(node)) visit(value);
  };
  for (const statement of parseStatements(sql)) visit(statement.node);
  return found;
}

function firstLocation(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return undefined;
  const own = (value as Tree)['location'];
  if (typeof own === 'number') return own;
  for (const inner of Object.values(value)) {
    const below = firstLocation(inner);
    if (below !== undefined) return below;
  }
  return undefined;
}
