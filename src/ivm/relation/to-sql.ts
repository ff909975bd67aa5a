/** Tree → SQL. What PostgreSQL would flatten is written flat, so that a long chain of queries is not a deep one. */
import { quoteIdentifier } from '../../sql/quote.ts';
import { bothChange } from './changes-meet.ts';
import { columnOf, idsIn } from './expression.ts';
import { Unsupported, childrenOf, outputOf } from './ir.ts';
import type { Expr, Join, Op, Project, Scan, SetOperation, SortKey } from './ir.ts';
import { printExpr } from './print-expression.ts';
import { columnsOf, copiesOf, fitsInto, textOf, untyped } from './select.ts';
import type { Select, SelectColumn } from './select.ts';

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
  const named = columns.map((column) => (typeof column === 'string' ? { id: column, name: column } : column));
  return new Printer(options).query(op, named);
}

export function exprSql(expr: Expr, options: SqlOptions): string {
  return new Printer(options).expr(expr, new Map());
}

interface Named {
  readonly id: string;
  readonly name: string;
}

/** What the names of a place mean: columns of this query, then those of the queries around it. */
type Names = ReadonlyMap<string, Pick<SelectColumn, 'sql'>>;

/** Prints one statement. Every item of FROM has an alias of its own in it, so that no name is taken for another's. */
class Printer {
  readonly #options: SqlOptions;
  #aliases = 0;
  /** Of the queries around the one that is printed, and of what stands left of a lateral item. */
  #outer: Names = new Map();

  constructor(options: SqlOptions) {
    this.#options = options;
  }

  query(op: Op, columns: readonly Named[]): string {
    const branches = columns.length === 0 ? undefined : unionOf(op, columns);
    if (branches === undefined) return this.#listed(op, columns);
    return branches.map((branch) => this.#listed(branch.op, branch.columns)).join(' UNION ALL ');
  }

  expr(expr: Expr, names: Names): string {
    const { now, driven } = this.#options;
    return printExpr(expr, {
      now,
      driven,
      column: (id) => (names.get(id) ?? this.#outer.get(id))?.sql ?? quoteIdentifier(id),
      query: (op, output) =>
        this.#within(names, () =>
          this.query(
            op,
            output.map((id) => ({ id, name: id })),
          ),
        ),
    });
  }

  #within<T>(names: Names, print: () => T): T {
    const outer = this.#outer;
    this.#outer = new Map([...outer, ...names]);
    try {
      return print();
    } finally {
      this.#outer = outer;
    }
  }

  #listed(op: Op, columns: readonly Named[]): string {
    let select = this.#select(op);
    const used = columns.map(({ id }) => ({ Col: id }));
    if (!fitsInto(used, select.columns, false)) select = this.#nested(select);
    const list = columns.map(({ id, name }) => {
      const sql = select.columns.get(id)?.sql ?? quoteIdentifier(id);
      return `${sql} AS ${quoteIdentifier(name)}`;
    });
    return textOf(select, list);
  }

  #alias(prefix: string): string {
    return `_${prefix}${++this.#aliases}`;
  }

  /** A tree as an item of FROM. */
  #item(op: Op): { readonly sql: string; readonly columns: Map<string, SelectColumn> } {
    const alias = this.#alias('q');
    return { sql: `(${this.#text(op)}) AS ${alias}`, columns: columnsOf(outputOf(op), alias) };
  }

  #nested(select: Select): Select {
    const alias = this.#alias('q');
    return {
      columns: columnsOf([...select.columns.keys()], alias),
      from: `(${textOf(select)}) AS ${alias}`,
      where: [],
    };
  }

  #over(op: Op, print: (from: string, columns: Map<string, SelectColumn>) => string): string {
    const { sql, columns } = this.#item(op);
    return print(sql, columns);
  }

  /** A query of all columns of a tree under their ids. */
  #text(op: Op): string {
    switch (op.kind) {
      case 'aggregate':
        return this.#over(op.child, (from, below) => {
          const columns = op.aggregates.map(({ id, expr }) => ({ id, sql: this.expr(expr, below) }));
          const groups = op.groups.map(({ id, expr }) => ({ id, expr, sql: this.expr(expr, below) }));
          const list = [...groups, ...columns].map(({ id, sql }) => `${sql} AS ${quoteIdentifier(id)}`);
          // HAVING makes it one row also where every aggregate was pruned away.
          if (groups.length === 0) return `SELECT ${list.join(', ')} FROM ${from} HAVING true`;
          // A bare constant in GROUP BY would be the number of a column.
          const by = groups.map(({ expr, sql }) => (idsIn(expr).size === 0 ? `coalesce(${sql})` : sql));
          return `SELECT ${list.join(', ')} FROM ${from} GROUP BY ${by.join(', ')}`;
        });
      case 'window':
        return this.#over(op.child, (from, below) => {
          const added = op.columns.map(
            ({ id, expr }) => `${this.expr(expr, below)} AS ${quoteIdentifier(id)}`,
          );
          return `SELECT *, ${added.join(', ')} FROM ${from}`;
        });
      case 'distinct':
        return this.#over(op.child, (from) => `SELECT DISTINCT * FROM ${from}`);
      case 'distinct-on':
        return this.#over(op.child, (from) => {
          const on = op.on.map(quoteIdentifier).join(', ');
          return `SELECT DISTINCT ON (${on}) * FROM ${from}${orderBy(op.order)}`;
        });
      case 'limit':
        return this.#over(op.child, (from, below) => {
          const offset = op.offset === null ? '' : ` OFFSET ${this.expr(op.offset, below)}`;
          const count = op.limit === null ? '' : this.expr(op.limit, below);
          const limit =
            op.limit === null ? '' : op.ties ? ` FETCH FIRST (${count}) ROWS WITH TIES` : ` LIMIT ${count}`;
          return `SELECT * FROM ${from}${orderBy(op.order)}${offset}${limit}`;
        });
      case 'set':
        return this.#set(op);
      case 'scan':
        if (op.due !== undefined) return this.#scanByTime(op);
        return textOf(this.#select(op));
      default:
        return textOf(this.#select(op));
    }
  }

  #set(op: SetOperation): string {
    if (op.columns.length === 0) throw new Unsupported('a set operation without columns');
    if (op.operation === 'union' && op.all)
      return this.query(
        op,
        op.columns.map((id) => ({ id, name: id })),
      );
    const ids = outputOf(op.left);
    const left = this.#listed(
      op.left,
      op.columns.map((name, i) => ({ id: ids[i]!, name })),
    );
    const right = this.#listed(
      op.right,
      outputOf(op.right).map((id) => ({ id, name: id })),
    );
    return `${left} ${op.operation.toUpperCase()}${op.all ? ' ALL' : ''} ${right}`;
  }

  /** A tree as one SELECT that more can be put into. */
  #select(op: Op): Select {
    switch (op.kind) {
      case 'scan': {
        if (op.due !== undefined) break;
        const alias = this.#alias('s');
        const from = op.mode === 'shared' ? quoteIdentifier(op.relation) : this.#options.from(op);
        return { columns: this.#scanned(op, alias), from: `${from} AS ${alias}`, where: [] };
      }
      case 'values': {
        if (op.columns.length === 0)
          return { columns: new Map(), from: null, where: op.rows.length === 1 ? [] : ['false'] };
        const rows = op.rows.map((row) => `(${row.map((expr) => this.expr(expr, new Map())).join(', ')})`);
        return this.#called(`(VALUES ${rows.join(', ')})`, op.columns);
      }
      case 'function': {
        const calls = op.calls.map((call) => this.expr(call, new Map()));
        const from = calls.length === 1 ? calls[0]! : `ROWS FROM (${calls.join(', ')})`;
        return this.#called(`${from}${op.ordinality ? ' WITH ORDINALITY' : ''}`, op.columns);
      }
      case 'project':
        return this.#project(op);
      case 'filter': {
        if (op.after === true) {
          const alias = this.#alias('q');
          const columns = columnsOf(outputOf(op.child), alias);
          const from = `(${this.#text(op.child)} OFFSET 0) AS ${alias}`;
          return { columns, from, where: [this.expr(op.condition, columns)] };
        }
        let below = this.#select(op.child);
        if (!fitsInto([op.condition], below.columns, true)) below = this.#nested(below);
        return { ...below, where: [...below.where, this.expr(op.condition, below.columns)] };
      }
      case 'join':
        return this.#join(op);
      default:
    }
    const { sql, columns } = this.#item(op);
    return { columns, from: sql, where: [] };
  }

  #called(from: string, ids: readonly string[]): Select {
    const alias = this.#alias('f');
    const names = ids.map(quoteIdentifier).join(', ');
    return { columns: columnsOf(ids, alias), from: `${from} AS ${alias} (${names})`, where: [] };
  }

  #project(op: Project): Select {
    let below = this.#select(op.child);
    const exprs = op.columns.map(({ expr }) => expr);
    if (!fitsInto(exprs, below.columns, false)) below = this.#nested(below);
    const columns = new Map<string, SelectColumn>();
    for (const { id, expr } of op.columns) {
      const same = below.columns.get(columnOf(expr) ?? '');
      const sql = same?.sql ?? this.expr(expr, below.columns);
      columns.set(id, same ?? { sql, copies: copiesOf(expr, sql) });
    }
    const select = { ...below, columns };
    // A set of rows is made where it stands, and a literal gets its type there.
    return op.sets || exprs.some(untyped) ? this.#nested(select) : select;
  }

  #join(op: Join): Select {
    const driven = drivenBy(op);
    if (driven !== undefined) {
      // From the change to the other side, by index: a planner that takes that side for empty would begin there.
      const left = this.#item(driven.change);
      const alias = this.#alias('q');
      const asked = this.#within(left.columns, () =>
        this.#text({ kind: 'filter', child: driven.other, condition: driven.condition }),
      );
      const right = columnsOf(outputOf(driven.other), alias);
      return {
        columns: new Map([...left.columns, ...right]),
        from: `${left.sql} CROSS JOIN LATERAL (${asked} OFFSET 0) AS ${alias}`,
        where: [],
      };
    }
    const left = this.#item(op.left);
    const right = op.lateral ? this.#within(left.columns, () => this.#item(op.right)) : this.#item(op.right);
    const columns = new Map([...left.columns, ...right.columns]);
    const condition = op.condition === null ? 'true' : this.expr(op.condition, columns);
    const met = bothChange(op);
    if (met !== undefined) {
      const where = [this.expr(met, columns)];
      return { columns, from: `${left.sql} FULL JOIN ${right.sql} ON ${condition}`, where };
    }
    const word = { inner: 'JOIN', left: 'LEFT JOIN', full: 'FULL JOIN' }[op.join];
    const lateral = op.lateral ? 'LATERAL ' : '';
    return { columns, from: `${left.sql} ${word} ${lateral}${right.sql} ON ${condition}`, where: [] };
  }

  #scanned(op: Scan, alias: string): Map<string, SelectColumn> {
    const columns = new Map<string, SelectColumn>();
    for (const { id, name } of op.columns)
      columns.set(id, { sql: `${alias}.${quoteIdentifier(name)}`, copies: 'often' });
    if (op.weight !== undefined) {
      const weight = `${alias}."_seg_w"`;
      const sql = op.due !== undefined ? String(op.sign ?? 1) : op.sign === -1 ? `(-${weight})` : weight;
      columns.set(op.weight, { sql, copies: 'often' });
    }
    return columns;
  }

  /** Each range in a branch of its own, which an index answers; a row that is in several comes with the first. */
  #scanByTime(op: Scan): string {
    const alias = this.#alias('s');
    const columns = this.#scanned(op, alias);
    const ranges = (op.due ?? []).map((expr) => this.expr(expr, columns));
    const from = `${this.#options.from(op)} AS ${alias}`;
    const none = (some: readonly string[]): string => `((${some.join(' OR ')}) IS NOT TRUE)`;
    if (op.mode === 'rest') return textOf({ columns, from, where: [none(ranges)] });
    return ranges
      .map((range, i) => {
        const once = i === 0 ? [] : [none(ranges.slice(0, i))];
        return textOf({ columns, from, where: [range, ...once] });
      })
      .join(' UNION ALL ');
  }
}

interface Branch {
  readonly op: Op;
  readonly columns: readonly Named[];
}

/** What UNION ALL puts together, projections that only rename columns passed by; undefined for a tree that is none. */
function unionOf(op: Op, columns: readonly Named[]): Branch[] | undefined {
  const found: Branch[] = [];
  const visit = (at: Op, wanted: readonly Named[]): boolean => {
    if (at.kind === 'set' && at.operation === 'union' && at.all) {
      const places = wanted.map(({ id }) => at.columns.indexOf(id));
      for (const side of [at.left, at.right]) {
        const ids = outputOf(side);
        const own = wanted.map(({ name }, i) => ({ id: ids[places[i]!]!, name }));
        if (!visit(side, own)) found.push({ op: side, columns: own });
      }
      return true;
    }
    if (at.kind !== 'project' || at.sets) return false;
    const exprs = new Map(at.columns.map(({ id, expr }) => [id, columnOf(expr)]));
    const own = wanted.map(({ id, name }) => ({ id: exprs.get(id), name }));
    return own.every((column): column is Named => column.id !== undefined) && visit(at.child, own);
  };
  return visit(op, columns) ? found : undefined;
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

function orderBy(keys: readonly SortKey[]): string {
  if (keys.length === 0) return '';
  const texts = keys.map(
    ({ id, descending, nullsFirst }) =>
      `${quoteIdentifier(id)}${descending ? ' DESC' : ''} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`,
  );
  return ` ORDER BY ${texts.join(', ')}`;
}
