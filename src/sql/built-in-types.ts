const NAMES = [
  '"char"|bigint|bit|boolean|box|bytea|character|cidr|circle|date|double precision|inet|integer|interval|json|jsonb',
  'jsonpath|line|lseg|macaddr8?|money|name|numeric|oid|path|pg_lsn|pg_snapshot|point|polygon|real|smallint|text|time',
  'timestamp|tsquery|tsvector|uuid|xid8?|xml|(?:int4|int8|num|date|ts|tstz)(?:multi)?range',
].join('|');
const MODIFIERS = ' varying| with(?:out)? time zone|\\(\\d+(?:,-?\\d+)?\\)';
const BUILT_IN = new RegExp(`^(?:${NAMES})(?:${MODIFIERS})*(?:\\[\\])?$`);

/** Whether every PostgreSQL has the type: no enum, domain, composite or type of an extension. @param type as format_type prints it */
export function isBuiltIn(type: string): boolean {
  return BUILT_IN.test(type);
}
