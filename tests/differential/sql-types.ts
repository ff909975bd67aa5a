/** The types that generated tables have, with values that are few (so that rows meet) or many (so that nothing explodes). */
import { quoteLiteral } from '../../src/sql/quote.ts';

export type SqlType =
  | 'integer'
  | 'bigint'
  | 'numeric'
  | 'double precision'
  | 'text'
  | 'boolean'
  | 'date'
  | 'timestamptz'
  | 'interval'
  | 'jsonb'
  | 'uuid'
  | 'integer[]'
  | 'text[]'
  /** Text under the collation "C". */
  | 'c text'
  /** Text under a collation that is not deterministic: letters that differ by case or accent are equal. */
  | 'folded';

interface TypeFacts {
  /** As a column is declared; a fixed scale, so that equal numbers look the same. */
  readonly declared: string;
  /** Texts of some values: few, so that they meet; ones that are easy to get wrong among them. */
  readonly values: readonly string[];
  /** An expression over `i`, with about three rows a value. */
  readonly many: string;
  /** The n-th key. */
  readonly key: (n: number) => string;
}

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/**
 * Left out on purpose: values that are equal and look different (1.0 and 1.00, '1 day' and '24:00', -0), since which of them a
 * group shows is the server's choice, and so no answer is the right one.
 * So is JSON's null, which a change feed, being JSON, does not tell from NULL.
 */
export const types: Readonly<Record<SqlType, TypeFacts>> = {
  integer: { declared: 'integer', values: ['0', '1', '2', '3', '4'], many: '100 + i / 3', key: String },
  text: {
    declared: 'text',
    values: ['x', 'y', '', '1', "ü'\\", '12', 'long '.repeat(20), '2024-01-02', 'true'],
    many: "'t' || i / 3",
    key: (n) => `id${n}`,
  },
  timestamptz: {
    declared: 'timestamptz',
    values: [0, 1, 2, 7, 8].map((m) => `2024-01-01 00:0${m}:00.00000${m}+00`),
    many: "'2024-01-01 00:00+00'::timestamptz + i / 3 * interval '1 minute'",
    key: (n) => `2024-01-01 00:00:${String(n % 60).padStart(2, '0')}+00`,
  },
  boolean: {
    declared: 'boolean',
    values: ['true', 'false'],
    many: 'i % 2 = 0',
    key: (n) => String(n % 2 === 0),
  },
  'double precision': {
    declared: 'double precision',
    values: ['0.5', '1.5', '-2.25', '1000', 'NaN'],
    many: 'i / 3 * 0.5::double precision',
    key: (n) => `${n}.5`,
  },
  numeric: {
    declared: 'numeric(12,2)',
    values: ['0.10', '1.25', '2.50', '-3.75', '100.00'],
    many: '(i / 3 * 0.25)::numeric(12,2)',
    key: (n) => `${n}.25`,
  },
  bigint: {
    declared: 'bigint',
    values: ['1', '2', '3', '-5', '9007199254740993'],
    many: '9007199254740993 + i / 3',
    key: (n) => String(9007199254740993n + BigInt(n)),
  },
  date: {
    declared: 'date',
    values: ['2024-01-01', '2024-01-02', '2024-02-29', '2023-12-31'],
    many: "'2024-01-01'::date + i / 3",
    key: (n) => `2024-03-${String((n % 28) + 1).padStart(2, '0')}`,
  },
  interval: {
    declared: 'interval',
    values: ['1 minute', '2 minutes', '7 minutes', '0', '1 day'],
    many: "i / 3 * interval '1 minute'",
    key: (n) => `${n} seconds`,
  },
  jsonb: {
    declared: 'jsonb',
    values: ['{"a": 1}', '{"a": {"b": [1]}, "ü": "x"}', '[1, null, "x"]', '"s"', '7'],
    many: "jsonb_build_object('a', i / 3)",
    key: (n) => String(n),
  },
  uuid: {
    declared: 'uuid',
    values: [1, 2, 3, 4].map(uuid),
    many: "('00000000-0000-4000-8000-' || lpad((i / 3)::text, 12, '0'))::uuid",
    key: uuid,
  },
  'integer[]': {
    declared: 'integer[]',
    values: ['{}', '{1,2}', '{NULL,1}', '{3}', '{1,2,3}'],
    many: 'ARRAY[i / 3, 1]',
    key: (n) => `{${n}}`,
  },
  'text[]': {
    declared: 'text[]',
    values: ['{}', '{x,y}', '{"a b",NULL}', '{x}'],
    many: "ARRAY['t' || i / 3, NULL]",
    key: (n) => `{${n}}`,
  },
  'c text': {
    declared: 'text COLLATE "C"',
    values: ['x', 'X', 'y', 'é', ''],
    many: "'t' || i / 3",
    key: (n) => `id${n}`,
  },
  folded: {
    declared: 'text COLLATE folded',
    values: ['x', 'X', 'y', 'é', 'E'],
    many: "'t' || i / 3",
    key: (n) => `id${n}`,
  },
};

/** Types that expressions may take; those of other collations come from columns alone. */
export const typeNames = (Object.keys(types) as SqlType[]).filter(
  (name) => name !== 'c text' && name !== 'folded',
);

/** Types that a key column may have. */
export const keyTypes: readonly SqlType[] = ['integer', 'bigint', 'text', 'uuid'];

/** Types whose values say as text what they are, and compare as their texts do. */
export const textual: ReadonlySet<SqlType> = new Set([
  'integer',
  'bigint',
  'text',
  'boolean',
  'date',
  'uuid',
]);

/** Few values may meet in a table of many rows: a join by such a column makes more rows than there are. */
export const narrow: ReadonlySet<SqlType> = new Set(['boolean']);

/** An expression cast to a type. */
export function cast(sql: string, type: SqlType): string {
  if (type === 'c text') return `${sql}::text COLLATE "C"`;
  return type === 'folded' ? `${sql}::text COLLATE folded` : `${sql}::${type}`;
}

export function literal(type: SqlType, text: string): string {
  return cast(quoteLiteral(text), type);
}

export function value(type: SqlType, n: number): string {
  const { values } = types[type];
  return literal(type, values[n % values.length]!);
}
