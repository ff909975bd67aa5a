/** Partitioned tables and inheritance: after every statement all views equal their recomputation. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { createIncrementalView, dropIncrementalView } from './incremental-view.ts';
import { readChanges } from './read-changes.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
});
afterAll(() => db.close());

let views: Record<string, string> = {};

async function expectRight(): Promise<void> {
  for (const [name, query] of Object.entries(views)) {
    const { rows } = await db.query(
      `WITH wanted AS (${query})
       (TABLE ${name} EXCEPT ALL TABLE wanted) UNION ALL (TABLE wanted EXCEPT ALL TABLE ${name})`,
    );
    expect(`${name}: ${JSON.stringify(rows)}`).toBe(`${name}: []`);
  }
}

async function make(tables: string, queries: Record<string, string>, changes: boolean): Promise<void> {
  await db.exec(
    `DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public; ${tables}`,
  );
  views = queries;
  for (const [name, query] of Object.entries(queries))
    await createIncrementalView(db, name, query, { changes });
  await expectRight();
}

async function run(statements: readonly string[]): Promise<void> {
  for (const text of statements) {
    await db.exec(text).catch((error: unknown) => {
      throw new Error(`${text}: ${(error as Error).message}`, { cause: error });
    });
    await expectRight().catch((error: unknown) => {
      throw new Error(`after ${text}: ${(error as Error).message}`, { cause: error });
    });
  }
}

const PARTITIONED = `
  CREATE TABLE p (id int, g int NOT NULL, v int, PRIMARY KEY (id, g)) PARTITION BY LIST (g);
  CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
  CREATE TABLE p2 (v int, gone int, g int NOT NULL, id int NOT NULL);
  ALTER TABLE p2 DROP COLUMN gone; ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2);
  CREATE TABLE "p ""3" PARTITION OF p FOR VALUES IN (3, 4) PARTITION BY RANGE (id);
  CREATE TABLE p3a PARTITION OF "p ""3" FOR VALUES FROM (0) TO (50);
  CREATE TABLE p3b PARTITION OF "p ""3" FOR VALUES FROM (50) TO (1000);
  CREATE TABLE rest PARTITION OF p DEFAULT;
  CREATE TABLE u (id int, w int);
  CREATE TABLE more (id int NOT NULL, g int NOT NULL, v int);
  INSERT INTO p SELECT i, i % 6, i FROM generate_series(1, 60) AS i;
  INSERT INTO u SELECT i, 10 * i FROM generate_series(1, 8) AS i;
  INSERT INTO more SELECT i, 7, i FROM generate_series(100, 104) AS i`;

const OF_PARTITIONED = {
  rows: 'SELECT id, g, v FROM p WHERE v >= 0',
  sums: 'SELECT g, count(*) AS n, sum(v) AS total, min(v) AS least FROM p GROUP BY g',
  firsts: 'SELECT DISTINCT ON (g) g, id, v FROM p ORDER BY g, v DESC, id',
  pairs:
    'SELECT a.id, b.id AS other, a.g FROM p a JOIN p b ON a.g = b.g AND a.id < b.id WHERE a.v < 9 AND b.v < 9',
  joined: 'SELECT p.id, p.g, u.w FROM p LEFT JOIN u ON p.id = u.id',
  before: 'SELECT id, g, lag(v) OVER (PARTITION BY g ORDER BY id) AS d FROM p',
  alone: 'SELECT count(*) AS n, avg(v) AS a FROM p',
  leaf: 'SELECT id, v FROM p1',
  sub: 'SELECT g, sum(v) AS t FROM "p ""3" GROUP BY g',
  mixed: 'SELECT p.id, p1.v FROM p JOIN p1 ON p.id = p1.id + 6',
  parts: 'SELECT tableoid::regclass::text AS part, count(*) AS n FROM p GROUP BY 1',
};

describe.each([true, false])('a partitioned table, with a feed: %s', (changes) => {
  beforeAll(() => make(PARTITIONED, OF_PARTITIONED, changes));

  test('statements on the whole, on partitions, on those between', () =>
    run([
      'INSERT INTO p VALUES (101, 1, 5), (102, 2, 6), (103, 3, 7), (104, 9, 8)',
      'INSERT INTO p1 VALUES (105, 1, 3)',
      'INSERT INTO p2 (id, g, v) VALUES (106, 2, -4)',
      'INSERT INTO "p ""3" VALUES (107, 3, 1), (7, 4, 1)',
      'INSERT INTO p3a VALUES (8, 3, 2)',
      'INSERT INTO rest VALUES (108, 9, 2)',
      'UPDATE p SET v = v + 1',
      'UPDATE p SET g = 2 WHERE id IN (101, 103)',
      'UPDATE p SET g = g % 5 + 1 WHERE id BETWEEN 9 AND 12',
      'UPDATE "p ""3" SET id = id + 300 WHERE id < 20',
      'UPDATE p2 SET v = v * 2',
      'UPDATE p3b SET v = NULL WHERE id > 55',
      'DELETE FROM p WHERE id = 102',
      'DELETE FROM p1 WHERE v > 20',
      'DELETE FROM "p ""3" WHERE id % 7 = 0',
      'INSERT INTO p VALUES (105, 1, 30), (500, 1, 1) ON CONFLICT (id, g) DO UPDATE SET v = excluded.v',
      'INSERT INTO p1 VALUES (105, 1, 31), (501, 1, 1) ON CONFLICT (id, g) DO UPDATE SET v = excluded.v',
      'MERGE INTO p USING (VALUES (105, 9), (601, 9), (500, 9)) AS s (id, v) ON p.id = s.id WHEN MATCHED AND s.id = 500 THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v, g = 3 WHEN NOT MATCHED THEN INSERT VALUES (s.id, 2, s.v)',
      'WITH a AS (INSERT INTO p1 VALUES (701, 1, 1)), b AS (DELETE FROM p2 WHERE v < 20), c AS (UPDATE u SET w = w + 1) INSERT INTO p VALUES (702, 1, 1), (703, 4, 1)',
      'WITH a AS (INSERT INTO p VALUES (704, 1, 1)) INSERT INTO p1 VALUES (705, 1, 2)',
      'WITH a AS (DELETE FROM p WHERE id = 704) UPDATE p1 SET v = v + 1 WHERE id = 705',
      'INSERT INTO p SELECT i, i % 6, i FROM generate_series(1000, 1900) AS i WHERE i % 6 <> 3 AND i % 6 <> 4',
      'DELETE FROM p WHERE id >= 1000',
      'TRUNCATE p2',
      'TRUNCATE "p ""3"',
      'INSERT INTO p VALUES (3, 3, 3)',
      'TRUNCATE ONLY p1',
      'TRUNCATE p',
      'INSERT INTO p SELECT i, i % 6, i FROM generate_series(1, 60) AS i',
    ]));

  test('partitions come and go', () =>
    run([
      'ALTER TABLE p DETACH PARTITION p2',
      'INSERT INTO p2 (id, g, v) VALUES (206, 2, -4)',
      'INSERT INTO p VALUES (207, 1, 4)',
      'ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2)',
      'DELETE FROM p2 WHERE id = 206',
      'ALTER TABLE p ATTACH PARTITION more FOR VALUES IN (7)',
      'UPDATE more SET v = 1 WHERE id = 100',
      'INSERT INTO p VALUES (208, 7, 4)',
      'CREATE TABLE p8 PARTITION OF p FOR VALUES IN (8)',
      'INSERT INTO p8 VALUES (209, 8, 4)',
      'UPDATE p SET g = 8 WHERE id < 5',
      'CREATE TABLE p3c PARTITION OF "p ""3" FOR VALUES FROM (1000) TO (2000)',
      'INSERT INTO p3c VALUES (1500, 3, 4)',
      'CREATE TABLE p6 PARTITION OF p FOR VALUES IN (6) PARTITION BY RANGE (id); CREATE TABLE p6a PARTITION OF p6 DEFAULT; INSERT INTO p6a VALUES (1, 6, 6)',
      'ALTER TABLE p DETACH PARTITION p6',
      'INSERT INTO p6 VALUES (2, 6, 6); DROP TABLE p6',
      'DROP TABLE p3c',
      'DROP TABLE p8, more',
      'BEGIN; ALTER TABLE p DETACH PARTITION rest; DELETE FROM rest; INSERT INTO p2 VALUES (1, 2, 909); ROLLBACK',
      'BEGIN; UPDATE p SET v = v + 1; ALTER TABLE p DETACH PARTITION rest; DELETE FROM rest WHERE id < 9; INSERT INTO rest VALUES (6, 11, 1); ALTER TABLE p ATTACH PARTITION rest DEFAULT; UPDATE p SET v = v + 1; COMMIT',
      'ALTER TABLE p ADD COLUMN note text DEFAULT 1',
      "UPDATE p SET note = 'x', v = 7 WHERE id < 9",
      'ALTER TABLE p RENAME COLUMN note TO remark',
      'INSERT INTO p3a VALUES (1, 3, 3)',
      'DELETE FROM p WHERE g = 9; CREATE SCHEMA s; CREATE TABLE s.p9 PARTITION OF p FOR VALUES IN (9); INSERT INTO p VALUES (9, 9, 9); DROP SCHEMA s CASCADE',
    ]));

  test('a partition that is read is protected; one that could not be followed does not come', async () => {
    await expect(db.exec('DROP TABLE p1')).rejects.toThrow('other objects depend on it');
    await expect(db.exec('CREATE UNLOGGED TABLE fleeting PARTITION OF p FOR VALUES IN (30)')).rejects.toThrow(
      'which is unlogged: public.fleeting',
    );
    await expect(db.exec('ALTER TABLE p2 SET UNLOGGED')).rejects.toThrow('which is unlogged: public.p2');
    await expect(
      db.exec('BEGIN ISOLATION LEVEL REPEATABLE READ; ALTER TABLE p DETACH PARTITION p2'),
    ).rejects.toThrow('can be changed in READ COMMITTED only');
    await db.exec('ROLLBACK');
    await expectRight();
  });

  test('a detached partition that is an input is followed on its own, and beside another whole', async () => {
    await run([
      'ALTER TABLE p DETACH PARTITION p1',
      'INSERT INTO p1 VALUES (800, 1, 1)',
      'CREATE TABLE q (id int NOT NULL, g int NOT NULL, v int, remark text) PARTITION BY LIST (g)',
      'ALTER TABLE q ATTACH PARTITION p1 FOR VALUES IN (1)',
      'INSERT INTO q VALUES (801, 1, 1)',
      'UPDATE q SET v = 2',
      'TRUNCATE q',
    ]);
  });

  test('and once the views are dropped nothing of them is left on any table', async () => {
    for (const name of Object.keys(views)) await dropIncrementalView(db, name);
    const { rows } = await db.query("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'seg%'");
    expect(rows).toEqual([]);
    expect(
      (await db.query('SELECT input FROM _seg.followed UNION SELECT input FROM _seg.relative')).rows,
    ).toEqual([]);
    await db.exec('DROP TABLE p1; DROP TABLE p');
  });
});

const INHERITED = `
  CREATE TABLE h (id int, v int);
  CREATE TABLE c1 (extra text, CHECK (id < 100)) INHERITS (h);
  CREATE TABLE other (v int, name text, id int);
  CREATE TABLE c2 (more json) INHERITS (other, h);
  CREATE TABLE g1 (last int) INHERITS (c1);
  CREATE TABLE late (extra text, v int, id int);
  CREATE TABLE u (id int, w int);
  INSERT INTO h VALUES (1, 1), (2, 2); INSERT INTO c1 VALUES (3, 3, 'x'), (4, 4, 'y');
  INSERT INTO c2 (id, v) VALUES (1, 5); INSERT INTO g1 VALUES (3, 6, 'z', 1);
  INSERT INTO late VALUES ('l', 9, 9), ('m', 1, 1); INSERT INTO u VALUES (1, 1), (3, 3), (9, 9)`;

const OF_INHERITED = {
  rows: 'SELECT id, v FROM h',
  sums: 'SELECT id, count(*) AS n, sum(v) AS total, max(v) AS most FROM h GROUP BY id',
  firsts: 'SELECT DISTINCT ON (id) id, v FROM h ORDER BY id, v',
  joined: 'SELECT h.id, h.v, u.w FROM h LEFT JOIN u ON h.id = u.id',
  pairs: 'SELECT a.v, b.v AS other FROM h a JOIN h b ON a.id = b.id AND a.v < b.v',
  child: 'SELECT id, v, extra FROM c1 WHERE v IS NOT NULL',
  owned: 'SELECT id, sum(v) AS t FROM ONLY h GROUP BY id',
  mixed: 'SELECT other.name, h.v FROM h JOIN other ON other.id = h.id',
};

describe.each([true, false])('inheritance, with a feed: %s', (changes) => {
  beforeAll(() => make(INHERITED, OF_INHERITED, changes));

  test('statements on parents and children', () =>
    run([
      'INSERT INTO h VALUES (3, 30)',
      "INSERT INTO c1 VALUES (5, 5, 'a'), (5, 6, NULL)",
      "INSERT INTO c2 (id, v, name) VALUES (3, 7, 'n')",
      "INSERT INTO g1 VALUES (3, 8, 'q', 2)",
      "INSERT INTO other VALUES (1, 'o', 3)",
      'UPDATE h SET v = v + 1',
      'UPDATE ONLY h SET v = v + 1',
      'UPDATE c1 SET v = 50, id = id + 1',
      'UPDATE ONLY c1 SET v = 51 WHERE id = 6',
      "UPDATE other SET name = 'p', v = v - 1",
      'DELETE FROM h WHERE id = 4',
      'DELETE FROM g1',
      'WITH a AS (DELETE FROM c2 RETURNING id), b AS (UPDATE h SET v = 0 WHERE id = 6) INSERT INTO h SELECT id, 70 FROM a',
      'TRUNCATE c1',
      "INSERT INTO g1 VALUES (3, 8, 'q', 2); INSERT INTO c2 (id, v, name) VALUES (3, 7, 'n')",
      'TRUNCATE ONLY h',
      'TRUNCATE h',
      "INSERT INTO c1 VALUES (5, 5, 'a'), (3, 6, NULL); INSERT INTO h VALUES (3, 30)",
    ]));

  test('children come and go', () =>
    run([
      'ALTER TABLE late INHERIT h',
      "INSERT INTO late VALUES ('k', 3, 3)",
      'UPDATE h SET v = v + 1',
      'ALTER TABLE late NO INHERIT h',
      "INSERT INTO late VALUES ('k', 4, 4)",
      'ALTER TABLE late ADD CONSTRAINT c1_id_check CHECK (id < 100); ALTER TABLE late INHERIT c1',
      'UPDATE late SET v = v + 1',
      'CREATE TABLE fresh () INHERITS (h); INSERT INTO fresh VALUES (3, 3)',
      'UPDATE h SET id = 4 WHERE id = 3',
      'DROP TABLE fresh',
      'ALTER TABLE g1 NO INHERIT c1',
      'DROP TABLE late',
      'ALTER TABLE c1 NO INHERIT h',
      "INSERT INTO c1 VALUES (6, 6, 'b')",
      'ALTER TABLE c2 NO INHERIT h; INSERT INTO c2 (id, v) VALUES (1, 1); INSERT INTO h VALUES (1, 1)',
      'ALTER TABLE c2 INHERIT h',
      "CREATE FUNCTION route() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('CREATE TABLE IF NOT EXISTS routed_%s () INHERITS (h)', NEW.id); EXECUTE format('INSERT INTO routed_%s VALUES ($1.*)', NEW.id) USING NEW; RETURN NULL; END $$; CREATE TRIGGER route BEFORE INSERT ON h FOR EACH ROW EXECUTE FUNCTION route()",
      'INSERT INTO h VALUES (7, 1), (8, 2), (7, 3)',
      'UPDATE routed_7 SET v = v + 1',
    ]));
});

test('a table read as one without children gets one where no key of it is relied on', async () => {
  await make(
    'CREATE TABLE a (id int, v int); CREATE TABLE k (id int PRIMARY KEY, v int); INSERT INTO a VALUES (1, 1)',
    { of_a: 'SELECT id, sum(v) AS t FROM a GROUP BY id', of_k: 'SELECT id, v FROM k' },
    false,
  );
  await run(['CREATE TABLE b () INHERITS (a)', 'INSERT INTO b VALUES (1, 2)', 'UPDATE a SET v = 9']);
  await expect(db.exec('CREATE TABLE l () INHERITS (k)')).rejects.toThrow(
    '"public"."k" cannot have children: it is read by view "public"."of_k"',
  );
  await expect(db.exec('CREATE TEMPORARY TABLE l () INHERITS (a)')).rejects.toThrow('which is temporary');
  await run(['INSERT INTO k VALUES (1, 1)']);
});

test('the feed of a view has what came and went with a partition', async () => {
  await make(
    `CREATE TABLE p (id int, g int) PARTITION BY LIST (g); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
     CREATE TABLE p2 (id int, g int); INSERT INTO p2 VALUES (5, 2); INSERT INTO p VALUES (1, 1)`,
    { v: 'SELECT id FROM p' },
    true,
  );
  const before = (await readChanges(db, 'v')).length;
  await run(['ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2)', 'DROP TABLE p2']);
  const changes = (await readChanges(db, 'v')).slice(before);
  expect(changes.map(({ weight, row }) => ({ weight, row }))).toEqual([
    { weight: 1, row: { id: 5 } },
    { weight: -1, row: { id: 5 } },
  ]);
});

test('without the event trigger tables with relatives are refused, others are not', async () => {
  await make(
    'CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p DEFAULT; CREATE TABLE t (id int)',
    { v: 'SELECT id FROM t' },
    false,
  );
  await db.exec('DROP EVENT TRIGGER "seg_follow_families ""_seg"""');
  await expect(createIncrementalView(db, 'w', 'SELECT id FROM p')).rejects.toThrow(
    '"public"."p" has partitions, parents or children, and this role may not create the event trigger',
  );
});
