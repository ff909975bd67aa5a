/** What travels from the queue of a sink to its receiver. */
import { createHash } from 'node:crypto';
import type { ChangeOp, JsonRow } from '../changelog/change.ts';
import { nameElements, orderMembers, parseJson } from '../json/exact-json.ts';

/**
 * One record on its way: the last state of a key since it was sent before. `row` and `before` are JSON text, because
 * numbers of PostgreSQL may be larger and more exact than those of JavaScript.
 */
export interface SinkRecord {
  readonly seq: string;
  /** JSON array of the values of the key's fields; for a model without a key, a name of this one change. */
  readonly key: string;
  /** Records of one lane reach the receiver one after the other. */
  readonly lane: string;
  readonly op: ChangeOp;
  readonly row: string | null;
  /** Only in mode `changes`, and for deletes there. */
  readonly before: string | null;
  /** When the last change of it was committed, ISO 8601. */
  readonly at: string;
  /** Of the first and last change that are in it. */
  readonly first: bigint;
  readonly last: bigint;
}

/** A batch as it is sent. The same batch has the same id each time it is tried, also after a restart. */
export interface Delivery {
  readonly number: string;
  readonly id: string;
  readonly records: readonly SinkRecord[];
}

/** The names of a record, as a Shape has them. */
interface Names {
  readonly key: readonly string[];
  readonly fields: readonly { readonly name: string }[];
}

/** A row with its fields in the order of the shape: jsonb, as which the queue holds it, has an order of its own. */
export function rowText(row: string, { fields }: Pick<Names, 'fields'>): string {
  return orderMembers(
    row,
    fields.map(({ name }) => name),
  );
}

/** The same as values; numbers keep their digits (see json/exact-json.ts). */
export function rowValues(row: string, shape: Pick<Names, 'fields'>): JsonRow {
  return parseJson(rowText(row, shape)) as JsonRow;
}

/** The key as an object; null for a model without one. */
export function keyValues(record: Pick<SinkRecord, 'key'>, { key }: Pick<Names, 'key'>): JsonRow | null {
  return key.length === 0 ? null : (parseJson(nameElements(record.key, key)) as JsonRow);
}

/** A change as JSON text: `{"op":..., "key":..., "row":..., "before":..., "position":..., "at":...}`, numbers as they are. */
export function changeText(record: SinkRecord, shape: Names, position: (number: bigint) => string): string {
  const key = shape.key.length === 0 ? 'null' : nameElements(record.key, shape.key);
  const row = (text: string | null): string => (text === null ? 'null' : rowText(text, shape));
  return (
    `{"op":"${record.op}","key":${key},"row":${row(record.row)},"before":${row(record.before)},` +
    `"position":${JSON.stringify(position(record.last))},"at":${JSON.stringify(record.at)}}`
  );
}

/**
 * What a batch is called for its receiver: by the sink's instance, the number of the batch in it, and what is in it. A database that was
 * restored or cloned numbers other batches alike; a receiver that drops what it has heard before must not take them for the first ones.
 */
export function messageId(instance: string, batch: string, records: readonly SinkRecord[]): string {
  const hash = createHash('sha256').update(instance);
  for (const { key, row, at, first, last } of records)
    hash.update(JSON.stringify([key, row, at, String(first), String(last)]));
  return `msg_${hash.digest('hex').slice(0, 12)}_${batch}`;
}
