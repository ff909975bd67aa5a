/**
 * The relational algebra a view is planned in: a tree of operators over bags of rows.
 *
 * Every column of every operator has an id that is unique in the whole tree ("vendor_12"), so an expression names its
 * inputs by id alone, wherever it is moved to, and a correlated subquery or a lateral item is nothing but an
 * expression that uses ids from outside. Unless said otherwise an operator passes on all columns of its child.
 */

/** A scalar expression: a node of libpg-query's tree, with three kinds of seg's own (see `expression.ts`). */
export interface Expr {
  readonly [kind: string]: unknown;
}

/** A computed column. */
export interface Column {
  readonly id: string;
  readonly expr: Expr;
}

/** A column read from a relation. */
export interface ScanColumn {
  readonly id: string;
  /** Its name in the relation. */
  readonly name: string;
  /** As format_type prints it, where it is known: intermediate results are typed when they are made. */
  readonly type?: string;
  /** Its collation, where that holds texts for equal that are not the same. */
  readonly loose?: string;
}

export type JoinKind = 'inner' | 'left' | 'full';

/**
 * What of a relation a scan sees. While a step runs, every relation stands in the state after the change:
 * - `now`: that state
 * - `touched`: rows that were removed or added by the change (no weights)
 * - `ever`: rows that stand now or were removed (a superset of the states before and after)
 * - `change`: rows of the change with a weight, +1 added, −1 removed
 * - `shared`: the change of a part of the tree, computed before, with weights (plan/signed.ts)
 * - `due`: rows of which one of the scan's `due` conditions holds, with a weight; `rest`: the others
 */
export type ScanMode = 'now' | 'touched' | 'ever' | 'change' | 'shared' | 'due' | 'rest';

export interface Scan {
  readonly kind: 'scan';
  /** Which relation: a key of the catalog. */
  readonly relation: string;
  /** Distinguishes two scans of one relation. */
  readonly occurrence: number;
  readonly columns: readonly ScanColumn[];
  readonly mode: ScanMode;
  /** Id of the weight's column, in the modes that have one. */
  readonly weight?: string;
  /** In the modes `due` and `rest`: ranges that an index answers, over ids of this scan. */
  readonly due?: readonly Expr[];
  /** In the mode `due`: the weight of its rows; in the modes `change` and `shared`: what their weights are multiplied by. */
  readonly sign?: 1 | -1;
}

/** VALUES, one row of nothing (`rows: [[]]`), or constants. */
export interface Values {
  readonly kind: 'values';
  readonly rows: readonly (readonly Expr[])[];
  readonly columns: readonly string[];
}

/** A function in FROM; its arguments may use ids of what stands left of it. */
export interface FunctionScan {
  readonly kind: 'function';
  readonly calls: readonly Expr[];
  readonly ordinality: boolean;
  readonly columns: readonly string[];
}

/** Passes on exactly `columns`. `sets` when a column returns a set of rows. */
export interface Project {
  readonly kind: 'project';
  readonly child: Op;
  readonly columns: readonly Column[];
  readonly sets: boolean;
}

export interface Filter {
  readonly kind: 'filter';
  readonly child: Op;
  readonly condition: Expr;
  /** Evaluated after all conditions below, whatever a planner thinks they cost: it can fail for rows that they take out. */
  readonly after?: true;
}

/** Passes on the columns of both sides. The right side may use ids of the left one when `lateral`. */
export interface Join {
  readonly kind: 'join';
  readonly join: JoinKind;
  readonly left: Op;
  readonly right: Op;
  readonly condition: Expr | null;
  readonly lateral: boolean;
}

/** Passes on `groups` and `aggregates` only. No groups: one row, always. */
export interface Aggregate {
  readonly kind: 'aggregate';
  readonly child: Op;
  readonly groups: readonly Column[];
  readonly aggregates: readonly Column[];
}

/** Adds columns computed by window functions; each call carries its window in its `over`. */
export interface Window {
  readonly kind: 'window';
  readonly child: Op;
  readonly columns: readonly Column[];
}

export interface Distinct {
  readonly kind: 'distinct';
  readonly child: Op;
}

export interface SortKey {
  readonly id: string;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** DISTINCT ON (`on`), the first row by `order`. */
export interface DistinctOn {
  readonly kind: 'distinct-on';
  readonly child: Op;
  readonly on: readonly string[];
  readonly order: readonly SortKey[];
}

/** ORDER BY, with LIMIT and OFFSET when not null. */
export interface Limit {
  readonly kind: 'limit';
  readonly child: Op;
  readonly order: readonly SortKey[];
  readonly limit: Expr | null;
  readonly offset: Expr | null;
  readonly ties: boolean;
}

/** Passes on `columns`, which stand for the columns of both sides by position. */
export interface SetOperation {
  readonly kind: 'set';
  readonly operation: 'union' | 'intersect' | 'except';
  readonly all: boolean;
  readonly left: Op;
  readonly right: Op;
  readonly columns: readonly string[];
}

export type Op =
  | Scan
  | Values
  | FunctionScan
  | Project
  | Filter
  | Join
  | Aggregate
  | Window
  | Distinct
  | DistinctOn
  | Limit
  | SetOperation;

/** A view: its tree, and its output columns in order under the names users see. */
export interface Relation {
  readonly root: Op;
  readonly output: readonly { readonly id: string; readonly name: string }[];
}

/** A subquery in an expression: `{ Sub: Subquery }`. */
export interface Subquery {
  readonly type: 'exists' | 'any' | 'all' | 'scalar' | 'array';
  /** Left side of IN / ANY / ALL. */
  readonly test: Expr | null;
  readonly operator: string;
  readonly query: Op;
  readonly output: readonly string[];
}

/** A construct the compiler does not know: the view (or the subtree) is recomputed. `construct` is for people. */
export class Unsupported extends Error {
  readonly construct: string;

  constructor(construct: string) {
    super(`not maintained incrementally: ${construct}`);
    this.name = 'Unsupported';
    this.construct = construct;
  }
}

/** A construct whose text, as PostgreSQL prints it, does not tell what it means: only the view as it was written can be recomputed. */
export class UnsupportedText extends Unsupported {}

/** Ids of the columns an operator passes on, in order. */
export function outputOf(op: Op): string[] {
  switch (op.kind) {
    case 'scan':
      return [...op.columns.map(({ id }) => id), ...(op.weight === undefined ? [] : [op.weight])];
    case 'values':
    case 'function':
    case 'set':
      return [...op.columns];
    case 'project':
      return op.columns.map(({ id }) => id);
    case 'join':
      return [...outputOf(op.left), ...outputOf(op.right)];
    case 'aggregate':
      return [...op.groups, ...op.aggregates].map(({ id }) => id);
    case 'window':
      return [...outputOf(op.child), ...op.columns.map(({ id }) => id)];
    case 'filter':
    case 'distinct':
    case 'distinct-on':
    case 'limit':
      return outputOf(op.child);
  }
}

export function childrenOf(op: Op): Op[] {
  switch (op.kind) {
    case 'scan':
    case 'values':
    case 'function':
      return [];
    case 'join':
    case 'set':
      return [op.left, op.right];
    case 'project':
    case 'filter':
    case 'aggregate':
    case 'window':
    case 'distinct':
    case 'distinct-on':
    case 'limit':
      return [op.child];
  }
}

/** The same operator over other children. */
export function withChildren(op: Op, children: readonly Op[]): Op {
  switch (op.kind) {
    case 'scan':
    case 'values':
    case 'function':
      return op;
    case 'join':
    case 'set':
      return { ...op, left: children[0]!, right: children[1]! };
    case 'project':
    case 'filter':
    case 'aggregate':
    case 'window':
    case 'distinct':
    case 'distinct-on':
    case 'limit':
      return { ...op, child: children[0]! };
  }
}
