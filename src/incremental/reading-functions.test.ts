/** Functions that read tables: no trigger stands on those, so a view that calls one is refused, whatever it is declared as. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { createIncrementalView } from './incremental-view.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
  await db.exec(`
    CREATE TABLE t (id int, k int, note text); CREATE TABLE rates (k int, rate int);
    CREATE FUNCTION sql_reads(int) RETURNS int STABLE LANGUAGE sql AS 'SELECT rate FROM rates WHERE k = $1';
    CREATE FUNCTION sworn(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT max(rate) FROM public.rates';
    CREATE FUNCTION atomic(int) RETURNS int STABLE BEGIN ATOMIC SELECT rate FROM rates WHERE k = $1; END;
    CREATE FUNCTION procedural(int) RETURNS int STABLE LANGUAGE plpgsql AS $$ DECLARE r int; BEGIN
      SELECT rate INTO r FROM rates WHERE k = $1; RETURN r; END $$;
    CREATE FUNCTION assigns(int) RETURNS int STABLE LANGUAGE plpgsql AS $$ DECLARE r int; BEGIN
      r := (SELECT rate FROM rates WHERE k = $1); RETURN r; END $$;
    CREATE FUNCTION loops(int) RETURNS int STABLE LANGUAGE plpgsql AS $$ DECLARE r record; n int := 0; BEGIN
      FOR r IN SELECT * FROM rates LOOP n := n + 1; END LOOP; RETURN n; END $$;
    CREATE FUNCTION dynamic(int) RETURNS int STABLE LANGUAGE plpgsql AS $$ DECLARE r int; BEGIN
      EXECUTE 'SELECT 1' INTO r; RETURN r; END $$;
    CREATE FUNCTION nested(int) RETURNS int STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN 1 + sql_reads($1); END $$;
    CREATE FUNCTION atomic_nested(int) RETURNS int STABLE BEGIN ATOMIC SELECT nested($1); END;
    CREATE FUNCTION near(int, int) RETURNS boolean STABLE LANGUAGE sql AS 'SELECT sql_reads($1) = $2';
    CREATE OPERATOR ~~~ (LEFTARG = int, RIGHTARG = int, FUNCTION = near);
    CREATE FUNCTION operates(int) RETURNS boolean STABLE LANGUAGE sql AS 'SELECT $1 ~~~ 2';
    CREATE FUNCTION adds(int, int) RETURNS int STABLE LANGUAGE sql AS 'SELECT $1 + sql_reads($2)';
    CREATE AGGREGATE total (int) (SFUNC = adds, STYPE = int, INITCOND = 0);
    CREATE DOMAIN known AS int CHECK (sworn(VALUE) > 0);
    CREATE TYPE rated AS (r int);
    CREATE FUNCTION to_rated(int) RETURNS rated STABLE LANGUAGE sql AS 'SELECT ROW(sql_reads($1))::rated';
    CREATE CAST (int AS rated) WITH FUNCTION to_rated(int);
    CREATE VIEW through AS SELECT id, sql_reads(k) AS rate FROM t;
    CREATE FUNCTION rows_of() RETURNS SETOF rates STABLE LANGUAGE sql AS 'TABLE rates';

    CREATE FUNCTION plain(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2';
    CREATE FUNCTION from_words(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ DECLARE a text; b int[]; BEGIN
      a := substring($1 FROM 1 FOR 2); b[1] := 1; IF a IS DISTINCT FROM 'x' THEN a = trim(both FROM a); END IF;
      FOR i IN 1 .. 3 LOOP a := a || i; END LOOP;
      RETURN (SELECT string_agg(x, ',') FROM unnest(ARRAY[a]) AS x) || extract(year FROM date '2024-01-01') || plain(1); END $$;
    CREATE DOMAIN positive AS int CHECK (plain(VALUE) > 0);
    CREATE FUNCTION recursive(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
      RETURN CASE WHEN $1 > 0 THEN recursive($1 - 1) ELSE 0 END; END $$;`);
}, 120_000);
afterAll(() => db.close());

const made = (sql: string): Promise<unknown> => createIncrementalView(db, 'v', sql);

describe('is refused by name', () => {
  it.each([
    [
      'SELECT sql_reads(k) AS r FROM t',
      'public.sql_reads(integer), which reads the table rates, whose changes would not be followed (line 1, column 8)',
    ],
    ['SELECT sworn(k) AS r FROM t', 'public.sworn(integer)'],
    ['SELECT atomic(k) AS r FROM t', 'public.atomic(integer)'],
    ['SELECT id FROM t WHERE procedural(k) > 1', 'public.procedural(integer)'],
    ['SELECT assigns(k) AS r FROM t', 'public.assigns(integer)'],
    ['SELECT loops(k) AS r FROM t', 'public.loops(integer)'],
    ['SELECT dynamic(k) AS r FROM t', 'public.dynamic(integer)'],
    ['SELECT nested(k) AS r FROM t', 'public.nested(integer)'],
    ['SELECT atomic_nested(k) AS r FROM t', 'public.atomic_nested(integer)'],
    ['SELECT id FROM t WHERE k ~~~ 2', 'public.near(integer,integer)'],
    ['SELECT operates(k) AS r FROM t', 'public.operates(integer)'],
    ['SELECT total(k) AS r FROM t', 'public.total(integer)'],
    ['SELECT k::known::int AS r FROM t', 'public.sworn(integer)'],
    ['SELECT (k::rated).r AS r FROM t', 'public.to_rated(integer)'],
    ['SELECT rate FROM through', 'public.sql_reads(integer)'],
    ['SELECT t.id, r.rate FROM t, rows_of() AS r', 'public.rows_of()'],
  ])('%s', async (sql, message) => {
    await expect(made(sql)).rejects.toThrow(message);
  });
});

it('an unlogged table is refused too, by the code that a project gives', async () => {
  await db.exec('CREATE UNLOGGED TABLE light (id int)');
  await expect(made('SELECT id FROM light')).rejects.toMatchObject({
    code: 'SEG436',
    message: expect.stringContaining('is an unlogged table') as string,
  });
});

it('functions that read nothing are kept', async () => {
  await made(
    'SELECT id, plain(k) AS p, from_words(note) AS f, k::positive::int AS q, recursive(k) AS r FROM t WHERE k > 0',
  );
  await db.exec("INSERT INTO t VALUES (1, 2, 'abc')");
  expect((await db.query('SELECT id, p FROM v')).rows).toEqual([{ id: 1, p: 4 }]);
});
