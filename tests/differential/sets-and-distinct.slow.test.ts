/** Set-returning functions below groups, DISTINCT in every aggregate, constants among grouping sets: each shape against recomputation. */
import { afterAll, describe, expect, it } from 'vitest';
import { CaseRunner } from './case-runner.ts';
import type { Trace } from './trace-runner.ts';

const runner = new CaseRunner();
afterAll(() => runner.close());

async function kept(schema: string[], queries: readonly string[], history: string[]): Promise<Trace> {
  const views = queries.map((sql, i) => ({ name: `v${i}`, sql }));
  const trace = await runner.run({ schema, views, history });
  expect(trace.refused).toEqual([]);
  expect(trace.mismatch).toBeNull();
  return trace;
}

describe('functions that return sets', () => {
  const schema = [
    'CREATE TABLE t (id integer PRIMARY KEY, k integer, n integer, tags text[], ns integer[], doc jsonb)',
    'CREATE TABLE u (tag text, w integer)',
  ];
  const history = [
    `INSERT INTO t SELECT i, i % 2, i % 4, (ARRAY['a', 'b', 'a', NULL])[1:i % 5], (ARRAY[1, 2, 3])[i % 3:3],
       jsonb_build_object('a', i % 2, 'b', i) FROM generate_series(1, 9) AS i`,
    "INSERT INTO u VALUES ('a', 1), ('b', 2), ('a', 3)",
    "UPDATE t SET tags = tags || 'c'::text WHERE id % 2 = 0",
    'DELETE FROM t WHERE id IN (1, 4)',
    "UPDATE t SET tags = NULL, ns = '{}', doc = '{}' WHERE id = 2",
    'UPDATE t SET ns = ARRAY[7, 8, 9, 10], n = 2 WHERE id < 6',
    "DELETE FROM u WHERE tag = 'a'",
    'TRUNCATE t',
    "INSERT INTO t VALUES (20, 1, 1, '{a,b}', '{5}', '{\"a\": 1}')",
    'DELETE FROM t',
  ];
  const shapes = {
    'grouped by one': 'SELECT unnest(tags) AS tag, array_agg(id ORDER BY id) AS ids FROM t GROUP BY 1',
    'grouped, merged': 'SELECT unnest(tags) AS tag, count(*) AS n, max(id) AS m FROM t GROUP BY 1',
    'beside a column': 'SELECT k, unnest(tags) AS tag, array_agg(id ORDER BY id) AS ids FROM t GROUP BY 1, 2',
    'two in step':
      'SELECT unnest(tags) AS tag, unnest(ns) AS x, array_agg(id ORDER BY id) AS ids FROM t GROUP BY 1, 2',
    'two in step, of which one is shown':
      'SELECT unnest(ns) AS x, array_agg(id ORDER BY id) AS ids FROM t GROUP BY unnest(tags), unnest(ns)',
    nested: 'SELECT generate_series(1, unnest(ns)) AS i, array_agg(id ORDER BY id) AS ids FROM t GROUP BY 1',
    'in an expression':
      "SELECT unnest(tags) || '!' AS tag, string_agg(id::text, ',' ORDER BY id) AS ids FROM t GROUP BY 1",
    'HAVING, ORDER BY and LIMIT':
      'SELECT unnest(ns) AS x, count(*) AS c FROM t GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT 3',
    'above the groups too':
      'SELECT unnest(ns) AS x, generate_series(1, 2) AS y, count(*) AS c FROM t GROUP BY 1',
    'over an aggregate': 'SELECT k, unnest(array_agg(id ORDER BY id)) AS id FROM t GROUP BY k',
    'of groups and aggregates': 'SELECT k, generate_series(1, count(*)::integer) AS i FROM t GROUP BY k',
    'grouping sets':
      'SELECT unnest(tags) AS tag, k, array_agg(id ORDER BY id) AS ids FROM t GROUP BY ROLLUP (1, 2)',
    distinct: 'SELECT DISTINCT unnest(tags) AS tag, k FROM t',
    'distinct on': 'SELECT DISTINCT ON (unnest(ns)) unnest(ns) AS x FROM t ORDER BY unnest(ns)',
    'distinct on one, ordered by another':
      'SELECT DISTINCT ON (k) k, id, unnest(ns) AS x FROM t ORDER BY k, id, x',
    ordered: 'SELECT id, unnest(ns) AS x FROM t ORDER BY id, x LIMIT 4',
    'ordered by what is not shown': 'SELECT unnest(ns) AS x FROM t ORDER BY id, unnest(ns) LIMIT 4',
    'a window above':
      'SELECT id, unnest(ns) AS x, row_number() OVER (PARTITION BY k ORDER BY id) AS r FROM t',
    'a window over it': 'SELECT unnest(ns) AS x, count(*) OVER (PARTITION BY unnest(ns)) AS c FROM t',
    'a window over its groups':
      'SELECT unnest(ns) AS x, count(*) AS c, rank() OVER (ORDER BY count(*)) AS r FROM t GROUP BY 1',
    'in a subquery':
      'SELECT tag, array_agg(id ORDER BY id) AS ids FROM (SELECT id, unnest(tags) AS tag FROM t) AS s GROUP BY tag',
    'in IN': 'SELECT w FROM u WHERE tag IN (SELECT unnest(tags) FROM t)',
    'in EXISTS':
      'SELECT w FROM u WHERE EXISTS (SELECT FROM (SELECT unnest(tags) AS tag FROM t WHERE t.n = u.w) AS s WHERE s.tag = u.tag)',
    joined: 'SELECT u.w, s.id FROM u JOIN (SELECT id, unnest(tags) AS tag FROM t) AS s ON s.tag = u.tag',
    'left joined, grouped':
      'SELECT unnest(s.tags) AS tag, array_agg(u.w ORDER BY u.w) AS ws FROM u LEFT JOIN t AS s ON s.k = u.w GROUP BY 1',
    'a record':
      'SELECT k, (jsonb_each(doc)).key AS key, array_agg(id ORDER BY id) AS ids FROM t GROUP BY 1, 2',
    INTERSECT: 'SELECT unnest(tags) AS tag FROM t INTERSECT SELECT tag FROM u',
    UNION: 'SELECT unnest(tags) AS tag FROM t UNION SELECT tag FROM u',
  };
  it('of every shape', async () => {
    await kept(schema, Object.values(shapes), history);
  }, 600_000);

  it('grouping by one is kept by its keys', async () => {
    const { created } = await kept(
      schema,
      [shapes['grouped by one'], shapes['grouped, merged']],
      history.slice(0, 4),
    );
    for (const { stages } of created)
      expect(stages.map(({ strategy }) => strategy)).not.toContain('recompute');
  });
});

describe('DISTINCT in aggregates', () => {
  const schema = [
    'CREATE TABLE t (id integer PRIMARY KEY, g integer, i integer, x numeric, f boolean, s text, j jsonb, a integer[], d interval, b bit(4), r int4range)',
    'CREATE FUNCTION add_up(integer, integer) RETURNS integer IMMUTABLE LANGUAGE sql AS $$ SELECT coalesce($1, 0) * 3 + coalesce($2, 0) $$',
    "CREATE AGGREGATE own(integer) (sfunc = add_up, stype = integer, initcond = '0')",
    'CREATE AGGREGATE greatest_of(integer) (sfunc = int4larger, stype = integer)',
  ];
  const history = [
    `INSERT INTO t SELECT n, n % 2, (ARRAY[3, 3, 7, NULL, 5])[1 + n % 5], (ARRAY[1.0, 1.00, 2.5, NULL])[1 + n % 4], n % 3 = 0,
       (ARRAY['a', 'b', 'a', NULL])[1 + n % 4], to_jsonb(n % 3), ARRAY[n % 2], make_interval(days => n % 2, hours => (n % 2) * 24), (n % 3)::bit(4), int4range(n % 3, 5)
       FROM generate_series(1, 12) AS n`,
    'DELETE FROM t WHERE id % 4 = 0',
    'UPDATE t SET i = 7, x = 2.50, f = NOT f WHERE id IN (1, 2, 3)',
    'UPDATE t SET g = 1 - g, s = NULL',
    'INSERT INTO t (id, g, i) VALUES (50, NULL, 3), (51, NULL, 3), (52, 9, NULL)',
    'DELETE FROM t WHERE i = 3',
    'DELETE FROM t',
  ];
  const calls = [
    ...[
      'sum',
      'avg',
      'count',
      'min',
      'max',
      'variance',
      'stddev',
      'var_pop',
      'stddev_pop',
      'var_samp',
      'stddev_samp',
    ].flatMap((name) => [`${name}(DISTINCT i)`, `${name}(DISTINCT x)`]),
    ...['bit_and', 'bit_or', 'bit_xor', 'own', 'greatest_of'].map((name) => `${name}(DISTINCT i)`),
    ...['bit_and', 'bit_or', 'bit_xor'].map((name) => `${name}(DISTINCT b)::text`),
    ...['bool_and', 'bool_or', 'every'].map((name) => `${name}(DISTINCT f)`),
    'sum(DISTINCT d)',
    'array_agg(DISTINCT i)',
    'array_agg(DISTINCT i ORDER BY i DESC)',
    "string_agg(DISTINCT s, ',')",
    "string_agg(DISTINCT s, ',' ORDER BY s DESC)",
    'jsonb_agg(DISTINCT i)',
    'jsonb_agg(DISTINCT j ORDER BY j)',
    'json_agg(DISTINCT i)::text',
    'jsonb_object_agg(DISTINCT coalesce(s, $$?$$), g)',
    'range_agg(DISTINCT r)',
    'range_intersect_agg(DISTINCT r)',
    'count(DISTINCT (i, s))',
    'count(DISTINCT a)',
    'count(DISTINCT j)',
    'count(DISTINCT i ORDER BY i)',
    'corr(DISTINCT i, x)',
    'regr_count(DISTINCT i, x)',
    'percentile_disc(0.5) WITHIN GROUP (ORDER BY i)',
  ];
  const filtered = (call: string): string => call.replace(/(::text)?$/, ' FILTER (WHERE f)$1');
  const forms: readonly ((call: string) => string)[] = [
    (call) => `SELECT g, ${call} AS v, count(*) AS n FROM t GROUP BY g`,
    (call) => `SELECT g, ${filtered(call)} AS v, ${call} AS w, max(x) AS m FROM t WHERE id <> 5 GROUP BY g`,
  ];
  it('of all rows', { timeout: 600_000 }, async () => {
    const few = calls.filter((call) => /^(count|sum|avg|bit_|bool_|max|array_agg|own|stddev)/.test(call));
    await kept(
      schema,
      few.map((call) => `SELECT ${call} AS v, ${filtered(call)} AS w FROM t`),
      history,
    );
  });
  it.for(forms.map((form) => [form('agg(DISTINCT x)'), form] as const))(
    '%s',
    { timeout: 600_000 },
    async ([, form]) => {
      await kept(schema, calls.map(form), history);
    },
  );
});

describe('grouping sets', () => {
  const schema = ['CREATE TABLE t (id integer PRIMARY KEY, q integer, r text, v integer)'];
  const history = [
    'INSERT INTO t SELECT i, nullif(i % 3, 2), chr(96 + i % 4), i FROM generate_series(1, 10) AS i',
    'UPDATE t SET q = 1 WHERE id < 4',
    'DELETE FROM t WHERE q IS NULL',
    'UPDATE t SET r = NULL, v = v + 1 WHERE id % 2 = 0',
    'DELETE FROM t',
    "INSERT INTO t VALUES (1, 1, 'a', 1)",
  ];
  const shapes = [
    'SELECT 1 AS x, q, sum(v) AS s FROM t GROUP BY GROUPING SETS (1, 2)',
    "SELECT 'a' AS x, q, sum(v) AS s FROM t GROUP BY ROLLUP (1, 2)",
    "SELECT 1.5 AS x, true AS b, NULL::integer AS n, date '2020-01-01' AS d, -1 AS m, q, count(*) AS c FROM t GROUP BY CUBE (1, 2, 3, 4, 5, 6)",
    'SELECT 1 + 1 AS x, q, sum(v) AS s FROM t GROUP BY GROUPING SETS (1, 2, ())',
    "SELECT 'a'::text AS x, 5::bigint AS y, grouping('a'::text, q) AS g, q, sum(v) AS s FROM t GROUP BY ROLLUP (1, 2, 4)",
    'SELECT NULL AS x, q, sum(v) AS s FROM t GROUP BY ROLLUP (1, 2)',
    'SELECT 1 AS x, 1 AS y, count(*) AS c FROM t GROUP BY GROUPING SETS (1, 2)',
    'SELECT 7 AS x, q, sum(v) + 7 AS s FROM t GROUP BY GROUPING SETS (1, 2)',
    'SELECT 7 AS x, q, sum(v) AS s FROM t GROUP BY GROUPING SETS (1, 2) HAVING sum(v) > 7',
    'SELECT 7 AS x, q, sum(v) AS s FROM t GROUP BY GROUPING SETS (1, 2) HAVING sum(v) > 3',
    'SELECT q, q AS r, sum(v) AS s FROM t GROUP BY GROUPING SETS (1, 2, ())',
    'SELECT q + 1 AS a, q + 1 AS b, count(*) AS c FROM t GROUP BY ROLLUP (1, 2)',
    'SELECT q + 1 AS a, q, count(*) AS c, grouping(q + 1, q) AS g FROM t GROUP BY CUBE (q + 1, q)',
    'SELECT q, r, array_agg(v ORDER BY v) AS vs, grouping(q) AS g FROM t GROUP BY CUBE (q, r) HAVING grouping(q, r) < 3',
    'SELECT q, r, count(*) AS c FROM t GROUP BY GROUPING SETS (q, q, (q, r), ())',
    'SELECT q, r, count(*) AS c FROM t GROUP BY DISTINCT ROLLUP (q, r), ROLLUP (q)',
    'SELECT q, r, count(DISTINCT v) AS c FROM t GROUP BY q, GROUPING SETS (r, ())',
    'SELECT x, q, s FROM (SELECT 1 AS x, q, sum(v) AS s FROM t GROUP BY GROUPING SETS (1, 2)) AS w WHERE x IS NULL OR q IS NULL',
    "SELECT coalesce(x, 'none') AS x, sum(s) AS s FROM (SELECT 'all' AS x, q, sum(v) AS s FROM t GROUP BY GROUPING SETS (1, 2)) AS w GROUP BY 1",
    'SELECT 1 AS x, sum(v) AS s FROM t GROUP BY GROUPING SETS (1, ())',
    'SELECT 1 AS x, q, sum(v) AS s FROM t GROUP BY ROLLUP (1, 2) ORDER BY 1, 2 LIMIT 3',
    'SELECT 1 AS x, q, rank() OVER (ORDER BY sum(v)) AS s FROM t GROUP BY ROLLUP (1, 2)',
    'SELECT 1 AS x, q, sum(v) AS s FROM t GROUP BY 1, 2',
  ];
  it('of every shape', async () => {
    await kept(schema, shapes, history);
  }, 600_000);

  it('a constant that a set leaves out is NULL', async () => {
    await kept(schema, [shapes[0]!], history.slice(0, 1));
    const { rows } = await (
      await runner.database()
    ).query('SELECT x, q, s::integer AS s FROM v0 ORDER BY q NULLS LAST, x');
    expect(rows).toEqual([
      { x: null, q: 0, s: 18 },
      { x: null, q: 1, s: 22 },
      { x: 1, q: null, s: 55 },
      { x: null, q: null, s: 15 },
    ]);
  });
});
