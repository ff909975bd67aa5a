/** Conditions on the clock, one query for each form. `whole`: the clock's value itself is in the answer. */
export const temporal: readonly { readonly name: string; readonly sql: string; readonly whole?: true }[] = [
  { name: 'recent', sql: "SELECT id, u FROM e WHERE ts > _seg.now() - interval '1 day'" },
  { name: 'right_side', sql: "SELECT id FROM e WHERE _seg.now() - interval '1 day' <= ts" },
  { name: 'expires', sql: "SELECT id FROM e WHERE ts + interval '1 hour' > _seg.now()" },
  { name: 'expires_month', sql: "SELECT id FROM e WHERE ts + interval '1 month' >= _seg.now()" },
  { name: 'month_back', sql: "SELECT id FROM e WHERE ts <= _seg.now() - interval '1 month'" },
  {
    name: 'two_steps',
    sql: "SELECT id FROM e WHERE ts - interval '1 day' + interval '1 month' < _seg.now() + interval '2 hours'",
  },
  { name: 'age', sql: "SELECT id FROM e WHERE _seg.now() - ts < interval '1 day'" },
  { name: 'age_months', sql: "SELECT id FROM e WHERE _seg.now() - ts < interval '1 month 2 days'" },
  {
    name: 'until',
    sql: "SELECT id FROM e WHERE ts - _seg.now() BETWEEN interval '0' AND interval '2 hours'",
  },
  { name: 'epoch', sql: 'SELECT id FROM e WHERE extract(epoch FROM _seg.now() - ts) / 3600 < 24' },
  { name: 'equal', sql: 'SELECT id FROM e WHERE ts = _seg.now()' },
  { name: 'unequal', sql: 'SELECT id FROM e WHERE ts <> _seg.now()' },
  { name: 'distinct_from', sql: 'SELECT id, ts IS DISTINCT FROM _seg.now() AS apart FROM e' },
  { name: 'between', sql: 'SELECT id FROM s WHERE _seg.now() BETWEEN since AND until' },
  {
    name: 'between_rows',
    sql: "SELECT id FROM e WHERE ts BETWEEN _seg.now() - interval '1 day' AND _seg.now() + interval '1 hour'",
  },
  {
    name: 'not_or',
    sql: "SELECT id FROM s WHERE NOT (since > _seg.now() OR until <= _seg.now() - interval '1 hour' AND u > 1)",
  },
  {
    name: 'case_',
    sql: "SELECT id, CASE WHEN ts > _seg.now() THEN 'coming' WHEN ts > _seg.now() - interval '1 day' THEN 'fresh' ELSE 'old' END AS state FROM e",
  },
  {
    name: 'column',
    sql: "SELECT id, ts > _seg.now() AS coming, coalesce(ts, '2024-02-01') < _seg.now() AS c FROM e",
  },
  { name: 'row_ttl', sql: 'SELECT id, v FROM e WHERE ts + ttl > _seg.now()' },
  { name: 'date_', sql: 'SELECT id FROM e WHERE d > _seg.now()::date - 3' },
  { name: 'date_age', sql: 'SELECT id FROM e WHERE _seg.now()::date - d <= 7' },
  { name: 'date_plus', sql: 'SELECT id FROM e WHERE d + 2 > _seg.now()' },
  { name: 'date_of', sql: 'SELECT id FROM e WHERE ts::date = _seg.now()::date' },
  {
    name: 'plain_timestamp',
    sql: "SELECT id FROM e WHERE at > (_seg.now() AT TIME ZONE 'UTC') - interval '2 days'",
  },
  { name: 'today', sql: "SELECT id FROM e WHERE date_trunc('day', ts) = date_trunc('day', _seg.now())" },
  {
    name: 'this_month',
    sql: "SELECT u, count(*) AS n FROM e WHERE date_trunc('month', ts) = date_trunc('month', _seg.now()) GROUP BY u",
  },
  {
    name: 'grouped',
    sql: "SELECT u, count(*) AS n, max(ts) AS last FROM e WHERE ts > _seg.now() - interval '1 day' GROUP BY u",
  },
  {
    name: 'filter_clause',
    sql: "SELECT u, count(*) FILTER (WHERE ts > _seg.now() - interval '1 day') AS fresh, sum(CASE WHEN ts <= _seg.now() THEN v END) AS s FROM e GROUP BY u",
  },
  {
    name: 'grouped_by',
    sql: "SELECT ts > _seg.now() - interval '1 day' AS fresh, count(*) AS n FROM e GROUP BY 1",
  },
  { name: 'distinct_by', sql: 'SELECT DISTINCT ts > _seg.now() AS coming FROM e' },
  {
    name: 'having',
    sql: "SELECT u, max(ts) AS last FROM e GROUP BY u HAVING max(ts) < _seg.now() - interval '1 day'",
  },
  {
    name: 'having_min',
    sql: "SELECT u FROM e GROUP BY u HAVING min(ts) + interval '1 month' > _seg.now() AND count(*) > 1",
  },
  {
    name: 'over_aggregate',
    sql: "SELECT u, CASE WHEN max(ts) > _seg.now() - interval '1 hour' THEN 'on' ELSE 'off' END AS state FROM e GROUP BY u",
  },
  {
    name: 'aggregate_difference',
    sql: "SELECT u FROM e GROUP BY u HAVING max(ts) - min(ts) < interval '1 day' AND min(ts) + (max(ts) - min(ts)) / 2 > _seg.now()",
  },
  {
    name: 'over_window',
    sql: "SELECT id FROM (SELECT id, ts, lag(ts) OVER (PARTITION BY u ORDER BY ts, id) AS before FROM e) w WHERE before < _seg.now() - interval '1 day' AND ts > _seg.now() - interval '1 month'",
  },
  {
    name: 'under_window',
    sql: 'SELECT id, row_number() OVER (PARTITION BY u ORDER BY id) AS n FROM e WHERE ts < _seg.now()',
  },
  {
    name: 'distinct_on',
    sql: 'SELECT DISTINCT ON (u) u, id, ts FROM e WHERE ts <= _seg.now() ORDER BY u, ts DESC, id',
  },
  {
    name: 'over_distinct_on',
    sql: "SELECT u, id FROM (SELECT DISTINCT ON (u) u, id, ts FROM e ORDER BY u, ts DESC, id) l WHERE ts > _seg.now() - interval '2 days'",
  },
  {
    name: 'join_',
    sql: "SELECT e.id, s.id AS sid FROM e JOIN s ON s.u = e.u AND e.ts > _seg.now() - interval '1 day' AND s.until > _seg.now()",
  },
  {
    name: 'join_spanning',
    sql: 'SELECT e.id, s.id AS sid FROM e JOIN s ON s.u = e.u AND s.since + e.ttl > _seg.now()',
  },
  {
    name: 'join_where',
    sql: "SELECT e.id, s.id AS sid FROM e JOIN s USING (u) WHERE e.ts > _seg.now() OR s.since < _seg.now() - interval '1 day'",
  },
  {
    name: 'self_join',
    sql: 'SELECT x.id, y.id AS yid FROM e x JOIN e y ON x.u = y.u AND x.ts < _seg.now() AND y.ts > _seg.now()',
  },
  {
    name: 'left_join',
    sql: 'SELECT e.id, s.id AS sid FROM e LEFT JOIN s ON s.u = e.u AND s.until > _seg.now()',
  },
  {
    name: 'left_join_where',
    sql: "SELECT e.id, s.id AS sid FROM e LEFT JOIN s ON s.u = e.u WHERE coalesce(s.until, '2024-02-01 00:00+00') > _seg.now()",
  },
  {
    name: 'full_join',
    sql: 'SELECT e.id, s.id AS sid FROM e FULL JOIN s ON s.u = e.u AND s.until > _seg.now()',
  },
  {
    name: 'exists_',
    sql: 'SELECT id FROM e WHERE EXISTS (SELECT FROM s WHERE s.u = e.u AND s.until > _seg.now())',
  },
  {
    name: 'not_exists_outer',
    sql: 'SELECT id FROM e WHERE NOT EXISTS (SELECT FROM s WHERE s.u = e.u AND e.ts > _seg.now())',
  },
  { name: 'in_', sql: 'SELECT id FROM e WHERE u IN (SELECT u FROM s WHERE since < _seg.now())' },
  {
    name: 'scalar',
    sql: 'SELECT id, (SELECT count(*) FROM s WHERE s.u = e.u AND s.until > _seg.now()) AS n FROM e',
  },
  {
    name: 'union_all',
    sql: "SELECT u, true AS open FROM s WHERE until > _seg.now() UNION ALL SELECT u, false FROM e WHERE ts < _seg.now() - interval '1 day'",
  },
  {
    name: 'over_union_all',
    sql: 'SELECT id FROM (SELECT id, ts FROM e UNION ALL SELECT id, until FROM s UNION ALL SELECT id, NULL FROM s) q WHERE ts > _seg.now()',
  },
  {
    name: 'union_',
    sql: 'SELECT u FROM s WHERE until > _seg.now() UNION SELECT u FROM e WHERE ts > _seg.now()',
  },
  {
    name: 'except_',
    sql: 'SELECT u FROM s WHERE until > _seg.now() EXCEPT SELECT u FROM e WHERE ts > _seg.now()',
  },
  { name: 'global', sql: "SELECT count(*) AS n FROM e WHERE ts > _seg.now() - interval '1 day'" },
  {
    name: 'stacked',
    sql: "SELECT n, count(*) AS users FROM (SELECT u, count(*) AS n FROM e WHERE ts > _seg.now() - interval '1 day' GROUP BY u) q GROUP BY n",
  },
  { name: 'constant', sql: "SELECT id FROM e WHERE _seg.now() > '2024-02-10'", whole: true },
  { name: 'shown', sql: 'SELECT id, _seg.now() AS at FROM e WHERE v > 1', whole: true },
  {
    name: 'shown_day',
    sql: "SELECT id, date_trunc('day', _seg.now()) AS day, _seg.now()::date - d AS days FROM e",
    whole: true,
  },
  {
    name: 'age_function',
    sql: "SELECT id FROM e WHERE age(_seg.now(), ts) > interval '1 month'",
    whole: true,
  },
  { name: 'last_ten', sql: 'SELECT id, ts FROM e WHERE ts < _seg.now() ORDER BY ts DESC, id LIMIT 3' },
  {
    name: 'now_limit',
    sql: 'SELECT id FROM e ORDER BY id LIMIT extract(day FROM _seg.now())::integer / 8',
    whole: true,
  },
];
