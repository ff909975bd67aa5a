/** Spec → SQL: tables, views, statements. */
import { binaryOperators } from './binary-operators.ts';
import { Choices } from './choices.ts';
import { literal, typeNames, types, value } from './sql-types.ts';
import type { Making, Query } from './query.ts';
import type { NodeSpec, Spec } from './spec.ts';
import { statement } from './statements.ts';
import { createTable, tableOf } from './tables.ts';
import type { Table } from './tables.ts';
import type { Case, CaseView } from './trace-runner.ts';
import { unaryOperators } from './unary-operators.ts';

export function renderCase(spec: Spec): Case {
  const tables = spec.tables.map(tableOf);
  const views: CaseView[] = [];
  const known: Query[] = [];
  let many = true;
  for (const [i, { query, plain }] of spec.views.entries()) {
    const alias = counter();
    const made = render(query, tables, known, alias);
    many &&= !made.explodes && made.effort <= 2;
    const name = `v${i}`;
    views.push({
      name,
      sql: made.sql,
      plain,
      silent: i % 3 === 1,
      constructs: [...new Set(operatorsIn(query))],
    });
    known.push({
      ...made,
      effort: plain ? made.effort : 1,
      sql: `SELECT * FROM "${name}"`,
      relation: `"${name}"`,
    });
  }
  // Time only moves forward, so it is set before there is a view.
  const started = [`UPDATE "_seg".clock SET "now" = '2024-01-01 00:00:00+00'`];
  const emptied = `TRUNCATE ${tables.map(({ name }) => name).join(', ')}`;
  const histories = spec.histories.map((steps) => {
    // One flood a history: the tables would grow by each.
    const flood = steps.findIndex((step) => step.do === 'big');
    return steps.map(({ do: name, n }, i) =>
      statement(name, tables, new Choices(n), {
        flood: many && i === flood,
        few: many && flood >= 0 && i > flood,
      }),
    );
  });
  return {
    schema: tables.map(createTable),
    before: [
      ...started,
      ...spec.before.map(({ do: name, n }) =>
        statement(name, tables, new Choices(n), { flood: false, few: false }),
      ),
    ],
    views,
    history: histories.flatMap((steps, i) => (i === 0 ? steps : [emptied, ...steps])),
  };
}

function counter(): () => string {
  let last = 0;
  return () => `q${++last}`;
}

export function operatorsIn({ op, of }: NodeSpec): string[] {
  return [op, ...of.flatMap(operatorsIn)];
}

function render(
  node: NodeSpec,
  tables: readonly Table[],
  views: readonly Query[],
  alias: () => string,
): Query {
  const choices = new Choices(node.n);
  const making: Making = { choices, alias };
  const [first, second] = node.of.map((child) => render(child, tables, views, alias));
  const unary = unaryOperators[node.op];
  if (unary !== undefined) return unary(first!, making);
  const binary = binaryOperators[node.op];
  if (binary !== undefined) return binary(first!, second!, making);
  if (node.op === 'view' && views.length > 0) return choices.of(views);
  if (node.op === 'values') return valuesOf(choices);
  return tableQuery(choices.of(tables));
}

function tableQuery({ name, columns }: Table): Query {
  return {
    sql: `SELECT * FROM ${name}`,
    relation: name,
    columns: columns.map(({ name: column, type, wide }) => ({ name: column, type, wide })),
    rows: 20,
    explodes: false,
    effort: 1,
  };
}

function valuesOf(choices: Choices): Query {
  const chosen = choices.some(typeNames, 1, 3);
  const rows = Array.from({ length: 1 + choices.below(3) }, () => {
    const fields = chosen.map((type) =>
      choices.oneIn(6) ? `NULL::${types[type].declared}` : value(type, choices.below(5)),
    );
    return `(${fields.join(', ')})`;
  });
  const key = choices.oneIn(4)
    ? `, (${chosen.map((type) => literal(type, types[type].values[0]!)).join(', ')})`
    : '';
  return {
    sql: `VALUES ${rows.join(', ')}${key}`,
    columns: chosen.map((type, i) => ({ name: `column${i + 1}`, type, wide: false })),
    rows: 3,
    explodes: false,
    effort: 1,
  };
}
