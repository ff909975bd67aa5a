/**
 * Parts of a query that are not understood: a SELECT inside of another (in FROM, WITH, an expression, a side of a set
 * operation) that uses nothing from outside becomes an intermediate result of its own, computed from its text as
 * PostgreSQL prints it, and what is around it is read as usual.
 */
import { deparse } from '../../sql/deparse.ts';
import { parseStatements } from '../../sql/parse.ts';
import { quoteIdentifier } from '../../sql/quote.ts';
import type { Catalog } from '../catalog.ts';
import type { Unsupported } from './ir.ts';
import type { Node } from './reader.ts';
import type { CommonTable, Scope } from './scope.ts';

/** An intermediate result that is run as text. */
export interface Part {
  /** Number of the intermediate result: scans read `#1`. */
  readonly name: string;
  /** A SELECT whose columns bear the names `columns`. */
  readonly text: string;
  readonly columns: readonly string[];
  /** Keys of the relations it reads, plain views seen through. */
  readonly reads: readonly string[];
  readonly readsClock: boolean;
  /** The construct that was not understood. */
  readonly why: string;
}

/**
 * @param select what stands at a place with this scope
 * @param columns names for its columns, in order; unique
 * @param error why it was not read; thrown again where it cannot stand alone
 */
export function partOf(
  select: Node,
  scope: Scope,
  columns: readonly string[],
  catalog: Catalog,
  error: Unsupported,
): Omit<Part, 'name'> {
  const whole = withTables(select, scope);
  const text = usesOutside(whole, scope) ? undefined : deparse({ SelectStmt: whole });
  const read = readBy(whole, catalog);
  if (columns.length === 0 || text === undefined || read === undefined) throw error;
  const list = columns.map(quoteIdentifier).join(', ');
  return { text: `SELECT * FROM (${text}) AS "_p" (${list})`, columns, ...read, why: error.construct };
}

/** `SELECT *` from one item of FROM. */
export function selectFrom(item: Node, withClause?: Node): Node {
  return {
    targetList: [{ ResTarget: { val: { ColumnRef: { fields: [{ A_Star: {} }] } } } }],
    fromClause: [item],
    limitOption: 'LIMIT_OPTION_DEFAULT',
    ...(withClause === undefined ? {} : { withClause }),
    op: 'SETOP_NONE',
  };
}

/** All of a recursive query: `WITH RECURSIVE ... SELECT * FROM name`. */
export function recursiveSelect(name: string, list: readonly unknown[]): Node {
  const item = { RangeVar: { relname: name, inh: true, relpersistence: 'p' } };
  return selectFrom(item, { ctes: list, recursive: true });
}

/** The names of a query's columns, as PostgreSQL gives them: those of its first SELECT; none when it does not tell. */
export function columnNames(select: Node): string[] {
  let first = select;
  while (first['larg'] !== undefined) first = first['larg'] as Node;
  const values = first['valuesLists'] as { List: { items: unknown[] } }[] | undefined;
  if (values !== undefined) return values[0]!.List.items.map((_, i) => `column${i + 1}`);
  const targets = (first['targetList'] as { ResTarget: Node }[] | undefined) ?? [];
  return targets.map(({ ResTarget: { name, val } }, i) => {
    const fields = (val as { ColumnRef?: { fields: { String?: { sval?: string } }[] } }).ColumnRef?.fields;
    return typeof name === 'string' ? name : (fields?.at(-1)?.String?.sval ?? `column${i + 1}`);
  });
}

/** The columns of a query of a WITH list, those of SEARCH and CYCLE at the end. */
export function commonTableColumns(cte: Node, aliases: readonly string[]): string[] {
  const names = columnNames((cte['ctequery'] as Node)['SelectStmt'] as Node);
  const search = cte['search_clause'] as Node | undefined;
  const cycle = cte['cycle_clause'] as Node | undefined;
  const more = [search?.['search_seq_column'], cycle?.['cycle_mark_column'], cycle?.['cycle_path_column']];
  return [
    ...names.map((name, i) => aliases[i] ?? name),
    ...more.filter((name): name is string => typeof name === 'string'),
  ];
}

/** Names of WITH lists (relations without a schema) that a tree mentions. */
export function commonTablesIn(tree: unknown): Set<string> {
  const found = new Set<string>();
  walk(tree, (node) => {
    const range = node['RangeVar'] as Node | undefined;
    if (range !== undefined && range['schemaname'] === undefined) found.add(String(range['relname']));
  });
  return found;
}

/** Names of tables of which a tree reads whole rows. */
export function wholeRowsIn(tree: unknown): Set<string> {
  const found = new Set<string>();
  walk(tree, (node) => {
    const fields =
      (node['ColumnRef'] as { fields: { String?: { sval: string } }[] } | undefined)?.fields ?? [];
    const last = fields.at(-1);
    if (fields.length === 2 && last !== undefined && 'A_Star' in last) found.add(fields[0]!.String!.sval);
  });
  return found;
}

/** The SELECT with the WITH lists around it that it uses, the nearest one innermost. */
function withTables(select: Node, scope: Scope): Node {
  let whole = select;
  for (let at: Scope | null = scope; at !== null; at = at.parent) {
    const used = commonTablesIn(whole);
    const taken: CommonTable[] = [];
    for (const [name, table] of [...at.ctes].reverse()) {
      if (!used.has(name)) continue;
      taken.unshift(table);
      for (const inner of commonTablesIn(table.node)) used.add(inner);
    }
    if (taken.length === 0) continue;
    const list = [...new Set(taken.flatMap(({ node, together }) => together ?? [node]))];
    const recursive = taken.some(({ together }) => together !== undefined);
    const alias = { aliasname: '_w' };
    whole = selectFrom(
      { RangeSubselect: { subquery: { SelectStmt: whole }, alias } },
      { ctes: list, ...(recursive ? { recursive } : {}) },
    );
  }
  return whole;
}

/**
 * Whether a tree names columns of what is around it. PostgreSQL prints columns of a nested query with the name of their
 * table, which is then no name of any table around it, and merged columns of USING without.
 */
function usesOutside(tree: Node, scope: Scope): boolean {
  const declared = new Set<string>();
  const merged = new Set<string>();
  for (let at: Scope | null = scope; at !== null; at = at.parent)
    for (const name of at.merged.keys()) merged.add(name);
  walk(tree, (node) => {
    if (typeof node['aliasname'] === 'string') declared.add(node['aliasname']);
    if (typeof node['relname'] === 'string') declared.add(node['relname']);
  });
  let found = false;
  walk(tree, (node) => {
    const ref = node['ColumnRef'] as { fields: { String?: { sval: string } }[] } | undefined;
    if (ref === undefined) return;
    const first = ref.fields[0]?.String?.sval;
    if (first === undefined) return;
    if (ref.fields.length === 1 ? merged.has(first) : !declared.has(first)) found = true;
  });
  return found;
}

/** @returns undefined where some relation is not known */
function readBy(tree: unknown, catalog: Catalog): { reads: string[]; readsClock: boolean } | undefined {
  const reads = new Set<string>();
  let readsClock = false;
  let known = true;
  const { clock } = catalog;
  const visit = (node: Node): void => {
    const call = node['FuncCall'] as { funcname: { String?: { sval?: string } }[] } | undefined;
    const path = call?.funcname.map(({ String: name }) => name?.sval);
    if (path?.length === 2 && path[0] === clock.schema && path[1] === 'now') readsClock = true;
    const range = node['RangeVar'] as Node | undefined;
    const schema = range?.['schemaname'];
    if (range === undefined || typeof schema !== 'string') return;
    const name = String(range['relname']);
    if (schema === clock.schema && name === clock.name) {
      readsClock = true;
      return;
    }
    const relation = catalog.relation(schema, name);
    if (relation === undefined) known = false;
    else if (relation.kind !== 'view') reads.add(relation.key);
    else for (const statement of parseStatements(relation.definition ?? '')) walk(statement.node, visit);
  };
  walk(tree, visit);
  return known ? { reads: [...reads], readsClock } : undefined;
}

function walk(tree: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(tree)) for (const item of tree) walk(item, visit);
  else if (tree !== null && typeof tree === 'object') {
    visit(tree as Node);
    for (const value of Object.values(tree)) walk(value, visit);
  }
}
