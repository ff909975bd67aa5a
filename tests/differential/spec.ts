/** A generated case as plain data (see choices.ts), and how fast-check makes one. */
import fc from 'fast-check';
import { binaryOperators } from './binary-operators.ts';
import type { Feature } from './features.ts';
import { largeOperators } from './large-operators.ts';
import { unaryOperators } from './unary-operators.ts';

export interface TableSpec {
  /** Two numbers a column choose its type and whether it may be NULL. */
  readonly columns: readonly number[];
  readonly key: 'none' | 'one' | 'two';
  /** Whether its name must be quoted. */
  readonly odd: boolean;
  /** Chooses whether it is partitioned, has children, is not logged, or holds texts of other collations. */
  readonly form: number;
}

export interface NodeSpec {
  /** `table`, `view`, `values`, or one of the operators. */
  readonly op: string;
  readonly of: readonly NodeSpec[];
  readonly n: readonly number[];
}

export interface ViewSpec {
  readonly query: NodeSpec;
  /** A plain view, which the maintained ones after it may read. */
  readonly plain: boolean;
}

export interface StepSpec {
  readonly do: string;
  readonly n: readonly number[];
}

export interface Spec {
  readonly tables: readonly TableSpec[];
  readonly views: readonly ViewSpec[];
  /** Statements before the views are made. */
  readonly before: readonly StepSpec[];
  /** One after the other; each begins with empty tables. */
  readonly histories: readonly (readonly StepSpec[])[];
  /** Numbers that choose functions, triggers and shadows of the user's (user-objects.ts). */
  readonly functions: readonly (readonly number[])[];
  readonly triggers: readonly (readonly number[])[];
  readonly shadows: readonly number[];
}

const numbers = (most: number): fc.Arbitrary<number[]> =>
  fc.array(fc.nat({ max: 999 }), { minLength: 0, maxLength: most, size: 'max' });

const table: fc.Arbitrary<TableSpec> = fc.record({
  columns: fc.array(fc.nat({ max: 999 }), { minLength: 2, maxLength: 8, size: 'max' }),
  key: fc.constantFrom('one', 'none', 'two'),
  odd: fc.boolean(),
  form: fc.nat({ max: 999 }),
});

const leaf: fc.Arbitrary<NodeSpec> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ op: fc.constant('table'), of: fc.constant([]), n: numbers(2) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('view'), of: fc.constant([]), n: numbers(2) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('values'), of: fc.constant([]), n: numbers(8) }) },
);

/** Operators that come more often than others. */
const often: Readonly<Record<string, number>> = {
  group: 4,
  window: 3,
  inner_join: 3,
  left_join: 2,
  top_n: 2,
  filter: 2,
};

/** Operators in which a feature shows. */
const shownBy: Partial<Record<Feature, readonly string[]>> = {
  distinct_aggregates: ['group', 'global'],
  constant_keys: ['grouping_sets', 'group'],
  set_returning_keys: ['group'],
  guards: ['inner_join', 'group', 'in', 'having_figure', 'exists'],
  subqueries: ['figures', 'filter', 'project'],
  many_joins: ['around'],
  collations: ['except', 'intersect', 'except_all', 'inner_join', 'group'],
  functions: ['project', 'filter', 'group'],
  wide: ['wide', 'many_aggregates'],
  long: ['long_expression', 'many_branches', 'long_chain'],
};

const unaryNames = Object.keys(unaryOperators).concat(
  Object.keys(largeOperators).filter((name) => largeOperators[name]!.rare !== true),
);
const rareNames = Object.keys(largeOperators).filter((name) => largeOperators[name]!.rare === true);

function oneOf(operators: readonly string[], sought: ReadonlySet<Feature>): fc.Arbitrary<string> {
  const shown = [...sought].flatMap((feature) => shownBy[feature] ?? []);
  return fc.constantFrom(
    ...operators.flatMap((op) =>
      Array.from({ length: (often[op] ?? 1) + (shown.includes(op) ? 20 : 0) }, () => op),
    ),
  );
}

function nodes(depth: number, sought: ReadonlySet<Feature>): fc.Arbitrary<NodeSpec> {
  if (depth === 0) return leaf;
  const below = nodes(depth - 1, sought);
  const n = numbers(60);
  const seeksRare = sought.has('wide') || sought.has('long');
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 10, arbitrary: leaf },
    {
      weight: seeksRare ? 60 : 1,
      arbitrary: fc.record({ op: oneOf(rareNames, sought), of: fc.tuple(leaf), n }),
    },
    { weight: 70, arbitrary: fc.record({ op: oneOf(unaryNames, sought), of: fc.tuple(below), n }) },
    {
      weight: 50,
      arbitrary: fc.record({
        op: oneOf(Object.keys(binaryOperators), sought),
        of: fc.oneof(fc.tuple(below, leaf), fc.tuple(below, nodes(Math.min(depth - 1, 2), sought))),
        n,
      }),
    },
  );
}

const view = (depth: number, sought: ReadonlySet<Feature>): fc.Arbitrary<ViewSpec> =>
  fc.record({
    query: fc.oneof(
      ...[2, 3, 3, 1].slice(0, depth).map((weight, i) => ({ weight, arbitrary: nodes(i + 1, sought) })),
    ),
    plain: fc.nat({ max: 7 }).map(
      (n) => n === 7,
      (plain) => (plain ? 7 : 0),
    ),
  });

/** Statements by how often they come. */
const statements: Readonly<Record<string, number>> = {
  insert: 8,
  update: 6,
  delete: 4,
  upsert: 3,
  several: 2,
  transaction: 3,
  clock: 3,
  truncate: 1,
  merge: 1,
  copy: 1,
  big: 2,
  part: 1,
  fill: 1,
};

const step = (from: Readonly<Record<string, number>>): fc.Arbitrary<StepSpec> =>
  fc.record({
    do: fc.constantFrom(
      ...Object.entries(from).flatMap(([name, often]) => Array.from({ length: often }, () => name)),
    ),
    n: numbers(40),
  });

/** None most often, else one or two lists of numbers. */
const seldom = (one: number): fc.Arbitrary<number[][]> =>
  fc.oneof(
    { weight: one - 1, arbitrary: fc.constant<number[][]>([]) },
    {
      weight: 1,
      arbitrary: fc.array(fc.array(fc.nat({ max: 999 }), { minLength: 16, maxLength: 16 }), {
        minLength: 1,
        maxLength: 2,
      }),
    },
  );

export interface Size {
  /** Most queries of a case. */
  readonly views: number;
  readonly histories: number;
  /** Most statements of a history; the fewest are five. */
  readonly statements: number;
  /** Most operators above each other: 1 to 4, which is the default. */
  readonly depth?: number;
}

export function specs(
  { views, histories, statements: most, depth = 4 }: Size,
  sought: ReadonlySet<Feature>,
): fc.Arbitrary<Spec> {
  return fc.record({
    tables: fc.array(table, { minLength: 1, maxLength: 4, size: 'max' }),
    views: fc.array(view(depth, sought), {
      minLength: Math.ceil((views * 2) / 3),
      maxLength: views,
      size: 'max',
    }),
    before: fc.array(step({ insert: 1 }), { maxLength: 4, size: 'max' }),
    histories: fc.array(
      fc.array(step({ ...statements, fill: sought.has('many_joins') ? 12 : 1 }), {
        minLength: 5,
        maxLength: most,
        size: 'max',
      }),
      {
        minLength: histories,
        maxLength: histories,
      },
    ),
    functions: seldom(sought.has('functions') ? 1 : 5),
    triggers: seldom(sought.has('triggers') ? 1 : 5),
    shadows: fc.oneof(
      { weight: sought.has('shadows') ? 0 : 5, arbitrary: fc.constant<number[]>([]) },
      { weight: 1, arbitrary: fc.array(fc.nat({ max: 999 }), { minLength: 8, maxLength: 8 }) },
    ),
  });
}
