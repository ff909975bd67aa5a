import { beforeAll, describe, expect, it } from 'vitest';
import { loadSqlParser } from './parse.ts';
import { queryColumns } from './query-columns.ts';
import type { ColumnNames } from './query-columns.ts';

const known: Readonly<Record<string, ColumnNames>> = {
  o: { names: ['id', 'customer', 'amount'], open: false },
  c: { names: ['id', 'name'], open: false },
  partial: { names: ['id'], open: true },
};
const read = (sql: string) =>
  queryColumns(sql, (schema, name) => (schema === null ? known[name] : undefined));
const unknown = (sql: string) => read(sql).unknown.map(({ what }) => what);
const output = (sql: string) => read(sql).output;

beforeAll(loadSqlParser);

describe('what a query gives', () => {
  it.each<[string, string[]]>([
    ['select * from o', ['id', 'customer', 'amount']],
    ['select c.*, o.amount from o join c on true', ['id', 'name', 'amount']],
    ['select * from o join c using (id)', ['id', 'customer', 'amount', 'name']],
    ['select * from o natural join c', ['id', 'customer', 'amount', 'name']],
    ['select * from (o join c using (id)) as j (a)', ['a', 'customer', 'amount', 'name']],
    ['select * from (select id, amount from o) as t (x)', ['x', 'amount']],
    [
      'select count(*), sum(amount) as s, amount + 1, id::text, 1::int from o group by 3',
      ['count', 's', '?column?', 'id', 'int4'],
    ],
    [
      'select case when true then id end, coalesce(id, 1), (select name from c), exists (select 1) from o',
      ['case', 'coalesce', 'name', 'exists'],
    ],
    [
      'select case when true then 1 else id end, greatest(1, 2), array[1], row(1), nullif(1, 2) from o',
      ['id', 'greatest', 'array', 'row', 'nullif'],
    ],
    ['with t (a, b) as (select id, name from c) select * from t', ['a', 'b']],
    ['values (1, 2)', ['column1', 'column2']],
    ['select id from o union all select name from c', ['id']],
    ['select current_date, current_timestamp(3)', ['current_date', 'current_timestamp']],
  ])('%s', (sql, names) => {
    expect(output(sql)).toEqual({ names, open: false });
    expect(unknown(sql)).toEqual([]);
  });

  it('says when more may be there than is known', () => {
    expect(output('select * from elsewhere')).toEqual({ names: [], open: true });
    expect(output('select *, 1 as one from partial')).toEqual({ names: ['id', 'one'], open: true });
    expect(output('select * from generate_series(1, 2) as g (n)')).toEqual({ names: ['n'], open: true });
    expect(output('select (row(1, 2)).*')).toEqual({ names: [], open: true });
  });
});

describe('names that no relation has', () => {
  it.each<[string, string[]]>([
    ['select amout from o', ['column "amout"']],
    ['select o.amout from o', ['column "o.amout"']],
    ['select x.id from o', ['table or alias "x"']],
    ['select x.* from o', ['table or alias "x"']],
    ['select o.id from o as p', ['table or alias "o"']],
    ['select id from o where custmer = 1', ['column "custmer"']],
    ['select id from o join c on o.id = c.ident', ['column "c.ident"']],
    ['select (select max(nam) from c) from o', ['column "nam"']],
    ['select id from o where exists (select 1 from c where c.id = o.idd)', ['column "o.idd"']],
    ['with t as (select id from o) select amount from t', ['column "amount"']],
    ['select id as x from o where x = 1', ['column "x"']],
    ['select id as x from o group by x having y > 1 order by z', ['column "y"', 'column "z"']],
    ['select id from o union all select nme from c order by id, name', ['column "nme"', 'column "name"']],
    ['select sum(amount) over (partition by custmer) from o', ['column "custmer"']],
    ['select count(*) filter (where paid) from o', ['column "paid"']],
    ['select * from o, lateral (select * from c where c.id = o.nope) as t', ['column "o.nope"']],
    ['select * from o order by array[nope]', ['column "nope"']],
    ['select unnest(array[nope]) from o', ['column "nope"']],
    [
      'with recursive r as (select id from o union select r.id from r, c where c.nope = r.id) select id from r',
      ['column "c.nope"'],
    ],
  ])('%s', (sql, names) => expect(unknown(sql)).toEqual(names));

  it.each([
    'select o from o',
    'select count(o), ctid, o.xmin from o',
    'select id from o group by customer, id order by amount',
    'select id as x from o order by x',
    'select anything from partial',
    'select n, t.n from generate_series(1, 2) as t (n)',
    'select ordinality from unnest(array[1]) with ordinality',
    'select whatever from jsonb_to_recordset($1) as t (whatever int)',
    'select s.o.id from s.o',
    'select (x).f from (select row(1) as x) as t',
    'with recursive r (n) as (select 1 union all select n + 1 from r where n < 3) select n from r',
    'with recursive r as (select 1 as n union all select n + 1 from r) cycle n set is_cycle using path select n, is_cycle, path from r',
    'select u.id from o join c using (id) as u',
    'select id from o window w as (partition by customer) order by sum(amount) over w',
    'select x from o cross join lateral (select o.amount as x) as t',
    'select t.x from (select id from o) as t (x)',
    'select id from o for update of o',
    'select i.* from (o join c on o.id = c.id) as i (a, b)',
  ])('%s', (sql) => expect(unknown(sql)).toEqual([]));

  it('gives the place in UTF-16 units, and what the name could have been', () => {
    const sql = "select 'ä€😀' as t, amout from o";
    expect(read(sql).unknown).toEqual([
      {
        what: 'column "amout"',
        name: 'amout',
        offset: sql.indexOf('amout'),
        candidates: ['id', 'customer', 'amount'],
      },
    ]);
  });

  it('goes through thousands of terms and branches', () => {
    const terms = (count: number, operator: string): string =>
      Array.from({ length: count }, () => 'id > 0').join(operator);
    expect(unknown(`select (${'id + '.repeat(900)}nope) as sum from o`)).toEqual(['column "nope"']);
    expect(unknown(`select id from o where ${terms(5000, ' or ')} or nope`)).toEqual(['column "nope"']);
    expect(unknown(Array.from({ length: 500 }, () => 'select id from o').join(' union all '))).toEqual([]);
  });
});
