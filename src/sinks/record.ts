/** What travels from the queue of a sink to its receiver. */
import { createHash } from 'node:crypto';
import type { ChangeOp, JsonRow, JsonValue } from '../changelog/change.ts';

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

export function parseRow(text: string): JsonRow {
  return JSON.parse(text) as JsonRow;
}

/** The key as an object; null for a model without one. */
export function keyValues(record: Pick<SinkRecord, 'key'>, keyFields: readonly string[]): JsonRow | null {
  if (keyFields.length === 0) return null;
  const values = JSON.parse(record.key) as JsonValue[];
  return Object.fromEntries(keyFields.map((field, index) => [field, values[index] ?? null]));
}

/** A change as JSON text: `{"op":..., "key":..., "row":..., "before":..., "position":..., "at":...}`, numbers as they are. */
export function changeText(
  record: SinkRecord,
  keyFields: readonly string[],
  position: (number: bigint) => string,
): string {
  const key = keyFields.length === 0 ? 'null' : keyText(record.key, keyFields);
  return (
    `{"op":"${record.op}","key":${key},"row":${record.row ?? 'null'},"before":${record.before ?? 'null'},` +
    `"position":${JSON.stringify(position(record.last))},"at":${JSON.stringify(record.at)}}`
  );
}

/** `["a", 1]` → `{"email":"a","n":1}` without going through JavaScript's numbers. */
export function keyText(key: string, keyFields: readonly string[]): string {
  const values = splitArray(key);
  return `{${keyFields.map((field, index) => `${JSON.stringify(field)}:${values[index] ?? 'null'}`).join(',')}}`;
}

/** The elements of a JSON array as texts. */
function splitArray(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 1;
  for (let at = 1; at < text.length - 1; at++) {
    const char = text[at]!;
    if (char === '"') {
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
    } else if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth--;
    else if (char === ',' && depth === 0) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  const last = text.slice(start, -1).trim();
  if (last !== '') parts.push(last);
  return parts;
}

/** What a batch is called for its receiver: the sink's instance and the number of the batch in it. */
export function messageId(instance: string, batch: string): string {
  return `msg_${createHash('sha256').update(instance).digest('hex').slice(0, 12)}_${batch}`;
}
