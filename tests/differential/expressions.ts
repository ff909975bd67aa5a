/** Typed expressions over the columns in scope. None can fail, and none depends on the order in which rows are met. */
import type { Choices } from './choices.ts';
import { cast, textual, typeNames, value } from './sql-types.ts';
import type { Expression, Scope, ScopeColumn } from './shapes.ts';
import type { SqlType } from './sql-types.ts';

/** What time it is, as `{{ now() }}` of a project is compiled. */
export const now = '(SELECT c."now" FROM "_seg".clock AS c)';

/** A literal of a fixed length, in all the forms that PostgreSQL and the standard know. */
const intervals = [
  "INTERVAL '1' YEAR",
  "INTERVAL '3' MONTH",
  "INTERVAL '2' DAY",
  "INTERVAL '5' HOUR",
  "INTERVAL '90' MINUTE",
  "INTERVAL '7' SECOND",
  "INTERVAL '1.2345' SECOND(2)",
  "INTERVAL '1-2' YEAR TO MONTH",
  "INTERVAL '1 2' DAY TO HOUR",
  "INTERVAL '1 02:03' DAY TO MINUTE",
  "INTERVAL '1 02:03:04.5678' DAY TO SECOND(1)",
  "INTERVAL '10:20' HOUR TO MINUTE",
  "INTERVAL '10:20:30' HOUR TO SECOND",
  "INTERVAL '20:30' MINUTE TO SECOND",
  "INTERVAL(3) '1.23456 seconds'",
  "'1 day 2 hours'::interval day to hour",
  "'12:34:56.789'::interval(1)",
  "CAST('1 year 2 months 3 days' AS interval month)",
  "INTERVAL '-1 days +02:03'",
  "INTERVAL 'P1Y2M3DT4H5M6S'",
  "INTERVAL '1 mon ago'",
  'make_interval(mins => 5)',
];

function intervalLiteral(choices: Choices): string {
  return choices.may('intervals') ? choices.of(intervals) : "interval '1 minute'";
}

type Make = (of: (type: SqlType) => string, choices: Choices) => string;

const makers: Readonly<Record<SqlType, readonly Make[]>> = {
  integer: [
    (of) => `${of('integer')} + 1`,
    (of) => `length(${of('text')})`,
    (of) => `abs(${of('integer')}) % 3`,
    (of) => `cardinality(${of('integer[]')})`,
    (of) => `(${of('boolean')})::integer`,
    (of) => `extract(day FROM ${of('date')})::integer`,
    (of) => `${of('date')} - ${value('date', 0)}`,
    (of) => `CASE WHEN jsonb_typeof(${of('jsonb')}) = 'object' THEN 1 ELSE 2 END`,
  ],
  bigint: [
    (of) => `${of('integer')}::bigint`,
    (of) => `${of('bigint')} + 1`,
    (of) => `greatest(${of('bigint')}, 2)`,
  ],
  numeric: [
    (of) => `${of('integer')} * 1.50`,
    (of) => `round(${of('numeric')}, 2) + 1.00`,
    (of) => `least(${of('numeric')}, 1.25)`,
  ],
  'double precision': [
    (of) => `${of('integer')} * 0.5::double precision`,
    (of) => `${of('double precision')} + 1`,
    (of) => `nullif(${of('double precision')}, 'NaN') / 2`,
  ],
  text: [
    (of) => `${of('text')} || 'x'`,
    (of) => `upper(${of('text')})`,
    (of) => `${of('integer')}::text`,
    (of) => `to_char(${of('date')}, 'YYYY-MM-DD')`,
    (of) => `${of('timestamptz')}::text`,
    (of) => `${of('jsonb')} ->> 'a'`,
    (of) => `(${of('text[]')})[1]`,
    (of) => `concat_ws('-', ${of('text')}, ${of('uuid')})`,
    (of) => `regexp_replace(${of('text')}, '[xy]', '''\\"', 'g')`,
  ],
  boolean: [
    (of) => `${of('integer')} > 1`,
    (of) => `${of('text')} LIKE 'x%'`,
    (of) => `${of('text')} IN ('x', 'y', 'id1')`,
    (of, choices) => {
      const type = choices.of(typeNames);
      return `${of(type)} IS ${choices.of(['NULL', 'NOT NULL'])}`;
    },
    (of, choices) => {
      const type = choices.of(typeNames);
      return `${of(type)} ${choices.of(['=', '<>', '<', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM'])} ${of(type)}`;
    },
    (of) => `NOT ${of('boolean')}`,
    (of) => `(${of('boolean')} OR ${of('boolean')}) IS TRUE`,
    (of) => `(${of('boolean')} AND ${of('boolean')}) IS NOT FALSE`,
    (of) => `${of('integer')} BETWEEN 1 AND 2`,
    (of) => `${of('integer')} = ANY (${of('integer[]')})`,
    (of) => `${of('jsonb')} @> '{"a": 1}'`,
    (of) => `${of('jsonb')} ? 'a'`,
    (of) => `${of('text[]')} && ARRAY['x']`,
    (of) => `(${of('integer')}, ${of('text')}) = (1, 'x')`,
  ],
  date: [(of) => `${of('date')} + 1`, (of) => `(${of('timestamptz')})::date`],
  timestamptz: [
    (of) => `${of('timestamptz')} + interval '1 minute'`,
    (of) => `date_trunc('minute', ${of('timestamptz')})`,
    (of) => `${of('timestamptz')} + ${of('interval')}`,
    (of, choices) => `${of('timestamptz')} - ${intervalLiteral(choices)}`,
  ],
  interval: [
    (of) => `${of('timestamptz')} - ${value('timestamptz', 0)}`,
    (_, choices) => intervalLiteral(choices),
  ],
  jsonb: [
    (of) => `jsonb_build_object('a', ${of('integer')}, 'ü', ${of('text')})`,
    (of) => `to_jsonb(${of('text')})`,
    (of) => `${of('jsonb')} -> 'a'`,
    (of) => `to_jsonb(${of('integer[]')})`,
  ],
  uuid: [(of) => `CASE WHEN ${of('boolean')} THEN ${of('uuid')} END`],
  'integer[]': [
    (of) => `ARRAY[${of('integer')}, 7]`,
    (of) => `${of('integer[]')} || 1`,
    (of) => `array_remove(${of('integer[]')}, 1)`,
  ],
  'c text': [],
  folded: [],
  'text[]': [(of) => `string_to_array(${of('text')}, ' ')`, (of) => `ARRAY[${of('text')}, 'y']`],
};

/** Types of which subqueries are made: others have neither an order nor an aggregate. */
const asked: ReadonlySet<SqlType> = new Set([
  'integer',
  'bigint',
  'numeric',
  'text',
  'boolean',
  'date',
  'timestamptz',
  'interval',
  'integer[]',
  'text[]',
]);

/** An expression of a type: a column if there is one, now and then something computed, at worst a value. */
export function expression(type: SqlType, scope: Scope, choices: Choices, depth = 2): Expression {
  const columns = scope.filter((column) => column.type === type);
  const plain = (): Expression =>
    columns.length > 0 && !choices.oneIn(8)
      ? choices.of(columns)
      : { sql: value(type, choices.below(5)), type, wide: false };
  if (depth === 0) return plain();
  const { subquery, functions } = choices.materials;
  if (asked.has(type) && choices.takes('subqueries', 24) && (choices.subqueries < 3 || choices.oneIn(6)))
    return { sql: subquery(type, scope, choices, depth - 1), type, wide: false };
  const of = (wanted: SqlType): string => expression(wanted, scope, choices, depth - 1).sql;
  if (type === 'integer' && functions.length > 0 && choices.takes('functions', 6))
    return { sql: `${choices.of(functions).name}(${of('integer')})`, type, wide: false };
  const made = makers[type];
  if (made.length === 0) return plain();
  // A value alone says nothing of the rows: where no column fits, something is computed from one.
  const computed = columns.length === 0 ? choices.below(4) > 0 : choices.oneIn(4);
  if (!computed) {
    if (!choices.oneIn(10)) return plain();
    const first = choices.of([
      () => `CASE WHEN ${of('boolean')} THEN ${of(type)} ELSE ${of(type)} END`,
      () => `coalesce(${of(type)}, ${value(type, choices.below(5))})`,
      () => `nullif(${of(type)}, ${of(type)})`,
    ]);
    return { sql: `(${first()})`, type, wide: false };
  }
  return { sql: cast(`(${choices.of(made)(of, choices)})`, type), type, wide: false };
}

/** A condition, in which comparisons of columns come first. */
export function condition(scope: Scope, choices: Choices): string {
  const one = (): string => expression('boolean', scope, choices).sql;
  switch (choices.below(5)) {
    case 3:
      return `${one()} AND ${one()}`;
    case 4:
      return `${one()} OR NOT ${one()}`;
    default:
      return one();
  }
}

/** Something of any type: most often a column. */
export function anything(scope: Scope, choices: Choices): Expression {
  if (choices.materials.functions.length > 0 && choices.takes('functions', 12))
    return expression('integer', scope, choices);
  if (scope.length > 0 && !choices.oneIn(3)) return choices.of(scope);
  return expression(choices.of(typeNames), scope, choices);
}

const alike = (left: SqlType, right: SqlType): boolean =>
  left === right || (left === 'text' && (right === 'folded' || right === 'c text'));

/** Columns of two sides that can be compared, the wide ones first: [left, right], as SQL. */
export function comparable(
  left: Scope,
  right: Scope,
): { readonly left: string; readonly right: string; readonly wide: boolean }[] {
  const pairs = left.flatMap((l) =>
    right.flatMap((r) =>
      alike(l.type, r.type) ? [{ left: l.sql, right: r.sql, wide: l.wide && r.wide }] : [],
    ),
  );
  if (pairs.length > 0) return [...pairs].sort((a, b) => Number(b.wide) - Number(a.wide));
  const asText = (side: Scope): ScopeColumn[] => side.filter(({ type }) => textual.has(type));
  return asText(left).flatMap((l) =>
    asText(right).map((r) => ({ left: `${l.sql}::text`, right: `${r.sql}::text`, wide: l.wide && r.wide })),
  );
}

/** All columns in an order that is total but for rows that are equal. */
export function totalOrder(scope: Scope, choices: Choices, first: readonly string[] = []): string {
  const rest = choices.some(scope, scope.length, scope.length).map(({ sql }) => sql);
  const keys = [...first, ...rest.filter((sql) => !first.includes(sql))];
  return keys
    .map((sql) => `${sql}${choices.of(['', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST'])}`)
    .join(', ');
}
