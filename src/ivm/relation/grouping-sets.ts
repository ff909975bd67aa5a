/**
 * GROUPING SETS, ROLLUP and CUBE are several GROUP BY of the same rows, one below the other:
 *
 *     GROUP BY ROLLUP (a, b)  =  GROUP BY a, b  UNION ALL  GROUP BY a  UNION ALL  GROUP BY ()
 *
 * with NULL for the columns a set leaves out, and grouping() a constant of each set. Each is then kept as any GROUP BY is.
 */
import { computed } from './computed.ts';
import {
  col,
  columnOf,
  fingerprint,
  idsIn,
  mapExpr,
  raw,
  sameExpr,
  subqueriesIn,
  walkAll,
} from './expression.ts';
import { Unsupported, UnsupportedText, outputOf } from './ir.ts';
import { mapLevel } from './levels.ts';
import type { Column, Expr, Op } from './ir.ts';
import type { Node, SelectReader } from './reader.ts';
import { copyOf } from './rename.ts';

const LIMIT = 64;

/** The grouping sets of a GROUP BY; one when it has no GROUPING SETS. */
export function groupingSets(
  clause: readonly Node[],
  read: (node: Node) => Expr,
  distinct: boolean,
): Expr[][] {
  const sets = clause
    .map((node) => setsOf(node, read))
    .reduce<Expr[][]>(product, [[]])
    .map((set) => [...new Map(set.map((expr) => [printOf(expr), expr])).values()]);
  if (!distinct) return sets;
  const bySet = new Map(sets.map((set) => [JSON.stringify(set.map(printOf).sort()), set]));
  return [...bySet.values()];
}

function product(sets: readonly Expr[][], more: readonly Expr[][]): Expr[][] {
  if (sets.length * more.length > LIMIT) throw new Unsupported(`more than ${LIMIT} grouping sets`);
  return sets.flatMap((set) => more.map((other) => [...set, ...other]));
}

function setsOf(node: Node, read: (node: Node) => Expr): Expr[][] {
  const set = node['GroupingSet'] as { kind?: string; content?: Node[] } | undefined;
  if (set === undefined) return [members(node).map(read)];
  const content = set.content ?? [];
  const parts = (): Expr[][] => content.map((part) => members(part).map(read));
  switch (set.kind) {
    case 'GROUPING_SET_EMPTY':
      return [[]];
    case 'GROUPING_SET_SETS':
      return content.flatMap((part) => setsOf(part, read));
    case 'GROUPING_SET_ROLLUP':
      return Array.from({ length: content.length + 1 }, (_, i) =>
        parts()
          .slice(0, content.length - i)
          .flat(),
      );
    case 'GROUPING_SET_CUBE':
      return parts().reduce<Expr[][]>((sets, part) => product(sets, [part, []]), [[]]);
    default:
      throw new Unsupported('a grouping set of unknown form');
  }
}

/** `(a, b)` in a grouping set stands for both. */
function members(node: Node): Node[] {
  const row = node['RowExpr'] as { args?: Node[]; row_format?: string } | undefined;
  return row === undefined || row.row_format === 'COERCE_EXPLICIT_CALL' ? [node] : (row.args ?? []);
}

/** With one set every column is grouped: grouping() is 0. */
export function ungrouped(expr: Expr): Expr {
  return mapExpr(expr, (node) => ('GroupingFunc' in node ? raw(['0']) : undefined));
}

/**
 * The text that tells a grouped expression. PostgreSQL prints a constant in GROUP BY with its type, so that it is no column's number,
 * and without it elsewhere: `1::integer` is 1.
 */
function printOf(expr: Expr): string {
  const cast = expr['TypeCast'] as
    | {
        arg: Expr;
        typeName: { names: { String?: { sval?: string } }[]; typmods?: unknown; arrayBounds?: unknown };
      }
    | undefined;
  const constant = cast?.arg['A_Const'] as Record<string, unknown> | undefined;
  if (cast === undefined || constant === undefined) return fingerprint(expr);
  const { names, typmods, arrayBounds } = cast.typeName;
  const type = names.at(-1)?.String?.sval;
  const own =
    constant['ival'] !== undefined
      ? 'int4'
      : constant['fval'] !== undefined
        ? 'numeric'
        : constant['boolval'] !== undefined
          ? 'bool'
          : undefined;
  return type === own && typmods === undefined && arrayBounds === undefined
    ? fingerprint(cast.arg)
    : fingerprint(expr);
}

const isConstant = (expr: Expr): boolean => idsIn(expr).size === 0 && subqueriesIn(expr).length === 0;

/**
 * Columns are grouped by their places, which the printed text no longer tells: where two columns are the same expression, and that is grouped
 * twice, either may be meant. Of a constant, versions of PostgreSQL also differ in whether it becomes NULL wherever else it stands.
 * @throws UnsupportedText
 */
export function checkPlaces(
  clause: readonly Node[],
  read: (node: Node) => Expr,
  targets: readonly Expr[],
): void {
  const times = new Map<string, number>();
  const count = (expr: Expr): Expr => {
    times.set(printOf(expr), (times.get(printOf(expr)) ?? 0) + 1);
    return expr;
  };
  const leaves = (node: Node): void => {
    const set = node['GroupingSet'] as { content?: Node[] } | undefined;
    if (set === undefined) for (const member of members(node)) count(read(member));
    else for (const part of set.content ?? []) leaves(part);
  };
  clause.forEach(leaves);
  const seen = new Set<string>();
  for (const print of targets.map(printOf)) {
    if (seen.has(print) && (times.get(print) ?? 0) > 1)
      throw new UnsupportedText('a column that stands twice, and twice among grouping sets');
    seen.add(print);
  }
}

/** @throws UnsupportedText for a constant among the sets that is no column by itself, or more than one */
function checkConstants(
  groups: ReadonlyMap<string, Expr>,
  targets: readonly Expr[],
  others: readonly Expr[],
): void {
  const constants = new Set([...groups].flatMap(([print, expr]) => (isConstant(expr) ? [print] : [])));
  if (constants.size === 0) return;
  const refuse = (): never => {
    throw new UnsupportedText('a constant among grouping sets that is used elsewhere');
  };
  const whole = targets.map(printOf).filter((print) => constants.has(print));
  if (new Set(whole).size < whole.length) refuse();
  const within = (expr: Expr): void => {
    mapExpr(expr, (node) => {
      if ('GroupingFunc' in node) return node;
      return constants.has(printOf(node)) ? refuse() : undefined;
    });
  };
  for (const expr of targets) if (!constants.has(printOf(expr))) within(expr);
  for (const expr of others) if (!targets.some((target) => sameExpr(target, expr))) within(expr);
}

/**
 * `exprs` come back in terms of the columns of the union.
 * @param targets how many of them are the query's columns
 */
export function aggregateSets(
  reader: SelectReader,
  child: Op,
  sets: readonly (readonly Expr[])[],
  exprs: readonly Expr[],
  targets: number,
  isAggregate: (node: Expr) => boolean,
): { op: Op; exprs: Expr[] } {
  const byPrint = new Map(sets.flat().map((expr) => [printOf(expr), expr]));
  checkConstants(byPrint, exprs.slice(0, targets), exprs.slice(targets));
  const groups = [...byPrint.entries()];
  const below = computed(
    reader,
    child,
    groups.map(([, expr]) => expr),
  );
  const columns = new Map<string, { readonly id: string; readonly of: (set: ReadonlySet<string>) => Expr }>();
  groups.forEach(([print, expr], i) => {
    const empty = typedNull(expr, below.ids[i]!, below.op);
    columns.set(print, {
      id: reader.id('group'),
      of: (set) => (set.has(print) ? col(below.ids[i]!) : empty),
    });
  });
  const rewritten = rewrite(reader, exprs, columns, new Set(outputOf(below.op)), isAggregate);
  const branches = sets.map((set) => branch(reader, below, groups, set, [...columns.values()]));
  const ids = [...columns.values()].map(({ id }) => id);
  const op = branches.reduce((left, right, i) => ({
    kind: 'set',
    operation: 'union',
    all: true,
    left,
    right,
    columns: i === branches.length - 1 ? ids : ids.map((id) => reader.id(id.replace(/_\d+$/, ''))),
  }));
  return { op, exprs: rewritten };
}

/** Replaces groups, aggregates and grouping() by columns of the union, and lists what these are in one set. */
function rewrite(
  reader: SelectReader,
  exprs: readonly Expr[],
  columns: Map<string, { readonly id: string; readonly of: (set: ReadonlySet<string>) => Expr }>,
  available: ReadonlySet<string>,
  isAggregate: (node: Expr) => boolean,
): Expr[] {
  const column = (print: string, name: string, of: (set: ReadonlySet<string>) => Expr): Expr => {
    if (!columns.has(print)) columns.set(print, { id: reader.id(name), of });
    return col(columns.get(print)!.id);
  };
  return exprs.map((expr) =>
    mapLevel(expr, available, (node) => {
      const print = printOf(node);
      const known = columns.get(print);
      if (known !== undefined) return col(known.id);
      if (isAggregate(node)) return column(print, 'agg', () => node);
      if ('GroupingFunc' in node) {
        const args = ((node['GroupingFunc'] as { args?: Expr[] }).args ?? []).map(printOf);
        return column(print, 'grouping', (set) => {
          const bits = args.reduce((sum, arg) => sum * 2 + (set.has(arg) ? 0 : 1), 0);
          return raw([`${bits}::integer`]);
        });
      }
      const id = columnOf(node);
      if (id !== undefined && available.has(id))
        throw new Unsupported('a column that depends on grouping sets');
      return undefined;
    }),
  );
}

function branch(
  reader: SelectReader,
  below: { readonly op: Op; readonly ids: readonly string[] },
  groups: readonly (readonly [string, Expr])[],
  set: readonly Expr[],
  columns: readonly { readonly id: string; readonly of: (set: ReadonlySet<string>) => Expr }[],
): Op {
  const copy = copyOf(below.op, reader);
  const own = (expr: Expr): Expr =>
    mapExpr(expr, (node) => {
      const id = columnOf(node);
      return id === undefined ? undefined : col(copy.of(id));
    });
  const prints = new Set(set.map(printOf));
  const grouped: Column[] = groups.flatMap(([print], i) =>
    prints.has(print) ? [{ id: reader.id('key'), expr: col(copy.of(below.ids[i]!)) }] : [],
  );
  const aggregates: Column[] = [];
  const shown = columns.map(({ of }) => {
    const expr = own(of(prints));
    const key = grouped.find((group) => columnOf(group.expr) === columnOf(expr));
    if (columnOf(expr) !== undefined && key !== undefined) return { id: reader.id('set'), expr: col(key.id) };
    if ('Raw' in expr) return { id: reader.id('set'), expr };
    const aggregate = { id: reader.id('agg'), expr };
    aggregates.push(aggregate);
    return { id: reader.id('set'), expr: col(aggregate.id) };
  });
  const op: Op = { kind: 'aggregate', child: copy.op, groups: grouped, aggregates };
  return { kind: 'project', child: op, columns: shown, sets: false };
}

/** NULL of a group's type: sides of a union must agree. Where the type is not known, an aggregate of no row has it. */
function typedNull(expr: Expr, id: string, child: Op): Expr {
  const type = typeOf(expr, child);
  if (type !== undefined) return raw([`NULL::${type}`]);
  const cast = expr['TypeCast'] as Record<string, unknown> | undefined;
  if (cast !== undefined) return raw([{ TypeCast: { ...cast, arg: { A_Const: { isnull: true } } } }]);
  return {
    FuncCall: {
      funcname: [{ String: { sval: 'pg_catalog' } }, { String: { sval: 'mode' } }],
      agg_within_group: true,
      agg_order: [
        { SortBy: { node: col(id), sortby_dir: 'SORTBY_DEFAULT', sortby_nulls: 'SORTBY_NULLS_DEFAULT' } },
      ],
      agg_filter: { A_Const: { boolval: {} } },
    },
  };
}

function typeOf(expr: Expr, child: Op): string | undefined {
  const id = columnOf(expr);
  if (id === undefined) return undefined;
  let type: string | undefined;
  walkAll(child, (op) => {
    if (op.kind === 'scan') type ??= op.columns.find((column) => column.id === id)?.type;
  });
  return type;
}
