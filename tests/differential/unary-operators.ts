/** Operators over one query. */
import { aggregates, aggregateOf, ratio } from './aggregates.ts';
import { anything, condition, expression, now, totalOrder } from './expressions.ts';
import type { Choices } from './choices.ts';
import { item, outputs, select } from './query.ts';
import type { Making } from './query.ts';
import { where } from './shapes.ts';
import type { Expression, Item, Query, Scope } from './shapes.ts';
import { value } from './sql-types.ts';
import type { SqlType } from './sql-types.ts';
import { share } from './subqueries.ts';
import { windowCalls } from './windows.ts';

export type Unary = (child: Query, making: Making) => Query;

/** An operator that neither adds rows nor puts other rows beside each other. */
const plain = (
  child: Query,
  making: Making,
  make: (of: Item) => {
    expressions: readonly Expression[];
    distinct?: string;
    where?: string;
    tail?: string;
  },
): Query => {
  const of = item(child, making);
  return select(
    { items: [of], rows: child.rows, explodes: child.explodes, effort: child.effort, ...make(of) },
    making,
  );
};

/** Keys to group by: columns, now and then computed. */
const keys = (scope: Scope, choices: Choices, least: number, most: number): Expression[] => {
  const chosen = choices.some(scope, least, most);
  return choices.oneIn(4) ? [...chosen, expression('text', scope, choices)] : chosen;
};

/** Keys of which one row makes several, or that are the same in all rows. */
const oddKeys = (scope: Scope, choices: Choices): Expression[] => [
  ...(choices.takes('set_returning_keys', 6) ? [setReturning(scope, choices)] : []),
  ...(choices.takes('constant_keys', 8) ? [constant(choices)] : []),
];

function setReturning(scope: Scope, choices: Choices): Expression {
  const of = (type: SqlType): string => expression(type, scope, choices, 1).sql;
  return choices.of<() => Expression>([
    () => ({ sql: `unnest(${of('integer[]')})`, type: 'integer', wide: false }),
    () => ({ sql: `unnest(${of('text[]')})`, type: 'text', wide: false }),
    () => ({ sql: `generate_series(1, abs(${of('integer')}) % 3)`, type: 'integer', wide: false }),
    () => ({ sql: `regexp_split_to_table(${of('text')}, ' ')`, type: 'text', wide: false }),
    () => ({
      sql: `jsonb_array_elements(jsonb_build_array(${of('jsonb')}, 1))`,
      type: 'jsonb',
      wide: false,
    }),
    () => ({ sql: `unnest(${of('integer[]')}) + 1`, type: 'integer', wide: false }),
  ])();
}

function constant(choices: Choices): Expression {
  const type = choices.of(['integer', 'text', 'integer', 'date', 'text', 'boolean'] as const);
  return { sql: value(type, choices.below(3)), type, wide: false };
}

/** `7` instead of `'7'::integer`. */
const bareConstant = ({ sql, type }: Expression): string =>
  type === 'integer' || type === 'text' ? sql.replace(/^'(.*)'::integer$/, '$1').replace(/::text$/, '') : sql;

/** `ts + 5 minutes > now`, in one of its many shapes. */
function boundary(scope: Scope, choices: Choices): string {
  const instant = expression('timestamptz', scope, choices, 1).sql;
  const minutes = `interval '${1 + choices.below(6)} minutes'`;
  return choices.of([
    `${instant} > ${now} - ${minutes}`,
    `${instant} + ${minutes} <= ${now}`,
    `${now} - ${instant} < ${minutes}`,
    `${instant} BETWEEN ${now} - ${minutes} AND ${now}`,
    `${instant} > ${now} - ${expression('interval', scope, choices, 1).sql}`,
    `date_trunc('minute', ${now}) >= ${instant}`,
  ]);
}

export const unaryOperators: Readonly<Record<string, Unary>> = {
  project: (child, making) =>
    plain(child, making, ({ scope }) => ({
      expressions: outputs(scope, making.choices).concat(anything(scope, making.choices)),
    })),
  filter: (child, making) =>
    plain(child, making, ({ scope }) => ({
      expressions: outputs(scope, making.choices),
      where: condition(scope, making.choices),
    })),
  group: (child, making) =>
    plain(child, making, ({ scope }) => {
      const { choices } = making;
      const by = [...keys(scope, choices, 1, 2), ...oddKeys(scope, choices)];
      const having = choices.oneIn(4) ? ` HAVING ${aggregateOf('count', scope, choices).sql} > 1` : '';
      const shown = choices.oneIn(6) ? [] : by;
      const guarded = choices.takes('guards', 6) ? ratio(scope, choices) : null;
      const ordinals = shown.length > 0 && choices.oneIn(3);
      return {
        expressions: [...shown, ...aggregates(scope, choices), ...(guarded === null ? [] : [guarded.value])],
        tail: ` GROUP BY ${by.map(({ sql }, i) => (ordinals ? i + 1 : sql)).join(', ')}${guarded === null ? having : ` HAVING ${guarded.having}`}`,
      };
    }),
  /** The same aggregate within and around: each belongs to its own query. */
  having_figure: (child, making) =>
    plain(child, making, ({ scope, from, guard }) => {
      const { choices } = making;
      const by = keys(scope, choices, 1, 2);
      const kept = where(guard);
      const figure = choices.of([
        `HAVING count(*) * 3 > (SELECT count(*) FROM ${from}${kept})`,
        `HAVING count(*) > 1 OR EXISTS (SELECT FROM ${from}${where(guard, condition(scope, choices))})`,
        `HAVING count(*) >= (SELECT count(*) FROM ${from}${kept}) / 2 AND NOT EXISTS (SELECT FROM ${from}${kept} HAVING count(*) > 9)`,
        ...(choices.may('guards') ? [`HAVING ${share(from, guard, choices)}`] : []),
      ]);
      return {
        expressions: [...by, ...aggregates(scope, choices)],
        tail: ` GROUP BY ${by.map(({ sql }) => sql).join(', ')} ${figure}`,
      };
    }),
  distinct: (child, making) =>
    plain(child, making, ({ scope }) => ({
      expressions: outputs(scope, making.choices),
      distinct: 'DISTINCT ',
    })),
  distinct_on: (child, making) =>
    plain(child, making, ({ scope }) => {
      const { choices } = making;
      const on = choices.some(scope, 1, 2);
      const first = on.map(({ sql }) => sql);
      return {
        distinct: `DISTINCT ON (${first.join(', ')}) `,
        expressions: [...on, ...outputs(scope, choices)],
        tail: ` ORDER BY ${totalOrder(scope, choices, first)}`,
      };
    }),
  window: (child, making) =>
    plain(child, making, ({ scope }) => {
      const { choices } = making;
      const partition = keys(scope, choices, 1, 2).map(({ sql }) => sql);
      const { calls, clause } = windowCalls(scope, partition, making);
      return { expressions: [...choices.some(scope, 1, 3), ...calls], tail: clause };
    }),
  top_n: (child, making) => {
    const { choices, alias } = making;
    const of = item(child, making);
    const [n, outer, partition] = [alias(), alias(), choices.some(of.scope, 1, 2)];
    const call = choices.of(['row_number', 'row_number', 'rank', 'dense_rank']);
    const order =
      call === 'row_number'
        ? totalOrder(of.scope, choices)
        : choices.some(of.scope, 1, 2).map(({ sql }) => sql);
    const columns = of.scope.map(({ sql }, i) => `${sql} AS ${outer}_${i}`);
    const inner = `SELECT ${columns.join(', ')}, ${call}() OVER (PARTITION BY ${partition.map(({ sql }) => sql).join(', ')} ORDER BY ${String(order)}) AS ${n} FROM ${of.from}${where(of.guard)}`;
    const scope = of.scope.map((column, i) => ({ ...column, sql: `${outer}.${outer}_${i}` }));
    return select(
      {
        items: [of],
        guarded: true,
        from: `(${inner}) AS ${outer}`,
        expressions: outputs(scope, choices),
        where: `${outer}.${n} <= ${1 + choices.below(3)}`,
        rows: child.rows,
        explodes: child.explodes,
        effort: child.effort,
      },
      making,
    );
  },
  sessions: (child, making) => {
    const { choices, alias } = making;
    const of = item(child, making);
    const key = choices.of(of.scope);
    const time = expression('timestamptz', of.scope, choices, 0).sql;
    const [t, s, nr, a, b] = [alias(), alias(), alias(), alias(), alias()];
    const over = (order: string): string => `PARTITION BY ${key.sql} ORDER BY ${order}`;
    const order = totalOrder(of.scope, choices);
    const k = alias();
    const flags = `SELECT ${key.sql} AS ${k}, ${time} AS ${t}, row_number() OVER (${over(`${time}, ${order}`)}) AS ${a}_n, CASE WHEN ${time} <= lag(${time}) OVER (${over(`${time}, ${order}`)}) + interval '1 minute' THEN 0 ELSE 1 END AS ${s} FROM ${of.from}${where(of.guard)}`;
    const numbered = `SELECT ${k}, ${t}, sum(${s}) OVER (PARTITION BY ${k} ORDER BY ${t}, ${a}_n ROWS UNBOUNDED PRECEDING) AS ${nr} FROM (${flags}) AS ${a}`;
    return select(
      {
        items: [of],
        guarded: true,
        from: `(${numbered}) AS ${b}`,
        expressions: [
          { ...key, sql: `${b}.${k}` },
          { sql: `min(${b}.${t})`, type: 'timestamptz', wide: false },
          { sql: `max(${b}.${t})`, type: 'timestamptz', wide: false },
          { sql: 'count(*)', type: 'bigint', wide: false },
        ],
        tail: ` GROUP BY ${b}.${k}, ${b}.${nr}`,
        rows: child.rows,
        explodes: child.explodes,
        effort: child.effort,
      },
      making,
    );
  },
  series: (child, making) => {
    const of = item(child, making);
    const { choices } = making;
    const count = `abs(${expression('integer', of.scope, choices, 1).sql}) % 3`;
    const made: Expression = { sql: `generate_series(1, ${count})`, type: 'integer', wide: false };
    return select(
      {
        items: [of],
        expressions: [...outputs(of.scope, choices), made],
        rows: child.rows * 2,
        explodes: child.explodes,
        effort: child.effort,
      },
      making,
    );
  },
  unnest: (child, making) => {
    const of = item(child, making);
    const { choices, alias } = making;
    const [t, v, n] = [alias(), alias(), alias()];
    const texts = choices.oneIn(3);
    const array = expression(texts ? 'text[]' : 'integer[]', of.scope, choices, 1).sql;
    const call = choices.of([
      `unnest(${array}) WITH ORDINALITY AS ${t} (${v}, ${n})`,
      `(SELECT u, 1::bigint FROM unnest(${array}) AS u) AS ${t} (${v}, ${n})`,
    ]);
    const added: Expression[] = [
      { sql: `${t}.${v}`, type: texts ? 'text' : 'integer', wide: false },
      { sql: `${t}.${n}`, type: 'bigint', wide: false },
    ];
    const left = choices.oneIn(3);
    return select(
      {
        items: [of],
        from: `${of.from} ${left ? 'LEFT JOIN' : 'CROSS JOIN'} LATERAL ${call}${left ? ' ON true' : ''}`,
        expressions: [...outputs(of.scope, choices), ...added],
        rows: child.rows * 2,
        explodes: child.explodes,
        effort: child.effort,
      },
      making,
    );
  },
  global: (child, making) =>
    plain(child, making, ({ scope }) => ({
      expressions: aggregates(scope, making.choices),
      tail: making.choices.oneIn(5) ? ` HAVING count(*) > 1` : '',
    })),
  window_whole: (child, making) =>
    plain(child, making, ({ scope }) => {
      const { calls, clause } = windowCalls(scope, [], making);
      return { expressions: [...making.choices.some(scope, 1, 3), ...calls], tail: clause };
    }),
  limit: (child, making) =>
    plain(child, making, ({ scope }) => {
      const { choices } = making;
      const skipped = choices.oneIn(3) ? ` OFFSET ${choices.below(3)}` : '';
      const ties = choices.oneIn(4);
      // Which of several equal rows OFFSET passes over is nobody's to say.
      const offset = ties ? '' : skipped;
      const order = ties ? choices.some(scope, 1, 2).map(({ sql }) => sql) : totalOrder(scope, choices);
      const count = 1 + choices.below(5);
      return {
        expressions: scope,
        tail: ` ORDER BY ${String(order)}${offset}${ties ? ` FETCH FIRST ${count} ROWS WITH TIES` : ` LIMIT ${count}`}`,
      };
    }),
  grouping_sets: (child, making) =>
    plain(child, making, ({ scope }) => {
      const { choices } = making;
      const columns = choices.some(scope, 1, 3);
      const added = choices.takes('constant_keys', 3) ? [constant(choices)] : [];
      const shown = choices.oneIn(2) ? [...added, ...columns] : [...columns, ...added];
      // A constant can also stand as it is, and be named by its place.
      const bare = added.length > 0 && choices.oneIn(2);
      const by = shown.map(({ sql }, i) => (bare ? String(i + 1) : sql));
      const list = by.join(', ');
      const sets = choices.of([
        `ROLLUP (${list})`,
        `CUBE (${list})`,
        `GROUPING SETS ((${by[0]}), (${list}))`,
        `GROUPING SETS (${list})`,
        `GROUPING SETS ((${list}), ())`,
        `${by[0]}, ROLLUP (${list})`,
      ]);
      const which: Expression = {
        sql: `grouping(${columns.map(({ sql }) => sql).join(', ')})`,
        type: 'integer',
        wide: false,
      };
      const expressions = shown.map((each) =>
        bare && added.includes(each) ? { ...each, sql: bareConstant(each) } : each,
      );
      return {
        expressions: [...expressions, which, ...aggregates(scope, choices)],
        tail: ` GROUP BY ${sets}`,
      };
    }),
  cte_twice: (child, making) => {
    const { choices, alias } = making;
    if (child.rows > 100) return child;
    const [name, l, r] = [alias(), alias(), alias()];
    const columns = child.columns.map((_, i) => `${name}_${i}`);
    const side = (of: string): Scope =>
      child.columns.map(({ type, wide }, i) => ({ sql: `${of}.${columns[i]}`, type, wide }));
    const on = choices.of(side(l).map(({ sql }, i) => `${sql} = ${side(r)[i]!.sql}`));
    const wide = child.columns.some((column) => column.wide);
    return select(
      {
        items: [
          { from: '', scope: [], guard: '', with: [`${name} (${columns.join(', ')}) AS (${child.sql})`] },
        ],
        from: `${name} AS ${l} JOIN ${name} AS ${r} ON ${on}`,
        expressions: [...choices.some(side(l), 1, 2), ...choices.some(side(r), 1, 2)],
        rows: (child.rows * child.rows) / 5,
        explodes: child.explodes || !wide,
        effort: child.effort,
      },
      making,
    );
  },
  recent: (child, making) =>
    plain(child, making, ({ scope }) => ({
      expressions: outputs(scope, making.choices),
      where: `(${boundary(scope, making.choices)}${making.choices.of(['', ` AND ${condition(scope, making.choices)}`, ` OR ${boundary(scope, making.choices)}`])})`,
    })),
  recent_case: (child, making) =>
    plain(child, making, ({ scope }) => ({
      expressions: [
        ...outputs(scope, making.choices),
        {
          sql: `CASE WHEN ${boundary(scope, making.choices)} THEN 'new' ELSE 'old' END`,
          type: 'text',
          wide: false,
        },
      ],
    })),
  recent_having: (child, making) =>
    plain(child, making, ({ scope }) => {
      const by = keys(scope, making.choices, 1, 2);
      const instant = expression('timestamptz', scope, making.choices, 1).sql;
      const minutes = 1 + making.choices.below(6);
      return {
        expressions: [...by, ...aggregates(scope, making.choices)],
        tail: ` GROUP BY ${by.map(({ sql }) => sql).join(', ')} HAVING max(${instant}) > ${now} - interval '${minutes} minutes'`,
      };
    }),
};
