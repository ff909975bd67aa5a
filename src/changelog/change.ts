/** The vocabulary of change, as readers of a feed see it. */
import type { ExactJson } from '../json/exact-json.ts';

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
/** A row of a model: its columns in the model's order. */
export type JsonRow = { [column: string]: ExactJson };

/** Where a reader of a feed stands: opaque to readers, comparable by the engine that issued it. */
export type Position = string;

export type ChangeOp = 'insert' | 'update' | 'delete';

/**
 * One change of one row of a model. `key` is null when the model has no unique key; then there are no updates, a
 * changed row is a delete and an insert. `row` is null for deletes; `before` is null for inserts.
 */
export interface Change {
  readonly op: ChangeOp;
  readonly key: JsonRow | null;
  readonly row: JsonRow | null;
  readonly before: JsonRow | null;
}

/** One consistent step (an epoch on the Postgres family): all of a transaction's changes to one model, consolidated. */
export interface ChangeBatch {
  readonly position: Position;
  /** ISO 8601, when the step was committed by the engine's clock. */
  readonly at: string;
  readonly changes: readonly Change[];
}
