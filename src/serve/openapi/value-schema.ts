/** Values of PostgreSQL's types, as JSON Schema: in rows that are read, in parameters, and in records that are sent. */
import type { DataType } from '../../connectors/data-type.ts';
import { parseDataType } from '../../connectors/data-type.ts';
import { isBuiltIn } from '../../sql/built-in-types.ts';
import type { Schema } from './document.ts';

const INTEGERS: Readonly<Record<string, Schema>> = {
  smallint: { type: 'integer', minimum: -32_768, maximum: 32_767 },
  integer: { type: 'integer', minimum: -2_147_483_648, maximum: 2_147_483_647 },
  // What a double holds exactly lies within: JSON Schema's own numbers go no further.
  bigint: { type: 'integer', format: 'int64' },
};
const NUMBERS = /^(real|double precision|numeric)$/;
const MOMENTS: Readonly<Record<string, string>> = {
  'timestamp with time zone': 'date-time',
  date: 'date',
};
/** In rows an array of numbers, though it is not called an array. */
const VECTORS = /^(int2|oid)vector$/;

/** What a column of a row holds. */
export function columnSchema(type: string): Schema {
  const description = type;
  const { base, isArray } = parseDataType(type);
  if (isArray) return { type: ['array', 'null'], description };
  if (INTEGERS[base] !== undefined) return { ...INTEGERS[base], type: ['integer', 'null'], description };
  if (NUMBERS.test(base))
    return { anyOf: [{ type: 'number' }, { enum: ['NaN', 'Infinity', '-Infinity', null] }], description };
  if (base === 'boolean') return { type: ['boolean', 'null'], description };
  if (/^jsonb?$/.test(base) || VECTORS.test(base) || !isBuiltIn(type)) return { description };
  const format = MOMENTS[base];
  if (format !== undefined)
    return { anyOf: [{ type: 'string', format }, { enum: ['infinity', '-infinity', null] }], description };
  return { type: ['string', 'null'], description };
}

/** What a parameter takes that is compared with a column, or is a part of a key. */
export function parameterSchema(type: string): Schema {
  const { base, isArray } = parseDataType(type);
  return isArray ? { type: 'string' } : canonical(base);
}

/** What a field of a record may be, for a column of the type. */
export function fieldSchema(type: DataType): Schema {
  const { base, isArray, modifiers } = type;
  if (isArray) {
    const items = fieldSchema({ ...type, isArray: false });
    return { type: 'array', items: { anyOf: [items, { type: 'null' }] } };
  }
  const [length, scale = 0] = modifiers;
  if (/^(text|citext|name|character( varying)?)$/.test(base)) {
    const most = base === 'character' ? (length ?? 1) : length;
    return { type: ['string', 'number', 'boolean'], ...(most === undefined ? {} : { maxLength: most }) };
  }
  if (base === 'numeric' && length !== undefined) {
    const most = 10 ** (length - scale) - 1;
    return { type: 'number', minimum: -most, maximum: most };
  }
  if (/^jsonb?$/.test(base) || !isBuiltIn(base)) return {};
  return canonical(base);
}

function canonical(base: string): Schema {
  if (INTEGERS[base] !== undefined) return INTEGERS[base];
  if (NUMBERS.test(base)) return { type: 'number' };
  if (base === 'boolean') return { type: 'boolean' };
  if (base === 'uuid') return { type: 'string', format: 'uuid' };
  const format = MOMENTS[base] ?? (base === 'timestamp without time zone' ? 'date-time' : undefined);
  return { type: 'string', ...(format === undefined ? {} : { format }) };
}
