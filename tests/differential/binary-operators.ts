/** Operators over two queries. */
import { aggregateOf } from './aggregates.ts';
import { comparable, condition, expression, totalOrder } from './expressions.ts';
import { item, outputs, select } from './query.ts';
import type { Item, Making, Query } from './query.ts';

type Binary = (left: Query, right: Query, making: Making) => Query;

/** More rows than this (of tables with twenty) and a join is left out: the left side alone is the query. */
const TOO_MANY = 600;

interface Matched {
  readonly sql: string;
  readonly rows: number;
  readonly explodes: boolean;
}

/** Equal columns of both sides; now and then other comparisons. */
function match(left: Item, right: Item, rows: number, { choices }: Making): Matched {
  const pairs = comparable(left.scope, right.scope);
  if (pairs.length === 0) return { sql: 'true', rows, explodes: true };
  const pair = choices.of(pairs);
  if (choices.oneIn(6) && rows < 400) {
    const operator = choices.of(['<', '>=', '<>', 'IS NOT DISTINCT FROM']);
    return { sql: `${pair.left} ${operator} ${pair.right}`, rows, explodes: true };
  }
  const more = choices.oneIn(3) ? ` AND ${extra(left, right, choices)}` : '';
  return { sql: `${pair.left} = ${pair.right}${more}`, rows: rows / 5, explodes: !pair.wide };
}

function extra(left: Item, right: Item, choices: Making['choices']): string {
  const pairs = comparable(left.scope, right.scope);
  const pair = choices.of(pairs);
  return choices.of([
    `${pair.left} = ${pair.right}`,
    condition(left.scope, choices),
    condition(right.scope, choices),
    `${pair.left} > ${pair.right}`,
  ]);
}

const joined =
  (word: string): Binary =>
  (left, right, making) => {
    const [l, r] = [item(left, making), item(right, making)];
    let on = match(l, r, left.rows * right.rows, making);
    // A FULL JOIN is merged or hashed, so it takes equalities only.
    if (word === 'FULL JOIN') {
      const pair = comparable(l.scope, r.scope)[0];
      if (pair === undefined) return left;
      on = { sql: `${pair.left} = ${pair.right}`, rows: (left.rows * right.rows) / 5, explodes: !pair.wide };
    }
    if (on.rows > TOO_MANY) return left;
    const { choices } = making;
    const where = choices.oneIn(4) ? ` WHERE ${condition([...l.scope, ...r.scope], choices)}` : '';
    return select(
      {
        items: [l, r],
        from: `${l.from} ${word} ${r.from} ON ${on.sql}`,
        expressions: [...outputs(l.scope, choices), ...outputs(r.scope, choices)],
        tail: where,
        rows: Math.max(on.rows, left.rows, right.rows),
        explodes: on.explodes || left.explodes || right.explodes,
        effort: Math.max(left.effort, right.effort),
      },
      making,
    );
  };

const combined =
  (word: string): Binary =>
  (left, right, making) => {
    const { choices } = making;
    const [l, r] = [item(left, making), item(right, making)];
    const taken = choices.some(l.scope, 1, 3);
    const opposite = taken.map(({ type }) => expression(type, r.scope, choices));
    const side = {
      rows: left.rows + right.rows,
      explodes: left.explodes || right.explodes,
      effort: Math.max(left.effort, right.effort),
    };
    const a = select({ items: [l], expressions: taken, ...side }, making);
    const b = select({ items: [r], expressions: opposite, ...side }, making);
    const types = taken.map(({ type }) => type);
    // Both sides begin with WITH now and then, so each stands in parentheses.
    return {
      ...a,
      sql: `(${a.sql}) ${word} (${b.sql})`,
      columns: a.columns.map((column, i) => ({ ...column, type: types[i]!, wide: false })),
    };
  };

/** A condition on the left rows that asks the right ones. */
const asked =
  (make: (l: Item, r: Item, on: string, making: Making) => string): Binary =>
  (left, right, making) => {
    const [l, r] = [item(left, making), item(right, making)];
    const { choices } = making;
    const on = match(l, r, 0, making);
    const test = make(l, r, on.sql, making);
    const flag = choices.oneIn(6);
    return select(
      {
        items: [l, r],
        from: l.from,
        expressions: [
          ...outputs(l.scope, choices),
          ...(flag ? [{ sql: `(${test})`, type: 'boolean' as const, wide: false }] : []),
        ],
        tail: flag ? '' : ` WHERE ${test}`,
        rows: left.rows,
        explodes: left.explodes || right.explodes,
        effort: left.effort + right.effort,
      },
      making,
    );
  };

const pairOf = (l: Item, r: Item, making: Making): { left: string; right: string } =>
  making.choices.of(comparable(l.scope, r.scope)) ?? {
    left: expression('integer', l.scope, making.choices, 1).sql,
    right: expression('integer', r.scope, making.choices, 1).sql,
  };

/** A FROM item of the right side, joined laterally. */
const lateral =
  (make: (l: Item, r: Item, on: string, making: Making) => string): Binary =>
  (left, right, making) => {
    const [l, r] = [item(left, making), item(right, making)];
    const { choices, alias } = making;
    const name = alias();
    const on = match(l, r, 0, making);
    const rows = left.rows * 2;
    if (rows > TOO_MANY) return left;
    const keep = choices.oneIn(2);
    return select(
      {
        items: [l, r],
        from: `${l.from} ${keep ? 'LEFT JOIN' : 'CROSS JOIN'} LATERAL (${make(l, r, on.sql, making)}) AS ${name} (v)${keep ? ' ON true' : ''}`,
        expressions: [...outputs(l.scope, choices), { sql: `${name}.v`, type: 'text', wide: false }],
        rows,
        explodes: left.explodes || right.explodes,
        effort: left.effort + right.effort,
      },
      making,
    );
  };

export const binaryOperators: Readonly<Record<string, Binary>> = {
  inner_join: joined('JOIN'),
  left_join: joined('LEFT JOIN'),
  right_join: joined('RIGHT JOIN'),
  full_join: joined('FULL JOIN'),
  union_all: combined('UNION ALL'),
  union: combined('UNION'),
  intersect: combined('INTERSECT'),
  intersect_all: combined('INTERSECT ALL'),
  except: combined('EXCEPT'),
  except_all: combined('EXCEPT ALL'),
  exists: asked((_, r, on) => `EXISTS (SELECT 1 FROM ${r.from} WHERE ${on})`),
  not_exists: asked((_, r, on) => `NOT EXISTS (SELECT 1 FROM ${r.from} WHERE ${on})`),
  in: asked((l, r, on, making) => {
    const pair = pairOf(l, r, making);
    const where = making.choices.oneIn(2) ? ` WHERE ${on}` : '';
    return `${pair.left} IN (SELECT ${pair.right} FROM ${r.from}${where})`;
  }),
  not_in: asked((l, r, on, making) => {
    const pair = pairOf(l, r, making);
    const where = making.choices.oneIn(2) ? ` WHERE ${on}` : '';
    return `${pair.left} NOT IN (SELECT ${pair.right} FROM ${r.from}${where})`;
  }),
  in_row: asked((l, r, _, making) => {
    const [a, b] = [pairOf(l, r, making), pairOf(l, r, making)];
    return `(${a.left}, ${b.left}) ${making.choices.of(['IN', 'NOT IN'])} (SELECT ${a.right}, ${b.right} FROM ${r.from})`;
  }),
  compared: asked((l, r, on, { choices }) => {
    const x = expression('integer', l.scope, choices, 1).sql;
    const y = expression('integer', r.scope, choices, 1).sql;
    return `${x} ${choices.of(['=', '>', '<>'])} ${choices.of(['ANY', 'ALL'])} (SELECT ${y} FROM ${r.from} WHERE ${on})`;
  }),
  scalar: (left, right, making) => {
    const [l, r] = [item(left, making), item(right, making)];
    const { choices } = making;
    const on = match(l, r, 0, making);
    const value = aggregateOf(choices.of(['count', 'sum', 'extreme', 'json']), r.scope, choices);
    const correlated = choices.oneIn(4) ? '' : ` WHERE ${on.sql}`;
    return select(
      {
        items: [l, r],
        from: l.from,
        expressions: [
          ...outputs(l.scope, choices),
          { ...value, sql: `(SELECT ${value.sql} FROM ${r.from}${correlated})` },
        ],
        rows: left.rows,
        explodes: left.explodes || right.explodes,
        effort: left.effort + right.effort,
      },
      making,
    );
  },
  lateral_top: lateral((_, r, on, { choices }) => {
    const shown = expression('text', r.scope, choices, 1).sql;
    return `SELECT ${shown} FROM ${r.from} WHERE ${on} ORDER BY ${totalOrder(r.scope, choices)} LIMIT ${1 + choices.below(2)}`;
  }),
  lateral_group: lateral((_, r, on, { choices }) => {
    const value = aggregateOf(choices.of(['count', 'sum', 'extreme']), r.scope, choices);
    const shown = value.type === 'numeric' ? `round(${value.sql}, 2)` : value.sql;
    return `SELECT (${shown})::text FROM ${r.from} WHERE ${on}`;
  }),
};
