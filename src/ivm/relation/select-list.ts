/** Everything of a SELECT after WHERE: grouping, windows, output columns, DISTINCT, ORDER BY and LIMIT. */
import { col, columnOf, fingerprint, idsIn, mapExpr, walkExpr } from './expression.ts';
import { Unsupported, outputOf } from './ir.ts';
import type { Column, Expr, Op, SortKey } from './ir.ts';
import { computed, returnsSet } from './computed.ts';
import { liftSubqueries } from './lift-subqueries.ts';
import { rowMembers, sortMembers } from './rows.ts';
import { canonicalExpr } from './rename.ts';
import { aggregateSets, checkPlaces, groupingSets, ungrouped } from './grouping-sets.ts';
import { mapLevel, someOfLevel, usesOnly } from './levels.ts';
import { exactly, limited, sortKey } from './reader.ts';
import type { Node, SelectReader, Selected } from './reader.ts';
import { textOf } from './read-expression.ts';
import type { ExpressionReader } from './read-expression.ts';

export function selectList(
  reader: SelectReader,
  select: Node,
  from: Op,
  expressions: ExpressionReader,
): Selected {
  const targets = ((select['targetList'] as { ResTarget: Node }[] | undefined) ?? []).map(
    ({ ResTarget: target }, i) => {
      const name = typeof target['name'] === 'string' ? target['name'] : impliedName(target['val'], i);
      return { name, expr: inlineWindows(expressions.read(target['val']), select, expressions) };
    },
  );
  const sort = ((select['sortClause'] as { SortBy: Node }[] | undefined) ?? []).flatMap(({ SortBy: key }) =>
    sortMembers(key, inlineWindows(sortExpr(key['node'], targets, expressions), select, expressions)),
  );
  const distinct = select['distinctClause'] as Node[] | undefined;
  const distinctOn = (distinct ?? [])
    .filter((node) => Object.keys(node).length > 0)
    .flatMap((node) => rowMembers(sortExpr(node, targets, expressions)));
  let having = select['havingClause'] === undefined ? null : expressions.read(select['havingClause']);
  let exprs = [...targets.map(({ expr }) => expr), ...sort.map(({ expr }) => expr), ...distinctOn];

  const called = having === null ? exprs : [...exprs, having];
  const lifted = liftSubqueries(reader, from, called, (node) => aggregateCall(node, reader));
  let { op } = lifted;
  exprs = lifted.exprs.slice(0, exprs.length);
  having = having === null ? null : lifted.exprs.at(-1)!;
  const groupClause = (select['groupClause'] as Node[] | undefined) ?? [];
  const own = new Set(outputOf(op));
  const isAggregate = (node: Expr): boolean => {
    if (!aggregateCall(node, reader)) return false;
    const used = [...idsIn(node)];
    if (used.length > 0 && !used.some((id) => own.has(id)))
      throw new Unsupported('an aggregate of the query around a subquery');
    return true;
  };
  const ofThisLevel = (node: Expr): boolean => aggregateCall(node, reader) && usesOnly(node, own);
  const aggregated =
    groupClause.length > 0 ||
    having !== null ||
    exprs.some((expr) => contains(expr, isAggregate) || someOfLevel(expr, own, ofThisLevel));
  if (aggregated) {
    const read = (node: Node): Expr => sortExpr(node, targets, expressions);
    const sets = groupingSets(groupClause, read, select['groupDistinct'] === true);
    if (sets.length > 1) checkPlaces(groupClause, read, exprs.slice(0, targets.length));
    const all = having === null ? exprs : [...exprs, having];
    const grouped =
      sets.length === 1
        ? aggregate(reader, op, sets[0]!.flatMap(rowMembers), all.map(ungrouped), isAggregate)
        : aggregateSets(reader, op, sets, all, targets.length, isAggregate);
    op = grouped.op;
    exprs = grouped.exprs.slice(0, exprs.length);
    having = having === null ? null : grouped.exprs.at(-1)!;
    if (having !== null) op = { kind: 'filter', child: op, condition: having };
  }

  const below = liftSubqueries(reader, op, exprs, (node) => callOf(node)?.over !== undefined);
  const windowed = windows(reader, below.op, below.exprs);
  op = windowed.op;
  exprs = windowed.exprs;

  const sets = exprs.some((expr) => returnsSet(expr, reader));
  const columns: Column[] = [];
  const take = (expr: Expr, name: string): string => {
    const print = canonicalExpr(expr);
    const known =
      columns.slice(targets.length).find((column) => canonicalExpr(column.expr) === print) ??
      columns.find((column) => canonicalExpr(column.expr) === print);
    if (known !== undefined) return known.id;
    const column = { id: reader.id(name), expr };
    columns.push(column);
    return column.id;
  };
  const output = targets.map(({ name }, i) => {
    const column = { id: reader.id(name), expr: exprs[i]! };
    columns.push(column);
    return { id: column.id, name };
  });
  const order: SortKey[] = sort.map(({ key }, i) => sortKey(key, take(exprs[targets.length + i]!, 'sort')));
  const on = [...new Set(distinctOn.map((_, i) => take(exprs[targets.length + sort.length + i]!, 'on')))];
  if (sets && columns.length > targets.length) throw new Unsupported('a set-returning column with ORDER BY');
  op = { kind: 'project', child: op, columns, sets };
  if (on.length > 0) op = { kind: 'distinct-on', child: op, on, order };
  else if (distinct !== undefined) op = { kind: 'distinct', child: exactly(op, output) };
  op = limited(op, select, order, expressions);
  return { op: exactly(op, output), output };
}

/** ORDER BY, GROUP BY and DISTINCT ON may name an output column by position. */
function sortExpr(
  node: unknown,
  targets: readonly { name: string; expr: Expr }[],
  expressions: ExpressionReader,
): Expr {
  const constant = (node as { A_Const?: { ival?: { ival?: number } } }).A_Const;
  if (constant?.ival !== undefined) {
    const target = targets[(constant.ival.ival ?? 0) - 1];
    if (target === undefined) throw new Unsupported('a position that is no column');
    return target.expr;
  }
  return expressions.read(node);
}

function impliedName(value: unknown, index: number): string {
  const fields = (value as { ColumnRef?: { fields: { String?: { sval?: string } }[] } }).ColumnRef?.fields;
  return fields?.at(-1)?.String?.sval ?? `column${index + 1}`;
}

function contains(expr: Expr, test: (node: Expr) => boolean): boolean {
  let found = false;
  walkExpr(expr, (node) => {
    if (found || 'Sub' in node) return false;
    found = test(node);
    return !found;
  });
  return found;
}

interface Call {
  readonly funcname: readonly { String?: { sval?: string } }[];
  readonly over?: Node;
  readonly args?: readonly Expr[];
}

function callOf(node: Expr): Call | undefined {
  return node['FuncCall'] as Call | undefined;
}

function aggregateCall(node: Expr, reader: SelectReader): boolean {
  const call = callOf(node);
  if (call === undefined || call.over !== undefined) return false;
  return reader.catalog.function(call.funcname.at(-1)?.String?.sval ?? '')?.aggregate === true;
}

/** GROUP BY: `exprs` come back in terms of the groups and aggregates. */
function aggregate(
  reader: SelectReader,
  child: Op,
  groupExprs: readonly Expr[],
  exprs: readonly Expr[],
  isAggregate: (node: Expr) => boolean,
): { op: Op; exprs: Expr[] } {
  const below = computed(reader, child, groupExprs);
  const groups: Column[] = [];
  const byFingerprint = new Map<string, string>();
  below.ids.forEach((id, i) => {
    const print = canonicalExpr(groupExprs[i]!);
    if (byFingerprint.has(print)) return;
    const group = { id: reader.id(id.replace(/_\d+$/, '')), expr: col(id) };
    groups.push(group);
    byFingerprint.set(print, group.id);
  });
  const aggregates: Column[] = [];
  const available = new Set(outputOf(below.op));
  const rewritten = exprs.map((expr) =>
    mapLevel(expr, available, (node) => {
      const print = canonicalExpr(node);
      const group = byFingerprint.get(print);
      if (group !== undefined) return col(group);
      if (isAggregate(node)) {
        const column = { id: reader.id(callOf(node)!.funcname.at(-1)?.String?.sval ?? 'agg'), expr: node };
        aggregates.push(column);
        byFingerprint.set(print, column.id);
        return col(column.id);
      }
      // A column that is not grouped depends on the groups (they hold a primary key): it is one more group.
      const id = columnOf(node);
      if (id === undefined || !available.has(id)) return undefined;
      const extra = { id: reader.id(id.replace(/_\d+$/, '')), expr: col(id) };
      groups.push(extra);
      byFingerprint.set(print, extra.id);
      return col(extra.id);
    }),
  );
  return { op: { kind: 'aggregate', child: below.op, groups, aggregates }, exprs: rewritten };
}

/** Window functions: computed by a window operator, their partition columns by a projection below. */
function windows(reader: SelectReader, child: Op, exprs: readonly Expr[]): { op: Op; exprs: Expr[] } {
  const calls: Expr[] = [];
  const seen = new Set<string>();
  for (const expr of exprs) {
    walkExpr(expr, (node) => {
      if ('Sub' in node) return false;
      if (callOf(node)?.over === undefined) return true;
      if (!seen.has(fingerprint(node))) calls.push(node);
      seen.add(fingerprint(node));
      return false;
    });
  }
  if (calls.length === 0) return { op: child, exprs: [...exprs] };
  let op = child;
  const columns: Column[] = [];
  const ids = new Map<string, string>();
  for (const call of calls) {
    const inner = callOf(call)!;
    const over = inner.over!;
    // The rows of such a window are made below it, and its columns with them.
    if (returnsSet({ List: [over] }, reader)) throw new Unsupported('a window over a set-returning function');
    const below = computed(reader, op, (over['partitionClause'] as Expr[] | undefined) ?? []);
    op = below.op;
    const expr = { FuncCall: { ...inner, over: { ...over, partitionClause: below.ids.map(col) } } };
    const column = { id: reader.id(inner.funcname.at(-1)?.String?.sval ?? 'window'), expr };
    columns.push(column);
    ids.set(fingerprint(call), column.id);
  }
  const replaced = exprs.map((expr) =>
    mapExpr(expr, (node) => {
      if ('Sub' in node) return node;
      const id = ids.get(fingerprint(node));
      return id === undefined ? undefined : col(id);
    }),
  );
  return { op: { kind: 'window', child: op, columns }, exprs: replaced };
}

/** OVER w and OVER (w ...) with the named window written out. */
function inlineWindows(expr: Expr, select: Node, expressions: ExpressionReader): Expr {
  const clause = (select['windowClause'] as { WindowDef: Node }[] | undefined) ?? [];
  const defined = new Map<string, Node>();
  const merge = (window: Node): Node => {
    const base = defined.get(textOf(window['refname'] ?? window['name']));
    if (base === undefined) return window;
    const own = (key: string): unknown => {
      const value = window[key] as unknown[] | undefined;
      return value !== undefined && value.length > 0 ? value : base[key];
    };
    const framed =
      window['refname'] !== undefined || (Number(window['frameOptions'] ?? 0) & 1) !== 0 ? window : base;
    return {
      partitionClause: own('partitionClause'),
      orderClause: own('orderClause'),
      frameOptions: framed['frameOptions'],
      startOffset: framed['startOffset'],
      endOffset: framed['endOffset'],
    };
  };
  for (const { WindowDef: window } of clause) {
    const name = String(window['name']);
    const read = expressions.readClause({ ...window, name: undefined });
    defined.set(name, merge(read));
  }
  return mapExpr(expr, (node) => {
    // A subquery's own windows were written out when it was read.
    if ('Sub' in node) return node;
    const call = callOf(node);
    if (call?.over === undefined) return undefined;
    const { frameOptions, startOffset, endOffset, ...window } = merge(call.over);
    const partitionClause = (window['partitionClause'] as Expr[] | undefined)?.flatMap(rowMembers);
    const orderClause = (window['orderClause'] as { SortBy: Node }[] | undefined)?.flatMap(
      ({ SortBy: key }) =>
        sortMembers(key, key['node'] as Expr).map((member) => ({
          SortBy: { ...member.key, node: member.expr },
        })),
    );
    const over = Object.fromEntries(
      Object.entries({ partitionClause, orderClause, frameOptions, startOffset, endOffset }).filter(
        ([, v]) => v !== undefined,
      ),
    );
    return { FuncCall: { ...call, over } };
  });
}
