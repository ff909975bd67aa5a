/** Expressions that fail on some rows, each with the condition that keeps these rows away. */
import type { Choices } from './choices.ts';
import type { Scope, ScopeColumn } from './shapes.ts';
import type { SqlType } from './sql-types.ts';

interface Fallible {
  readonly sql: string;
  readonly type: SqlType;
  readonly guard: string;
}

type Make = (x: string, y: string) => readonly Fallible[];

const numeral = (x: string): string[] => [
  `${x} ~ '^[0-9]{1,4}$'`,
  `${x} IN ('1', '2', '12')`,
  `${x} = '12'`,
  `length(${x}) < 3 AND ${x} > '0' AND ${x} < '9'`,
];

/** By the type of the column; `y` is another column of the same type, or the same one. */
const makers: Partial<Record<SqlType, Make>> = {
  text: (x) => [
    ...numeral(x).map((guard): Fallible => ({ sql: `${x}::integer`, type: 'integer', guard })),
    { sql: `round(${x}::numeric / 3, 2)`, type: 'numeric', guard: numeral(x)[0]! },
    { sql: `${x}::bigint`, type: 'bigint', guard: numeral(x)[1]! },
    { sql: `${x}::date`, type: 'date', guard: `${x} LIKE '2024-%'` },
    { sql: `${x}::timestamptz`, type: 'timestamptz', guard: `${x} LIKE '2024-%'` },
    { sql: `${x}::boolean`, type: 'boolean', guard: `${x} IN ('true', '1')` },
    { sql: `${x}::jsonb`, type: 'jsonb', guard: numeral(x)[0]! },
    { sql: `ascii(${x}) / length(${x})`, type: 'integer', guard: `${x} <> ''` },
  ],
  integer: (x, y) => [
    { sql: `${x} / ${y}`, type: 'integer', guard: `${y} <> 0` },
    { sql: `${x} % ${y}`, type: 'integer', guard: `${y} > 0` },
    { sql: `12 / ${x}`, type: 'integer', guard: `NOT ${x} = 0` },
    { sql: `chr(64 + 1 / ${x})`, type: 'text', guard: `${x} >= 1` },
    { sql: `make_date(2024, ${x} % 12, 1)`, type: 'date', guard: `${x} % 12 BETWEEN 1 AND 11` },
    { sql: `round(1.50 / ${x}, 2)`, type: 'numeric', guard: `coalesce(${x}, 0) <> 0` },
  ],
  numeric: (x, y) => [
    { sql: `round(${x} / ${y}, 2)`, type: 'numeric', guard: `${y} <> 0` },
    { sql: `round(sqrt(${x}), 2)`, type: 'numeric', guard: `${x} >= 0` },
    { sql: `round(ln(${x}), 2)`, type: 'numeric', guard: `${x} > 0 AND ${x} IS NOT NULL` },
    { sql: `${x}::numeric(3,1)::integer`, type: 'integer', guard: `abs(${x}) < 90` },
  ],
  bigint: (x) => [
    { sql: `${x}::integer`, type: 'integer', guard: `${x} BETWEEN -1000 AND 1000` },
    { sql: `12 / ${x}`, type: 'bigint', guard: `${x} <> 0` },
  ],
  jsonb: (x) => [
    { sql: `(${x} ->> 'a')::integer`, type: 'integer', guard: `jsonb_typeof(${x} -> 'a') = 'number'` },
    { sql: `(${x} -> 'a')::bigint`, type: 'bigint', guard: `${x} @> '{"a": 1}'` },
    { sql: `jsonb_array_length(${x})`, type: 'integer', guard: `jsonb_typeof(${x}) = 'array'` },
    { sql: `(${x})::integer`, type: 'integer', guard: `jsonb_typeof(${x}) IN ('number')` },
  ],
};

/** One column that may fail, over columns of a scope, and its guard; null where no column lends itself. */
export function fallible(
  scope: Scope,
  choices: Choices,
): { readonly column: ScopeColumn; readonly guard: string } | null {
  const fit = scope.filter(({ type }) => makers[type] !== undefined);
  if (fit.length === 0) return null;
  const x = choices.of(fit);
  const y = choices.of(fit.filter(({ type }) => type === x.type));
  const { sql, type, guard } = choices.of(makers[x.type]!(x.sql, y.sql));
  const shape = choices.of([
    guard,
    guard,
    guard,
    `(${guard}) IS TRUE`,
    `coalesce(${guard}, false)`,
    `NOT (NOT (${guard}))`,
  ]);
  return { column: { sql: `(${sql})`, type, wide: x.wide }, guard: `(${shape})` };
}
