/** What is refused, by name, with nothing created; and what may not be done to the tables of a view. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { createIncrementalView, dropIncrementalView } from './incremental-view.ts';

const db = await openMemoryDatabase();
afterAll(() => db.close());
beforeEach(() =>
  db.exec(`DROP SCHEMA IF EXISTS _seg CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;
    CREATE TABLE orders (id int PRIMARY KEY, customer text, amount int, doc json, place point, note text);
    CREATE FUNCTION dice(int) RETURNS int LANGUAGE sql AS 'SELECT (random() * $1)::int';
    CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * $1';
    CREATE FUNCTION rough(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT dice($1) = $2';
    CREATE OPERATOR ~~~ (LEFTARG = int, RIGHTARG = int, FUNCTION = rough);
    CREATE VIEW noisy AS SELECT id, dice(amount) AS amount FROM orders;
    CREATE VIEW today AS SELECT id FROM orders WHERE current_date > DATE '2024-01-01';
    CREATE VIEW sampled AS SELECT id FROM orders TABLESAMPLE system (1);
    CREATE VIEW placed AS SELECT id, xmin::text AS place FROM orders;
    CREATE VIEW plain AS SELECT id, customer AS who, amount FROM orders;
    CREATE TYPE pair AS (a int, b json);
    DROP TABLE IF EXISTS pg_temp.fleeting; CREATE TEMPORARY TABLE fleeting (id int);
    CREATE TABLE odd (id int, "_seg_w" int);
    CREATE TABLE parent (id int); CREATE UNLOGGED TABLE child () INHERITS (parent); CREATE VIEW through AS SELECT id FROM parent;
    CREATE MATERIALIZED VIEW stored AS SELECT 1 AS id; CREATE SEQUENCE numbers`),
);

const left = async (): Promise<unknown[]> =>
  (
    await db
      .query(`SELECT view FROM _seg.plan UNION ALL SELECT guard::text FROM _seg.read_column`)
      .catch(() => ({ rows: [] }))
  ).rows;

describe('a query that cannot be kept is refused, and nothing is created', () => {
  it.each([
    [
      'SELECT id, random() AS r FROM orders',
      'the view "public"."v" calls the volatile function random(), so it has no answer that could be kept up to date (line 1, column 12). Compute',
    ],
    [
      'SELECT id\n FROM odd',
      '"public"."odd" has the column "_seg_w", and names that begin with "_seg_" are those of seg\'s programs, so changes to it cannot be followed (line 2, column 7). Rename',
    ],
    [
      'SELECT id,\n  dice(amount) AS r FROM orders',
      'calls the volatile function public.dice(integer), so it has no answer that could be kept up to date (line 2, column 3). Compute',
    ],
    ['SELECT id FROM orders WHERE amount ~~~ 3', 'calls the volatile function public.rough(integer,integer)'],
    [
      'SELECT id, amount FROM noisy',
      'calls the volatile function public.dice(integer) through the view "public.noisy"',
    ],
    [
      "SELECT id FROM orders WHERE now() > TIMESTAMPTZ '2024-01-01'",
      'calls now(), and a maintained row would not change when time passes (line 1, column 29). Keep the time',
    ],
    ['SELECT id FROM today', 'calls current_date() through the view "public.today"'],
    ["SELECT id, age(TIMESTAMP '2024-01-01') AS a FROM orders", 'calls age()'],
    [
      "SELECT id,\n'today'::date AS d FROM orders WHERE customer = 'today'",
      "reads the literal 'today', and a maintained row would not change when time passes (line 2, column 1). Keep the time",
    ],
    [
      'SELECT id FROM orders TABLESAMPLE bernoulli (50)',
      'the view "public"."v" has a TABLESAMPLE without REPEATABLE, which draws other rows each time (line 1, column 35). Write REPEATABLE (1): the same rows',
    ],
    ['SELECT id FROM sampled', 'has a TABLESAMPLE without REPEATABLE through the view "public.sampled"'],
    [
      'SELECT id FROM orders FOR UPDATE',
      'the view "public"."v" says FOR UPDATE, and a maintained relation only reads',
    ],
    [
      'SELECT id, o.ctid::text AS place FROM orders AS o',
      'reads the system column ctid, which tells where the row lies, and changes when the table is rewritten (line 1, column 12). Use a key',
    ],
    ['SELECT id, place FROM placed', 'reads the system column xmin through the view "public.placed"'],
    [
      'SELECT id FROM orders WHERE customer = current_user',
      'calls current_user(), whose answer depends on who asks, and a maintained row is the same for everybody (line 1, column 40). Write the value',
    ],
    ["SELECT id FROM orders WHERE customer = current_setting('app.customer')", 'calls current_setting()'],
    [
      'SELECT id, doc FROM orders',
      'column "doc" of the view "public"."v" has type json, whose values cannot be compared. Use jsonb: "doc"::jsonb.',
    ],
    ['SELECT id, place FROM orders', 'column "place" of the view "public"."v" has type point'],
    ['SELECT id, ARRAY[doc] AS docs FROM orders', 'column "docs" of the view "public"."v" has type json[]'],
    [
      'SELECT id, ROW(id, doc)::pair AS p FROM orders',
      'column "p" of the view "public"."v" has type public.pair',
    ],
    [
      'SELECT id, xmlparse(CONTENT note) AS x FROM orders',
      'column "x" of the view "public"."v" has type xml',
    ],
    ['SELECT id, id FROM orders', 'column "id" specified more than once'],
    ['SELECT id FROM public.v', 'the view "public"."v" reads itself (line 1, column 16)'],
    ['SELECT id FROM nowhere', 'relation "nowhere" does not exist'],
    ['SELECT FROM orders', 'the view "public"."v" has no columns. Select at least one.'],
    [
      'SELECT o.id\nFROM orders o, fleeting f',
      'pg_temp.fleeting is a temporary table or view, so changes to it cannot be followed (line 2, column 16). Use a table',
    ],
    ['SELECT id FROM stored', 'public.stored is a materialized view'],
    ['SELECT last_value AS id FROM numbers', 'public.numbers is a sequence'],
    ['SELECT relname::text AS id FROM pg_class', 'pg_catalog.pg_class is a system relation'],
    [
      'SELECT id FROM through',
      'public.parent is a table with partitions, parents or children of which one is foreign, unlogged or temporary, so changes to it cannot be followed (through a plain view). Take',
    ],
  ])('%s', async (sql, message) => {
    await expect(createIncrementalView(db, 'v', sql)).rejects.toThrow(message);
    expect(await left()).toEqual([]);
  });

  it('a virtual generated column, which triggers see as NULL', async () => {
    await db.exec(
      'CREATE TABLE priced (id int, twice int GENERATED ALWAYS AS (2 * id) VIRTUAL, thrice int GENERATED ALWAYS AS (3 * id) STORED)',
    );
    await expect(createIncrementalView(db, 'v', 'SELECT id, twice FROM priced')).rejects.toThrow(
      'reads the virtual generated column twice of public.priced, whose values no trigger sees',
    );
    expect(await left()).toEqual([]);
    await createIncrementalView(db, 'v', 'SELECT id, thrice FROM priced');
    await db.exec('INSERT INTO priced VALUES (1)');
    expect((await db.query('SELECT * FROM v')).rows).toEqual([{ id: 1, thrice: 3 }]);
  });

  it('but not for functions that last, nor for json that is not part of the result', async () => {
    await createIncrementalView(
      db,
      'v',
      `SELECT id, twice(amount) AS a, doc->>'x' AS x, age(TIMESTAMP '2024-01-02', TIMESTAMP '2024-01-01') AS d FROM orders`,
    );
    await createIncrementalView(
      db,
      'w',
      `SELECT o.id, p.doc->>'x' AS x FROM orders o LEFT JOIN (SELECT DISTINCT ON (customer) customer, doc, id FROM orders ORDER BY customer, id) p ON p.customer = o.note`,
    );
    await db.exec(`INSERT INTO orders (id, customer, amount, doc, note) VALUES (1, 'a', 2, '{"x": 1}', 'a')`);
    expect((await db.query('SELECT * FROM v')).rows).toEqual([{ id: 1, a: 4, x: '1', d: '1 day' }]);
    expect((await db.query('SELECT * FROM w')).rows).toEqual([{ id: 1, x: '1' }]);
  });

  it('a name that is taken', async () => {
    await expect(createIncrementalView(db, 'orders', 'SELECT 1 AS one')).rejects.toThrow(
      'there is a relation "public"."orders" already',
    );
  });
});

describe('what a view reads cannot be taken from it', () => {
  beforeEach(async () => {
    await createIncrementalView(
      db,
      'totals',
      'SELECT who, sum(twice(amount)) AS total FROM plain GROUP BY who',
    );
    await createIncrementalView(db, 'big', 'SELECT who FROM totals WHERE total > 10');
    await db.exec(`INSERT INTO orders (id, customer, amount) VALUES (1, 'a', 7)`);
  });

  it.each([
    [
      'ALTER TABLE orders DROP COLUMN amount',
      /cannot drop column amount of table orders/,
      /view plain depends on column amount/,
    ],
    [
      'ALTER TABLE orders ALTER amount TYPE bigint',
      /cannot alter type of a column used by a view/,
      undefined,
    ],
    ['DROP TABLE orders', /cannot drop table orders/, undefined],
    ['DROP VIEW plain', /cannot drop view plain/, /view _seg\."view public\.totals" depends on view plain/],
    ['DROP VIEW totals', /cannot drop view totals/, /view _seg\."view public\.big" depends on view totals/],
    [
      'DROP FUNCTION twice',
      /cannot drop function twice/,
      /view _seg\."view public\.totals" depends on function twice/,
    ],
    [
      'ALTER TABLE orders RENAME COLUMN amount TO sum',
      /column amount of public\.orders cannot be renamed: it is read by view "public"."totals"$/,
      undefined,
    ],
    [
      'ALTER TABLE orders RENAME TO sales',
      /public\.orders cannot be renamed: it is read by view "public"\."totals"$/,
      undefined,
    ],
    [
      'ALTER TABLE totals RENAME TO sums',
      /public\.totals cannot be renamed: it is read by view "public"\."big"$/,
      undefined,
    ],
    [
      'ALTER VIEW plain RENAME COLUMN who TO whom',
      /column who of public\.plain cannot be renamed/,
      undefined,
    ],
    ['ALTER SCHEMA public RENAME TO other', /public\.orders cannot be renamed/, undefined],
    [
      'CREATE OR REPLACE VIEW plain AS SELECT id, customer AS who, -amount AS amount FROM orders',
      /view public\.plain cannot be replaced: it is read by view "public"\."totals"$/,
      undefined,
    ],
    [
      'CREATE TABLE old_orders () INHERITS (orders)',
      /"public"\."orders" cannot have children: it is read by view "public"\."totals"/,
      undefined,
    ],
    ['ALTER TABLE orders SET UNLOGGED', /reads "public"\."orders", which is unlogged$/, undefined],
  ])('%s', async (sql, message, detail) => {
    const error = await db.exec(sql).then(
      () => ({}),
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ message: expect.stringMatching(message) as string });
    if (detail !== undefined)
      expect(error).toMatchObject({ detail: expect.stringMatching(detail) as string });
    await db.exec(`INSERT INTO orders (id, customer, amount) VALUES (2, 'b', 1)`);
    expect((await db.query('SELECT * FROM totals ORDER BY 1')).rows).toEqual([
      { who: 'a', total: 14 },
      { who: 'b', total: 2 },
    ]);
  });

  it('what its plan takes for granted stays: that a column is never NULL, that a key is unique', async () => {
    await db.exec(
      'CREATE TABLE steps (id bigint PRIMARY KEY, who int NOT NULL, at int NOT NULL, note text NOT NULL)',
    );
    const sql = 'SELECT id, lag(at) OVER (PARTITION BY who ORDER BY at, id) AS before FROM steps';
    await createIncrementalView(db, 'gaps', sql);
    const refused = async (statement: string): Promise<string> =>
      db.exec(statement).then(
        () => 'done',
        (error: unknown) => (error as Error).message,
      );
    expect(await refused('ALTER TABLE steps ALTER at DROP NOT NULL')).toBe(
      'column at of public.steps must stay NOT NULL: view "public"."gaps" relies on it',
    );
    expect(await refused('ALTER TABLE steps DROP CONSTRAINT steps_pkey')).toBe(
      'the unique key (id) of public.steps must stay: view "public"."gaps" relies on it',
    );
    expect(await refused('ALTER TABLE steps ALTER note DROP NOT NULL')).toBe('done');
    await dropIncrementalView(db, 'gaps');
    expect(await refused('ALTER TABLE steps DROP CONSTRAINT steps_pkey, ALTER at DROP NOT NULL')).toBe(
      'done',
    );
  });

  it('columns that it does not read may go', async () => {
    await db.exec(
      'ALTER TABLE orders DROP COLUMN note; ALTER TABLE orders RENAME COLUMN place TO spot; ALTER TABLE orders ADD COLUMN more int',
    );
    await db.exec(`INSERT INTO orders (id, customer, amount) VALUES (2, 'a', 1)`);
    expect((await db.query('SELECT * FROM totals')).rows).toEqual([{ who: 'a', total: 16 }]);
  });

  it('and all of it once the views are dropped', async () => {
    await dropIncrementalView(db, 'big');
    await dropIncrementalView(db, 'totals');
    await db.exec(
      'DROP VIEW plain; ALTER TABLE orders RENAME COLUMN amount TO sum; DROP FUNCTION twice; DROP TABLE orders CASCADE',
    );
    expect(await left()).toEqual([]);
  });

  it('a table that is dropped all the same leaves views that can be dropped', async () => {
    await db.exec('DROP TABLE orders CASCADE');
    await dropIncrementalView(db, 'big');
    await dropIncrementalView(db, 'totals');
    expect(await left()).toEqual([]);
  });
});
