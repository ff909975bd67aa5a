/** Every rule by its example, and what the rewriting makes of queries. */
import { beforeAll, describe, expect, it } from 'vitest';
import { SourceMap } from '../diagnostics/source-map.ts';
import { loadSqlParser, parseStatements } from '../sql/parse.ts';
import { lacksOf, rules, writtenFor } from './lacks-of.ts';
import type { RuledEngine } from './lacks-of.ts';
import type { VisibleType } from './visible-type.ts';

beforeAll(() => loadSqlParser());

const maintained = { maintained: true };

function written(sql: string, columns?: Record<string, VisibleType>): string {
  const rendered = { text: sql, map: SourceMap.identity('m.sql', sql) };
  const options = { ...maintained, columns: new Map(Object.entries(columns ?? {})) };
  return writtenFor('risingwave', rendered, options).text;
}

describe.each(['risingwave', 'materialize'] as const)('%s', (engine: RuledEngine) => {
  it.each(rules[engine].map((rule) => [rule.example, rule] as const))('%s', (example, rule) => {
    const found = [maintained, { maintained: false }].flatMap((options) => lacksOf(engine, example, options));
    expect(found.map(({ effect }) => effect)).toContain(rule.effect);
    for (const { offset } of found) expect(offset).toBeLessThan(example.length);
  });

  it('leaves a query that has been written so alone', () => {
    for (const { example } of rules[engine]) {
      const once = writtenFor(
        engine,
        { text: example, map: SourceMap.identity('m.sql', example) },
        maintained,
      );
      expect(parseStatements(once.text)).toHaveLength(1);
      expect(writtenFor(engine, once, maintained).text).toBe(once.text);
    }
  });
});

describe('what RisingWave gets', () => {
  it.each([
    ['select a is distinct from b or c as x from t', 'select (a is distinct from b) or c as x from t'],
    [
      'select * from t where a is not distinct from b and not c',
      'select * from t where (a is not distinct from b) and not c',
    ],
    [
      'select * from t where (a + b) is distinct from f(c, d) and e',
      'select * from t where ((a + b) is distinct from f(c, d)) and e',
    ],
    [
      'select * from t where (a is distinct from b) or c',
      'select * from t where (a is distinct from b) or c',
    ],
    [
      'select case when a is distinct from case when b then 1 else 2 end or c then 1 end as x from t',
      'select case when (a is distinct from case when b then 1 else 2 end) or c then 1 end as x from t',
    ],
    [
      "select x is distinct from 'ä or b'::text or y from t -- or\n",
      "select (x is distinct from 'ä or b'::text) or y from t -- or\n",
    ],
    [
      'select sum(x) over (partition by k order by o) as s from t',
      'select sum(x) over (partition by k order by o range between unbounded preceding and current row) as s from t',
    ],
    [
      'select rank() over w, sum(x) over w as s, max(x) over w as m from t window w as (partition by k order by (o))',
      'select rank() over w, sum(x) over w as s, max(x) over w as m from t window w as (partition by k order by (o) range between unbounded preceding and current row)',
    ],
    [
      'select lag(x) over (partition by k order by o) as l from t',
      'select lag(x) over (partition by k order by o) as l from t',
    ],
    ['select (a, b) = (c, d) as e from t', 'select (((a) = (c)) and ((b) = (d))) as e from t'],
    [
      'select row(a, b) < row(1, 2) as e from t',
      'select ((a) < (1) or ((a) = (1) and ((b) < (2)))) as e from t',
    ],
    ['select (a, b) is null as e from t', 'select ((a) is null and (b) is null) as e from t'],
    [
      'select (a, b) not in ((1, 2), (3, 4)) as e from t',
      'select (not ((((a) = (1)) and ((b) = (2))) or (((a) = (3)) and ((b) = (4))))) as e from t',
    ],
    [
      'select to_jsonb(a) from t',
      'select case when (a) is not null then to_jsonb(a) end as "to_jsonb" from t',
    ],
    [
      'select to_jsonb(lower(a))::text from t',
      'select case when (lower(a)) is not null then to_jsonb(lower(a)) end::text as "to_jsonb" from t',
    ],
    [
      'select jsonb_agg(x order by y) from t',
      `select nullif(jsonb_agg(x order by y), '[]'::jsonb) as "jsonb_agg" from t`,
    ],
    ['select k, jsonb_agg(x) as j from t group by k', 'select k, jsonb_agg(x) as j from t group by k'],
    [
      'select jsonb_object_agg(k, x) filter (where x > 1) as j from t group by k',
      "select nullif(jsonb_object_agg(k, x) filter (where x > 1), '{}'::jsonb) as j from t group by k",
    ],
    ['select array_length(a, 1) as n from t', 'select nullif(array_length(a, 1), 0) as n from t'],
    ['select nullif(array_length(a, 1), 0) as n from t', 'select nullif(array_length(a, 1), 0) as n from t'],
    [
      'select coalesce(array_upper(a, 1), 0) as n from t',
      'select coalesce(nullif(array_upper(a, 1), 0), 0) as n from t',
    ],
    [
      'select array_ndims(a) as n from t',
      'select case when cardinality(a) > 0 then array_ndims(a) end as n from t',
    ],
    [
      "select j -> 'a' ->> 0 as e from t",
      "select (case when jsonb_typeof(j -> 'a') in ('array', 'object') then j -> 'a' ->> 0 else (j -> 'a') #>> '{}'::varchar[] end) as e from t",
    ],
    [
      'select jsonb_array_elements_text(j) as e from t',
      "select (jsonb_array_elements(j) #>> '{}'::varchar[]) as e from t",
    ],
    ["select s like 'a_%' as l from t", "select ((s) ~ '(?s)^a..*$') as l from t"],
    ["select s not ilike '_.!_' escape '!' as l from t", "select ((s) !~ '(?si)^.\\._$') as l from t"],
    ['select every(a), stddev(b) as s from t', 'select bool_and(a) as "every", stddev_samp(b) as s from t'],
    [
      "select a from t where u > timestamptz '2020-01-01'",
      "select a from t where u > '2020-01-01'::timestamptz",
    ],
    [
      'select a, position from t where t.position isnull',
      'select a, "position" from t where t.position is null',
    ],
    ["select - interval '1 day' as i", "select ((interval '1 day') * -1) as i"],
  ])('%s', (sql, expected) => {
    expect(written(sql)).toBe(expected);
    const left = lacksOf('risingwave', expected, maintained).filter(({ effect }) => effect === 'value');
    expect(left).toEqual([]);
  });

  it('names what it cannot write otherwise', () => {
    const sql = 'select sum(x) over (partition by k order by d) as s from t';
    expect(written(sql, { d: 'date' })).toBe(sql);
    expect(written('select sum(x) over (partition by k order by a, b) as s from t')).not.toContain('range');
    expect(lacksOf('risingwave', sql, { ...maintained, columns: new Map([['d', 'date']]) })).toMatchObject([
      { effect: 'value' },
    ]);
  });

  it('keeps the places of what the user wrote', () => {
    const sql = "select to_jsonb(a) as j, 'é' as t,\n  b is distinct from c or wrong as w from t";
    const rendered = writtenFor(
      'risingwave',
      { text: sql, map: SourceMap.identity('m.sql', sql) },
      maintained,
    );
    expect(rendered.map.locate(rendered.text.indexOf('wrong'))).toMatchObject({ line: 2, column: 27 });
    expect(rendered.map.locate(rendered.text.indexOf("'é'"))).toMatchObject({ line: 1, column: 26 });
  });

  it('leaves queries in other grammars alone', () => {
    const sql = 'select * from tumble(t, at, interval 5 minutes) emit on window close';
    expect(written(sql)).toBe(sql);
  });
});
