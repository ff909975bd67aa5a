/** Rows as a streaming engine's protocol delivers them → rows of a change feed, which are JSON. */
import type { JsonRow, JsonValue } from '../changelog/change.ts';
import type { Field } from '../engines/connection.ts';

const NUMERIC = 1700;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;

/**
 * The same JSON as PostgreSQL's to_jsonb makes of the value: numbers are numbers where JavaScript can hold them, times are ISO 8601.
 */
export function jsonValue(value: unknown, typeOid: number): JsonValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'string') return value as JsonValue;
  if (typeOid === NUMERIC) {
    const number = Number(value);
    return Number.isFinite(number) && canonical(value) === String(number) ? number : value;
  }
  if (typeOid === TIMESTAMP) return value.replace(' ', 'T');
  if (typeOid === TIMESTAMPTZ) return value.replace(' ', 'T').replace(/(Z|[+-]00(?::?00)?)$/, '+00:00');
  return value;
}

function canonical(number: string): string {
  return number.includes('.') ? number.replace(/\.?0+$/, '') : number;
}

/** @param fields the columns of the relation, without what the engine adds; `as` is what the result calls one */
export function jsonRow(
  row: Readonly<Record<string, unknown>>,
  fields: readonly (Field & { readonly as?: string })[],
): JsonRow {
  return Object.fromEntries(
    fields.map(({ name, as, typeOid }) => [as ?? name, jsonValue(row[name], typeOid)]),
  );
}
