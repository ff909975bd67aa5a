/** Groups of constructs that generated cases may hold; each can be left out, or be looked for alone (`--features`). */
export const featureNames = [
  /** Expressions that fail on some rows, behind conditions that keep these rows away. */
  'guards',
  /** Set-returning functions among the columns of GROUP BY. */
  'set_returning_keys',
  /** Constants among the columns of GROUP BY and of grouping sets. */
  'constant_keys',
  /** DISTINCT and FILTER with every aggregate. */
  'distinct_aggregates',
  /** Scalar subqueries wherever an expression may stand: correlated, nested, many in one query. */
  'subqueries',
  /** Joins of three and four tables around a correlated subquery. */
  'many_joins',
  /** Hundreds of columns and of aggregates. */
  'wide',
  /** Long sums, deep calls, many branches, long chains of WITH. */
  'long',
  /** Triggers of the user's. */
  'triggers',
  /** Functions of the user's, of every volatility, some of which read tables. */
  'functions',
  /** Columns of other collations, one of them not deterministic. */
  'collations',
  /** Tables, types and functions that bear the names of PostgreSQL's own. */
  'shadows',
  /** INTERVAL literals in all their forms. */
  'intervals',
  /** Partitioned tables and tables with children. */
  'partitions',
  /** Names that look like something else: of SQL, of PostgreSQL, of seg. */
  'names',
  /** Tables that a crash empties. */
  'unlogged',
] as const;

export type Feature = (typeof featureNames)[number];

/** Left out unless asked for. */
const pending: ReadonlySet<Feature> = new Set<Feature>(['wide', 'long']);

export const usual: readonly Feature[] = featureNames.filter((name) => !pending.has(name));

export interface FeatureChoice {
  readonly features: ReadonlySet<Feature>;
  /** Those that were asked for by name: they come often. */
  readonly sought: ReadonlySet<Feature>;
}

/** `usual`, `all`, `none`, or names with commas between them. */
export function featuresOf(text: string): FeatureChoice {
  const sought = new Set<Feature>();
  if (text === 'usual') return { features: new Set(usual), sought };
  if (text === 'all') return { features: new Set(featureNames), sought };
  const names = text.split(',').filter((name) => name !== '' && name !== 'none');
  const unknown = names.find((name) => !(featureNames as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`no feature "${unknown}": ${featureNames.join(', ')}`);
  const named = new Set(names as Feature[]);
  return { features: named, sought: named };
}
