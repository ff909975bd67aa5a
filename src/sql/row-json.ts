/**
 * Rows as jsonb, and what jsonb cannot hold of them. A number of jsonb is a numeric: it keeps every digit and the scale, but
 * there is no minus zero. A float's is written as a zero of a scale that no float's text has, which jsonb holds for equal to
 * any other zero, as PostgreSQL's floats do, and becomes -0 again where rows leave the database.
 */
import { isBuiltIn } from './built-in-types.ts';
import { quoteIdentifier, quoteLiteral } from './quote.ts';

/** 5e-324, the least of the floats, has 324 decimals. */
const SCALE = 325;
const MINUS_ZERO = `'0e-${SCALE}'`;
const MARK = `0.${'0'.repeat(SCALE)}`;

const FLOAT = /^(real|double precision)$/;

/** A string may look like it, too. */
const HOLDS_MINUS_ZERO = `'(^|[[,:])\\s*-0\\s*([],}]|$)'`;

/** Whether JSON of the type may hold a float's number, also within: arrays of floats, composites, domains, documents. */
function mayHoldFloats(type: string): boolean {
  return !isBuiltIn(type) || /^(json|real|double precision)\b/.test(type);
}

/** SQL of a value as jsonb. @param type as format_type prints it */
function jsonOf(value: string, type: string): string {
  if (!mayHoldFloats(type)) return `to_jsonb(${value})`;
  if (FLOAT.test(type))
    return `CASE WHEN ${value} = '0' AND ${value}::text = '-0' THEN ${MINUS_ZERO} ELSE to_jsonb(${value}) END`;
  const text = `to_json(${value})::text`;
  // Strings, a zero with its sign, and all that is neither.
  const parts = quoteLiteral('"(?:[^"\\\\]|\\\\.)*"|-0(?![0-9.eE])|[^"-]+|-');
  const rewritten = `(SELECT string_agg(CASE m[1] WHEN '-0' THEN ${MINUS_ZERO} ELSE m[1] END, '' ORDER BY n)::jsonb FROM regexp_matches(${text}, ${parts}, 'g') WITH ORDINALITY AS parts (m, n))`;
  return `CASE WHEN ${text} ~ ${HOLDS_MINUS_ZERO} THEN ${rewritten} ELSE to_jsonb(${value}) END`;
}

/** SQL of a value as JSON text, null included. @param type as format_type prints it */
function jsonTextOf(value: string, type: string): string {
  // Whatever a document of type json holds, jsonb need not take it.
  if (type === 'json') return `coalesce(${value}::text, 'null')`;
  const json = `coalesce(to_jsonb(${value})::text, 'null')`;
  if (!mayHoldFloats(type)) return json;
  if (FLOAT.test(type)) return `CASE WHEN ${value} = '0' THEN ${value}::text ELSE ${json} END`;
  const text = `to_json(${value})::text`;
  return `CASE WHEN ${text} ~ ${HOLDS_MINUS_ZERO} THEN ${text} ELSE ${json} END`;
}

export interface Member {
  readonly name: string;
  /** SQL of its value. */
  readonly value: string;
  /** As format_type prints it; `undefined`: jsonb made before. */
  readonly type: string | undefined;
}

/** SQL of a jsonb object, built in pieces since a function takes at most 100 arguments. */
export function jsonObject(members: readonly Member[]): string {
  const pieces: string[] = [];
  for (let start = 0; start < members.length; start += 40) {
    const pairs = members.slice(start, start + 40).map(({ name, value, type }) => {
      // Left as it is where that is the same: a shorter program.
      const json = type === undefined || !mayHoldFloats(type) ? value : jsonOf(value, type);
      return `${quoteLiteral(name)}, ${json}`;
    });
    pieces.push(`jsonb_build_object(${pairs.join(', ')})`);
  }
  return pieces.length === 0 ? "'{}'::jsonb" : pieces.join(' || ');
}

/** SQL of the columns of a row as the text of a JSON object, in their order, which jsonb does not keep. */
export function rowText(
  columns: readonly { readonly name: string; readonly type: string }[],
  alias: string,
): string {
  const members = columns.map(
    ({ name, type }) =>
      `${quoteLiteral(`${JSON.stringify(name)}:`)} || ${jsonTextOf(`${alias}.${quoteIdentifier(name)}`, type)}`,
  );
  return `'{' || array_to_string(ARRAY[${members.join(', ')}]::text[], ',') || '}'`;
}

/** SQL of the columns of a row as a jsonb object. */
export function rowObject(
  columns: readonly { readonly name: string; readonly type: string }[],
  alias: string,
): string {
  return jsonObject(
    columns.map(({ name, type }) => ({ name, type, value: `${alias}.${quoteIdentifier(name)}` })),
  );
}

/** SQL of a row of a relation, from such an object: an item of FROM, to be given a name. */
export function rowOfObject(
  relation: string,
  object: string,
  columns: readonly { readonly type: string }[],
): string {
  if (!columns.some(({ type }) => mayHoldFloats(type)))
    return `jsonb_populate_record(NULL::${relation}, ${object})`;
  return `json_populate_record(NULL::${relation}, replace((${object})::text, '${MARK}', '-0')::json)`;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;

/** The JSON text of rows as the database held them, as they were before: minus zero is -0 again. */
export function outOfDatabase<T extends string | null>(json: T): T {
  if (json?.includes(MARK) !== true) return json;
  return json.replace(TOKEN, (token) => (token === MARK ? '-0' : token)) as T;
}
