/** What a piece of a group's state is in the statement of a merged stage, and what several kinds of pieces share. */
import type { Column, Expr } from '../relation/ir.ts';

export interface PartNames {
  /** Prefix of the names this part may give to its columns, unique in the statement. */
  readonly prefix: string;
  /** SQL of the stored state, by its id. */
  readonly stored: (id: string) => string;
  /** SQL of the next state of another part, by its id. */
  readonly next: (id: string) => string;
  /** Flags are written out where they are used, since there is nowhere to compute them first. */
  readonly inline?: true;
}

export interface PartSql {
  /** Over the columns of the changed input; `cameOnly`: of rows that went it is not asked. */
  readonly inputs: readonly { readonly name: string; readonly expr: Expr; readonly cameOnly?: true }[];
  /** Aggregates over inputs and `"_seg_w"`, by group. */
  readonly change: readonly { readonly name: string; readonly sql: string }[];
  /** What is counted among the rows of the group as they are now, for those below: over the operator's child and the change. */
  readonly counts?: PartCounts;
  /** Over change, stored state and counts, for the two below. */
  readonly flags?: readonly { readonly name: string; readonly sql: string }[];
  /** Whether the group must be read again, over change and stored state; null: never. */
  readonly again: string | null;
  readonly next: readonly { readonly id: string; readonly sql: string }[];
}

export interface PartCounts {
  /** Whether any of it is needed, over the change (`"_seg_k"`). */
  readonly wanted: string;
  /** Columns of the rows, over the operator's child. */
  readonly columns: readonly Column[];
  /** Under its name, of how many rows this is true: over these columns and the change; null: of all. */
  readonly counts: readonly { readonly name: string; readonly when: string | null }[];
}

/** Of rows that came, or of those that went. */
export const signed = (removes: boolean, sign: 1 | -1): string =>
  removes ? ` FILTER (WHERE "_seg_w" ${sign === 1 ? '>' : '<'} 0)` : '';

/** Whether the keys of one row come before those of another; with `orEqual` also when they are the same. */
export function before(
  left: readonly string[],
  right: readonly string[],
  keys: readonly { readonly descending: boolean; readonly nullsFirst: boolean }[],
  orEqual: boolean,
): string {
  const [a, b, key] = [left[0], right[0], keys[0]];
  if (a === undefined || b === undefined || key === undefined) return orEqual ? 'true' : 'false';
  const sooner = key.nullsFirst
    ? `(${a} IS NULL AND ${b} IS NOT NULL)`
    : `(${a} IS NOT NULL AND ${b} IS NULL)`;
  const rest = before(left.slice(1), right.slice(1), keys.slice(1), orEqual);
  const same = rest === 'false' ? '' : ` OR (${a} IS NOT DISTINCT FROM ${b} AND ${rest})`;
  return `(coalesce(${a} ${key.descending ? '>' : '<'} ${b}, false) OR ${sooner}${same})`;
}
