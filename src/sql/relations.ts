/** Which relations and functions a query names, read off its parse tree. */
import { byteOffsets, parseStatements } from './parse.ts';

export interface NamedRelation {
  /** null when the name is not qualified. */
  readonly schema: string | null;
  readonly name: string;
  /** UTF-16 offset in the text. */
  readonly offset: number;
}

export interface NamedFunction {
  readonly schema: string | null;
  readonly name: string;
  readonly offset: number;
  /** How many arguments it is called with. */
  readonly args: number;
}

export interface QueryNames {
  /** Relations read, in order of appearance, CTEs left out; a relation read twice is listed twice. */
  readonly relations: readonly NamedRelation[];
  /** Functions called by name. SQL's own words (current_timestamp ...) are listed under that name, without schema. */
  readonly functions: readonly NamedFunction[];
}

interface Tree {
  [key: string]: unknown;
}

/**
 * An unqualified name that any CTE of the query bears is taken for that CTE. (SQL's scoping is finer, but ref() and
 * source() render qualified names, so the difference only shows where a hand-written table name equals a CTE's.)
 * Throws SqlSyntaxError. `loadSqlParser` must have been awaited.
 */
export function namesInQuery(sql: string): QueryNames {
  const relations: NamedRelation[] = [];
  const functions: NamedFunction[] = [];
  const ctes = new Set<string>();
  const place = byteOffsets(sql);

  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const item of node) visit(item);
      return;
    }
    if (node === null || typeof node !== 'object') return;
    for (const [kind, value] of Object.entries(node as Tree)) {
      // FOR UPDATE OF names what FROM names already.
      if (kind === 'lockingClause') continue;
      if (value !== null && typeof value === 'object' && !Array.isArray(value)) note(kind, value as Tree);
      visit(value);
    }
  };
  const note = (kind: string, value: Tree): void => {
    const offset = typeof value['location'] === 'number' ? place(value['location']) : 0;
    if (kind === 'RangeVar') {
      relations.push({
        schema: typeof value['schemaname'] === 'string' ? value['schemaname'] : null,
        name: String(value['relname']),
        offset,
      });
    } else if (kind === 'CommonTableExpr') {
      ctes.add(String(value['ctename']));
    } else if (kind === 'FuncCall') {
      const path = (value['funcname'] as { String?: { sval?: string } }[] | undefined) ?? [];
      const parts = path.map((part) => part.String?.sval ?? '');
      const name = parts.at(-1) ?? '';
      const args = Array.isArray(value['args']) ? value['args'].length : 0;
      functions.push({ schema: parts.length > 1 ? (parts.at(-2) ?? null) : null, name, offset, args });
    } else if (kind === 'SQLValueFunction') {
      const word = String(value['op'])
        .replace(/^SVFOP_/, '')
        .replace(/_N$/, '')
        .toLowerCase();
      functions.push({ schema: null, name: word, offset, args: 0 });
    }
  };
  for (const statement of parseStatements(sql)) visit(statement.node);
  return {
    relations: relations.filter(({ schema, name }) => schema !== null || !ctes.has(name)),
    functions,
  };
}
