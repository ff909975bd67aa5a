/** One SQL statement that changes several inputs of a view: cascades, triggers of the user's, writing WITH queries. */
import { afterAll, expect, it } from 'vitest';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { runCase } from './trace-runner.ts';

const db = await openMemoryDatabase();
afterAll(() => db.close());

const views = [
  { name: 'joined', sql: 'SELECT p.id, p.g, c.n FROM p JOIN c ON c.p = p.id' },
  {
    name: 'grouped',
    sql: 'SELECT p.g, sum(c.n) AS s, count(*) AS n FROM p JOIN c ON c.p = p.id GROUP BY p.g',
  },
  { name: 'outer_joined', sql: 'SELECT p.id, c.n FROM p LEFT JOIN c ON c.p = p.id' },
  { name: 'above', sql: 'SELECT g.g, g.s, j.id FROM grouped g JOIN joined j ON j.g = g.g' },
  {
    name: 'both_paths',
    sql: 'SELECT id, g FROM p UNION ALL SELECT id, g FROM joined',
  },
];

const schema = [
  'CREATE TABLE p (id int PRIMARY KEY, g text)',
  'CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE, n int)',
];

const filled = [
  "INSERT INTO p VALUES (1, 'x'), (2, 'x'), (3, 'y'), (4, 'z')",
  'INSERT INTO c SELECT i, 1 + i % 4, i FROM generate_series(1, 12) AS i',
];

it('foreign keys that cascade', async () => {
  const history = [
    ...filled,
    'DELETE FROM p WHERE id = 1',
    'UPDATE p SET id = 20 WHERE id = 2',
    "DELETE FROM p WHERE g = 'y'",
    'DELETE FROM p',
  ];
  expect((await runCase(db, { schema, views, history })).mismatch).toBeNull();
});

it('a trigger of the user that writes another input', async () => {
  const trigger = [
    `CREATE FUNCTION public.follow() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN INSERT INTO public.c VALUES (100 + new.id, new.id, 7); UPDATE public.c SET n = n + 1 WHERE p <> new.id; RETURN NULL; END $$`,
    'CREATE TRIGGER follow AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION public.follow()',
  ];
  const history = [...filled, "INSERT INTO p VALUES (5, 'x'), (6, 'y')", "UPDATE p SET g = 'q' WHERE id < 3"];
  expect((await runCase(db, { schema: [...schema, ...trigger], views, history })).mismatch).toBeNull();
});

it('WITH queries that write, and MERGE', async () => {
  const history = [
    ...filled,
    "WITH gone AS (DELETE FROM c WHERE n > 6 RETURNING p) UPDATE p SET g = 'gone' WHERE id IN (SELECT p FROM gone)",
    "WITH new AS (INSERT INTO p VALUES (7, 'new') RETURNING id) INSERT INTO c SELECT 70, 4, 1 FROM new",
    "INSERT INTO p VALUES (1, 'up'), (8, 'in') ON CONFLICT (id) DO UPDATE SET g = excluded.g",
    `MERGE INTO c USING (VALUES (1, 10), (2, 20), (99, 30)) AS s (id, n) ON c.id = s.id
     WHEN MATCHED AND s.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED THEN INSERT VALUES (s.id, 2, s.n)`,
    "BEGIN; UPDATE p SET g = 'w'; SAVEPOINT a; DELETE FROM c; ROLLBACK TO SAVEPOINT a; INSERT INTO c VALUES (200, 1, 1); COMMIT",
    'UPDATE c SET n = n + 1',
  ];
  expect((await runCase(db, { schema, views, history })).mismatch).toBeNull();
});

it('joins of one table within a lateral side', async () => {
  const lateral = (from: string): string =>
    `SELECT x.id, l.c, l.n FROM c x, LATERAL (SELECT y.id AS c, w.n FROM ${from} WHERE y.id = x.id) l`;
  const chains = [
    { name: 'chain', sql: lateral('c y JOIN c z ON z.n = y.n JOIN c w ON w.p = z.p') },
    {
      name: 'apart',
      sql: lateral('c y JOIN c z ON z.n = y.n, (SELECT a.n FROM c a JOIN c b ON b.n = a.p) w'),
    },
  ];
  const history = [
    ...filled,
    'UPDATE c SET n = n / 3',
    'DELETE FROM p WHERE id = 1',
    'INSERT INTO c VALUES (30, 2, 2)',
  ];
  expect((await runCase(db, { schema, views: chains, history })).mismatch).toBeNull();
});
