/**
 * The only places where a name or a value becomes SQL text. Everything that builds SQL uses these or bind parameters.
 */
// Not from 'pg' itself, which loads its whole client (80 ms) for the sake of two functions.
import utils from 'pg/lib/utils.js';

/** `na"me` → `"na""me"`. Always quoted, so case and reserved words never matter. */
export function quoteIdentifier(name: string): string {
  if (name.includes('\0')) throw new RangeError('a name cannot contain a NUL character');
  return utils.escapeIdentifier(name);
}

/** `it's` → `'it''s'` (with the E'' form where a backslash asks for it). */
export function quoteLiteral(value: string): string {
  if (value.includes('\0')) throw new RangeError('a text value cannot contain a NUL character');
  return utils.escapeLiteral(value).trimStart();
}

/**
 * The same without the E'' form, for engines where a backslash in a literal is always a backslash: PostgreSQL with
 * standard_conforming_strings, RisingWave and Materialize.
 */
export function quoteText(value: string): string {
  if (value.includes('\0')) throw new RangeError('a text value cannot contain a NUL character');
  return `'${value.replaceAll("'", "''")}'`;
}

/** A relation's name as SQL: `"schema"."name"`. */
export function quoteRelation(relation: { readonly schema: string; readonly name: string }): string {
  return `${quoteIdentifier(relation.schema)}.${quoteIdentifier(relation.name)}`;
}
