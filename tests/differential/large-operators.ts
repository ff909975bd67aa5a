/** Operators that make large queries: many subqueries, many tables, many columns, long expressions, long chains. */
import { aggregateOf, aggregates } from './aggregates.ts';
import { anything, comparable, condition, expression } from './expressions.ts';
import type { Feature } from './features.ts';
import { item, outputs, select } from './query.ts';
import type { Making } from './query.ts';
import { both, where } from './shapes.ts';
import type { Expression, Item, Query, Scope } from './shapes.ts';

type Unary = (child: Query, making: Making) => Query;

const times = (count: number, make: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** One row of many figures, each a subquery of its own over the same rows. */
const figures: Unary = (child, making) => {
  const { choices } = making;
  const count = choices.of([2, 3, 5, 8, 12, 15, 18]);
  const expressions = Array.from({ length: count }, (): Expression => {
    const of = item(child, making);
    const value = aggregateOf(choices.of(['count', 'sum', 'extreme', 'count_of']), of.scope, choices);
    const kept = where(of.guard, choices.oneIn(2) ? condition(of.scope, choices) : '');
    const head = of.with.length === 0 ? '' : `WITH ${of.with.join(', ')} `;
    return { ...value, sql: `(${head}SELECT ${value.sql} FROM ${of.from}${kept})` };
  });
  const list = expressions.map(({ sql }, i) => `${sql} AS "c${i}"`).join(', ');
  return {
    sql: `SELECT ${list}`,
    columns: expressions.map(({ type }, i) => ({ name: `c${i}`, type, wide: false })),
    rows: 1,
    explodes: child.explodes,
    effort: child.effort,
  };
};

/** A comma join of two to four relations around one or two subqueries that use columns of some of them. */
const around: Unary = (child, making) => {
  const { choices } = making;
  const { relations } = choices.materials;
  const items: Item[] = [item(child, making)];
  const tests: string[] = [];
  let rows = child.rows;
  let explodes = child.explodes;
  for (let more = 1 + choices.below(3); more > 0; more--) {
    const other = choices.of(relations);
    const next = item(other, making);
    const pairs = comparable(
      items.flatMap(({ scope }) => scope),
      next.scope,
    );
    if (pairs.length === 0) continue;
    const pair = choices.of(pairs);
    rows = Math.max(rows, (rows * other.rows) / 5);
    if (rows > 600) break;
    explodes ||= other.explodes || !pair.wide;
    items.push(next);
    tests.push(`${pair.left} = ${pair.right}`);
  }
  const scope = items.flatMap((each) => each.scope);
  for (let more = 1 + choices.below(2); more > 0; more--) tests.push(asked(items, scope, making));
  return select(
    {
      items,
      from: items.map(({ from }) => from).join(', '),
      expressions: [...outputs(scope, choices), ...outputs(scope, choices)],
      where: tests.map((each) => `(${each})`).join(' AND '),
      rows,
      explodes,
      effort: child.effort + 1,
    },
    making,
  );
};

/** A condition that asks another relation, which may itself be a join, about the row. */
function asked(items: readonly Item[], scope: Scope, making: Making): string {
  const { choices } = making;
  const { relations } = choices.materials;
  const r = item(choices.of(relations), making);
  const head = r.with.length === 0 ? '' : `WITH ${r.with.join(', ')} `;
  const pairs = comparable(choices.of(items).scope, r.scope);
  const pair = pairs.length === 0 ? null : choices.of(pairs);
  const link = pair === null ? '' : `${pair.left} = ${pair.right}`;
  const more = choices.oneIn(3) ? condition([...r.scope, ...scope], choices) : '';
  let from = `FROM ${r.from}${where(r.guard, link, more)}`;
  if (choices.oneIn(3)) {
    const second = item(choices.of(relations), making);
    const between = comparable(r.scope, second.scope);
    if (second.with.length === 0 && between.length > 0) {
      const { left, right } = choices.of(between);
      from = `FROM ${r.from}, ${second.from}${where(r.guard, second.guard, `${left} = ${right}`, link, more)}`;
    }
  }
  const compare = choices.of(comparable(scope, r.scope));
  const tests = [
    `EXISTS (${head}SELECT 1 ${from})`,
    `NOT EXISTS (${head}SELECT 1 ${from})`,
    `(${head}SELECT count(*) ${from}) ${choices.of(['>', '=', '<='])} ${1 + choices.below(2)}`,
  ];
  if (compare !== undefined) {
    tests.push(`${compare.left} IN (${head}SELECT ${compare.right} ${from})`);
    const [least] = comparable(
      scope,
      r.scope.filter(({ type }) => type === 'integer' || type === 'text'),
    );
    if (least !== undefined)
      tests.push(`${least.left} = (${head}SELECT ${choices.of(['max', 'min'])}(${least.right}) ${from})`);
  }
  return choices.of(tests);
}

/** Many columns. */
const wide: Unary = (child, making) => {
  const of = item(child, making);
  const { choices } = making;
  const count = choices.of([60, 120, 420, 700, 1500]);
  const expressions = Array.from({ length: count }, (_, i): Expression => {
    const column = of.scope[i % of.scope.length]!;
    return column.type === 'integer' ? { ...column, sql: `${column.sql} + ${i}`, wide: false } : column;
  });
  return select({ items: [of], expressions, rows: child.rows, explodes: true, effort: child.effort }, making);
};

/** Many aggregates of one group. */
const manyAggregates: Unary = (child, making) => {
  const of = item(child, making);
  const { choices } = making;
  const count = choices.of([30, 100, 420, 600]);
  const by = choices.some(of.scope, 1, 1);
  const number = expression('integer', of.scope, choices, 1).sql;
  const made = Array.from({ length: count }, (_, i): Expression => ({
    sql: `sum(${number} + ${i})`,
    type: 'bigint',
    wide: false,
  }));
  return select(
    {
      items: [of],
      expressions: [...by, ...aggregates(of.scope, choices), ...made],
      tail: by.length === 0 || choices.oneIn(3) ? '' : ` GROUP BY ${by[0]!.sql}`,
      rows: child.rows,
      explodes: true,
      effort: child.effort,
    },
    making,
  );
};

/** A long sum, deep calls, a long list of conditions. */
const longExpression: Unary = (child, making) => {
  const of = item(child, making);
  const { choices } = making;
  const count = choices.of([50, 200, 1000, 3000]);
  const x = expression('integer', of.scope, choices, 1).sql;
  const t = expression('text', of.scope, choices, 1).sql;
  const value = choices.of<() => Expression>([
    () => ({ sql: times(count, () => `(${x})::bigint`).join(' + '), type: 'bigint', wide: false }),
    () => ({
      sql: `${'coalesce('.repeat(count / 3)}${t}${", 'z')".repeat(count / 3)}`,
      type: 'text',
      wide: false,
    }),
    () => ({
      sql: times(count / 5, (i) => `coalesce(${t}, '${i % 3}')`).join(' || '),
      type: 'text',
      wide: false,
    }),
    () => ({
      sql: `CASE ${times(count / 5, (i) => `WHEN ${x} = ${i + 2} THEN ${i % 7}`).join(' ')} ELSE 7 END`,
      type: 'integer',
      wide: false,
    }),
  ])();
  const test = choices.oneIn(2)
    ? ''
    : times(count / 5, (i) => `${x} <> ${i + 9}`).join(choices.of([' AND ', ' OR ']));
  return select(
    {
      items: [of],
      expressions: [...outputs(of.scope, choices), value],
      where: test,
      rows: child.rows,
      explodes: true,
      effort: child.effort,
    },
    making,
  );
};

/** Many branches of UNION ALL. */
const manyBranches: Unary = (child, making) => {
  const { choices } = making;
  const of = item(child, making);
  const count = choices.of([10, 40, 80, 160]);
  const shown = outputs(of.scope, choices);
  const head = of.with.length === 0 ? '' : `WITH ${of.with.join(', ')} `;
  const list = shown.map(({ sql }, i) => `${sql} AS "c${i}"`).join(', ');
  const branches = times(
    count,
    (i) =>
      `SELECT ${list}, ${i} AS "branch" FROM ${of.from}${where(both(of.guard, i % 2 === 0 ? 'true' : condition(of.scope, choices)))}`,
  );
  return {
    sql: `${head}${branches.join(' UNION ALL ')}`,
    columns: [
      ...shown.map(({ type }, i) => ({ name: `c${i}`, type, wide: false })),
      { name: 'branch', type: 'integer', wide: false },
    ],
    rows: 1000,
    explodes: true,
    effort: child.effort,
  };
};

/** A long chain of WITH queries, each over the one before. */
const longChain: Unary = (child, making) => {
  const { choices, alias } = making;
  const count = choices.of([10, 60, 200, 500]);
  const name = alias();
  const columns = child.columns.map((_, i) => `c${i}`);
  const filter = (i: number): string => (i % 3 === 0 ? ` WHERE c0 IS NOT NULL OR ${i} > 0` : '');
  const links = times(
    count,
    (i) => `${name}_${i + 1} AS (SELECT ${columns.join(', ')} FROM ${name}_${i}${filter(i)})`,
  );
  return {
    sql: `WITH ${name}_0 (${columns.join(', ')}) AS (${child.sql}), ${links.join(', ')} SELECT ${columns.join(', ')} FROM ${name}_${count}`,
    columns: child.columns.map((column, i) => ({ ...column, name: `c${i}` })),
    rows: child.rows,
    explodes: true,
    effort: child.effort,
  };
};

/** A join of a join with itself, by columns that an earlier step computed from anything. */
const keyed: Unary = (child, making) => {
  const { choices } = making;
  const [l, r] = [item(child, making), item(choices.of(choices.materials.relations), making)];
  const key = anything(l.scope, choices);
  const other = r.scope.find(({ type }) => type === key.type);
  if (other === undefined || child.rows > 100) return child;
  return select(
    {
      items: [l, r],
      from: `${l.from} JOIN ${r.from} ON ${key.sql} = ${other.sql}`,
      expressions: [...outputs(l.scope, choices), ...outputs(r.scope, choices)],
      rows: child.rows * 4,
      explodes: true,
      effort: child.effort + 1,
    },
    making,
  );
};

export const largeOperators: Readonly<
  Record<string, { readonly feature: Feature; readonly make: Unary; readonly rare?: true }>
> = {
  figures: { feature: 'subqueries', make: figures },
  around: { feature: 'many_joins', make: around },
  keyed: { feature: 'guards', make: keyed },
  wide: { feature: 'wide', make: wide, rare: true },
  many_aggregates: { feature: 'wide', make: manyAggregates, rare: true },
  long_expression: { feature: 'long', make: longExpression, rare: true },
  many_branches: { feature: 'long', make: manyBranches, rare: true },
  long_chain: { feature: 'long', make: longChain, rare: true },
};
