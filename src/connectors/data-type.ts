/** The part of PostgreSQL's type names that the door has to understand. */

export interface DataType {
  /** One name a type: `int4` and `int` are `integer`, `varchar` is `character varying`; unknown types as written. */
  readonly base: string;
  /** The numbers in brackets: `numeric(10,2)` has [10, 2]. */
  readonly modifiers: readonly number[];
  readonly isArray: boolean;
}

const ALIASES: Record<string, string> = {
  int2: 'smallint',
  int: 'integer',
  int4: 'integer',
  int8: 'bigint',
  decimal: 'numeric',
  float4: 'real',
  float8: 'double precision',
  float: 'double precision',
  double: 'double precision',
  bool: 'boolean',
  string: 'text',
  varchar: 'character varying',
  char: 'character',
  bpchar: 'character',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
  timetz: 'time with time zone',
  time: 'time without time zone',
};

/** Reads a declared type, in any case and spacing; a missing type is text. */
export function parseDataType(declared: string | null): DataType {
  let name = (declared ?? 'text').trim().toLowerCase().replace(/\s+/g, ' ');
  const isArray = /(\[\d*\])+$| array(\[\d*\])?$/.test(name);
  if (isArray) name = name.replace(/(\[\d*\])+$| array(\[\d*\])?$/, '').trim();
  const brackets = /\s*\(([^)]*)\)/.exec(name);
  const modifiers = brackets === null ? [] : brackets[1]!.split(',').map(Number);
  if (brackets !== null) name = name.replace(brackets[0], '').trim();
  name = name.replace(/^pg_catalog\./, '');
  return { base: ALIASES[name] ?? name, modifiers, isArray };
}
