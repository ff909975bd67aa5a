/** Rows as a streaming engine's protocol delivers them → rows of a change feed, which are JSON. */
import { parse as parseArray } from 'postgres-array';
import type { JsonRow } from '../changelog/change.ts';
import type { Field } from '../engines/connection.ts';
import { parsersByOid } from '../engines/value-parsers.ts';
import type { ExactJson } from '../json/exact-json.ts';
import { numberOf } from '../json/json-number.ts';
import { objectOf } from '../json/member-order.ts';

const NUMERIC = 1700;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;

/** The type of the elements, by the oid of the array's type. */
const ELEMENTS: ReadonlyMap<number, number> = new Map([
  [1000, 16],
  [1001, 17],
  [1005, 21],
  [1007, 23],
  [1016, 20],
  [1021, 700],
  [1022, 701],
  [1009, 25],
  [1015, 1043],
  [1014, 1042],
  [1115, TIMESTAMP],
  [1182, 1082],
  [1183, 1083],
  [1185, TIMESTAMPTZ],
  [1187, 1186],
  [1231, NUMERIC],
  [199, 114],
  [3807, 3802],
  [2951, 2950],
]);

/** The same JSON as PostgreSQL's to_jsonb makes of the value: numbers with all their digits, times in ISO 8601. */
export function jsonValue(value: unknown, typeOid: number): ExactJson {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return numberOf(value.toString());
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'string') return value as ExactJson;
  const element = ELEMENTS.get(typeOid);
  if (element !== undefined) return arrayOf(value, element);
  if (typeOid === NUMERIC) return /^-?\d/.test(value) ? numberOf(value) : value;
  if (typeOid === TIMESTAMP) return inMicroseconds(value.replace(' ', 'T'));
  if (typeOid === TIMESTAMPTZ)
    return inMicroseconds(value.replace(' ', 'T')).replace(/(Z|[+-]00(?::?00)?)$/, '+00:00');
  return value;
}

function arrayOf(text: string, element: number): ExactJson {
  const parse = parsersByOid.get(element);
  return parseArray<ExactJson>(text, (item) => jsonValue(parse === undefined ? item : parse(item), element));
}

/** A fraction of a second as PostgreSQL keeps it: six digits, rounded, without zeros at the end. */
function inMicroseconds(text: string): string {
  const found = /^(.*:\d\d)\.(\d+)(.*)$/s.exec(text);
  if (found === null) return text;
  const [, seconds = '', fraction = '', zone = ''] = found;
  const rounded = Math.round(Number(`0.${fraction}`) * 1_000_000);
  if (rounded === 1_000_000) return `${nextSecond(seconds)}${zone}`;
  const digits = String(rounded).padStart(6, '0').replace(/0+$/, '');
  return `${seconds}${digits === '' ? '' : `.${digits}`}${zone}`;
}

function nextSecond(text: string): string {
  const time = Date.parse(`${text}Z`);
  return Number.isNaN(time) ? text : new Date(time + 1000).toISOString().replace(/\.000Z$/, '');
}

/** @param fields the columns of the relation, without what the engine adds; `as` is what the result calls one */
export function jsonRow(
  row: Readonly<Record<string, unknown>>,
  fields: readonly (Field & { readonly as?: string })[],
): JsonRow {
  return objectOf(fields.map(({ name, as, typeOid }) => [as ?? name, jsonValue(row[name], typeOid)]));
}
