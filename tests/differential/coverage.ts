/** One query per construct of the coverage list; the strategies they must have, where it matters. */
export const coverage: readonly {
  readonly name: string;
  readonly sql: string;
  /** Whether the view is recomputed as a whole, or some of its intermediate results are. */
  readonly recomputes?: true | 'part';
}[] = [
  {
    name: 'project_filter',
    sql: "SELECT id, k + 1 AS k1, CASE WHEN g = 'x' THEN 'X' ELSE g END AS gg FROM a WHERE n > 1 OR k IS NULL",
  },
  { name: 'duplicates', sql: 'SELECT k, g FROM c' },
  { name: 'inner_join', sql: 'SELECT a.id, b.id AS bid, b.x FROM a JOIN b ON a.k = b.k' },
  { name: 'non_equi_join', sql: 'SELECT a.id, c.f FROM a JOIN c ON a.k < c.k AND a.g = c.g' },
  { name: 'self_join', sql: 'SELECT l.id AS l, r.id AS r FROM a l JOIN a r ON l.k = r.k AND l.id < r.id' },
  { name: 'three_way', sql: 'SELECT a.id, b.id AS bid, c.f FROM a JOIN b USING (k) JOIN c ON c.g = b.g' },
  {
    name: 'union_all',
    sql: "SELECT k, g FROM a UNION ALL SELECT k, g FROM b UNION ALL SELECT k, 'lit' FROM c",
  },
  { name: 'lateral_srf', sql: 'SELECT a.id, s.i FROM a, generate_series(1, a.n) AS s(i)' },
  { name: 'srf_target', sql: 'SELECT id, generate_series(1, n) AS i FROM a' },
  {
    name: 'aggregate',
    sql: 'SELECT k, count(*) AS n, sum(n) AS s, avg(n) AS av, min(t) AS mi, max(id) AS ma, bool_or(n > 2) AS bo FROM a GROUP BY k',
  },
  {
    name: 'aggregate_expr',
    sql: "SELECT coalesce(g, '?') || 'z' AS gg, array_agg(id ORDER BY id) AS ids, count(DISTINCT n) FILTER (WHERE n > 0) AS d FROM a GROUP BY coalesce(g, '?') || 'z' HAVING count(*) > 1",
  },
  {
    name: 'aggregate_two',
    sql: 'SELECT k, g, jsonb_agg(n ORDER BY id) AS j, percentile_disc(0.5) WITHIN GROUP (ORDER BY n) AS p FROM a GROUP BY k, g',
  },
  {
    name: 'aggregate_join',
    sql: 'SELECT a.g, sum(b.x) AS s, count(*) AS n FROM a JOIN b ON a.k = b.k GROUP BY a.g',
  },
  {
    name: 'stacked',
    sql: 'SELECT n, count(*) AS groups FROM (SELECT k, g, count(*) AS n FROM a GROUP BY k, g) s GROUP BY n',
  },
  {
    name: 'stacked_same_key',
    sql: 'SELECT k, max(n) AS m FROM (SELECT k, g, count(*) AS n FROM a GROUP BY k, g) s GROUP BY k',
  },
  { name: 'distinct', sql: 'SELECT DISTINCT k, g FROM a' },
  { name: 'distinct_on', sql: 'SELECT DISTINCT ON (k) k, id, g FROM a ORDER BY k, n DESC NULLS LAST, id' },
  {
    name: 'window',
    sql: 'SELECT id, k, lag(n) OVER (PARTITION BY k ORDER BY id) AS p, row_number() OVER (PARTITION BY k ORDER BY id) AS rn FROM a',
  },
  {
    name: 'window_named',
    sql: 'SELECT id, sum(n) OVER w AS s, first_value(g) OVER (w ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS f FROM a WINDOW w AS (PARTITION BY k ORDER BY id)',
  },
  {
    name: 'window_over_aggregate',
    sql: 'SELECT k, g, sum(n) AS s, rank() OVER (PARTITION BY k ORDER BY g NULLS FIRST) AS r FROM a GROUP BY k, g',
  },
  {
    name: 'top_n',
    sql: 'SELECT id, k FROM (SELECT id, k, row_number() OVER (PARTITION BY k ORDER BY n DESC NULLS LAST, id) AS rn FROM a) s WHERE rn <= 2',
  },
  {
    name: 'top_n_ranked',
    sql: 'SELECT id, k, r, p FROM (SELECT id, k, n, rank() OVER w AS r, lag(id) OVER (PARTITION BY k ORDER BY n DESC, id) AS p FROM a WINDOW w AS (PARTITION BY k ORDER BY n DESC, id)) s WHERE r < 4 AND n > 0',
  },
  {
    name: 'top_n_with_ties',
    sql: 'SELECT id, k FROM (SELECT id, k, rank() OVER (PARTITION BY k ORDER BY n) AS r FROM a) s WHERE r <= 2',
  },
  {
    name: 'distinct_on_two',
    sql: 'SELECT DISTINCT ON (k, g) k, g, id, t FROM a ORDER BY g, k, t DESC, id DESC',
  },
  {
    name: 'filter_over_window',
    sql: 'SELECT id, n, p FROM (SELECT id, n, k, lag(n) OVER (PARTITION BY k ORDER BY id) AS p FROM a) s WHERE n > 1',
  },
  {
    name: 'filter_over_distinct_on',
    sql: 'SELECT k, n FROM (SELECT DISTINCT ON (k) k, n, id FROM a ORDER BY k, id) s WHERE n > 1',
  },
  { name: 'left_join', sql: 'SELECT a.id, b.id AS bid, b.x FROM a LEFT JOIN b ON a.k = b.k' },
  {
    name: 'left_join_no_key',
    sql: 'SELECT c.g, b.id AS bid, c.f FROM c LEFT JOIN b ON c.k = b.k AND b.x > 1',
  },
  { name: 'right_join', sql: 'SELECT a.id, c.g AS cg FROM a RIGHT JOIN c ON a.k = c.k' },
  { name: 'full_join', sql: 'SELECT a.id, a.g, b.id AS bid, b.g AS bg FROM a FULL JOIN b ON a.k = b.k' },
  { name: 'full_join_using', sql: 'SELECT k, a.id, b.id AS bid FROM a FULL JOIN b USING (k)' },
  {
    name: 'left_join_chain',
    sql: 'SELECT a.id, b.id AS bid, c.f FROM a LEFT JOIN b ON a.k = b.k LEFT JOIN c ON c.g = a.g',
  },
  {
    name: 'left_join_chain_right',
    sql: 'SELECT a.id, b.id AS bid, c.f FROM a LEFT JOIN b ON a.k = b.k LEFT JOIN c ON c.g = b.g',
  },
  {
    name: 'count_left_join',
    sql: 'SELECT a.k, count(b.id) AS n FROM a LEFT JOIN b ON a.k = b.k GROUP BY a.k',
  },
  {
    name: 'group_nullable_side',
    sql: 'SELECT b.g, count(*) AS n FROM a LEFT JOIN b ON a.k = b.k GROUP BY b.g',
  },
  { name: 'exists_', sql: 'SELECT id, g FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND b.x > 1)' },
  { name: 'not_exists', sql: 'SELECT id, g FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.k = a.k)' },
  { name: 'in_', sql: 'SELECT id FROM a WHERE k IN (SELECT k FROM b WHERE g = a.g)' },
  { name: 'in_plain', sql: "SELECT id FROM a WHERE k IN (SELECT k FROM b WHERE g <> 'x')" },
  { name: 'not_in', sql: 'SELECT id FROM a WHERE k NOT IN (SELECT k FROM b)' },
  { name: 'in_flag', sql: 'SELECT id, k IN (SELECT k FROM b) AS flag FROM a' },
  { name: 'in_row', sql: 'SELECT id FROM a WHERE (k, g) IN (SELECT k, g FROM b)' },
  {
    name: 'anti_join_on_c',
    sql: 'SELECT k, f FROM c WHERE NOT EXISTS (SELECT 1 FROM a WHERE a.k = c.k AND a.g = c.g)',
  },
  {
    name: 'scalar_subquery',
    sql: 'SELECT id, (SELECT count(*) FROM b WHERE b.k = a.k) AS n, (SELECT max(x) FROM b) AS m FROM a',
  },
  { name: 'scalar_in_where', sql: 'SELECT id FROM a WHERE n > (SELECT avg(n) FROM a)' },
  {
    name: 'lateral_top',
    sql: 'SELECT a.id, l.bid FROM a LEFT JOIN LATERAL (SELECT b.id AS bid FROM b WHERE b.k = a.k ORDER BY b.id LIMIT 1) l ON true',
  },
  {
    name: 'lateral_inner',
    sql: 'SELECT a.id, l.s FROM a CROSS JOIN LATERAL (SELECT sum(b.x) AS s FROM b WHERE b.k = a.k) l',
  },
  {
    name: 'lateral_unused',
    sql: 'SELECT count(*) AS n, a.k FROM a CROSS JOIN LATERAL (SELECT sum(b.x) AS s FROM b WHERE b.k = a.k) l GROUP BY a.k',
  },
  { name: 'union_', sql: 'SELECT k, g FROM a UNION SELECT k, g FROM b' },
  { name: 'union_types', sql: 'SELECT k AS v FROM a UNION SELECT x FROM b' },
  { name: 'intersect_', sql: 'SELECT k FROM a INTERSECT SELECT k FROM b' },
  { name: 'intersect_all', sql: 'SELECT k, g FROM a INTERSECT ALL SELECT k, g FROM c' },
  { name: 'except_', sql: 'SELECT k FROM a EXCEPT SELECT k FROM b' },
  { name: 'except_all', sql: 'SELECT g FROM c EXCEPT ALL SELECT g FROM a' },
  { name: 'global_aggregate', sql: 'SELECT count(*) AS n, sum(n) AS s, max(k) AS m FROM a' },
  {
    name: 'global_limit',
    sql: 'SELECT id, n FROM a ORDER BY n DESC NULLS LAST, id LIMIT 3',
  },
  {
    name: 'limit_offset',
    sql: 'SELECT id, g, n + 1 AS m FROM a WHERE k > 0 ORDER BY n, id DESC LIMIT 2 OFFSET 1',
  },
  { name: 'limit_ties', sql: 'SELECT n, k FROM a ORDER BY n FETCH FIRST 2 ROWS WITH TIES' },
  {
    name: 'limit_join',
    sql: 'SELECT a.id, b.id AS bid, b.x FROM a JOIN b ON a.k = b.k ORDER BY b.x DESC, a.id, b.id LIMIT 4',
  },
  {
    name: 'limit_aggregate',
    sql: 'SELECT k, count(*) AS c, max(n) AS m FROM a GROUP BY k ORDER BY count(*) DESC, k NULLS FIRST LIMIT 2',
  },
  {
    name: 'limit_expression',
    sql: 'SELECT id FROM a ORDER BY n * 2 + id, g DESC LIMIT 3',
  },
  { name: 'limit_text', sql: 'SELECT id, g FROM a ORDER BY g, id LIMIT 3' },
  {
    name: 'limit_below',
    sql: 'SELECT b.id, t.n FROM b JOIN (SELECT id, k, n FROM a ORDER BY n DESC, id LIMIT 3) t ON t.k = b.k',
  },
  { name: 'in_limit', sql: 'SELECT id FROM b WHERE k IN (SELECT k FROM a ORDER BY n, id LIMIT 2)' },
  { name: 'offset_only', sql: 'SELECT id FROM a ORDER BY id OFFSET 2', recomputes: true },
  {
    name: 'limit_union',
    sql: 'SELECT id, k FROM a UNION ALL SELECT id, k FROM b ORDER BY 2 DESC NULLS LAST, 1 LIMIT 3',
  },
  {
    name: 'cte_once',
    sql: 'WITH s AS (SELECT k, count(*) AS n FROM a GROUP BY k) SELECT s.k, s.n, b.id FROM s JOIN b ON b.k = s.k',
  },
  {
    name: 'cte_twice',
    sql: 'WITH s AS (SELECT k, count(*) AS n FROM a GROUP BY k) SELECT l.k, r.k AS rk FROM s l JOIN s r ON l.n = r.n AND l.k < r.k',
  },
  {
    name: 'values_',
    sql: "SELECT a.id, v.label FROM a JOIN (VALUES (1, 'one'), (2, 'two')) v(k, label) ON v.k = a.k",
  },
  {
    name: 'aggregates_joined',
    sql: 'SELECT p.k, p.n, q.m FROM (SELECT k, count(*) AS n FROM a GROUP BY k) p JOIN (SELECT k, count(*) AS m FROM b GROUP BY k) q ON p.k = q.k',
  },
  {
    name: 'aggregates_left_joined',
    sql: 'SELECT a.id, q.m FROM a LEFT JOIN (SELECT k, count(*) AS m FROM b GROUP BY k) q ON a.k = q.k',
  },
  {
    name: 'sessions',
    sql: "WITH f AS (SELECT k, t, id, CASE WHEN t <= lag(t) OVER (PARTITION BY k ORDER BY t, id) + interval '1 minute' THEN 0 ELSE 1 END AS s FROM a), n AS (SELECT k, t, sum(s) OVER (PARTITION BY k ORDER BY t, id ROWS UNBOUNDED PRECEDING) AS nr FROM f) SELECT k, min(t) AS started, max(t) AS ended, count(*) AS n FROM n GROUP BY k, nr",
  },
  { name: 'floats', sql: 'SELECT g, sum(f) AS s, stddev(f) AS d, avg(f) AS av FROM c GROUP BY g' },
  { name: 'window_whole', sql: 'SELECT id, row_number() OVER (ORDER BY id) AS rn FROM a' },
  {
    name: 'window_whole_running',
    sql: 'SELECT id, k, n, sum(n) OVER w AS s, lag(g) OVER w AS l, lead(n, 2) OVER w AS d, max(k) OVER w AS m FROM a WINDOW w AS (ORDER BY n DESC, id)',
  },
  {
    name: 'window_whole_ties',
    sql: 'SELECT id, rank() OVER (ORDER BY n) AS r, dense_rank() OVER (ORDER BY n) AS d, count(*) OVER (ORDER BY n) AS c FROM a',
  },
  {
    name: 'window_whole_filtered',
    sql: 'SELECT id, m, p FROM (SELECT id, n, max(n) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS m, lag(n) OVER (ORDER BY id) AS p FROM a) w WHERE n > m',
  },
  {
    name: 'window_whole_joined',
    sql: 'SELECT g, count(*) AS c, sum(x) AS x FROM (SELECT a.g, b.x, sum(b.k) OVER (ORDER BY b.id, a.id) AS run FROM a JOIN b ON a.k = b.k) w WHERE run > 3 GROUP BY g',
    recomputes: true,
  },
  {
    name: 'window_whole_sessions',
    sql: "SELECT nr, min(t) AS started, count(*) AS n FROM (SELECT t, sum(s) OVER (ORDER BY t, id ROWS UNBOUNDED PRECEDING) AS nr FROM (SELECT id, t, CASE WHEN t <= lag(t) OVER (ORDER BY t, id) + interval '1 minute' THEN 0 ELSE 1 END AS s FROM a) f) v GROUP BY nr",
  },
  { name: 'window_whole_all', sql: 'SELECT id, sum(n) OVER () AS s FROM a', recomputes: true },
  { name: 'rollup_', sql: 'SELECT k, g, count(*) AS n FROM a GROUP BY ROLLUP (k, g)' },
  // Groups that are added to.
  {
    name: 'merge_counts',
    sql: 'SELECT k, count(*) AS n, count(n) AS c, count(*) FILTER (WHERE n > 1) AS f FROM a GROUP BY k',
  },
  {
    name: 'merge_sums',
    sql: 'SELECT k, sum(n) AS s, sum(n) FILTER (WHERE n > 1) AS f, avg(n) AS av, sum(n::bigint) AS b FROM a GROUP BY k',
  },
  { name: 'merge_numeric', sql: 'SELECT k, sum(x) AS s, avg(x) AS av, sum(x / 3) AS t FROM b GROUP BY k' },
  {
    name: 'merge_interval',
    sql: "SELECT k, sum(n * interval '1 mon') AS s, avg(n * interval '1 day') AS av, min(n * interval '1 hour') AS m FROM a GROUP BY k",
  },
  {
    name: 'merge_bool',
    sql: 'SELECT k, bool_and(n > 1) AS a, bool_or(n > 1) AS o, every(n > 2) FILTER (WHERE n < 4) AS e FROM a GROUP BY k',
  },
  {
    name: 'merge_extremes',
    sql: "SELECT k, min(n) AS mi, max(n) AS ma, max(g) AS mg, min(t) FILTER (WHERE g = 'x') AS ft FROM a GROUP BY k",
  },
  { name: 'merge_extremes_only', sql: 'SELECT k, max(f) AS m FROM c GROUP BY k' },
  {
    name: 'merge_variance',
    sql: 'SELECT k, variance(n) AS v, var_pop(n) AS vp, stddev(n) AS s, stddev_pop(n) AS sp FROM a GROUP BY k',
  },
  {
    name: 'merge_variance_numeric',
    sql: 'SELECT k, variance(x / 7) AS v, var_pop(x) AS vp, stddev(x) AS s FROM b GROUP BY k',
  },
  { name: 'merge_bits', sql: 'SELECT k, bit_and(n) AS a, bit_or(n) AS o, bit_xor(n) AS x FROM a GROUP BY k' },
  {
    name: 'merge_latest',
    sql: 'SELECT k, (array_agg(g ORDER BY n DESC, id DESC) FILTER (WHERE g IS NOT NULL))[1] AS g, count(*) AS c FROM a GROUP BY k',
  },
  {
    name: 'merge_first',
    sql: 'SELECT k, (array_agg(g ORDER BY n, id))[1] AS g, (array_agg(n ORDER BY t DESC NULLS LAST, g, id) FILTER (WHERE n < 3))[1] || g AS h FROM a GROUP BY k, g',
  },
  { name: 'merge_distinct', sql: 'SELECT k, count(DISTINCT n) AS d FROM a GROUP BY k' },
  {
    name: 'merge_distinct_beside',
    sql: 'SELECT k, count(DISTINCT n) AS d, sum(DISTINCT n) FILTER (WHERE n > 1) AS s, count(*) AS c, max(t) AS m, count(DISTINCT g) AS dg FROM a GROUP BY k',
  },
  {
    name: 'merge_distinct_global',
    sql: 'SELECT count(DISTINCT g) AS d, avg(DISTINCT n) AS av, count(*) FILTER (WHERE k = 1) AS c FROM a',
  },
  {
    name: 'merge_having',
    sql: 'SELECT k, g, sum(n) AS s FROM a GROUP BY k, g HAVING count(*) > 1 AND max(n) > 1',
  },
  { name: 'merge_hidden_key', sql: 'SELECT count(*) AS n, max(n) AS m FROM a GROUP BY k, g' },
  {
    name: 'merge_expressions',
    sql: "SELECT coalesce(g, '?') || k AS gk, coalesce(max(id) FILTER (WHERE n > 1) = max(id), false) AS flag, sum(n) + count(*) AS sn, CASE WHEN count(n) > 2 THEN 'many' END AS w FROM a GROUP BY coalesce(g, '?') || k, g",
  },
  {
    name: 'merge_join',
    sql: 'SELECT a.g, sum(b.x) AS s, max(b.id) AS m, count(DISTINCT b.k) AS d FROM a JOIN b ON a.k = b.k GROUP BY a.g',
  },
  {
    name: 'merge_self_join',
    sql: 'SELECT l.g, count(*) AS n, max(r.id) AS m FROM a l JOIN a r ON l.k = r.k AND l.id <= r.id GROUP BY l.g',
  },
  {
    name: 'merge_union_all',
    sql: 'SELECT g, sum(k) AS s, max(k) AS m FROM (SELECT g, k FROM a UNION ALL SELECT g, k FROM b UNION ALL SELECT g, 7 FROM c) u GROUP BY g',
  },
  {
    name: 'merge_stacked',
    sql: 'SELECT m, count(*) AS groups, max(k) AS k FROM (SELECT k, g, max(n) AS m FROM a GROUP BY k, g HAVING count(*) > 1) s GROUP BY m',
  },
  {
    name: 'merge_global',
    sql: 'SELECT count(*) AS n, sum(x) AS s, min(g) AS m, bool_or(x > 2) AS o, (array_agg(id ORDER BY x DESC NULLS LAST, id))[1] AS best FROM b',
  },
  {
    name: 'merge_global_join',
    sql: 'SELECT count(*) AS n, max(b.x) AS m FROM a JOIN b ON a.k = b.k WHERE a.n > 0',
  },
  { name: 'merge_global_having', sql: 'SELECT count(*) AS n FROM a HAVING count(*) > 3' },
  {
    name: 'merge_over_rekey',
    sql: 'SELECT g, sum(s) AS s, count(*) AS n FROM (SELECT a.id, a.g, q.s FROM a LEFT JOIN (SELECT k, sum(x) AS s FROM b GROUP BY k) q ON q.k = a.k) v GROUP BY g',
  },
  {
    name: 'merge_mixed',
    sql: 'SELECT k, count(*) AS n, string_agg(g, id::text ORDER BY id) AS s FROM a GROUP BY k',
  },
  { name: 'merge_float', sql: 'SELECT g, count(*) AS n, max(f) AS m FROM c GROUP BY g' },
  { name: 'merge_group_only', sql: 'SELECT k FROM a GROUP BY k' },
  { name: 'merge_distinct_rows', sql: 'SELECT DISTINCT k, g FROM c' },
  { name: 'merge_union', sql: 'SELECT g, k FROM c UNION SELECT g, k FROM a UNION SELECT NULL, k FROM b' },
  { name: 'merge_empty_groups', sql: 'SELECT g, max(k) AS m, sum(k) AS s FROM c WHERE k > 1 GROUP BY g' },
  {
    name: 'merge_window_above',
    sql: 'SELECT k, g, n, rank() OVER (PARTITION BY k ORDER BY n DESC, g NULLS FIRST) AS r FROM (SELECT k, g, count(*) AS n FROM a GROUP BY k, g) s',
  },
  {
    name: 'grouping_sets',
    sql: 'SELECT k, g, n % 2 AS odd, grouping(k, g) AS level, sum(n) AS s, array_agg(id ORDER BY id) AS ids FROM a GROUP BY GROUPING SETS ((k, g), (g), (n % 2)) HAVING count(*) > 0 AND grouping(k) < 2',
  },
  {
    name: 'cube_',
    sql: "SELECT coalesce(g, 'all') AS g, k, max(x) AS m FROM b GROUP BY CUBE (g, k)",
  },
  {
    name: 'rollup_mixed',
    sql: 'SELECT k, g, n, count(*) AS c, grouping(n) AS gn FROM a GROUP BY k, ROLLUP (g, n)',
  },
  {
    name: 'rollup_of_aggregate',
    sql: 'SELECT g, n, count(*) AS c FROM (SELECT k, g, count(*) AS n FROM a GROUP BY k, g) s GROUP BY GROUPING SETS ((g), (n), (g))',
  },
  {
    name: 'rollup_distinct',
    sql: 'SELECT k, g, count(*) AS c FROM a GROUP BY DISTINCT ROLLUP (k, g), ROLLUP (k)',
  },
  // Parts that are not understood, or cannot be kept: recomputed by themselves.
  {
    name: 'recursive_alone',
    sql: 'WITH RECURSIVE r(k) AS (SELECT min(k) FROM a UNION SELECT k + 1 FROM r WHERE k < 4) SELECT k FROM r WHERE k > 0',
    recomputes: true,
  },
  {
    name: 'recursive_grouped',
    sql: 'WITH RECURSIVE r(k, d) AS (SELECT DISTINCT k, 1 FROM b UNION SELECT r.k + 1, r.d + 1 FROM r WHERE r.d < 3) SELECT a.g, count(*) AS n, max(r.d) AS d FROM a JOIN r ON r.k = a.k GROUP BY a.g',
    recomputes: 'part',
  },
  {
    name: 'recursive_among_others',
    sql: "WITH RECURSIVE base AS (SELECT k FROM b WHERE g = 'x'), r AS (SELECT k FROM base UNION SELECT r.k + 1 FROM r WHERE r.k < 4), q AS (SELECT k, count(*) AS n FROM a GROUP BY k) SELECT q.k, q.n, l.k AS below FROM q JOIN r ON r.k = q.k LEFT JOIN r l ON l.k = q.k - 1",
    recomputes: 'part',
  },
  {
    name: 'recursive_in',
    sql: 'WITH f AS (SELECT k FROM b WHERE x > 1) SELECT id, k FROM a WHERE k IN (WITH RECURSIVE s AS (SELECT min(k) AS k FROM f UNION ALL SELECT s.k + 1 FROM s WHERE s.k < 3) SELECT s.k FROM s)',
    recomputes: 'part',
  },
  {
    name: 'recursive_cycle',
    sql: 'WITH RECURSIVE r AS (SELECT id, k FROM a WHERE id < 3 UNION ALL SELECT a.id, a.k FROM a JOIN r ON a.id = r.k) SEARCH DEPTH FIRST BY id SET place CYCLE id SET looped USING path SELECT b.id, r.looped, count(*) AS n FROM r JOIN b ON b.k = r.id GROUP BY b.id, r.looped',
    recomputes: 'part',
  },
  {
    name: 'recursive_set_side',
    sql: 'SELECT k FROM c UNION ALL (WITH RECURSIVE r(k) AS (SELECT max(k) FROM b UNION SELECT k - 1 FROM r WHERE k > 0) SELECT k FROM r)',
    recomputes: 'part',
  },
  {
    name: 'recursive_correlated',
    sql: 'SELECT id, (WITH RECURSIVE r(k) AS (SELECT a.k UNION SELECT r.k + 1 FROM r WHERE r.k < 4) SELECT count(*) FROM r) AS n FROM a',
    recomputes: true,
  },
  {
    name: 'sample_joined',
    sql: 'SELECT b.g, count(*) AS n, sum(s.n) AS sn FROM a AS s (i) TABLESAMPLE bernoulli (60) REPEATABLE (7) JOIN b ON b.k = s.k GROUP BY b.g',
    recomputes: 'part',
  },
  {
    name: 'recursive_counted',
    sql: 'SELECT a.id, (WITH RECURSIVE r AS (SELECT k FROM b UNION SELECT r.k + 1 FROM r WHERE r.k < 4) SELECT count(*) FROM r) AS n FROM a',
    recomputes: 'part',
  },
  {
    name: 'only_joined',
    sql: 'SELECT b.id, o.n FROM ONLY a o LEFT JOIN b ON b.k = o.k',
    recomputes: 'part',
  },
  {
    name: 'definition_list',
    sql: `SELECT a.id, x."Label it" FROM a LEFT JOIN json_to_recordset('[{"k":1,"Label it":"one"},{"k":2}]') AS x(k int, "Label it" text) ON x.k = a.k`,
    recomputes: 'part',
  },
  {
    name: 'correlated_stored',
    sql: 'SELECT v.g, count(*) AS n, sum(v.m) AS s FROM (SELECT a.g, l.m FROM a LEFT JOIN LATERAL (SELECT count(*) AS m FROM (SELECT b.k FROM b WHERE b.g = a.g) p FULL JOIN c ON c.k = p.k) l ON true) v GROUP BY v.g',
    recomputes: 'part',
  },
  {
    name: 'one_row_of_figures',
    sql: 'SELECT (SELECT count(*) FROM a) AS n, (SELECT max(x) FROM b WHERE k > 0) AS m, EXISTS (SELECT FROM c) AS e',
  },
  {
    name: 'compared_with_a_figure',
    sql: 'SELECT id, n - (SELECT min(k) FROM c) AS d FROM a WHERE n >= (SELECT avg(x) FROM b) AND EXISTS (SELECT 1 FROM c WHERE k = 1 LIMIT 1)',
  },
  {
    name: 'exists_once',
    sql: 'SELECT k, count(*) AS n FROM c WHERE NOT EXISTS (SELECT FROM b WHERE x > 2) GROUP BY k HAVING count(*) > (SELECT count(*) FROM c) / 4',
  },
  {
    name: 'distinct_on_exists',
    sql: 'SELECT * FROM (SELECT DISTINCT ON (k) k, g FROM c ORDER BY k, g, f) d WHERE EXISTS (SELECT FROM b WHERE b.k = d.k)',
  },
  {
    name: 'except_not_in',
    sql: 'SELECT e.k FROM (SELECT k, g FROM a EXCEPT SELECT k, g FROM c) e WHERE (e.k, e.g) NOT IN (SELECT k, g FROM b)',
  },
  {
    name: 'values_left_join',
    sql: "SELECT v.g, v.label, c.f FROM (VALUES ('x', 1), ('y', 2), ('y', 2), (NULL, 3)) AS v (g, label) LEFT JOIN c ON c.g = v.g",
  },
  {
    name: 'values_full_join',
    sql: 'SELECT v.k, c.g FROM (VALUES (1), (2), (7)) AS v (k) FULL JOIN c ON c.k = v.k',
  },
  {
    name: 'lateral_after_left_join',
    sql: 'SELECT a.id, b.x, u.i FROM a LEFT JOIN b ON b.k = a.k CROSS JOIN LATERAL unnest(ARRAY[a.n, b.k]) AS u (i)',
  },
  { name: 'numbered_bag', sql: 'SELECT k, f, row_number() OVER (ORDER BY k, f DESC) AS rn FROM c' },
  {
    name: 'window_over_constants',
    sql: 'SELECT x, ntile(2) OVER (ORDER BY x) AS t FROM (VALUES (1), (2), (3)) AS v (x)',
  },
  {
    name: 'exists_over_groups',
    sql: 'SELECT a.id FROM a WHERE NOT EXISTS (SELECT FROM (SELECT k, count(*) AS n FROM c GROUP BY k) s WHERE s.k = a.k AND s.n NOT IN (SELECT n FROM a))',
  },
];
