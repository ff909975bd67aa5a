/**
 * Canonical SQL (as PostgreSQL prints a view: stars expanded, names qualified, casts written out) → tree.
 * What is not understood throws `Unsupported`, with the construct's name for people.
 *
 *     FROM, WHERE → joins, filter      GROUP BY, HAVING → aggregate, filter      windows → window
 *     SELECT → project      DISTINCT → distinct      ORDER BY, LIMIT → limit      set operations → set
 */
import { parseStatements } from '../../sql/parse.ts';
import { beginning } from '../../sql/short-name.ts';
import type { Catalog } from '../catalog.ts';
import { columnNames, commonTablesIn, partOf, wholeRowsIn } from './apart.ts';
import type { Part } from './apart.ts';
import { fromClause, overArguments } from './from-clause.ts';
import { mixesCollations } from './collations.ts';
import { conjunction, conjuncts } from './expression.ts';
import { Unsupported, UnsupportedText } from './ir.ts';
import type { Op, Relation } from './ir.ts';
import { ExpressionReader } from './read-expression.ts';
import { exactly, limited, sortKey } from './reader.ts';
import type { Node, SelectReader, Selected } from './reader.ts';
import { Scope } from './scope.ts';
import { selectList } from './select-list.ts';

/** @throws Unsupported. `loadSqlParser` must have been awaited. */
export function relationFromSql(sql: string, catalog: Catalog): Relation {
  const statements = parseStatements(sql);
  const select = (statements[0]?.node as Node | undefined)?.['SelectStmt'] as Node | undefined;
  if (statements.length !== 1 || select === undefined)
    throw new Unsupported('a statement that is not a SELECT');
  const { op, output } = new Reader(catalog).select(select, null);
  return { root: op, output };
}

/** Reads one view; hands out the ids. */
export class Reader implements SelectReader {
  readonly catalog: Catalog;
  #ids = 0;
  #occurrences = 0;
  readonly #parts = new Map<string, Part>();

  constructor(catalog: Catalog) {
    this.catalog = catalog;
  }

  /** Short enough for a name of PostgreSQL's, with the prefix of a hidden column and the endings of copies. */
  id(name: string): string {
    return `${beginning(name, 40)}_${++this.#ids}`;
  }

  occurrence(): number {
    return ++this.#occurrences;
  }

  /** What is run as text; some of it may stand inside of other parts, and be read by nothing. */
  get parts(): Part[] {
    return [...this.#parts.values()];
  }

  /** A SELECT inside `parent`'s scope (null at the top): one that is not understood stands apart, if it can. */
  select(select: Node, parent: Scope | null): Selected {
    if (parent === null) return this.#select(select, null);
    try {
      return this.#select(select, parent);
    } catch (error) {
      if (!(error instanceof Unsupported) || error instanceof UnsupportedText) throw error;
      return this.apart(select, parent, columnNames(select), error);
    }
  }

  apart(select: Node, scope: Scope, names: readonly string[], error: Unsupported): Selected {
    const output = names.map((name) => ({ id: this.id(name), name }));
    // Uses of one text share the intermediate result, whose columns are named by place.
    const columns = names.map((_, i) => `c${i + 1}`);
    const read = partOf(select, scope, columns, this.catalog, error);
    const part = this.#parts.get(read.text) ?? { name: String(this.#parts.size + 1), ...read };
    this.#parts.set(part.text, part);
    const op: Op = {
      kind: 'scan',
      relation: `#${part.name}`,
      occurrence: this.occurrence(),
      columns: output.map(({ id }, i) => ({ id, name: columns[i]! })),
      mode: 'now',
    };
    return { op, output };
  }

  #select(select: Node, parent: Scope | null): Selected {
    const scope = new Scope(parent, wholeRowsIn(select));
    readWith(select, scope);
    if (select['lockingClause'] !== undefined) throw new Unsupported('FOR UPDATE');
    if (select['intoClause'] !== undefined) throw new Unsupported('SELECT INTO');
    if (select['valuesLists'] !== undefined) return this.#values(select, scope);
    return select['op'] === undefined || select['op'] === 'SETOP_NONE'
      ? this.#plain(select, scope)
      : this.#setOperation(select, scope);
  }

  #plain(select: Node, scope: Scope): Selected {
    const expressions = new ExpressionReader(this, scope);
    let op = fromClause(this, (select['fromClause'] as Node[] | undefined) ?? [], scope);
    if (select['whereClause'] !== undefined) {
      const where = expressions.read(select['whereClause']);
      op = { kind: 'filter', child: op, condition: conjunction(conjuncts(where))! };
    }
    return selectList(this, select, op, expressions);
  }

  #setOperation(select: Node, scope: Scope): Selected {
    const operation = { SETOP_UNION: 'union', SETOP_INTERSECT: 'intersect', SETOP_EXCEPT: 'except' } as const;
    const left = this.select(select['larg'] as Node, scope);
    const right = this.select(select['rarg'] as Node, scope);
    const output = left.output.map(({ name }) => ({ id: this.id(name), name }));
    if (output.length === 0) throw new Unsupported('a set operation without columns');
    const exact = (side: Selected): Op => exactly(side.op, side.output);
    if (mixesCollations(exact(left), exact(right)))
      throw new Unsupported('a set operation on columns of different collations');
    let op: Op = {
      kind: 'set',
      operation: operation[select['op'] as keyof typeof operation],
      all: select['all'] === true,
      left: exact(left),
      right: exact(right),
      columns: output.map(({ id }) => id),
    };
    const outputs = new Scope(scope);
    for (const { id, name } of output) outputs.merged.set(name, { Col: id });
    const expressions = new ExpressionReader(this, outputs);
    const order = ((select['sortClause'] as { SortBy: Node }[] | undefined) ?? []).map(({ SortBy: key }) => {
      const position = (key['node'] as { A_Const?: { ival?: { ival?: number } } }).A_Const?.ival?.ival;
      const at = position === undefined ? undefined : output[position - 1];
      const expr = at === undefined ? expressions.read(key['node']) : { Col: at.id };
      if (typeof expr['Col'] !== 'string') throw new Unsupported('ORDER BY an expression of a set operation');
      return sortKey(key, expr['Col']);
    });
    op = limited(op, select, order, expressions);
    return { op, output };
  }

  #values(select: Node, scope: Scope): Selected {
    const expressions = new ExpressionReader(this, scope);
    const rows = (select['valuesLists'] as { List: { items: unknown[] } }[]).map(({ List: row }) =>
      row.items.map((value) => expressions.read(value)),
    );
    const output = rows[0]!.map((_, i) => ({ id: this.id(`column${i + 1}`), name: `column${i + 1}` }));
    if (select['sortClause'] !== undefined || select['limitCount'] !== undefined) {
      throw new Unsupported('VALUES with ORDER BY or LIMIT');
    }
    const [width, columns] = [output.length, output.map(({ id }) => id)];
    const op = overArguments(this, rows.flat(), (taken) => ({
      kind: 'values',
      rows: rows.map((_, i) => taken.slice(i * width, (i + 1) * width)),
      columns,
    }));
    return { op: exactly(op, output), output };
  }
}

function readWith(select: Node, scope: Scope): void {
  const clause = select['withClause'] as
    { recursive?: boolean; ctes?: { CommonTableExpr: Node }[] } | undefined;
  if (clause === undefined) return;
  const list = clause.ctes ?? [];
  const names = list.map(({ CommonTableExpr: cte }) => String(cte['ctename']));
  for (const [i, item] of list.entries()) {
    const { CommonTableExpr: cte } = item;
    const query = (cte['ctequery'] as Node)['SelectStmt'];
    if (query === undefined) throw new Unsupported('a WITH query that writes');
    const aliases = ((cte['aliascolnames'] as { String: { sval: string } }[] | undefined) ?? []).map(
      ({ String: name }) => name.sval,
    );
    // A query of a WITH list sees the ones before it: its scope is what stands so far.
    const before = new Scope(scope.parent);
    for (const [name, table] of scope.ctes) before.ctes.set(name, table);
    // In a recursive list a query may also see itself and the ones after it.
    const seen = clause.recursive === true ? commonTablesIn(query) : new Set<string>();
    const recursive = names.slice(i).some((name) => seen.has(name));
    const table = { query, aliases, scope: before, node: item };
    scope.ctes.set(names[i]!, recursive ? { ...table, together: list } : table);
  }
}
