/** Forms of SQL that are written differently from what they mean: each is kept, and shows what recomputation shows. */
import { afterAll, expect, it } from 'vitest';
import { CaseRunner } from './case-runner.ts';

const runner = new CaseRunner();
afterAll(() => runner.close());

const schema = [
  `CREATE TYPE pair AS (a int, b text);
   CREATE TABLE c (c_id int PRIMARY KEY, b int, n text);
   CREATE TABLE o (o_id int PRIMARY KEY, c_id int, v int);
   CREATE TABLE u (id int, x int, w text);
   CREATE TABLE i (c_id_1 int, b_2 int, b int, _w_1 int);
   CREATE FUNCTION two(int) RETURNS TABLE (a int, b int) LANGUAGE sql IMMUTABLE AS 'SELECT $1, $1 + 1'`,
];

const history = [
  `INSERT INTO c VALUES (1, 1, 'a'), (2, 1, NULL), (3, 2, 'b'), (4, NULL, NULL)`,
  'INSERT INTO o VALUES (1, 1, 1), (2, 1, 2), (3, 2, 5)',
  `INSERT INTO u VALUES (1, 1, 'k'), (2, 2, NULL), (2, 2, 'l'), (NULL, NULL, NULL)`,
  'INSERT INTO i VALUES (1, 1, 2, 3), (2, 1, 1, 1), (1, 3, 3, NULL)',
  'UPDATE i SET c_id_1 = 2, b = 1 WHERE b_2 = 3',
  'UPDATE c SET b = 2 WHERE c_id = 1',
  'UPDATE o SET c_id = 3, v = 9 WHERE o_id = 2',
  `UPDATE u SET w = 'new', x = 3 WHERE id = 1`,
  'DELETE FROM o WHERE o_id < 3',
  'DELETE FROM c WHERE b = 2',
  'DELETE FROM u WHERE id IS NULL OR id = 2',
  'DELETE FROM o',
  `INSERT INTO c VALUES (3, 1, 'z')`,
  'DELETE FROM c',
];

/** By what is said of them: queries, and whether any part of them may be recomputed. */
const forms: Record<string, readonly string[]> = {
  'intervals of limited fields': [
    `SELECT interval '1' YEAR AS i, interval '3' MONTH AS j, interval '4' DAY AS d, c_id FROM c`,
    `SELECT interval '5' HOUR AS h, interval '6' MINUTE AS m, interval '7.25' SECOND(1) AS s, c_id FROM c`,
    `SELECT interval '1-2' YEAR TO MONTH AS i, interval '1 2' DAY TO HOUR AS d, interval '1 2:03' DAY TO MINUTE AS m, c_id FROM c`,
    `SELECT interval '1 2:03:04.5678' DAY TO SECOND(2) AS i, interval '2:03' HOUR TO MINUTE AS h, c_id FROM c`,
    `SELECT interval '2:03:04' HOUR TO SECOND AS h, interval '10:20.1234' MINUTE TO SECOND(3) AS m, c_id FROM c`,
    `SELECT (b || ' seconds')::interval(0) AS i, ARRAY[(b || '.7 hours')::interval DAY TO MINUTE] AS j FROM c`,
    `SELECT c_id FROM c WHERE interval '3' MONTH > b * interval '45' DAY`,
    `SELECT b, max(c_id * interval '1' HOUR) AS m, sum(interval '1' DAY) AS s FROM c GROUP BY b`,
  ],
  'rows as values': [
    'SELECT DISTINCT ON (((b)), (b, n)) b, n FROM c ORDER BY b, (b, n)',
    'SELECT DISTINCT ON (row(b, n)) c_id FROM c ORDER BY row(b, n), c_id',
    'SELECT b, array_agg((b, n) ORDER BY c_id)::text AS a FROM c GROUP BY b',
    'SELECT b, count(DISTINCT (b, n)) AS n, sum(c_id) AS s FROM c GROUP BY b',
    'SELECT b, jsonb_agg((c_id, n) ORDER BY c_id) AS a FROM c GROUP BY b',
    'SELECT count(*) AS k FROM c GROUP BY (b, n), row(n, b)',
    'SELECT row(b, n)::text AS r, max(c_id) AS m FROM c GROUP BY row(b, n)',
    'SELECT max(k) AS m FROM (SELECT row(b, n) AS r, count(*) AS k FROM c GROUP BY row(b, n)) AS q',
    'SELECT c_id, row_number() OVER (PARTITION BY (b, n) ORDER BY (b, c_id)) AS k FROM c',
    'SELECT c_id, b FROM c ORDER BY (b, c_id) LIMIT 2',
    'SELECT c_id, b FROM c ORDER BY row(b, c_id) DESC NULLS LAST LIMIT 2',
    'SELECT a.c_id, d.c_id AS other FROM c AS a LEFT JOIN c AS d ON row(a.b, a.c_id) = row(d.c_id, d.b)',
  ],
  'subqueries where rows are put together': [
    'SELECT max((SELECT count(*) FROM o WHERE o.c_id = c.c_id)) AS m FROM c',
    'SELECT b, max((SELECT count(*) FROM o WHERE o.c_id = c.c_id)) AS m FROM c GROUP BY b',
    'SELECT b, count(*) FILTER (WHERE EXISTS (SELECT FROM o WHERE o.c_id = c.c_id)) AS s FROM c GROUP BY b',
    `SELECT b, sum((SELECT 10 / max(v) FROM o WHERE o.c_id = c.c_id)) FILTER (WHERE c_id IN (SELECT c_id FROM o)) AS s FROM c GROUP BY b`,
    `SELECT b, string_agg(n, ',' ORDER BY (SELECT max(v) FROM o WHERE o.c_id = c.c_id), c_id) AS s FROM c GROUP BY b`,
    'SELECT b, count(DISTINCT (SELECT max(v) FROM o WHERE o.c_id = c.c_id)) AS s FROM c GROUP BY b',
    'SELECT (SELECT max(v) FROM o WHERE o.c_id = c.c_id) AS k, count(*) AS n FROM c GROUP BY 1',
    'SELECT (SELECT max(v) FROM o WHERE o.c_id = c.c_id) AS k, sum(b) AS n FROM c GROUP BY 1 HAVING max((SELECT count(*) FROM o)) > 1',
    'SELECT DISTINCT ON ((SELECT max(v) FROM o WHERE o.c_id = c.c_id)) c_id FROM c ORDER BY (SELECT max(v) FROM o WHERE o.c_id = c.c_id), c_id',
    'SELECT c_id, sum((SELECT max(v) FROM o WHERE o.c_id = c.c_id)) OVER (PARTITION BY b ORDER BY c_id) AS s FROM c',
    'SELECT b, n, max((SELECT count(*) FROM o WHERE o.c_id = c.c_id)) AS m FROM c GROUP BY ROLLUP (b, n)',
    `SELECT b, array_agg(DISTINCT (SELECT max(v) FROM o WHERE o.c_id = c.c_id) ORDER BY (SELECT max(v) FROM o WHERE o.c_id = c.c_id))
       FILTER (WHERE EXISTS (SELECT FROM u WHERE u.x = c.c_id)) AS s FROM c GROUP BY b`,
  ],
  'functions and VALUES over subqueries': [
    'SELECT * FROM generate_series(1, (SELECT max(b) FROM c)) AS g',
    'SELECT * FROM two((SELECT max(b) FROM c)) AS f',
    'SELECT g, c_id FROM c, generate_series(1, (SELECT max(v) FROM o WHERE o.c_id = c.c_id)) AS g',
    `SELECT g.x, g.n, c_id FROM c LEFT JOIN LATERAL
       unnest(ARRAY(SELECT v FROM o WHERE o.c_id = c.c_id ORDER BY v)) WITH ORDINALITY AS g (x, n) ON true`,
    `SELECT * FROM ROWS FROM (unnest(ARRAY[(SELECT max(b) FROM c), 2]), generate_series(1, (SELECT count(*) FROM o)))
       WITH ORDINALITY AS f (a, b, n)`,
    'SELECT * FROM (VALUES ((SELECT max(b) FROM c), 1), (5, 2)) AS v (m, k)',
    'VALUES ((SELECT max(b) FROM c), 1::bigint), (2, (SELECT count(*) FROM u))',
  ],
  'joins with a name': [
    'SELECT j.* FROM (c JOIN o USING (c_id)) AS j',
    'SELECT j.c_id, j.a2, j.a5 FROM (c JOIN o ON c.c_id = o.c_id) AS j (c_id, a2, a3, a4, a5, a6)',
    'SELECT j.c_id, count(*) AS k FROM (c LEFT JOIN o USING (c_id)) AS j GROUP BY j.c_id',
    'SELECT j.c_id, j.n, j.v, u.w FROM (c FULL JOIN o USING (c_id)) AS j LEFT JOIN u ON u.x = j.c_id',
    'SELECT k.c_id, c.n, o.v FROM c JOIN o USING (c_id) AS k',
    'SELECT k.c_id, c.n, o.v FROM c FULL JOIN o USING (c_id) AS k',
    'SELECT (SELECT max(u.w) FROM u WHERE u.x = j.c_id) AS m, j.c_id FROM (c RIGHT JOIN o USING (c_id)) AS j',
    'SELECT q.* FROM ((c JOIN o USING (c_id)) CROSS JOIN (SELECT 1 AS one) AS s) AS q',
    'SELECT q.n, q.w FROM ((c JOIN o USING (c_id)) AS j JOIN u ON u.x = j.c_id) AS q',
  ],
  'columns without a name': [
    'SELECT c_id + 1 FROM c',
    'SELECT n, count(*), max(b) FROM c GROUP BY n',
    `SELECT CASE WHEN b = 1 THEN 2 END, 'text', c_id::text FROM c`,
    'SELECT EXISTS (SELECT FROM o), ARRAY(SELECT v FROM o ORDER BY v), (SELECT max(b) FROM c)',
  ],
  'queries within queries': [
    'SELECT x, x + x AS y, x > 1 AS z FROM (SELECT b + 1 AS x FROM c) AS q WHERE x * 2 > 3',
    'SELECT s, c_id FROM (SELECT c_id, b + v AS s FROM c JOIN o USING (c_id)) AS q WHERE s > 2',
    `SELECT 'a' AS k, b FROM c UNION ALL SELECT n, c_id FROM c UNION ALL SELECT w, x FROM u`,
    `SELECT k, count(*) AS n FROM (SELECT NULL AS k FROM c UNION ALL SELECT w FROM u) AS q GROUP BY k`,
    `SELECT k || 'x' AS k FROM (SELECT n COLLATE "C" AS k, w FROM c JOIN u ON u.x = c.c_id) AS q WHERE k > 'a'`,
    'SELECT k, (SELECT max(v) FROM o WHERE o.c_id = q.k) AS m FROM (SELECT c_id + 0 AS k FROM c WHERE b > 0) AS q',
    'SELECT g + 1 AS h FROM (SELECT generate_series(1, b) AS g FROM c) AS q WHERE g > 1',
    'SELECT true AS one FROM (SELECT b FROM c UNION ALL SELECT x FROM u) AS q',
    'SELECT x AS p, x AS q FROM (SELECT b AS x, c_id FROM c UNION ALL SELECT x, id FROM u) AS q WHERE x > 0',
    'SELECT b FROM c UNION ALL (SELECT x FROM u UNION SELECT v FROM o) UNION ALL SELECT c_id FROM o',
    'SELECT b FROM c EXCEPT ALL (SELECT x FROM u UNION ALL SELECT v FROM o)',
    'SELECT c_id, (SELECT count(*) FROM i WHERE i.c_id_1 = c.b AND i.b > c.c_id) AS n FROM c',
    'SELECT c.c_id, l.s, c.b FROM c CROSS JOIN LATERAL (SELECT sum(b_2) AS s FROM i WHERE i.b = c.c_id) AS l',
    'SELECT c_id FROM c WHERE EXISTS (SELECT FROM i WHERE i.b_2 = c.b AND EXISTS (SELECT FROM i AS j WHERE j.b = i.c_id_1 AND j._w_1 > c.c_id))',
    'SELECT a.b_2, d._w_1 FROM i AS a JOIN i AS d ON d.c_id_1 = a.b AND d.b_2 <= a._w_1',
    'SELECT c_id_1, b_2, (SELECT max(o.v + i.b) FROM o WHERE o.c_id = i.c_id_1) AS m FROM (SELECT * FROM i WHERE b > 0) AS i',
  ],
  'whole rows': [
    'SELECT u FROM u',
    'SELECT count(u) AS n, count(u.*) AS m FROM u',
    'SELECT u::text AS s, to_jsonb(u) AS j, row_to_json(u)::jsonb AS r, id FROM u',
    'SELECT id FROM u WHERE u IS NOT NULL',
    'SELECT id FROM u WHERE u.* IS NULL',
    'SELECT u, count(*) AS n FROM u GROUP BY u',
    'SELECT id, jsonb_agg(u ORDER BY w) AS a FROM u GROUP BY id',
    'SELECT c_id, u, u IS NULL AS missing, to_jsonb(u) AS j FROM c LEFT JOIN u ON u.x = c.c_id',
    'SELECT c_id, count(u) AS n FROM c LEFT JOIN u ON u.x = c.c_id GROUP BY c_id',
    'SELECT c_id, to_jsonb(q) AS j FROM c LEFT JOIN (SELECT x, count(*) AS "N""n" FROM u GROUP BY x) AS q ON q.x = c.c_id',
    'SELECT to_jsonb(q) AS j FROM (SELECT x, count(*) AS n FROM u GROUP BY x) AS q',
    'WITH q AS (SELECT x, w FROM u) SELECT to_jsonb(q) AS j FROM q',
    'SELECT to_jsonb(j) AS o FROM (c JOIN o USING (c_id)) AS j',
    'SELECT a.id FROM u AS a JOIN u AS b ON a = b',
    `SELECT to_jsonb(v) AS j, c_id FROM c, (VALUES (1, 'a'), (2, 'b')) AS v (k, l)`,
    'SELECT c_id, (SELECT u FROM u WHERE u.x = c.c_id ORDER BY id, w LIMIT 1) AS w FROM c',
  ],
};

it.each(Object.entries(forms))('%s', async (_about, queries) => {
  const views = queries.map((sql, i) => ({ name: `v${i}`, sql }));
  const { mismatch, refused, created } = await runner.run({ schema, views, history });
  expect(mismatch).toBeNull();
  expect(refused).toEqual([]);
  const recomputed = created.filter(({ stages }) => stages.some(({ strategy }) => strategy === 'recompute'));
  expect(recomputed).toEqual([]);
});
