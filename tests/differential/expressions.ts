/** Typed expressions over the columns in scope. None can fail, and none depends on the order in which rows are met. */
import type { Choices } from './choices.ts';
import { textual, typeNames, value } from './sql-types.ts';
import type { SqlType } from './sql-types.ts';

export interface ScopeColumn {
  /** As an expression: `q1.c0`. */
  readonly sql: string;
  readonly type: SqlType;
  /** Whether it takes many values where its table has many rows. */
  readonly wide: boolean;
}

export type Scope = readonly ScopeColumn[];

export interface Expression {
  readonly sql: string;
  readonly type: SqlType;
  readonly wide: boolean;
}

/** What time it is, as `{{ now() }}` of a project is compiled. */
export const now = '(SELECT c."now" FROM "_seg".clock AS c)';

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
  ],
  interval: [(of) => `${of('timestamptz')} - ${value('timestamptz', 0)}`],
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
  'text[]': [(of) => `string_to_array(${of('text')}, ' ')`, (of) => `ARRAY[${of('text')}, 'y']`],
};

/** An expression of a type: a column if there is one, now and then something computed, at worst a value. */
export function expression(type: SqlType, scope: Scope, choices: Choices, depth = 2): Expression {
  const columns = scope.filter((column) => column.type === type);
  const plain = (): Expression =>
    columns.length > 0 && !choices.oneIn(8)
      ? choices.of(columns)
      : { sql: value(type, choices.below(5)), type, wide: false };
  if (depth === 0) return plain();
  const of = (wanted: SqlType): string => expression(wanted, scope, choices, depth - 1).sql;
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
  return { sql: `(${choices.of(makers[type])(of, choices)})::${type}`, type, wide: false };
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
  if (scope.length > 0 && !choices.oneIn(3)) return choices.of(scope);
  return expression(choices.of(typeNames), scope, choices);
}

/** Columns of two sides that can be compared, the wide ones first: [left, right], as SQL. */
export function comparable(
  left: Scope,
  right: Scope,
): { readonly left: string; readonly right: string; readonly wide: boolean }[] {
  const pairs = left.flatMap((l) =>
    right.flatMap((r) => (l.type === r.type ? [{ left: l.sql, right: r.sql, wide: l.wide && r.wide }] : [])),
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
