/** Types of PostgreSQL, as declared in property files, in the words of the streaming engines. */
import { parseDataType } from '../connectors/data-type.ts';
import { UnsupportedType } from './dialect.ts';

/** By the names that parseDataType gives. */
const common: Readonly<Record<string, string>> = {
  smallint: 'smallint',
  integer: 'integer',
  bigint: 'bigint',
  real: 'real',
  'double precision': 'double precision',
  boolean: 'boolean',
  date: 'date',
  'time without time zone': 'time',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamptz',
  interval: 'interval',
  bytea: 'bytea',
  jsonb: 'jsonb',
  json: 'jsonb',
};

const texts = new Set(['text', 'character varying', 'character', 'citext', 'name']);

/** RisingWave has no uuid, no lengths, no precision; JSON is jsonb. @throws UnsupportedType */
export function risingwaveType(declared: string): string {
  const { base, isArray } = parseDataType(declared);
  const type =
    texts.has(base) || base === 'uuid'
      ? 'varchar'
      : base === 'numeric' || base === 'decimal'
        ? 'numeric'
        : common[base];
  if (type === undefined) throw new UnsupportedType(declared, 'text, or a number, time or jsonb type');
  return isArray ? `${type}[]` : type;
}

/** Materialize has PostgreSQL's usual types; JSON is jsonb. @throws UnsupportedType */
export function materializeType(declared: string): string {
  const { base, modifiers, isArray } = parseDataType(declared);
  const type =
    base === 'uuid'
      ? 'uuid'
      : base === 'numeric' || base === 'decimal'
        ? // It keeps 39 digits always; the scale counts.
          modifiers.length === 2
          ? `numeric(39, ${modifiers[1]})`
          : 'numeric'
        : texts.has(base)
          ? 'text'
          : common[base];
  if (type === undefined) throw new UnsupportedType(declared, 'text, or a number, time or jsonb type');
  return isArray ? `${type}[]` : type;
}
