import { beforeAll, describe, expect, it } from 'vitest';
import { loadSqlParser } from '../sql/parse.ts';
import { lacksOf } from './lacks-of.ts';

beforeAll(() => loadSqlParser());

function found(engine: 'risingwave' | 'materialize', query: string, maintained = true): string[] {
  return lacksOf(engine, query, { maintained }).map(
    ({ what, offset }) => `${what} @ ${query.slice(offset, offset + 8)}`,
  );
}

describe('RisingWave', () => {
  it.each([
    ['select a from t except all select a from u', 'EXCEPT ALL'],
    ['select 1 as x union all (select a from t intersect all select a from u)', 'INTERSECT ALL'],
    ['with recursive r as (select 1 as n union select n + 1 from r) select n from r', 'a recursive CTE'],
    ['select e from t cross join lateral jsonb_array_elements(t.j) as e', 'LATERAL with a function'],
    ['select sum(a) over (order by b rows 1 preceding) as s from t', 'a window without PARTITION BY'],
    ['select lag(a, 1, 0) over (partition by b order by c) as s from t', 'lag() with a default'],
    ['select sum(a) over (partition by b order by c groups 1 preceding) as s from t', 'a GROUPS frame'],
    ['select sum(a) filter (where a > 1) over (partition by b) as s from t', 'FILTER of a window function'],
    ['select t.a from t join u on t.a < u.a', 'a join without an equality of columns'],
    ['select t.a from t, u where t.a < u.a', 'a join without an equality of columns'],
    ['select t.a from t cross join u', 'a join without an equality of columns'],
    ['select a::uuid as a from t', 'the type uuid'],
    ['select a::varchar(10) as a from t', 'varchar with a length'],
    ['select a::numeric(10, 2) as a from t', 'numeric with a precision'],
    ['select percentile_cont(0.5) within group (order by a) as p from t', 'percentile_cont() in a view'],
    ["select j -> 'x' as k from t group by j -> 'x'", 'jsonb as a key of groups'],
    ['select now() as n from t', 'now() outside of WHERE, HAVING and ON'],
    ['select row_to_json(t) as j from t', 'the function row_to_json()'],
    ['select a collate "C" as a from t', 'COLLATE'],
    ['select t.a from t where position is null', 'a column called position without quotes'],
  ])('%s', (query, what) => {
    expect(found('risingwave', query).map((text) => text.split(' @ ')[0])).toEqual([what]);
  });

  it.each([
    'select a from t except select a from u',
    'select t.a from t join u on t.a = u.a and t.b < u.b',
    'select t.a from t, u where t.a = u.a',
    'select a, jsonb_array_elements(j) as e from t',
    'select x.e from t cross join lateral (select e from u where u.a = t.a limit 1) as x',
    "select a from t where at > now() - interval '1 day'",
    'select sum(a) over (partition by b order by c rows between unbounded preceding and 1 preceding) as s from t',
    'select "position", t.position as p, position(a in b) as q from t',
    'select a::numeric as a, b::timestamptz as b from t',
    'select lag(a) over w as l from t window w as (partition by b order by c)',
  ])('takes %s', (query) => expect(found('risingwave', query)).toEqual([]));

  it('takes more in a question that is answered once', () => {
    for (const query of [
      'select sum(a) over (order by b rows 1 preceding) as s from t',
      'select t.a from t cross join u',
      'select now() as n',
      'select percentile_cont(0.5) within group (order by a) as p from t',
    ])
      expect(found('risingwave', query, false)).toEqual([]);
  });

  it('says where, beyond ASCII too', () => {
    expect(found('risingwave', "select 'é😀' as x, a::uuid as a from t")).toEqual([
      'the type uuid @ uuid as ',
    ]);
    expect(found('risingwave', 'select a from t except all select a from u')).toEqual([
      'EXCEPT ALL @ a from t',
    ]);
  });
});

describe('Materialize', () => {
  it.each([
    ['select a, count(*) as n from t group by rollup (a)', 'GROUPING SETS, ROLLUP and CUBE'],
    ['select sum(a) over w as s from t window w as (partition by b)', 'a WINDOW clause'],
    ['select now() as n from t', 'now() in a view'],
    ['select current_timestamp as n from t', 'now() in a view'],
    [
      "select sum(a) over (partition by b order by c range between interval '1 day' preceding and current row) as s from t",
      'a RANGE frame with an offset',
    ],
    ['select percentile_disc(0.5) within group (order by a) as p from t', 'the function percentile_disc()'],
    ["select j ?| array['a'] as k from t", 'the operator ?|'],
    ['with recursive r as (select 1 as n union select n + 1 from r) select n from r', 'WITH RECURSIVE'],
  ])('%s', (query, what) => {
    expect(found('materialize', query).map((text) => text.split(' @ ')[0])).toEqual([what]);
  });

  it.each([
    "select a from t where mz_now() <= at + interval '1 day'",
    'select sum(a) over (order by b) as s from t',
    'select a from t except all select a from u',
    'select lag(a, 1, 0) over (order by b) as s from t',
  ])('takes %s', (query) => expect(found('materialize', query)).toEqual([]));
});
