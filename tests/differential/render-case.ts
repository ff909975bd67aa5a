/** Spec → SQL: tables, views, statements. */
import { binaryOperators } from './binary-operators.ts';
import { Choices } from './choices.ts';
import { literal, typeNames, types, value } from './sql-types.ts';
import type { Materials } from './choices.ts';
import { featuresOf } from './features.ts';
import type { FeatureChoice } from './features.ts';
import { largeOperators } from './large-operators.ts';
import type { Making } from './query.ts';
import type { Query } from './shapes.ts';
import type { NodeSpec, Spec } from './spec.ts';
import { change, statement } from './statements.ts';
import { subquery } from './subqueries.ts';
import { createTable, tableOf } from './tables.ts';
import type { Table } from './tables.ts';
import type { Case, CaseView } from './trace-runner.ts';
import { unaryOperators } from './unary-operators.ts';
import { functionOf, outOfShadow, shadowsOf, triggerOf } from './user-objects.ts';

export function renderCase(spec: Spec, chosen: FeatureChoice = featuresOf('usual')): Case {
  const { features, sought } = chosen;
  const tables = spec.tables.map((table, i) => tableOf(table, i, chosen));
  const functions = features.has('functions') ? spec.functions.map((n, i) => functionOf(n, i, tables)) : [];
  const triggers = features.has('triggers')
    ? spec.triggers.map((n, i) => triggerOf(n, i, tables, change))
    : [];
  const shadows =
    features.has('shadows') && spec.shadows.length > 0 ? shadowsOf(new Choices(spec.shadows)) : [];
  const said = shadows.length === 0 ? (sql: string): string => sql : outOfShadow;
  const views: CaseView[] = [];
  const known: Query[] = [];
  const refusals = new Refusals();
  for (const { name, volatility, opaque } of functions) {
    if (volatility === 'VOLATILE') refusals.add(`${name}(`, 'must');
    else if (opaque) refusals.add(`${name}(`, 'may');
  }
  for (const { name, form, columns } of tables) {
    // Not logged, or with columns that bear names of seg's own.
    if (form === 'unlogged' || columns.some((column) => /^"_seg_/.test(column.name)))
      refusals.add(name, 'must');
    if (form === 'partitioned' || form === 'parent' || triggers.length > 0) refusals.add(name, 'may');
  }
  // A trigger may write as many rows again for each row.
  let many = triggers.length === 0;
  for (const [i, { query, plain }] of spec.views.entries()) {
    const materials: Materials = {
      features,
      sought,
      met: new Set(),
      relations: [...tables.map(tableQuery), ...known],
      functions,
      alias: counter(),
      subquery,
    };
    const made = render(query, tables, known, materials);
    many &&= !made.explodes && made.effort <= 2;
    const name = `v${i}`;
    const relation = `"${name}"`;
    const constructs = [...new Set([...operatorsIn(query), ...materials.met])];
    const large = constructs.some((op) => largeOperators[op]?.rare === true);
    const refusal = refusals.of(made.sql) ?? (large ? 'may' : undefined);
    if (refusal !== undefined) refusals.add(relation, refusal);
    views.push({
      name,
      sql: said(made.sql),
      plain,
      // A feed is JSON: it tells apart what a collation holds equal.
      silent: i % 3 === 1 || made.columns.some(({ type }) => type === 'folded'),
      ...(refusal === undefined ? {} : { refusal }),
      constructs,
    });
    known.push({
      ...made,
      effort: plain ? made.effort : 1,
      sql: `SELECT * FROM ${relation}`,
      relation,
    });
  }
  // Time only moves forward, so it is set before there is a view.
  const started = [`UPDATE "_seg".clock SET "now" = '2024-01-01 00:00:00+00'`];
  const emptied = `TRUNCATE ${tables.map(({ name }) => name).join(', ')}`;
  const histories = spec.histories.map((steps) => {
    // One flood a history: the tables would grow by each.
    const flood = steps.findIndex((step) => step.do === 'big' || step.do === 'fill');
    return steps.map(({ do: name, n }, i) =>
      statement(name, tables, new Choices(n), {
        flood: many && i === flood,
        few: many && flood >= 0 && i > flood,
      }),
    );
  });
  const collation = tables.some(({ columns }) => columns.some(({ type }) => type === 'folded'))
    ? [`CREATE COLLATION folded (provider = icu, locale = '@colStrength=primary', deterministic = false)`]
    : [];
  const early = triggers.filter(({ late }) => !late).flatMap(({ statements }) => statements);
  const late = triggers.filter((each) => each.late).flatMap(({ statements }) => statements);
  const filled = spec.before.map(({ do: name, n }) =>
    statement(name, tables, new Choices(n), { flood: false, few: false }),
  );
  return {
    schema: [
      ...collation,
      ...tables.map(createTable),
      ...functions.map(({ sql }) => sql),
      ...early,
      ...shadows,
    ].map(said),
    before: [...started, ...filled.map(said)],
    views,
    history: [...late, ...histories.flatMap((steps, i) => (i === 0 ? steps : [emptied, ...steps]))].map(said),
  };
}

/** Which queries seg may or must refuse, by the names in them. */
class Refusals {
  readonly #names = new Map<string, 'may' | 'must'>();

  add(name: string, refusal: 'may' | 'must'): void {
    if (this.#names.get(name) !== 'must') this.#names.set(name, refusal);
  }

  of(sql: string): 'may' | 'must' | undefined {
    const found = [...this.#names].filter(([name]) => sql.includes(name)).map(([, refusal]) => refusal);
    return found.includes('must') ? 'must' : found[0];
  }
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
  materials: Materials,
): Query {
  const choices = new Choices(node.n, materials);
  const making: Making = { choices, alias: materials.alias };
  const [first, second] = node.of.map((child) => render(child, tables, views, materials));
  const large = largeOperators[node.op];
  if (large !== undefined) {
    if (!choices.may(large.feature)) return first!;
    materials.met.add(large.feature);
    return large.make(first!, making);
  }
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
