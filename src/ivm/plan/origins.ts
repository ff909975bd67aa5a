/** Where the values of an expression come from: followed down through the operators of a tree to the columns of scans. */
import { col, columnOf, idsIn, subqueriesIn, substitute, walkAll } from '../relation/expression.ts';
import { outputOf } from '../relation/ir.ts';
import type { Expr, Op, Scan } from '../relation/ir.ts';

/** An expression over columns of one scan. */
export interface Origin {
  readonly scan: Scan;
  readonly expr: Expr;
  /** Whether a row without a partner in an outer join shows NULL in place of these columns. */
  readonly nullable: boolean;
}

export class Origins {
  readonly #owner = new Map<string, Scan>();
  readonly #definitions = new Map<string, Expr>();
  /** A column of a set operation → the columns of either side, by position. */
  readonly #sides = new Map<
    string,
    { readonly left: Map<string, Expr>; readonly right: Map<string, Expr> }
  >();
  readonly #nullable = new Set<Scan>();

  constructor(root: Op) {
    walkAll(root, (op) => {
      if (op.kind === 'scan') for (const { id } of op.columns) this.#owner.set(id, op);
      const columns = op.kind === 'project' ? op.columns : op.kind === 'aggregate' ? op.groups : [];
      for (const { id, expr } of columns) {
        // A column that is only passed on keeps its id.
        if (columnOf(expr) !== id) this.#definitions.set(id, expr);
      }
      if (op.kind === 'set') {
        const side = (child: Op): Map<string, Expr> => {
          const ids = outputOf(child);
          return new Map(op.columns.map((id, i) => [id, col(ids[i]!)]));
        };
        const sides = { left: side(op.left), right: side(op.right) };
        for (const id of op.columns) this.#sides.set(id, sides);
      }
      if (op.kind === 'join' && op.join !== 'inner') {
        const outer = op.join === 'full' ? [op.left, op.right] : [op.right];
        for (const side of outer) {
          walkAll(side, (at) => {
            if (at.kind === 'scan') this.#nullable.add(at);
          });
        }
      }
    });
  }

  /**
   * One for each branch of the unions on the way; a branch in which the expression is NULL has none.
   * @returns undefined when some branch computes it: by an aggregate, from several scans, or from constants
   */
  of(expr: Expr): Origin[] | undefined {
    const found: Origin[] = [];
    for (const branch of this.#branches(expr)) {
      if (isNull(branch)) continue;
      const ids = [...idsIn(branch)];
      const scans = new Set(ids.map((id) => this.#owner.get(id)));
      const [scan] = scans;
      if (scans.size !== 1 || scan === undefined || subqueriesIn(branch).length > 0) return undefined;
      found.push({ scan, expr: branch, nullable: this.#nullable.has(scan) });
    }
    return found;
  }

  #branches(expr: Expr): Expr[] {
    const used = [...idsIn(expr)];
    const set = used.map((id) => this.#sides.get(id)).find((sides) => sides !== undefined);
    if (set !== undefined) {
      return [set.left, set.right].flatMap((side) => this.#branches(substitute(expr, side)));
    }
    if (!used.some((id) => this.#definitions.has(id))) return [expr];
    return this.#branches(substitute(expr, this.#definitions));
  }
}

function isNull(expr: Expr): boolean {
  const constant = expr['A_Const'] as { isnull?: boolean } | undefined;
  if (constant !== undefined) return constant.isnull === true;
  const cast = expr['TypeCast'] as { arg: Expr } | undefined;
  return cast !== undefined && isNull(cast.arg);
}
