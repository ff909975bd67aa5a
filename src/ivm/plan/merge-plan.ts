/** How a stage of strategy `merge` is kept: which of its columns are state, and how a change is added to each. */
import type { Expr } from '../relation/ir.ts';

/** Types of an aggregate's arguments, and of its ORDER BY keys, as format_type prints them. */
export interface AggregateTypes {
  readonly args: readonly string[];
  readonly order: readonly string[];
}

/** By the id of the aggregate's column; undefined when the engine was not asked. */
export type TypesOf = (aggregate: string) => AggregateTypes | undefined;

/** Which arithmetic a sum is kept in; whole numbers have neither NaN nor infinity. */
export type SumKind = 'whole' | 'numeric' | 'interval';

export interface SortBy {
  readonly expr: Expr;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/**
 * One piece of state: an aggregate over the rows of a group, under the id of the aggregate operator's column that computes
 * it from scratch. Expressions are over the operator's child; a FILTER is part of them where NULLs are ignored.
 */
export type StatePart =
  /** How many rows; with `when`, those for which it is true. */
  | { readonly kind: 'count'; readonly id: string; readonly when: Expr | null }
  /** Sum of `arg`; NULL while `count`, the number of its values, is zero. Of a numeric, `scales` counts its scales. */
  | {
      readonly kind: 'sum';
      readonly id: string;
      readonly arg: Expr;
      readonly sum: SumKind;
      readonly count: string | null;
      readonly scales: string | null;
    }
  | { readonly kind: 'extreme'; readonly id: string; readonly arg: Expr; readonly greatest: boolean }
  /** `(array_agg(arg ORDER BY keys) FILTER (WHERE when))[1]`, with the keys of the row that is first. */
  | {
      readonly kind: 'first';
      readonly id: string;
      readonly arg: Expr;
      readonly when: Expr | null;
      readonly keys: readonly (SortBy & { readonly id: string })[];
      readonly count: string;
    }
  /** bit_xor: its own inverse. NULL while `count` is zero. */
  | { readonly kind: 'xor'; readonly id: string; readonly arg: Expr; readonly count: string }
  /** bit_and, bit_or: a value that goes cannot be taken back, so its group is read again. */
  | { readonly kind: 'bits'; readonly id: string; readonly arg: Expr; readonly operator: '&' | '|' }
  /** `jsonb_agg(... ORDER BY keys)`, of which `arg` is one element; NULL while `count`, the number of rows, is zero. */
  | {
      readonly kind: 'list';
      readonly id: string;
      readonly arg: Expr;
      readonly keys: readonly SortBy[];
      readonly count: string;
    };

export interface MergePlan {
  /** The part that counts the rows of a group, so that an empty one goes; null for an aggregate of all rows. */
  readonly count: string | null;
  readonly parts: readonly StatePart[];
  /** Id of the column of the stage that holds a piece of state, by the piece's id. */
  readonly columns: Readonly<Record<string, string>>;
}

/** Whether a part may have to read its group again when rows go, or of a list also when several come. */
export function rereads(part: StatePart): boolean {
  return part.kind === 'extreme' || part.kind === 'first' || part.kind === 'bits' || part.kind === 'list';
}
