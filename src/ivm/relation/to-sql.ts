/** Tree → SQL: one nested SELECT an operator, columns under their ids. PostgreSQL flattens what can be flattened. */
import { quoteIdentifier } from '../../sql/quote.ts';
import { bothChange } from './changes-meet.ts';
import { idsIn } from './expression.ts';
import { Unsupported, childrenOf, outputOf } from './ir.ts';
import type { Expr, Join, Op, Scan, SortKey } from './ir.ts';
import { printExpr } from './print-expression.ts';

export interface SqlOptions {
  /** FROM item for a scan: its SQL without alias, e.g. `"public"."events"` or `(SELECT ...)`. */
  readonly from: (scan: Scan) => string;
  /** What stands for the clock. */
  readonly now: string;
  /** Whether small changes are worked on: subqueries are then asked row by row, by index, and not joined as a whole. */
  readonly driven?: true;
}

/** A SELECT of `columns` (ids, or ids with names for users) of a tree, in that order. */
export function selectSql(
  op: Op,
  columns: readonly (string | { readonly id: string; readonly name: string })[],
  options: SqlOptions,
): string {
  const list = columns.map((column) =>
    typeof column === 'string'
      ? quoteIdentifier(column)
      : `${quoteIdentifier(column.id)} AS ${quoteIdentifier(column.name)}`,
  );
  return `SELECT ${list.join(', ')} FROM ${item(op, options)}`;
}

export function exprSql(expr: Expr, options: SqlOptions): string {
  return printExpr(expr, {
    now: options.now,
    driven: options.driven,
    query: (op, output) => selectSql(op, output, options),
  });
}

/** A FROM item under an alias that nothing names, since ids are unique. */
function item(op: Op, options: SqlOptions, alias = '_q'): string {
  return `(${opSql(op, options)}) AS ${alias}`;
}

function opSql(op: Op, options: SqlOptions): string {
  const expr = (value: Expr): string => exprSql(value, options);
  const named = (columns: readonly { id: string; expr: Expr }[]): string[] =>
    columns.map((column) => `${expr(column.expr)} AS ${quoteIdentifier(column.id)}`);
  switch (op.kind) {
    case 'scan': {
      const columns = op.columns.map(
        ({ id, name }) => `"_s".${quoteIdentifier(name)} AS ${quoteIdentifier(id)}`,
      );
      if (op.due !== undefined) return scanByTime(op, columns, options);
      const sign = op.sign === -1 ? '-' : '';
      if (op.weight !== undefined) columns.push(`${sign}"_s"."_seg_w" AS ${quoteIdentifier(op.weight)}`);
      return `SELECT ${columns.join(', ')} FROM ${op.mode === 'shared' ? quoteIdentifier(op.relation) : options.from(op)} AS "_s"`;
    }
    case 'values': {
      if (op.columns.length === 0) return op.rows.length === 1 ? 'SELECT' : 'SELECT WHERE false';
      const rows = op.rows.map((row) => `(${row.map(expr).join(', ')})`);
      return `SELECT * FROM (VALUES ${rows.join(', ')}) AS "_v" (${op.columns.map(quoteIdentifier).join(', ')})`;
    }
    case 'function': {
      const calls = op.calls.map(expr);
      const from = calls.length === 1 ? calls[0]! : `ROWS FROM (${calls.join(', ')})`;
      return `SELECT * FROM ${from}${op.ordinality ? ' WITH ORDINALITY' : ''} AS "_f" (${op.columns.map(quoteIdentifier).join(', ')})`;
    }
    case 'project':
      return `SELECT ${named(op.columns).join(', ')} FROM ${item(op.child, options)}`;
    case 'filter':
      if (op.after === true)
        return `SELECT * FROM (${opSql(op.child, options)} OFFSET 0) AS _q WHERE ${expr(op.condition)}`;
      return `SELECT * FROM ${item(op.child, options)} WHERE ${expr(op.condition)}`;
    case 'join': {
      const driven = drivenBy(op);
      if (driven !== undefined) {
        // From the change to the other side, by index: a planner that takes that side for empty would begin there.
        return `SELECT * FROM ${item(driven.change, options, '_l')} CROSS JOIN LATERAL (SELECT * FROM ${item(driven.other, options, '_r')} WHERE ${expr(driven.condition)} OFFSET 0) AS _r`;
      }
      const met = bothChange(op);
      if (met !== undefined) {
        return `SELECT * FROM ${item(op.left, options, '_l')} FULL JOIN ${item(op.right, options, '_r')} ON ${expr(op.condition!)} WHERE ${expr(met)}`;
      }
      const word = { inner: 'JOIN', left: 'LEFT JOIN', full: 'FULL JOIN' }[op.join];
      const lateral = op.lateral ? 'LATERAL ' : '';
      return `SELECT * FROM ${item(op.left, options, '_l')} ${word} ${lateral}${item(op.right, options, '_r')} ON ${op.condition === null ? 'true' : expr(op.condition)}`;
    }
    case 'aggregate': {
      // A bare constant in GROUP BY would be the number of a column.
      const groups = op.groups.map((group) =>
        idsIn(group.expr).size === 0 ? `coalesce(${expr(group.expr)})` : expr(group.expr),
      );
      const columns = named([...op.groups, ...op.aggregates]);
      const from = item(op.child, options);
      // HAVING makes it one row also where every aggregate was pruned away.
      if (groups.length === 0) return `SELECT ${columns.join(', ')} FROM ${from} HAVING true`;
      return `SELECT ${columns.join(', ')} FROM ${from} GROUP BY ${groups.join(', ')}`;
    }
    case 'window':
      return `SELECT *, ${named(op.columns).join(', ')} FROM ${item(op.child, options)}`;
    case 'distinct':
      return `SELECT DISTINCT * FROM ${item(op.child, options)}`;
    case 'distinct-on':
      return `SELECT DISTINCT ON (${op.on.map(quoteIdentifier).join(', ')}) * FROM ${item(op.child, options)}${orderBy(op.order)}`;
    case 'limit': {
      const offset = op.offset === null ? '' : ` OFFSET ${expr(op.offset)}`;
      const limit =
        op.limit === null
          ? ''
          : op.ties
            ? ` FETCH FIRST (${expr(op.limit)}) ROWS WITH TIES`
            : ` LIMIT ${expr(op.limit)}`;
      return `SELECT * FROM ${item(op.child, options)}${orderBy(op.order)}${offset}${limit}`;
    }
    case 'set': {
      const word = `${op.operation.toUpperCase()}${op.all ? ' ALL' : ''}`;
      const left = selectSql(op.left, renamed(outputOf(op.left), op.columns), options);
      const right = selectSql(op.right, outputOf(op.right), options);
      if (op.columns.length === 0) throw new Unsupported('a set operation without columns');
      return `${left} ${word} ${right}`;
    }
  }
}

/** Each range in a branch of its own, which an index answers; a row that is in several comes with the first. */
function scanByTime(op: Scan, columns: readonly string[], options: SqlOptions): string {
  const names = new Map(op.columns.map(({ id, name }) => [id, name]));
  const ranges = (op.due ?? []).map((expr) =>
    printExpr(expr, {
      now: options.now,
      column: (id) => `"_s".${quoteIdentifier(names.get(id)!)}`,
      query: (inner, output) => selectSql(inner, output, options),
    }),
  );
  const from = `${options.from(op)} AS "_s"`;
  const none = (some: readonly string[]): string => `((${some.join(' OR ')}) IS NOT TRUE)`;
  if (op.mode === 'rest') return `SELECT ${columns.join(', ')} FROM ${from} WHERE ${none(ranges)}`;
  const weight = op.weight === undefined ? [] : [`${op.sign ?? 1} AS ${quoteIdentifier(op.weight)}`];
  return ranges
    .map((range, i) => {
      const once = i === 0 ? '' : ` AND ${none(ranges.slice(0, i))}`;
      return `SELECT ${[...columns, ...weight].join(', ')} FROM ${from} WHERE ${range}${once}`;
    })
    .join(' UNION ALL ');
}

/** The sides of an inner join of which one alone holds the rows of a change. */
function drivenBy(op: Join): { change: Op; other: Op; condition: Expr } | undefined {
  if (op.join !== 'inner' || op.lateral || op.condition === null) return undefined;
  const left = holdsChange(op.left);
  if (left === holdsChange(op.right)) return undefined;
  return left
    ? { change: op.left, other: op.right, condition: op.condition }
    : { change: op.right, other: op.left, condition: op.condition };
}

function holdsChange(op: Op): boolean {
  if (op.kind === 'scan')
    return op.mode === 'change' || op.mode === 'shared' || op.mode === 'touched' || op.mode === 'due';
  return childrenOf(op).some(holdsChange);
}

function renamed(ids: readonly string[], names: readonly string[]): { id: string; name: string }[] {
  return ids.map((id, i) => ({ id, name: names[i]! }));
}

function orderBy(keys: readonly SortKey[]): string {
  if (keys.length === 0) return '';
  const texts = keys.map(
    ({ id, descending, nullsFirst }) =>
      `${quoteIdentifier(id)}${descending ? ' DESC' : ''} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`,
  );
  return ` ORDER BY ${texts.join(', ')}`;
}
