/** Window functions: with orders that are total where a tie would leave the answer open. */
import { anything, expression, totalOrder } from './expressions.ts';
import type { Making } from './query.ts';
import type { Expression, Scope } from './shapes.ts';

const frames = [
  '',
  ' ROWS UNBOUNDED PRECEDING',
  ' ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING',
  ' ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING',
  ' ROWS BETWEEN 2 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW',
  ' GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW',
  ' ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING',
  ' RANGE UNBOUNDED PRECEDING',
];

/** One to three calls over windows with the same partition, and the WINDOW clause that they name, if they do. */
export function windowCalls(
  scope: Scope,
  partition: readonly string[],
  { choices, alias }: Making,
): { calls: Expression[]; clause: string } {
  const by = partition.length === 0 ? '' : `PARTITION BY ${partition.join(', ')} `;
  const total = `ORDER BY ${totalOrder(scope, choices)}`;
  const name = alias();
  const namedWindow = choices.oneIn(3);
  // A named window with an order takes a frame where it is used.
  const over = (frame: string): string => {
    if (namedWindow) return frame === '' ? name : `(${name}${frame})`;
    return `(${by}${total}${frame})`;
  };
  const call = (): Expression => {
    const frame = choices.of(frames);
    const x = anything(scope, choices);
    switch (choices.below(9)) {
      case 0:
        return { sql: `row_number() OVER ${over('')}`, type: 'bigint', wide: false };
      case 1:
        return { ...x, wide: false, sql: `${choices.of(['lag', 'lead'])}(${x.sql}) OVER ${over('')}` };
      case 2: {
        const n = expression('integer', scope, choices, 1).sql;
        return { sql: `sum(${n}) OVER ${over(frame)}`, type: 'bigint', wide: false };
      }
      case 3:
        return {
          ...x,
          wide: false,
          sql: `${choices.of(['first_value', 'last_value'])}(${x.sql}) OVER ${over(frame)}`,
        };
      case 4:
        return { sql: `count(${x.sql}) OVER ${over(frame)}`, type: 'bigint', wide: false };
      case 5: {
        const order = choices.some(scope, 1, 1).map(({ sql }) => sql);
        const rank = choices.of(['rank', 'dense_rank']);
        return { sql: `${rank}() OVER (${by}ORDER BY ${String(order)})`, type: 'bigint', wide: false };
      }
      case 6: {
        const order = choices.some(scope, 1, 1).map(({ sql }) => sql);
        const n = expression('numeric', scope, choices, 1).sql;
        return {
          sql: `${choices.of(['sum', 'min', 'max'])}(${n}) OVER (${by}ORDER BY ${String(order)})`,
          type: 'numeric',
          wide: false,
        };
      }
      case 7:
        return {
          sql: `${choices.of(['cume_dist', 'percent_rank'])}() OVER ${over('')}`,
          type: 'double precision',
          wide: false,
        };
      default: {
        const n = choices.of(['2', '3']);
        return choices.oneIn(2)
          ? { sql: `ntile(${n}) OVER ${over('')}`, type: 'integer', wide: false }
          : { ...x, wide: false, sql: `nth_value(${x.sql}, ${n}) OVER ${over(frame)}` };
      }
    }
  };
  const calls = Array.from({ length: 1 + choices.below(3) }, call);
  return { calls, clause: namedWindow ? ` WINDOW ${name} AS (${by}${total})` : '' };
}
