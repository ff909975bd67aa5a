/** One SELECT while it is being put together: what it reads, which rows it keeps, and how each column is computed. */
import { quoteIdentifier } from '../../sql/quote.ts';
import { columnOf, walkExpr } from './expression.ts';
import type { Expr } from './ir.ts';

export interface Select {
  /** By id, in order. */
  readonly columns: ReadonlyMap<string, SelectColumn>;
  /** What stands behind FROM; null for a row of nothing. */
  readonly from: string | null;
  readonly where: readonly string[];
}

export interface SelectColumn {
  readonly sql: string;
  /**
   * How often it may be written where the column is used: `often` (a name, a constant, something short), `once`, or `never`, which
   * leaves it to a subquery of its own.
   */
  readonly copies: 'often' | 'once' | 'never';
}

/** A SELECT of `list`, or of all its columns under their ids. */
export function textOf(select: Select, list?: readonly string[]): string {
  const columns = list ?? [...select.columns].map(([id, { sql }]) => `${sql} AS ${quoteIdentifier(id)}`);
  const from = select.from === null ? '' : ` FROM ${select.from}`;
  const where = select.where.length === 0 ? '' : ` WHERE ${select.where.join(' AND ')}`;
  return `SELECT${columns.length === 0 ? '' : ' '}${columns.join(', ')}${from}${where}`;
}

/** The columns of something in FROM, by its alias. */
export function columnsOf(ids: readonly string[], alias: string): Map<string, SelectColumn> {
  return new Map(ids.map((id) => [id, { sql: `${alias}.${quoteIdentifier(id)}`, copies: 'often' }]));
}

/** Longer expressions are not written twice: a chain of queries would double them at every level. */
const SHORT = 200;

/** How a column that is computed by `expr`, printed as `sql`, may be written where it is used. */
export function copiesOf(expr: Expr, sql: string): SelectColumn['copies'] {
  if (!movable(expr)) return 'never';
  return sql.length <= SHORT ? 'often' : 'once';
}

const operators = /^(\+|-|\*|\/|%|=|<>|<|>|<=|>=)$/;

/**
 * Whether an expression means the same where it is used as in a select list of its own. PostgreSQL gives a literal without a type the
 * type of what it stands beside, and a text the collation that its parts were given by COLLATE: only numbers, conditions and arithmetic
 * are known to have neither. What calls functions, or asks subqueries, stays where it is as well.
 */
function movable(expr: Expr): boolean {
  let all = true;
  walkExpr(expr, (node) => {
    const [kind, value] = (Object.entries(node)[0] ?? ['', {}]) as [
      string,
      { readonly [key: string]: unknown },
    ];
    if (kind === 'Col') return false;
    if (kind === 'A_Const') {
      all &&= !untyped(node);
      return false;
    }
    if (kind === 'A_Expr') {
      const names = value['name'] as { String?: { sval?: string } }[] | undefined;
      all &&=
        value['kind'] === 'AEXPR_OP' && names?.length === 1 && operators.test(names[0]?.String?.sval ?? '');
    } else if (kind !== 'BoolExpr' && kind !== 'NullTest' && kind !== 'BooleanTest') {
      // The values inside of a node that was let through are looked at by themselves.
      all &&= !/^[A-Z]/.test(kind) || kind === 'String';
    }
    return all;
  });
  return all;
}

/** Whether columns can be written in the places of their names in these expressions. */
export function fitsInto(
  exprs: readonly Expr[],
  columns: ReadonlyMap<string, SelectColumn>,
  passedOn: boolean,
): boolean {
  const seen = new Set<string>();
  let fits = true;
  const use = (id: string, alone: boolean): void => {
    const column = columns.get(id);
    if (column === undefined || column.copies === 'often') return;
    // As a whole it only gets another name.
    if (column.copies === 'never' && !alone) fits = false;
    if (seen.has(id) || passedOn) fits = false;
    seen.add(id);
  };
  for (const expr of exprs) {
    const whole = columnOf(expr);
    if (whole !== undefined) use(whole, true);
    else
      walkExpr(expr, (node) => {
        const id = columnOf(node);
        if (id !== undefined) use(id, false);
      });
  }
  return fits;
}

/** A literal that takes the type of what it stands beside. */
export function untyped(expr: Expr): boolean {
  const constant = expr['A_Const'] as { readonly [key: string]: unknown } | undefined;
  return constant !== undefined && !['ival', 'fval', 'boolval'].some((key) => constant[key] !== undefined);
}
