/** Operators over two queries. */
import { aggregateOf } from './aggregates.ts';
import { comparable, condition, expression, totalOrder } from './expressions.ts';
import { item, outputs, select, within } from './query.ts';
import type { Making } from './query.ts';
import { both, where } from './shapes.ts';
import type { Item, Query } from './shapes.ts';
import type { SqlType } from './sql-types.ts';

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
    let [l, r] = [item(left, making), item(right, making)];
    // What must hold of a side is asked where the join leaves a row out for it; of a side that is kept whole, above or below.
    if (word === 'FULL JOIN') [l, r] = [within(l, making.alias()), within(r, making.alias())];
    let on = match(l, r, left.rows * right.rows, making);
    // A FULL JOIN is merged or hashed, so it takes equalities only.
    if (word === 'FULL JOIN') {
      const pair = comparable(l.scope, r.scope)[0];
      if (pair === undefined) return left;
      on = { sql: `${pair.left} = ${pair.right}`, rows: (left.rows * right.rows) / 5, explodes: !pair.wide };
    }
    if (on.rows > TOO_MANY) return left;
    const { choices } = making;
    const above = choices.oneIn(4) ? condition([...l.scope, ...r.scope], choices) : '';
    const onWhere = choices.oneIn(2);
    // Guards: [in ON, in WHERE].
    const [on1, kept1] =
      word === 'RIGHT JOIN' || (word === 'JOIN' && onWhere) ? [l.guard, ''] : ['', l.guard];
    const [on2, kept2] = word === 'LEFT JOIN' || (word === 'JOIN' && onWhere) ? [r.guard, ''] : ['', r.guard];
    return select(
      {
        items: [l, r],
        guarded: true,
        from: `${l.from} ${word} ${r.from} ON ${both(on1, both(on2, on.sql))}`,
        expressions: [...outputs(l.scope, choices), ...outputs(r.scope, choices)],
        where: [kept1, kept2, above]
          .filter((each) => each !== '')
          .map((each) => `(${each})`)
          .join(' AND '),
        rows: Math.max(on.rows, left.rows, right.rows),
        explodes: on.explodes || left.explodes || right.explodes,
        effort: Math.max(left.effort, right.effort),
      },
      making,
    );
  };

/** Texts of several collations: where two meet, the one that is not the default is taken. */
const texts: readonly SqlType[] = ['text', 'text', 'folded', 'c text'];

const combined =
  (word: string): Binary =>
  (left, right, making) => {
    const { choices } = making;
    const [l, r] = [item(left, making), item(right, making)];
    const taken = choices.some(l.scope, 1, 3);
    const opposite = taken.map(({ type }) =>
      expression(type === 'text' && choices.may('collations') ? choices.of(texts) : type, r.scope, choices),
    );
    const side = {
      rows: left.rows + right.rows,
      explodes: left.explodes || right.explodes,
      effort: Math.max(left.effort, right.effort),
    };
    const a = select({ items: [l], expressions: taken, ...side }, making);
    const b = select({ items: [r], expressions: opposite, ...side }, making);
    const types = taken.map(({ type }, i) => (type === 'text' ? opposite[i]!.type : type));
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
    const test = make(l, r, both(r.guard, on.sql), making);
    const flag = choices.oneIn(6);
    return select(
      {
        items: [l, r],
        guarded: true,
        from: l.from,
        expressions: [
          ...outputs(l.scope, choices),
          ...(flag ? [{ sql: `(${test})`, type: 'boolean' as const, wide: false }] : []),
        ],
        where: both(l.guard, flag ? 'true' : test),
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
        guarded: true,
        from: `${l.from} ${keep ? 'LEFT JOIN' : 'CROSS JOIN'} LATERAL (${make(l, r, both(r.guard, on.sql), making)}) AS ${name} (v)${keep ? ' ON true' : ''}`,
        where: l.guard,
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
    const kept = making.choices.oneIn(2) ? where(on) : where(r.guard);
    return `${pair.left} IN (SELECT ${pair.right} FROM ${r.from}${kept})`;
  }),
  not_in: asked((l, r, on, making) => {
    const pair = pairOf(l, r, making);
    const kept = making.choices.oneIn(2) ? where(on) : where(r.guard);
    return `${pair.left} NOT IN (SELECT ${pair.right} FROM ${r.from}${kept})`;
  }),
  in_row: asked((l, r, _, making) => {
    const [a, b] = [pairOf(l, r, making), pairOf(l, r, making)];
    return `(${a.left}, ${b.left}) ${making.choices.of(['IN', 'NOT IN'])} (SELECT ${a.right}, ${b.right} FROM ${r.from}${where(r.guard)})`;
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
    const correlated = where(r.guard, choices.oneIn(4) ? '' : on.sql);
    return select(
      {
        items: [l, r],
        guarded: true,
        where: l.guard,
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
