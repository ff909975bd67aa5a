/** What generated queries are made of. */
import type { SqlType } from './sql-types.ts';

export interface ScopeColumn {
  /** As an expression: `q1.c0`. */
  readonly sql: string;
  readonly type: SqlType;
  /** Whether it takes many values where its table has many rows. */
  readonly wide: boolean;
}

export type Scope = readonly ScopeColumn[];

export interface Expression {
  readonly sql: string;
  readonly type: SqlType;
  readonly wide: boolean;
}

export interface Column {
  readonly name: string;
  readonly type: SqlType;
  readonly wide: boolean;
}

export interface Query {
  readonly sql: string;
  readonly columns: readonly Column[];
  /** About how many rows when tables have twenty: queries that would have thousands are not made. */
  readonly rows: number;
  /** Whether its rows grow faster than those of its tables, so that big tables would make it endless. */
  readonly explodes: boolean;
  /** The power of the tables' size that its time grows with: 2 for a correlated subquery over a table. */
  readonly effort: number;
  /** Its name as SQL, when it is all of a table or view. */
  readonly relation?: string;
}

/** A query as an item of FROM. */
export interface Item {
  /** `(SELECT ...) AS q1`, or `q1` of a WITH list. */
  readonly from: string;
  readonly scope: Scope;
  /** What must stand before SELECT. */
  readonly with: readonly string[];
  /** A condition that must hold where its columns are used: some of them fail on other rows. */
  readonly guard: string;
}

/** ` WHERE a AND b` of the conditions that say something; '' of none. */
export function where(...conditions: readonly string[]): string {
  const some = conditions.filter((each) => each !== '');
  if (some.length <= 1) return some.length === 0 ? '' : ` WHERE ${some[0]}`;
  return ` WHERE ${some.map((each, i) => (i === 0 ? each : `(${each})`)).join(' AND ')}`;
}

/** The same for a place that has a condition already: `on AND guard`, the guard first. */
export function both(guard: string, condition: string): string {
  return guard === '' ? condition : `${guard} AND (${condition})`;
}
