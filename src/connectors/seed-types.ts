/**
 * The types dbt finds in a CSV seed, which come from agate's type tester: a column is the first of number, date
 * (`2020-01-31`), timestamp (`2020-01-31 12:00:00`), ISO timestamp (`2020-01-31T12:00:00Z`), boolean (`true`, `false`)
 * and text that all its values fit. As there: an empty field and `null` (any case) are NULL, also in text; numbers may
 * have thousands separators, a currency sign and a percent sign, which are dropped; `007` is the number 7 (declare
 * `column_types` where leading zeros matter); `1.0` is whole; a column of NULLs alone is `integer`.
 * Sources: dbt_common/clients/agate_helper.py, agate/data_types/number.py, agate/data_types/date.py.
 *
 * Different from dbt on purpose: decimals are `numeric` and not `float8` (amounts stay exact), numbers beyond
 * `integer` are `bigint` or `numeric` and not an error, an ISO timestamp that names its zone is `timestamptz` and not a
 * `timestamp` that forgets it, and `nan` and `infinity` are text.
 */
import { checkMoment, hasZone } from './time-text.ts';

const KINDS = ['number', 'date', 'timestamp', 'iso', 'boolean', 'text'] as const;
type Kind = (typeof KINDS)[number];

/** dbt's NULLs in a seed. */
export function isSeedNull(field: string | null): boolean {
  if (field === null || field === '') return true;
  if (field.length > 8 && !/^\s/.test(field)) return false;
  const word = field.trim().toLowerCase();
  return word === '' || word === 'null';
}

/** Finds one column's type from its values, seen one after the other. */
export class TypeFinder {
  #kind = 0;
  #decimals = false;
  #zones = false;
  #least = 0n;
  #most = 0n;
  // Seen values decide again when a hypothesis falls: a later kind must fit them too.
  readonly #seen: string[] = [];

  /** A value that is not NULL. */
  see(field: string): void {
    while (!this.#fits(KINDS[this.#kind]!, field)) {
      do this.#kind++;
      while (!this.#seen.every((earlier) => this.#fits(KINDS[this.#kind]!, earlier)));
    }
    if (KINDS[this.#kind] !== 'text') this.#seen.push(field);
    else this.#seen.length = 0;
  }

  /** The SQL type of the column. */
  get type(): string {
    switch (KINDS[this.#kind]!) {
      case 'number':
        if (this.#decimals) return 'numeric';
        if (this.#least >= -2_147_483_648n && this.#most <= 2_147_483_647n) return 'integer';
        return this.#least >= -(2n ** 63n) && this.#most < 2n ** 63n ? 'bigint' : 'numeric';
      case 'date':
        return 'date';
      case 'timestamp':
        return 'timestamp without time zone';
      case 'iso':
        return this.#zones ? 'timestamp with time zone' : 'timestamp without time zone';
      case 'boolean':
        return 'boolean';
      case 'text':
        return 'text';
    }
  }

  /** The value as the found type reads it. */
  encode(field: string): string {
    switch (KINDS[this.#kind]!) {
      case 'number':
        return readNumber(field)!.text;
      case 'text':
        return field;
      case 'boolean':
        return field.replaceAll(',', '').trim().toLowerCase();
      case 'date':
      case 'timestamp':
      case 'iso':
        return field.trim();
    }
  }

  #fits(kind: Kind, field: string): boolean {
    switch (kind) {
      case 'number': {
        const number = readNumber(field);
        if (number === undefined) return false;
        if (number.whole === undefined) this.#decimals = true;
        else if (number.whole < this.#least) this.#least = number.whole;
        else if (number.whole > this.#most) this.#most = number.whole;
        return true;
      }
      case 'date':
        return /^\s*\d{4}-\d{1,2}-\d{1,2}\s*$/.test(field) && checkMoment(field.trim(), 'date') === undefined;
      case 'timestamp':
        return (
          /^\s*\d{4}-\d{1,2}-\d{1,2}\s+\d{1,2}:\d{1,2}:\d{1,2}\s*$/.test(field) &&
          checkMoment(field.trim(), 'timestamp') === undefined
        );
      case 'iso': {
        const text = field.trim();
        if (!/^\d{4}-\d{2}-\d{2}T/.test(text) || checkMoment(text, 'timestamp') !== undefined) return false;
        this.#zones ||= hasZone(text);
        return true;
      }
      case 'boolean':
        return /^\s*(?:true|false)\s*$/i.test(field.replaceAll(',', ''));
      case 'text':
        return true;
    }
  }
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
const CURRENCY = /^[؋$ƒ៛¥₡₱£€¢﷼₪₩₭₮₦฿₤₫]+|[؋$ƒ៛¥₡₱£€¢﷼₪₩₭₮₦฿₤₫]+$/g;

/** agate's reading of a number: its plain text, and its value when it is whole. */
export function readNumber(field: string): { text: string; whole?: bigint } | undefined {
  if (/^-?[1-9]\d{0,14}$/.test(field)) return { text: field, whole: BigInt(field) };
  let text = field.trim().replace(/^%+|%+$/g, '');
  const negative = text.startsWith('-');
  if (negative) text = text.slice(1);
  text = text.replace(CURRENCY, '').replaceAll(',', '').trim();
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const minus = negative !== (sign === '-');
  const kept = fraction.replace(/0+$/, '');
  const digits = whole + kept;
  const places = kept.length - Number(exponent);
  if (places <= 0 || BigInt(digits) === 0n) {
    const value = BigInt(digits) * 10n ** BigInt(Math.max(0, -places));
    const signed = minus ? -value : value;
    return { text: String(signed), whole: signed };
  }
  // 1200e-2 is whole, 1205e-2 is not.
  const scale = 10n ** BigInt(places);
  if (BigInt(digits) % scale === 0n) {
    const signed = (minus ? -1n : 1n) * (BigInt(digits) / scale);
    return { text: String(signed), whole: signed };
  }
  const padded = BigInt(digits)
    .toString()
    .padStart(places + 1, '0');
  const point = padded.length - places;
  return { text: `${minus ? '-' : ''}${padded.slice(0, point)}.${padded.slice(point)}` };
}
