/** Aggregates whose answer does not depend on the order in which rows come. */
import type { Choices } from './choices.ts';
import { anything, condition, expression } from './expressions.ts';
import { fallible } from './fallible.ts';
import type { Expression, Scope } from './shapes.ts';
import type { SqlType } from './sql-types.ts';

const sums: Partial<Record<SqlType, SqlType>> = {
  integer: 'bigint',
  bigint: 'numeric',
  numeric: 'numeric',
  'double precision': 'double precision',
  interval: 'interval',
};
const averages: Partial<Record<SqlType, SqlType>> = {
  integer: 'numeric',
  numeric: 'numeric',
  'double precision': 'double precision',
  interval: 'interval',
};
const ordered: readonly SqlType[] = [
  'integer',
  'text',
  'timestamptz',
  'bigint',
  'numeric',
  'double precision',
  'date',
  'interval',
  'integer[]',
];
const arrays: Partial<Record<SqlType, SqlType>> = { integer: 'integer[]', text: 'text[]' };

type Make = (scope: Scope, choices: Choices) => Expression;

const of = (sql: string, type: SqlType): Expression => ({ sql, type, wide: false });

/** An argument of one of some types, one for which there is a column if there is. */
function argument(accepted: readonly SqlType[], scope: Scope, choices: Choices): Expression {
  const there = scope.filter(({ type }) => accepted.includes(type));
  if (there.length > 0 && !choices.oneIn(5)) return choices.of(there);
  return expression(choices.of(accepted), scope, choices);
}

const numbers = (table: Partial<Record<SqlType, SqlType>>): SqlType[] => Object.keys(table) as SqlType[];
const distinct = (choices: Choices): string => (choices.oneIn(4) ? 'DISTINCT ' : '');
/** Where DISTINCT changes nothing, or is seldom written. */
const seldomDistinct = (choices: Choices): string =>
  choices.takes('distinct_aggregates', 4) ? 'DISTINCT ' : '';
/** What looks different though it is equal has no place in a list. */
const listed = (scope: Scope): Scope => scope.filter(({ type }) => type !== 'folded');

const makers = {
  count: () => of('count(*)', 'bigint'),
  sum: (scope, choices) => {
    const x = argument(numbers(sums), scope, choices);
    return of(`sum(${distinct(choices)}${x.sql})`, sums[x.type]!);
  },
  extreme: (scope, choices) => {
    const x = argument(ordered, scope, choices);
    return of(`${choices.of(['min', 'max'])}(${seldomDistinct(choices)}${x.sql})`, x.type);
  },
  count_of: (scope, choices) => of(`count(${distinct(choices)}${anything(scope, choices).sql})`, 'bigint'),
  avg: (scope, choices) => {
    const x = argument(numbers(averages), scope, choices);
    return of(`avg(${distinct(choices)}${x.sql})`, averages[x.type]!);
  },
  bool: (scope, choices) =>
    of(
      `${choices.of(['bool_or', 'bool_and', 'every'])}(${seldomDistinct(choices)}${expression('boolean', scope, choices).sql})`,
      'boolean',
    ),
  deviation: (scope, choices) => {
    const x = argument(['integer', 'numeric'], scope, choices);
    return of(
      `${choices.of(['stddev', 'variance', 'stddev_pop', 'var_pop', 'stddev_samp'])}(${seldomDistinct(choices)}${x.sql})`,
      'numeric',
    );
  },
  array: (scope, choices) => {
    const x = argument(['integer', 'text'], scope, choices);
    return of(`array_agg(${distinct(choices)}${x.sql} ORDER BY ${x.sql})`, arrays[x.type]!);
  },
  string: (scope, choices) => {
    const x = expression('text', scope, choices).sql;
    return of(`string_agg(${distinct(choices)}${x}, ',' ORDER BY ${x})`, 'text');
  },
  json: (scope, choices) => {
    const x = anything(listed(scope), choices).sql;
    return of(`jsonb_agg(${seldomDistinct(choices)}${x} ORDER BY ${x})`, 'jsonb');
  },
  object: (scope, choices) => {
    const [k, v] = [expression('text', scope, choices).sql, expression('integer', scope, choices).sql];
    return of(`jsonb_object_agg(coalesce(${k}, '?'), ${v} ORDER BY ${k}, ${v})`, 'jsonb');
  },
  bits: (scope, choices) => {
    const x = argument(['integer', 'bigint'], scope, choices);
    return of(`${choices.of(['bit_xor', 'bit_or', 'bit_and'])}(${seldomDistinct(choices)}${x.sql})`, x.type);
  },
  /** Two arguments; a count, which no rounding touches. */
  pairs: (scope, choices) => {
    const [x, y] = [argument(['integer'], scope, choices), argument(['integer'], scope, choices)];
    return of(`regr_count(${seldomDistinct(choices)}${x.sql}, ${y.sql})`, 'bigint');
  },
  mode: (scope, choices) => {
    const x = argument(ordered, scope, choices);
    return of(`mode() WITHIN GROUP (ORDER BY ${x.sql})`, x.type);
  },
  percentile: (scope, choices) => {
    const x = argument(ordered, scope, choices);
    return of(`percentile_disc(0.5) WITHIN GROUP (ORDER BY ${x.sql})`, x.type);
  },
  continuous: (scope, choices) => {
    const x = argument(['double precision'], scope, choices);
    return of(`percentile_cont(0.25) WITHIN GROUP (ORDER BY ${x.sql})`, 'double precision');
  },
} satisfies Record<string, Make>;

export function aggregateOf(name: keyof typeof makers, scope: Scope, choices: Choices): Expression {
  const made = makers[name](scope, choices);
  if (!choices.oneIn(choices.may('distinct_aggregates') ? 4 : 6)) return made;
  const found = choices.takes('guards', 3) ? fallible(scope, choices) : null;
  if (found !== null) return guardedAggregate(found.column, found.guard, choices);
  return { ...made, sql: `${made.sql} FILTER (WHERE ${condition(scope, choices)})` };
}

/** An aggregate of values that may fail: the filter is asked before the argument is evaluated. */
function guardedAggregate({ sql, type }: Expression, guard: string, choices: Choices): Expression {
  const x = `${distinct(choices)}${sql}`;
  const made = choices.of([
    of(`count(${x})`, 'bigint'),
    ...(sums[type] === undefined ? [] : [of(`sum(${x})`, sums[type])]),
    ...(ordered.includes(type) ? [of(`max(${x})`, type), of(`min(${x})`, type)] : []),
    ...(arrays[type] === undefined ? [] : [of(`array_agg(${x} ORDER BY ${sql})`, arrays[type])]),
  ]);
  return { ...made, sql: `${made.sql} FILTER (WHERE ${guard})` };
}

const all = Object.keys(makers) as (keyof typeof makers)[];

/** One to three aggregates. */
export function aggregates(scope: Scope, choices: Choices): Expression[] {
  // Of the many, DISTINCT changes these the most.
  const from = choices.takes('distinct_aggregates', 8)
    ? ([...all, 'bits', 'bits', 'bits', 'bits', 'bits', 'bits', 'bool', 'deviation'] as const)
    : all;
  return Array.from({ length: 1 + choices.below(3) }, () => aggregateOf(choices.of(from), scope, choices));
}

/** A value made of the aggregates of a group, and the condition of HAVING without which it may fail. */
export function ratio(
  scope: Scope,
  choices: Choices,
): { readonly value: Expression; readonly having: string } {
  const [x, y] = [argument(['integer'], scope, choices).sql, argument(['integer'], scope, choices).sql];
  const divisor = choices.of([
    `sum(${y})`,
    `count(${y})`,
    `count(*) - 1`,
    `max(${y})`,
    `count(DISTINCT ${y})`,
  ]);
  return {
    value: of(`sum(${x}) / ${divisor}`, 'bigint'),
    having: choices.of([`${divisor} <> 0`, `${divisor} > 0 AND count(*) > 0`]),
  };
}
