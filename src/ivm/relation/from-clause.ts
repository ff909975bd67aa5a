/** FROM items → scans and joins; plain views are read through, CTEs instantiated, right joins turned into left ones. */
import { commonTableColumns, recursiveSelect, selectFrom } from './apart.ts';
import { withoutSubqueries } from './computed.ts';
import { col, columnOf, conjunction, equals, freeIds, raw } from './expression.ts';
import { Unsupported, outputOf } from './ir.ts';
import type { Expr, Join, Op } from './ir.ts';
import { exactly } from './reader.ts';
import type { Node, SelectReader, Selected } from './reader.ts';
import { parseStatements } from '../../sql/parse.ts';
import { quoteIdentifier, quoteRelation } from '../../sql/quote.ts';
import { ExpressionReader, textOf } from './read-expression.ts';
import { Scope } from './scope.ts';
import type { CommonTable, ScopeTable } from './scope.ts';

const nothing: Op = { kind: 'values', rows: [[]], columns: [] };

export function fromClause(reader: SelectReader, items: readonly Node[], scope: Scope): Op {
  let op: Op | undefined;
  for (const item of items) {
    const right = fromItem(reader, item, scope);
    op = op === undefined ? right : joined('inner', op, right, null);
  }
  return op ?? nothing;
}

function joined(join: Join['join'], left: Op, right: Op, condition: Expr | null): Op {
  const made = new Set(outputOf(left));
  const lateral = [...freeIds(right)].some((id) => made.has(id));
  return { kind: 'join', join, left, right, condition, lateral };
}

function fromItem(reader: SelectReader, item: Node, scope: Scope): Op {
  const [kind, value] = Object.entries(item)[0]! as [string, Node];
  switch (kind) {
    case 'RangeVar':
      return relation(reader, value, scope);
    case 'RangeSubselect': {
      const select = (value['subquery'] as Node)['SelectStmt'] as Node;
      const { op, output } = reader.select(select, lateralScope(scope));
      return named(reader, op, output, value['alias'], scope);
    }
    case 'RangeFunction':
      return functionItem(reader, value, scope);
    case 'JoinExpr':
      return join(reader, value, scope);
    case 'RangeTableSample':
      return someRows(reader, item, scope, 'TABLESAMPLE');
    default:
      throw new Unsupported(`a FROM item of kind ${kind}`);
  }
}

/** A subquery in FROM sees what stands left of it only when LATERAL; the text was checked by PostgreSQL. */
function lateralScope(scope: Scope): Scope {
  return scope;
}

function aliasOf(value: unknown): { name: string | undefined; columns: string[] } {
  const alias = value as { aliasname?: string; colnames?: { String: { sval: string } }[] } | undefined;
  return { name: alias?.aliasname, columns: (alias?.colnames ?? []).map(({ String: name }) => name.sval) };
}

/** @param type the row type of a table, as SQL; rows of other items have none of their own */
function named(
  reader: SelectReader,
  op: Op,
  output: readonly { readonly id: string; readonly name: string }[],
  given: unknown,
  scope: Scope,
  fallback = '',
  type?: string,
): Op {
  const { name, columns: names } = aliasOf(given);
  const alias = name ?? fallback;
  const columns = output.map((column, i) => ({ id: column.id, name: names[i] ?? column.name }));
  if (!scope.readsWhole(alias)) {
    scope.tables.push({ alias, columns });
    return op;
  }
  // Where an outer join finds no row, the whole row is NULL, and no row of NULLs.
  const there = reader.id('there');
  const passed = outputOf(op).map((id) => ({ id, expr: col(id) }));
  const marked = [...passed, { id: there, expr: { A_Const: { boolval: { boolval: true } } } }];
  scope.tables.push({ alias, columns, whole: wholeRow(columns, col(there), type) });
  return { kind: 'project', child: op, columns: marked, sets: false };
}

function wholeRow(columns: ScopeTable['columns'], there: Expr, type: string | undefined): Expr {
  const list = columns.flatMap(({ id }, i): (string | Expr)[] => [i === 0 ? '' : ', ', col(id)]);
  const fields = columns.flatMap(({ id, name }, i): (string | Expr)[] => [
    i === 0 ? '' : ', ',
    col(id),
    ` AS ${quoteIdentifier(name)}`,
  ]);
  const row: (string | Expr)[] =
    type === undefined
      ? ['(SELECT "_r" FROM (SELECT ', ...fields, ') AS "_r")']
      : ['ROW(', ...list, `)::${type}`];
  return raw(['CASE WHEN ', there, ' THEN ', ...row, ' END']);
}

function relation(reader: SelectReader, range: Node, scope: Scope): Op {
  const name = String(range['relname']);
  if (range['schemaname'] === undefined) {
    const cte = scope.cte(name);
    if (cte === undefined) throw new Unsupported(`the relation ${name}`);
    const { op, output } =
      cte.together === undefined ? reader.select(cte.query as Node, cte.scope) : recursive(reader, name, cte);
    const renamed = output.map((column, i) => ({ ...column, name: cte.aliases[i] ?? column.name }));
    return named(reader, exactly(op, output), renamed, range['alias'], scope, name);
  }
  const schema = textOf(range['schemaname']);
  const found = reader.catalog.relation(schema, name);
  if (found === undefined) throw new Unsupported(`the relation ${schema}.${name}`);
  if (range['inh'] !== true) return someRows(reader, { RangeVar: range }, scope, 'ONLY');
  if (found.kind === 'view') {
    const statements = parseStatements(found.definition ?? '');
    const select = (statements[0]!.node as unknown as Node)['SelectStmt'] as Node;
    const { op, output } = reader.select(select, new Scope(null));
    const renamed = output.map((column, i) => ({ ...column, name: found.columns[i]?.name ?? column.name }));
    return named(
      reader,
      exactly(op, output),
      renamed,
      range['alias'],
      scope,
      name,
      quoteRelation({ schema, name }),
    );
  }
  const columns = found.columns.map(({ name: column, type, loose }) => ({
    id: reader.id(column),
    name: column,
    type,
    ...(typeof loose === 'string' ? { loose } : {}),
  }));
  const scan: Op = {
    kind: 'scan',
    relation: found.key,
    occurrence: reader.occurrence(),
    columns,
    mode: 'now',
  };
  return named(reader, scan, columns, range['alias'], scope, name, quoteRelation({ schema, name }));
}

/** A table of which not all rows are read. */
function someRows(reader: SelectReader, item: Node, scope: Scope, construct: string): Op {
  const sample = item['RangeTableSample'] as { relation: { RangeVar: Node } } | undefined;
  const range = sample?.relation.RangeVar ?? (item['RangeVar'] as Node);
  const found = reader.catalog.relation(textOf(range['schemaname']), textOf(range['relname']));
  const names = (found?.columns ?? []).map(({ name }) => name);
  const { op, output } = reader.apart(selectFrom(item), scope, names, new Unsupported(construct));
  return named(reader, op, output, range['alias'], scope, textOf(range['relname']));
}

function recursive(reader: SelectReader, name: string, cte: CommonTable): Selected {
  const node = (cte.node as { CommonTableExpr: Node }).CommonTableExpr;
  const names = commonTableColumns(node, cte.aliases);
  const select = recursiveSelect(name, cte.together ?? []);
  return reader.apart(select, cte.scope, names, new Unsupported('WITH RECURSIVE'));
}

function functionItem(reader: SelectReader, range: Node, scope: Scope): Op {
  const definitions = range['coldeflist'] as { ColumnDef: { colname: string } }[] | undefined;
  if (definitions !== undefined) {
    const names = definitions.map(({ ColumnDef: { colname } }) => colname);
    const why = new Unsupported('a function with a column definition list');
    const { op, output } = reader.apart(selectFrom({ RangeFunction: range }), scope, names, why);
    return named(reader, op, output, range['alias'], scope);
  }
  const expressions = new ExpressionReader(reader, scope);
  const calls = (range['functions'] as { List: { items: Node[] } }[]).map(({ List: list }) => {
    if (list.items.length > 1 && Object.keys(list.items[1]!).length > 0) {
      throw new Unsupported('a function with a column definition list');
    }
    return expressions.read(list.items[0]);
  });
  const { columns } = aliasOf(range['alias']);
  // PostgreSQL always prints the column names of a function item.
  if (columns.length === 0) throw new Unsupported('a function in FROM without column names');
  // The whole row of a function of one scalar is that scalar: which it is, only the server knows.
  if (scope.readsWhole(aliasOf(range['alias']).name ?? ''))
    throw new Unsupported('a whole row of a function');
  const output = columns.map((name) => ({ id: reader.id(name), name }));
  const argumentsOf = (call: Expr): Expr[] => (call['FuncCall'] as { args?: Expr[] } | undefined)?.args ?? [];
  const op = overArguments(reader, calls.flatMap(argumentsOf), (taken) => ({
    kind: 'function',
    calls: calls.map((call) =>
      argumentsOf(call).length === 0
        ? call
        : { FuncCall: { ...(call['FuncCall'] as Node), args: taken.splice(0, argumentsOf(call).length) } },
    ),
    ordinality: range['ordinality'] === true,
    columns: output.map(({ id }) => id),
  }));
  return named(reader, op, output, range['alias'], scope);
}

/** A leaf over expressions; those of them that hold subqueries are columns of one row beside it. */
export function overArguments(reader: SelectReader, exprs: readonly Expr[], leaf: (exprs: Expr[]) => Op): Op {
  const { op, exprs: taken } = withoutSubqueries(reader, nothing, exprs);
  return op === nothing ? leaf(taken) : joined('inner', op, leaf(taken), null);
}

/** A join under a name hides its tables: its columns are those of USING, then the rest of the left and of the right side. */
function namedJoin(reader: SelectReader, node: Node, scope: Scope): Op {
  const inner = new Scope(scope);
  const op = join(reader, { ...node, alias: undefined }, inner);
  const columns = joinColumns(inner, node, 0).columns;
  const plain = columns.every(({ expr }) => columnOf(expr) !== undefined);
  const output = columns.map(({ name, expr }) => ({
    id: plain ? columnOf(expr)! : reader.id(name),
    name,
    expr,
  }));
  const made: Op = plain
    ? op
    : { kind: 'project', child: op, columns: output.map(({ id, expr }) => ({ id, expr })), sets: false };
  return named(reader, made, output, node['alias'], scope);
}

interface JoinColumn {
  readonly name: string;
  readonly expr: Expr;
}

/** The columns of a join in PostgreSQL's order, from the tables that it added to a scope, the first of which is `at`. */
function joinColumns(scope: Scope, item: Node, at: number): { columns: JoinColumn[]; next: number } {
  const nested = item['JoinExpr'] as Node | undefined;
  const node = nested ?? (item['larg'] === undefined ? undefined : item);
  if (node === undefined || (nested !== undefined && aliasOf(nested['alias']).name !== undefined)) {
    const columns = scope.tables[at]!.columns.map(({ name, id }) => ({ name, expr: col(id) }));
    return { columns, next: at + 1 };
  }
  const left = joinColumns(scope, node['larg'] as Node, at);
  const right = joinColumns(scope, node['rarg'] as Node, left.next);
  const using = usedNames(node);
  const merged = using.map((name) => ({ name, expr: scope.merged.get(name)! }));
  const rest = (columns: readonly JoinColumn[]): JoinColumn[] =>
    columns.filter(({ name }) => !using.includes(name));
  return { columns: [...merged, ...rest(left.columns), ...rest(right.columns)], next: right.next };
}

function usedNames(node: Node): string[] {
  return ((node['usingClause'] as { String: { sval: string } }[] | undefined) ?? []).map(
    ({ String: name }) => name.sval,
  );
}

function join(reader: SelectReader, node: Node, scope: Scope): Op {
  if (aliasOf(node['alias']).name !== undefined) return namedJoin(reader, node, scope);
  const inner = new Scope(scope);
  const leftStart = scope.tables.length;
  let left = fromItem(reader, node['larg'] as Node, scope);
  const rightStart = scope.tables.length;
  let right = fromItem(reader, node['rarg'] as Node, scope);
  const type = textOf(node['jointype'], 'JOIN_INNER');
  const names = usedNames(node);
  let condition: Expr | null = null;
  if (names.length > 0) {
    const of = (tables: readonly ScopeTable[], name: string): Expr => {
      const merged = scope.merged.get(name);
      const ids = tables.flatMap(({ columns }) => columns.filter((column) => column.name === name));
      if (merged !== undefined && ids.length !== 1) return merged;
      if (ids.length !== 1) throw new Unsupported(`JOIN USING (${name}) of several tables`);
      return col(ids[0]!.id);
    };
    const parts = names.map((name) => {
      const l = of(scope.tables.slice(leftStart, rightStart), name);
      const r = of(scope.tables.slice(rightStart), name);
      scope.merged.set(
        name,
        type === 'JOIN_FULL' ? { CoalesceExpr: { args: [l, r] } } : type === 'JOIN_RIGHT' ? r : l,
      );
      return equals(l, r);
    });
    condition = conjunction(parts);
  } else if (node['quals'] !== undefined) {
    condition = new ExpressionReader(reader, new Scope(inner)).read(node['quals']);
  }
  if (type === 'JOIN_RIGHT') [left, right] = [right, left];
  const kind = { JOIN_INNER: 'inner', JOIN_LEFT: 'left', JOIN_RIGHT: 'left', JOIN_FULL: 'full' } as const;
  const known = kind[type as keyof typeof kind] as Join['join'] | undefined;
  if (known === undefined) throw new Unsupported(`a join of kind ${type}`);
  return joined(known, left, right, condition);
}
