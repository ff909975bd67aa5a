/**
 * Names in a query without a database: which columns it gives, and which it names although no relation in its FROM has
 * them. PostgreSQL's rules of scope (parse_relation.c, `colNameToVar`) on PostgreSQL's own parse tree. Types are not
 * looked at. Where something is not known (a function's columns, a relation seg does not make) any name is taken for
 * right: what is reported is certain.
 */
import type { Alias, ColumnRef, CommonTableExpr, Node, SelectStmt } from 'libpg-query';
import { outputName } from './output-name.ts';
import { byteOffsets, parseStatements } from './parse.ts';

/** The columns of a relation. */
export interface ColumnNames {
  readonly names: readonly string[];
  /** It may have columns that are not known. */
  readonly open: boolean;
}

export interface UnknownName {
  /** `column "x"`, `column "t.x"`, `table or alias "t"`: as PostgreSQL would call it. */
  readonly what: string;
  readonly name: string;
  /** UTF-16 offset in the text, and length there. */
  readonly offset: number;
  /** What the name could have been. */
  readonly candidates: readonly string[];
}

export interface QueryColumns {
  readonly output: ColumnNames;
  readonly unknown: readonly UnknownName[];
}

/** The columns of a relation of the database by its name; undefined when nothing is known of it. */
export type RelationColumns = (schema: string | null, name: string) => ColumnNames | undefined;

const ANY: ColumnNames = { names: [], open: true };
/** Every table has them (PostgreSQL's system columns, RisingWave's hidden ones); `SELECT *` leaves them out. */
const HIDDEN = /^(tableoid|xmin|cmin|xmax|cmax|ctid|_row_id|_rw_\w+)$/;

/** One entry of FROM. */
interface Range {
  /** null: its columns can only be named without it. */
  readonly alias: string | null;
  readonly columns: ColumnNames;
}

interface Scope {
  readonly ranges: Range[];
  /** Columns that JOIN ... USING or NATURAL merges: `*` gives them once, and first. */
  readonly merged: string[];
  /** Names of CTEs that can be seen here. */
  readonly ctes: ReadonlyMap<string, ColumnNames>;
  readonly outer: Scope | null;
}

/**
 * The columns of the first statement of `sql`, which must be a query.
 * @throws SqlSyntaxError. `loadSqlParser` must have been awaited
 */
export function queryColumns(sql: string, relations: RelationColumns): QueryColumns {
  const [statement] = parseStatements(sql);
  if (statement === undefined || !('SelectStmt' in statement.node)) return { output: ANY, unknown: [] };
  const reader = new ColumnReader(relations, byteOffsets(sql));
  const output = reader.select(statement.node.SelectStmt, {
    ranges: [],
    merged: [],
    ctes: new Map(),
    outer: null,
  });
  return { output, unknown: reader.unknown.sort((a, b) => a.offset - b.offset) };
}

class ColumnReader {
  readonly unknown: UnknownName[] = [];
  readonly #relations: RelationColumns;
  readonly #place: (byteOffset: number) => number;

  constructor(relations: RelationColumns, place: (byteOffset: number) => number) {
    this.#relations = relations;
    this.#place = place;
  }

  /** @param outer what the query is nested in */
  select(query: SelectStmt, outer: Scope): ColumnNames {
    const ctes = this.#with(query, outer);
    const around: Scope = { ...outer, ctes };
    if (query.op !== undefined && query.op !== 'SETOP_NONE') return this.#setOperation(query, around);
    const scope: Scope = { ranges: [], merged: [], ctes, outer };
    if (query.valuesLists !== undefined) {
      for (const row of query.valuesLists) this.#walk(row, scope);
      const first = query.valuesLists[0];
      const width = first !== undefined && 'List' in first ? (first.List.items?.length ?? 0) : 0;
      return { names: Array.from({ length: width }, (_, i) => `column${i + 1}`), open: false };
    }
    for (const item of query.fromClause ?? []) scope.ranges.push(...this.#from(item, scope));
    const output = this.#targets(query.targetList ?? [], scope);
    this.#walk([query.whereClause, query.havingClause, query.windowClause], scope);
    // ORDER BY, GROUP BY and DISTINCT ON may name what the query gives, too.
    const named: Scope = { ...scope, ranges: [...scope.ranges, { alias: null, columns: output }] };
    this.#walk([query.groupClause, query.sortClause, query.distinctClause], named);
    this.#walk([query.limitCount, query.limitOffset], scope);
    return output;
  }

  #setOperation(query: SelectStmt, around: Scope): ColumnNames {
    // A chain of UNIONs is nested to the left, as deep as it is long.
    const branches: SelectStmt[] = [];
    let left: SelectStmt | undefined = query;
    while (left?.larg !== undefined && left.rarg !== undefined && (left === query || !left.withClause)) {
      branches.push(left.rarg);
      left = left.larg;
    }
    const first = left === undefined ? ANY : this.select(left, around);
    for (const branch of branches.reverse()) this.select(branch, around);
    const result: Scope = { ...around, ranges: [{ alias: null, columns: first }], outer: around };
    this.#walk(query.sortClause, result);
    return first;
  }

  #with(query: SelectStmt, outer: Scope): ReadonlyMap<string, ColumnNames> {
    const { withClause } = query;
    if (withClause === undefined) return outer.ctes;
    const ctes = new Map(outer.ctes);
    const entries = (withClause.ctes ?? []).flatMap((node) =>
      'CommonTableExpr' in node ? [node.CommonTableExpr] : [],
    );
    for (const cte of entries) {
      const scope: Scope = { ...outer, ctes };
      const body = cte.ctequery;
      const inner = body !== undefined && 'SelectStmt' in body ? body.SelectStmt : undefined;
      if (withClause.recursive === true) ctes.set(cte.ctename!, recursiveColumns(cte));
      const found = inner === undefined ? ANY : this.select(inner, scope);
      ctes.set(cte.ctename!, withAddedColumns(cte, renamed(found, texts(cte.aliascolnames))));
    }
    return ctes;
  }

  #from(item: Node, scope: Scope): Range[] {
    if ('RangeVar' in item) {
      const { schemaname, relname, alias } = item.RangeVar;
      const name = relname!;
      const columns =
        (schemaname === undefined ? scope.ctes.get(name) : undefined) ??
        this.#relations(schemaname ?? null, name) ??
        ANY;
      return [aliased(alias, name, columns)];
    }
    if ('RangeSubselect' in item) {
      const { subquery, alias } = item.RangeSubselect;
      const query = subquery !== undefined && 'SelectStmt' in subquery ? subquery.SelectStmt : undefined;
      // Seen as if it were LATERAL: what is wrong without the word has another message.
      const columns =
        query === undefined
          ? ANY
          : this.select(query, { ranges: [], merged: [], ctes: scope.ctes, outer: scope });
      return [aliased(alias, null, columns)];
    }
    if ('JoinExpr' in item) return this.#join(item.JoinExpr, scope);
    if ('RangeTableSample' in item && item.RangeTableSample.relation !== undefined) {
      this.#walk(item.RangeTableSample.args, scope);
      return this.#from(item.RangeTableSample.relation, scope);
    }
    // A function's columns are known to the database only.
    const [kind, value] = Object.entries(item)[0] as [string, { alias?: Alias }];
    const { alias, ...rest } = value;
    this.#walk(rest, scope);
    const named = texts(alias?.colnames);
    return [
      {
        alias: alias?.aliasname ?? null,
        columns: { names: kind === 'RangeFunction' ? named : [], open: true },
      },
    ];
  }

  #join(join: Extract<Node, { JoinExpr: unknown }>['JoinExpr'], scope: Scope): Range[] {
    const left = join.larg === undefined ? [] : this.#from(join.larg, scope);
    const seen: Scope = { ...scope, ranges: [...scope.ranges, ...left] };
    const right = join.rarg === undefined ? [] : this.#from(join.rarg, seen);
    const both = [...left, ...right];
    this.#walk(join.quals, { ...scope, ranges: [...scope.ranges, ...both] });
    const names = (ranges: readonly Range[]) => ranges.flatMap(({ columns }) => columns.names);
    const shared =
      join.isNatural === true
        ? names(left).filter((name) => names(right).includes(name))
        : texts(join.usingClause);
    if (join.alias !== undefined) {
      const columns: ColumnNames = {
        names: [...shared, ...names(both).filter((name) => !shared.includes(name))],
        open: both.some(({ columns: { open } }) => open),
      };
      return [aliased(join.alias, null, columns)];
    }
    scope.merged.push(...shared);
    if (join.join_using_alias?.aliasname === undefined) return both;
    return [...both, { alias: join.join_using_alias.aliasname, columns: closed(shared) }];
  }

  #targets(targets: readonly Node[], scope: Scope): ColumnNames {
    const names: string[] = [];
    let open = false;
    for (const target of targets) {
      if (!('ResTarget' in target)) continue;
      const { name, val } = target.ResTarget;
      if (val === undefined) continue;
      const star = 'ColumnRef' in val ? starOf(val.ColumnRef) : undefined;
      if (star === undefined) {
        this.#walk(val, scope);
        if (name === undefined && 'A_Indirection' in val && endsInStar(val.A_Indirection.indirection))
          open = true;
        else names.push(name ?? outputName(val));
        continue;
      }
      const ranges = star === null ? scope.ranges : this.#starRanges(star, val, scope);
      const merged = star === null ? scope.merged : [];
      const all = ranges.flatMap(({ columns }) => columns.names);
      names.push(...merged, ...all.filter((column) => !merged.includes(column)));
      open ||= ranges.some(({ columns }) => columns.open);
    }
    return { names, open };
  }

  #starRanges(alias: string, val: Node, scope: Scope): readonly Range[] {
    const range = findRange(alias, scope);
    if (range !== undefined) return [range];
    if ('ColumnRef' in val) this.#unknownAlias(alias, val.ColumnRef, scope);
    return [{ alias, columns: ANY }];
  }

  /** Every column named below a node. Goes down without calling itself: expressions may be thousands of terms deep. */
  #walk(from: unknown, scope: Scope): void {
    const waiting: unknown[] = [from];
    while (waiting.length > 0) {
      const node = waiting.pop();
      if (node === null || typeof node !== 'object') continue;
      for (const [kind, value] of Array.isArray(node) ? node.entries() : Object.entries(node)) {
        if (kind === 'ColumnRef') this.#column(value as ColumnRef, scope);
        else if (kind === 'SelectStmt') {
          this.select(value as SelectStmt, { ranges: [], merged: [], ctes: scope.ctes, outer: scope });
        } else if (value !== null && typeof value === 'object') waiting.push(value);
      }
    }
  }

  #column(ref: ColumnRef, scope: Scope): void {
    const fields = ref.fields ?? [];
    const parts = texts(fields);
    if (starOf(ref) !== undefined) {
      const alias = starOf(ref);
      if (typeof alias === 'string' && findRange(alias, scope) === undefined)
        this.#unknownAlias(alias, ref, scope);
      return;
    }
    const name = parts.at(-1);
    if (name === undefined || parts.length > 3) return;
    const offset = this.#place(ref.location ?? 0);
    if (parts.length === 1) {
      if (isKnown(name, scope)) return;
      const candidates = reachable(scope).flatMap(({ columns }) => columns.names);
      this.unknown.push({ what: `column "${name}"`, name, offset, candidates });
      return;
    }
    const alias = parts.at(-2)!;
    const range = findRange(alias, scope);
    if (range === undefined) {
      // Of "a.b" the first part may be a column of a composite type only in brackets; then it is no ColumnRef.
      this.#unknownAlias(alias, ref, scope);
      return;
    }
    if (range.columns.open || range.columns.names.includes(name) || HIDDEN.test(name)) return;
    this.unknown.push({ what: `column "${alias}.${name}"`, name, offset, candidates: range.columns.names });
  }

  #unknownAlias(alias: string, ref: ColumnRef, scope: Scope): void {
    const candidates = reachable(scope).flatMap((range) => range.alias ?? []);
    this.unknown.push({
      what: `table or alias "${alias}"`,
      name: alias,
      offset: this.#place(ref.location ?? 0),
      candidates,
    });
  }
}

/** What a recursive CTE is to itself: the columns of its first branch, which are not read yet. */
function recursiveColumns(cte: CommonTableExpr): ColumnNames {
  const named = texts(cte.aliascolnames);
  return { names: named, open: true };
}

/** SEARCH and CYCLE add columns of their own. */
function withAddedColumns(cte: CommonTableExpr, columns: ColumnNames): ColumnNames {
  const added = [
    cte.search_clause?.search_seq_column,
    cte.cycle_clause?.cycle_mark_column,
    cte.cycle_clause?.cycle_path_column,
  ].filter((name) => name !== undefined);
  return { names: [...columns.names, ...added], open: columns.open };
}

function aliased(alias: Alias | undefined, name: string | null, columns: ColumnNames): Range {
  return { alias: alias?.aliasname ?? name, columns: renamed(columns, texts(alias?.colnames)) };
}

/** `AS t (a, b)` names the first columns; the others keep their names. */
function renamed(columns: ColumnNames, names: readonly string[]): ColumnNames {
  return { names: [...names, ...columns.names.slice(names.length)], open: columns.open };
}

function closed(names: readonly string[]): ColumnNames {
  return { names, open: false };
}

function texts(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).flatMap((node) => ('String' in node ? [node.String.sval ?? ''] : []));
}

/** null for `*`, the alias for `t.*`, undefined for a column. */
function starOf({ fields = [] }: ColumnRef): string | null | undefined {
  return endsInStar(fields) ? (texts(fields).at(-1) ?? null) : undefined;
}

function endsInStar(nodes: readonly Node[] | undefined): boolean {
  const last = nodes?.at(-1);
  return last !== undefined && 'A_Star' in last;
}

function reachable(scope: Scope): Range[] {
  const ranges: Range[] = [];
  for (let at: Scope | null = scope; at !== null; at = at.outer) ranges.push(...at.ranges);
  return ranges;
}

function findRange(alias: string, scope: Scope): Range | undefined {
  return reachable(scope).find((range) => range.alias === alias);
}

/** A column, a hidden one, or a relation as a whole (`count(t)`). */
function isKnown(name: string, scope: Scope): boolean {
  if (HIDDEN.test(name)) return true;
  return reachable(scope).some(
    ({ alias, columns }) => columns.open || columns.names.includes(name) || alias === name,
  );
}
