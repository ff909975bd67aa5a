/** Scalar subqueries as expressions: over any relation, empty ones too, that use columns from outside or none. */
import { quoteLiteral } from '../../src/sql/quote.ts';
import type { Choices } from './choices.ts';
import { comparable, condition, expression, totalOrder } from './expressions.ts';
import { item } from './query.ts';
import { where } from './shapes.ts';
import type { Scope } from './shapes.ts';
import type { SqlType } from './sql-types.ts';

/** Aggregates of one value, by the type of the value and of the answer. */
const folds: Partial<Record<SqlType, readonly string[]>> = {
  integer: ['max', 'min', 'bit_xor'],
  bigint: ['max', 'min'],
  numeric: ['sum', 'max', 'min'],
  text: ['max', 'min'],
  date: ['max', 'min'],
  timestamptz: ['max', 'min'],
  interval: ['max', 'min', 'sum'],
  boolean: ['bool_or', 'bool_and'],
};

export function subquery(type: SqlType, outer: Scope, choices: Choices, depth: number): string {
  const { relations, alias } = choices.materials;
  const r = item(choices.of(relations), { choices, alias });
  const pairs = comparable(outer, r.scope);
  const own = choices.oneIn(3) ? condition(r.scope, choices) : '';
  const link = pairs.length === 0 || choices.oneIn(4) ? '' : choices.of(pairs);
  const test = link === '' ? '' : `${link.left} = ${link.right}`;
  const nested =
    depth > 0 && choices.oneIn(4) ? expression('boolean', [...r.scope, ...outer], choices, depth).sql : '';
  const head = r.with.length === 0 ? '' : `WITH ${r.with.join(', ')} `;
  const from = `FROM ${r.from}${where(r.guard, test, own, nested)}`;
  const inner = (wanted: SqlType): string => expression(wanted, r.scope, choices, depth).sql;
  const forms: (() => string)[] = [];
  if (type === 'integer') forms.push(() => `(${head}SELECT count(*)::integer ${from})`);
  if (type === 'bigint')
    forms.push(
      () => `(${head}SELECT count(*) ${from})`,
      () => `(${head}SELECT count(DISTINCT ${choices.of(r.scope).sql}) ${from})`,
    );
  if (type === 'boolean')
    forms.push(
      () => `${choices.of(['', 'NOT '])}EXISTS (${head}SELECT ${from})`,
      () => `${choices.of(outer)?.sql ?? 'NULL'} IS NOT NULL AND EXISTS (${head}SELECT 1 ${from})`,
    );
  if (type === 'integer[]' || type === 'text[]') {
    const of = type === 'text[]' ? 'text' : 'integer';
    forms.push(() => {
      const x = inner(of);
      return `ARRAY(${head}SELECT ${x} ${from} ORDER BY ${x})`;
    });
  }
  const fold = folds[type];
  if (fold !== undefined)
    forms.push(() => {
      const x = r.scope.find((column) => column.type === type)?.sql ?? inner(type);
      // An argument without a column of its own would make the aggregate one of the query outside.
      const bound = r.scope.some(({ sql }) => x.includes(sql));
      return bound
        ? `(${head}SELECT ${choices.of(fold)}(${x}) ${from})`
        : `(${head}SELECT ${x} ${from} LIMIT 1)`;
    });
  forms.push(() => `(${head}SELECT ${inner(type)} ${from} ORDER BY ${totalOrder(r.scope, choices)} LIMIT 1)`);
  if (choices.may('guards') && (type === 'integer' || type === 'bigint' || type === 'numeric'))
    forms.push(() => {
      const whole = `FROM ${r.from}${where(r.guard)}`;
      const divisor = choices.of(['count(*)', `count(DISTINCT ${choices.of(r.scope).sql})`]);
      const value = `CASE WHEN EXISTS (${head}SELECT ${whole}) THEN (${head}SELECT (12 / nullif(${divisor}, 0))::${type} ${whole}) END`;
      return `(${value})`;
    });
  choices.subqueries++;
  return choices.of(forms)();
}

/** A condition on groups that a subquery over the same rows makes: it divides by their number, which no group has as 0. */
export function share(from: string, guard: string, choices: Choices): string {
  const whole = `FROM ${from}${where(guard)}`;
  return choices.of([
    `count(*) >= (SELECT count(*) / count(*) ${whole})`,
    `count(*) * 2 >= (SELECT sum(1) / count(1) ${whole})`,
    `(SELECT 10 / count(*) ${whole}) >= 1`,
    `${quoteLiteral('x')} = (SELECT chr((120 * count(*) / count(*))::integer) ${whole})`,
  ]);
}
